"""How long one operation takes: each function sets a peer up, warms it, measures one round of it and ends it.

All times are ns for one operation, so less is better everywhere. The collector runs as it does in any program.
"""

import gc
import itertools
import statistics
import threading
import time
import timeit
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from unittest import mock

from bus import Bus, BusClosed, Service, current_call
from tests.bench import emitters, peers

SHAPES = ((1, 1), (10, 10), (100, 100), (100, 4))
"""Listeners × threads that they are spread over."""
_PATIENCE = 60.0
"""Seconds after which a round has failed."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much one round does."""

    calls: int = 3_000
    window: int = 10_000
    callers: int = 16
    calls_each: int = 200
    deliveries: int = 10_000
    in_flight: int = 100_000
    checks: int = 50_000
    read: int = 1_000_000
    drawn: int = 10_000_000
    recorded_seconds: float = 3.0
    screen_commands: int = 10_000
    screen_lanes: int = 200
    screen_rate: int = 20_000
    screen_seconds: float = 20.0
    screen_keys: int = 100


QUICK = Sizes(
    calls=50, window=100, callers=4, calls_each=10, deliveries=200, in_flight=500, checks=100, read=500, drawn=5_000,
    recorded_seconds=0.2, screen_commands=50, screen_lanes=5, screen_rate=200, screen_seconds=0.3, screen_keys=4,
)  # fmt: skip


def round_trip(make: peers.Factory, sizes: Sizes) -> dict[str, float]:
    """One caller that waits for every answer: the median of the calls, and their mean."""
    now = time.perf_counter_ns
    with make(_echo) as peer:
        call = peer.call
        _repeat(call, sizes.calls // 10)
        gc.collect()
        times = [now()]
        for _ in range(sizes.calls):
            call()
            times.append(now())
    each = [after - before for before, after in itertools.pairwise(times)]
    return {"round trip p50": statistics.median(each), "round trip mean": statistics.fmean(each)}


def pipelined(make: peers.Factory, sizes: Sizes) -> dict[str, float]:
    """A window of calls is sent, then all the answers are taken."""
    with make(_echo) as peer:
        for window in (sizes.window // 10, sizes.window):
            gc.collect()
            began = time.perf_counter_ns()
            sent = [peer.send() for _ in range(window)]
            for one in sent:
                peer.receive(one)
            took = time.perf_counter_ns() - began
            del sent, one
    return {"pipelined": took / sizes.window}


def many_callers(make: peers.Factory, sizes: Sizes) -> dict[str, float]:
    """Threads that call one service, each of them waiting for every answer."""
    with make(_echo) as peer:
        _repeat(peer.call, sizes.calls_each)
        gate = threading.Barrier(sizes.callers + 1, timeout=_PATIENCE)
        begins: list[int] = []
        ends: list[int] = []

        def caller() -> None:
            peer.call()
            gate.wait()
            begins.append(time.perf_counter_ns())
            _repeat(peer.call, sizes.calls_each)
            ends.append(time.perf_counter_ns())

        threads = [threading.Thread(target=caller) for _ in range(sizes.callers)]
        for thread in threads:
            thread.start()
        gc.collect()
        gate.wait()
        for thread in threads:
            thread.join()
    return {"16 callers": (max(ends) - min(begins)) / (sizes.callers * sizes.calls_each)}


def fan_out(shape: tuple[int, int]) -> Callable[[emitters.Factory, Sizes], dict[str, float]]:
    """Events are fired until so many deliveries are queued, then all of them are waited for: ns a delivery."""
    listeners, threads = shape

    def measured(make: emitters.Factory, sizes: Sizes) -> dict[str, float]:
        heard = _Heard()
        fires = max(1, sizes.deliveries // listeners)
        with make(heard, listeners, threads) as fire:
            for _ in range(2):  # the first time warms it
                heard.expect(fires * listeners)
                gc.collect()
                began = time.perf_counter_ns()
                _repeat(fire, fires)
                heard.wait()
                took = time.perf_counter_ns() - began
        return {f"fire {listeners}×{threads}": took / (fires * listeners)}

    return measured


def memory(make: peers.Factory, sizes: Sizes) -> dict[str, float]:
    """Bytes for a call that is queued while its service is busy, by tracemalloc; the caller's list is not counted."""
    gate, busy = threading.Event(), threading.Event()

    def hold(value: int) -> int:
        busy.set()
        gate.wait(_PATIENCE)
        return value

    with make(hold) as peer:
        sent = [peer.send()]
        busy.wait(_PATIENCE)
        sent += [None] * sizes.in_flight
        gc.collect()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for number in range(1, sizes.in_flight + 1):
                sent[number] = peer.send()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            gate.set()
    return {"bytes in flight": (after - before) / sizes.in_flight}


def argument_check(sizes: Sizes) -> float:
    """What a call with two positional arguments costs before it is made: its name is looked up, they are checked."""
    with Bus("bench", trace="off") as bus:
        bus.register_command("find", lambda path, limit=20: (path, limit))
        refusing = _Refusing()
        dispatch = mock.patch.multiple(bus._dispatch, refusal=BusClosed(), refuse=refusing.refuse)
        with dispatch:  # it ends there what comes after the check
            checked = _best(lambda: _refused(bus.execute_command), sizes)
        return max(1.0, checked - _best(lambda: _refused(refusing.execute_command), sizes))  # less cannot be told


def wait_check(sizes: Sizes) -> float:
    """A handler's wait enters the wait-for graph and leaves it, and the one it waits for has a live worker."""
    gate = threading.Event()

    with Bus("bench", trace="off") as bus:
        bus.add(Service("target"))
        bus.add(Service("waiter"))
        bus.register_command("hold", lambda: gate.wait(_PATIENCE), service="target")
        waits = bus._dispatch.waits

        def measured() -> float:
            promise, call = bus.execute_command("hold"), current_call()
            assert call is not None

            def once() -> None:
                waits.begin(call, promise, timed=False)
                waits.end(call)

            return _best(once, sizes)

        bus.register_command("measure", measured, service="waiter")
        try:
            return float(bus.execute_command("measure").result(_PATIENCE))
        finally:
            gate.set()


class _Heard:
    """A listener that counts; the one that completes the number sets the event. `next` is atomic."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self.expect(0)

    def expect(self, count: int) -> None:
        self._numbers = itertools.count(1)
        self._last = count
        self._done.clear()

    def wait(self) -> None:
        if not self._done.wait(_PATIENCE):
            message = f"only {next(self._numbers) - 1} of {self._last} deliveries arrived within {_PATIENCE} s"
            raise TimeoutError(message)

    def __call__(self, value: int) -> None:
        if next(self._numbers) == self._last:
            self._done.set()


def _echo(value: int) -> int:
    return value


class _Refusing:
    """What is left of `Dispatch.execute_command` without the look at the name and the arguments."""

    _error = BusClosed()
    refusal = _error

    def execute_command(self, name: str, /, *args: object, **kwargs: object) -> None:
        if self.refusal is not None:
            self.refuse()

    def refuse(self) -> None:
        raise self._error.with_traceback(None)


def _refused(execute: Callable[..., object]) -> None:
    try:
        execute("find", "a", 1)
    except BusClosed:
        pass


def _repeat(call: Callable[[], object], count: int) -> None:
    for _ in range(count):
        call()


def _best(call: Callable[[], object], sizes: Sizes) -> float:
    """Ns of CALL, the cost of calling it taken off."""

    def least(one: Callable[[], object]) -> float:
        return min(timeit.repeat(one, number=sizes.checks, repeat=3))

    return max(0.0, least(call) - least(lambda: None)) / sizes.checks * 1e9
