"""Calls that are cancelled just when a worker takes, runs or completes them."""

import sys
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import dataclass, field

from bus import Bus, CallCancelled, Promise, Service, current_call

BURST = 16
"""Calls sent at a time. The first holds the worker until the others are queued; then the worker takes them from the
front while they are cancelled from the back, and both meet.
"""
SPIN = 300
"""How long a call runs: the turns of a loop."""


@contextmanager
def crowded() -> Iterator[None]:
    """Let threads take turns all the time, so that they meet in the middle of things."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@dataclass
class Outcomes:
    """How the races ended; `workers` are the threads that ran calls. `wrong` is what cannot be."""

    cancelled: int = 0
    asked: int = 0
    completed: int = 0
    callbacks: int = 0
    workers: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.cancelled:,} cancelled in the queue, {self.asked:,} asked to stop while they ran, "
            f"{self.completed:,} completed first"
        )


class Races:
    """Sends calls to a service with one worker, and cancels each while the worker goes through them."""

    def __init__(self, bus: Bus, rounds: int) -> None:
        self.outcomes = Outcomes()
        self._bus = bus
        self._rounds = rounds
        self._told: deque[object] = deque()
        self._go = threading.Semaphore(0)
        # Each cell has one writer: the worker, and the thread that cancels.
        self._ran = bytearray(rounds)
        self._cancelled = bytearray(rounds)

    def run(self) -> Outcomes:
        """Run all races."""
        self._bus.add(Service("track"))
        self._bus.register_command("race", self._race, service="track")
        with crowded():
            for first in range(0, self._rounds, BURST):
                burst = [(number, self._send(number)) for number in range(first, first + BURST)]
                self._go.release()
                for number, promise in reversed(burst):
                    self._cancelled[number] = promise.cancel()
                for number, promise in burst:
                    self._check(number, promise)
        self._compare()
        return self.outcomes

    def _race(self, number: int) -> bool:
        self.outcomes.workers.add(threading.get_ident())
        self._ran[number] += 1
        if number % BURST == 0:
            self._go.acquire()
        for _ in range(SPIN):
            pass
        call = current_call()
        return call is not None and call.cancel_requested

    def _send(self, number: int) -> Promise[bool]:
        promise = self._bus.execute_command("race", number)
        promise.add_done_callback(self._told.append)
        if number % 8 == 0:
            wait([promise], timeout=0)  # from now on it has a Condition, and ends another way
        return promise

    def _check(self, number: int, promise: Promise[bool]) -> None:
        outcomes = self.outcomes
        try:
            asked = promise.result(10)
        except CallCancelled:
            outcomes.cancelled += 1
            if self._ran[number]:
                outcomes.wrong.append(f"call {number} was cancelled and ran")
            return
        outcomes.asked += asked
        outcomes.completed += not asked
        if self._ran[number] != 1:
            outcomes.wrong.append(f"call {number} completed and ran {self._ran[number]} times")

    def _compare(self) -> None:
        """After the last race: what was said is what happened, and each callback was called once."""
        outcomes = self.outcomes
        outcomes.wrong += [
            f"call {number}: cancel said {bool(said)}, and it ran {ran} times"
            for number, (said, ran) in enumerate(zip(self._cancelled, self._ran, strict=True))
            if said == ran
        ]
        outcomes.callbacks = len(self._told)
        if len(set(self._told)) != outcomes.callbacks:
            outcomes.wrong.append("a callback was called twice")
