"""Random programs on the bus: services that call each other, wait or do not, fire and listen, any way round."""

from dataclasses import dataclass
from random import Random
from typing import Any

from bus import Bus, CallTimeout, DeadlockError, Promise, Service, current_call

DEPTH = 3
"""How deep calls go on calling."""
LONG, SHORT = 1.0, 20e-6
"""Timeouts: one that passes only when nobody else can go on, and one of twenty steps."""
WAITS = ("no", "now", "now", "now", "end", "end", "timed", "short", "deadline")
"""How a call is waited for: not, at once, after all other acts, with a timeout, under a deadline."""


@dataclass(frozen=True, slots=True)
class Act:
    """Execute the command TARGET and wait in one of the `WAITS`, or "fire" the event TARGET."""

    target: str
    wait: str


Body = tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """Services with their workers; commands and listeners with their service and body; threads outside the bus."""

    workers: dict[str, int]
    commands: dict[str, tuple[str, Body]]
    listeners: tuple[tuple[str, str, Body], ...]
    outer: tuple[Body, ...]


def make(random: Random) -> Program:
    """A program by chance."""
    workers = {name: random.choice((1, 1, 1, 2, 2, 3)) for name in "abcd"[: random.randint(2, 4)]}
    commands = [f"c{number}" for number in range(random.randint(2, 6))]
    events = ("e0", "e1")[: random.choice((0, 1, 1, 2))]

    def body(most: int) -> Body:
        return tuple(act() for _ in range(random.randint(0, most)))

    def act() -> Act:
        if events and random.random() < 0.15:
            return Act(random.choice(events), "fire")
        return Act(random.choice(commands), random.choice(WAITS))

    service = list(workers)
    return Program(
        workers=workers,
        commands={name: (random.choice(service), body(2)) for name in commands},
        listeners=tuple((event, random.choice(service), body(1)) for event in events for _ in range(2)),
        outer=tuple((act(), *body(1)) for _ in range(random.randint(1, 3))),
    )


Wait = tuple[int | str, int]
"""A wait: the id of the call that waits, or the name of the thread outside, and which of its waits it is."""


class Play:
    """One run of PROGRAM. Under the controlled runtime one thread goes at a time, so nothing here needs a lock.

    `waiting`: the waits that have not ended. `alarms`: the kinds of errors of those that were refused.
    """

    def __init__(self, program: Program, bus: Bus) -> None:
        self.waiting: set[Wait] = set()
        self.alarms: list[str] = []
        self._program = program
        self._bus = bus
        self._waits: dict[int | str, int] = {}
        self._open = 0
        self._quiet = bus.runtime.latch()

    def run(self) -> None:
        """Begin it all, and wait until the last call, delivery and thread has ended."""
        bus, program = self._bus, self._program
        for name, workers in program.workers.items():
            bus.add(Service(name, workers=workers))
        for name, (service, body) in program.commands.items():
            bus.register_command(name, self._handler(body), service=service)
        for event, service, body in program.listeners:
            bus.register_listener(event, self._listener(body), service=service)
        self._open = len(program.outer)
        for number, body in enumerate(program.outer):
            bus.runtime.spawn(f"outer-{number}", self._outside, f"outer-{number}", body)
        self._quiet.wait()

    def this_wait(self) -> Wait:
        """What the handler that runs on this thread waits for at the moment."""
        who = _id()
        return who, self._waits[who]

    def _handler(self, body: Body) -> Any:
        return lambda depth: self._perform(_id(), body, depth)

    def _listener(self, body: Body) -> Any:
        def hear(depth: int) -> None:
            self._perform(_id(), body, depth)
            self._ended()

        return hear

    def _outside(self, name: str, body: Body) -> None:
        self._perform(name, body, DEPTH)
        self._ended()

    def _ended(self, *_: object) -> None:
        self._open -= 1
        if not self._open:
            self._quiet.set()

    def _perform(self, who: int | str, body: Body, depth: int) -> None:
        if not depth:
            return
        held: list[Promise[Any]] = []
        for act in body:
            if act.wait == "fire":
                self._open += sum(event == act.target for event, _, _ in self._program.listeners)
                self._bus.fire_event(act.target, depth - 1)
            else:
                self._call(who, act, depth - 1, held)
        for promise in held:
            self._wait(who, promise)

    def _call(self, who: int | str, act: Act, depth: int, held: list[Promise[Any]]) -> None:
        if act.wait == "deadline":
            with self._bus.deadline(LONG):
                self._wait(who, self._execute(act.target, depth))
            return
        promise = self._execute(act.target, depth)
        if act.wait == "end":
            held.append(promise)
        elif act.wait != "no":
            self._wait(who, promise, {"now": None, "timed": LONG, "short": SHORT}[act.wait])

    def _execute(self, command: str, depth: int) -> Promise[Any]:
        self._open += 1
        promise = self._bus.execute_command(command, depth)
        promise.add_done_callback(self._ended)
        return promise

    def _wait(self, who: int | str, promise: Promise[Any], timeout: float | None = None) -> None:
        self._waits[who] = self._waits.get(who, 0) + 1
        wait = (who, self._waits[who])
        self.waiting.add(wait)
        # What ends the run passes through, and leaves the wait among those that have not ended.
        try:
            promise.result(timeout)
        except DeadlockError as alarm:
            self.alarms.append(type(alarm).__name__)
        except CallTimeout:
            pass
        self.waiting.discard(wait)


def _id() -> int:
    call = current_call()
    assert call is not None
    return call.id
