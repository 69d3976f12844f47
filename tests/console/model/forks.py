"""Made-up programs of calls that work, make other calls and wait for them; and what a bus would record of a run.

Each call has a thread of its own, so nothing but what the program says decides how long it takes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st
from msgspec import structs

from bus.attach.protocol import Batch
from bus.trace.records import AnyRecord, Call, Wait
from console.model.store import Store


@dataclass(frozen=True)
class Work:
    ns: int


@dataclass(frozen=True)
class Make:
    """Execute a command, or fire an event that has one listener; it is queued for some time."""

    program: tuple["Step", ...]
    queued: int
    fired: bool = False


@dataclass(frozen=True)
class Await:
    """Wait for the call that was made n-th, the listener of an event; nothing if there is none."""

    number: int


Step = Work | Make | Await
Program = tuple[Step, ...]


@dataclass
class Run:
    """What a run left behind. `spans`: for each step that takes time by itself, whose it was, from when to when."""

    calls: dict[int, Call] = field(default_factory=dict)
    waits: list[Wait] = field(default_factory=list)
    spans: list[tuple[int, int, int]] = field(default_factory=list)

    @property
    def store(self) -> Store:
        """A model of it."""
        records: list[AnyRecord] = [*self.waits, *self.calls.values()]
        records.sort(key=lambda record: (record.ended, isinstance(record, Call)))
        store = Store()
        store.take(Batch(at=1, records=tuple(records)))
        return store


START = 1_000


def run(program: Program, takes: Callable[[int, int], int] = lambda _, ns: ns) -> Run:
    """Run PROGRAM as call 1. TAKES (number of a step in the order of the run, ns) may change how long steps take."""
    ran = Run()
    _call(ran, program, START, None, 0, takes)
    return ran


def _call(
    ran: Run, program: Program, queued: int, parent: Call | None, delay: int, takes: Callable[[int, int], int],
    kind: str = "command",
) -> Call:  # fmt: skip
    number = len(ran.calls) + 1
    call = Call(
        id=number, parent=parent.id if parent else 0, root=1, kind=kind, name=f"n{number}", lane=number,
        caller=parent.lane if parent else 0, queued=queued,
    )  # fmt: skip
    ran.calls[number] = call
    now = _step(ran, number, queued, delay, takes)
    call = structs.replace(call, started=now)
    made: list[Call] = []
    for step in program:
        if isinstance(step, Work):
            now = _step(ran, number, now, step.ns, takes)
        elif isinstance(step, Make):
            made.append(_make(ran, step, now, call, takes))
        elif made:
            target = made[step.number % len(made)]
            if target.ended > now:
                ran.waits.append(Wait(call=number, lane=number, target=target.id, began=now, ended=target.ended))
                now = target.ended
    ran.calls[number] = structs.replace(call, ended=now, outcome="ok")
    return ran.calls[number]


def _make(ran: Run, step: Make, now: int, call: Call, takes: Callable[[int, int], int]) -> Call:
    if not step.fired:
        return _call(ran, step.program, now, call, step.queued, takes)
    number = len(ran.calls) + 1
    event = Call(
        id=number, parent=call.id, root=1, kind="event", name=f"n{number}", caller=call.lane,
        queued=now, started=now, ended=now, outcome="ok",
    )  # fmt: skip
    ran.calls[number] = event
    return _call(ran, step.program, now, event, step.queued, takes, "delivery")


def _step(ran: Run, number: int, now: int, ns: int, takes: Callable[[int, int], int]) -> int:
    took = takes(len(ran.spans), ns)
    ran.spans.append((number, now, now + took))
    return now + took


def _grown(inner: st.SearchStrategy[Program]) -> st.SearchStrategy[Program]:
    make = st.builds(Make, inner, st.integers(1, 90), st.booleans())
    steps = st.lists(WORK | make | st.builds(Await, st.integers(0, 4)), min_size=1, max_size=6)
    return st.builds(lambda first, more: (first, *more), WORK, steps)


WORK = st.builds(Work, st.integers(1, 90))
PROGRAMS = st.recursive(st.lists(WORK, min_size=1, max_size=3).map(tuple), _grown, max_leaves=12)


def ties(ran: Run) -> bool:
    """Whether two calls of one cause ended at the same moment: then nobody can tell for which one it waited."""
    ends = [(_cause(ran, call), call.ended) for call in ran.calls.values() if call.kind != "event"]
    return len(set(ends)) < len(ends)


def _cause(ran: Run, call: Call) -> int:
    parent = ran.calls.get(call.parent)
    return parent.parent if parent is not None and parent.kind == "event" else call.parent


def ticks(ran: Run, number: int, until: int, whose: dict[int, int] | None = None) -> dict[int, int]:
    """For each ns before UNTIL, the call that was on the critical path then; by what was really waited for."""
    whose = {} if whose is None else whose
    call, now = ran.calls[number], until
    while now > call.queued:
        wait = next((wait for wait in ran.waits if wait.call == number and wait.ended == now), None)
        if wait is None:
            now -= 1
            whose[now] = number
        else:
            ticks(ran, wait.target, now, whose)
            now = ran.calls[wait.target].queued
    return whose
