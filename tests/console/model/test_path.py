"""What decided when a call ended."""

from itertools import pairwise

import pytest
from hypothesis import assume, given

from bus.attach.protocol import Batch
from bus.trace.records import Call, Wait
from console.model import path as paths
from console.model.family import Family
from console.model.path import CriticalPath, critical_path
from console.model.store import Store
from tests.console.model import forks
from tests.console.model.forks import Await, Make, Work


def of(ran: forks.Run, number: int = 1) -> tuple[Family, CriticalPath]:
    """The path of a call of a run."""
    family = Family(ran.store, 1)
    return family, critical_path(family, family.row(number), 0)


def said(ran: forks.Run, number: int = 1) -> list[tuple[int, int, int]]:
    """The path as (call, begin, end) since the start."""
    family, path = of(ran, number)
    return [
        (int(family.columns["id"][step.row]), step.begin - forks.START, step.end - forks.START) for step in path.steps
    ]


def test_leads_through_the_call_that_was_waited_for() -> None:
    """From its end back to where it was queued; what the caller did meanwhile is not on the path."""
    inner = (Work(50),)
    assert said(forks.run((Work(10), Make(inner, 5), Work(20), Await(0), Work(7)))) == [
        (1, 0, 10), (2, 10, 65), (1, 65, 72),
    ]  # fmt: skip


def test_what_nobody_waited_for_is_not_on_it() -> None:
    """A call that ran beside, or had ended before it was waited for, decided nothing."""
    beside, quick = Make((Work(500),), 1), Make((Work(3),), 1)
    assert said(forks.run((beside, quick, Work(20), Await(1), Work(5)))) == [(1, 0, 25)]


def test_of_several_the_last_one_counts() -> None:
    """Of two calls that were made at once, the one that ended last is on the path, whoever was waited for first."""
    short, long = Make((Work(30),), 1), Make((Work(80),), 1)
    for order in ((Await(0), Await(1)), (Await(1), Await(0))):
        assert said(forks.run((short, long, *order))) == [(3, 0, 81)]


def test_leads_through_listeners() -> None:
    """Whoever waits for an event waits for its listener; the event itself is passed through and takes no time."""
    ran = forks.run((Work(4), Make((Work(9),), 2, fired=True), Await(0), Work(1)))
    assert said(ran) == [(1, 0, 4), (3, 4, 15), (1, 15, 16)]
    family, path = of(ran)
    assert path.own[family.row(2)] == 0
    assert said(ran, 2) == [(3, 4, 15)]


def test_a_call_in_flight_leads_to_what_it_waits_for_now() -> None:
    """The command that it executed last and that has not ended; a listener that still runs is nobody's business."""
    store = Store()
    common = {"root": 1, "queued": 10, "outcome": None}
    top = Call(id=1, kind="command", name="a", lane=1, started=12, **common)
    done = Call(id=2, kind="command", name="b", lane=2, parent=1, root=1, queued=13, started=14, ended=20, outcome="ok")
    stuck = Call(id=3, kind="command", name="c", parent=1, **(common | {"queued": 30}))
    event = Call(id=4, kind="event", name="e", parent=1, root=1, queued=40, started=40, ended=40, outcome="ok")
    heard = Call(id=5, kind="delivery", name="e", lane=4, parent=4, started=41, **(common | {"queued": 40}))
    waits = (Wait(call=1, lane=1, target=2, began=13, ended=20),)
    store.take(Batch(at=50, records=(*waits, done, event), live=(top, stuck, heard)))
    family = Family(store, 1)
    path = critical_path(family, family.row(1), 50)
    ids = [(int(family.columns["id"][step.row]), step.begin, step.end) for step in path.steps]
    assert ids == [(1, 10, 13), (2, 13, 20), (1, 20, 30), (3, 30, 50)]


def test_an_event_without_listeners_has_no_path() -> None:
    """It takes no time, and nothing does for it."""
    store = Store()
    event = Call(id=4, kind="event", name="e", root=4, queued=40, started=40, ended=40, outcome="ok")
    store.take(Batch(at=50, records=(event,)))
    path = critical_path(Family(store, 4), 0, 50)
    assert (path.steps, path.length) == ((), 0)


def test_of_very_many_steps_the_last_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it was not followed to its beginning."""
    program = (*(step for n in range(30) for step in (Make((Work(3),), 1), Await(n), Work(2))),)
    ran = forks.run(program)
    assert len(said(ran)) == 60
    monkeypatch.setattr(paths, "MOST_STEPS", 10)
    _, path = of(ran)
    assert len(path.steps) == 10
    assert not path.whole
    assert path.steps[-1].end == ran.calls[1].ended


def test_damaged_times_do_no_harm() -> None:
    """A call that claims to have been queued before its cause, or to have ended before it began, stays inside."""
    store = Store()
    top = Call(id=1, kind="command", name="a", root=1, lane=1, queued=100, started=110, ended=200, outcome="ok")
    odd = Call(
        id=2, kind="command", name="b", parent=1, root=1, lane=2, queued=150, started=140, ended=130, outcome="ok"
    )
    store.take(Batch(at=1, records=(Wait(call=1, lane=1, target=2, began=120, ended=135), odd, top)))
    path = critical_path(Family(store, 1), 0, 300)
    assert path.length == 100
    assert all(100 <= step.begin < step.end <= 200 for step in path.steps)


@given(forks.PROGRAMS)
def test_its_steps_follow_each_other_and_fill_the_call(program: forks.Program) -> None:
    """They begin with the call, end with it, leave no gap, lie inside of their own calls, and add up to its length."""
    ran = forks.run(program)
    for number in ran.calls:
        family, path = of(ran, number)
        if ran.calls[number].kind == "event":
            continue
        assert path.whole
        call = ran.calls[number]
        assert path.steps[0].begin == call.queued
        assert path.steps[-1].end == call.ended
        assert all(before.end == after.begin for before, after in pairwise(path.steps))
        assert path.length == sum(step.end - step.begin for step in path.steps) == call.ended - call.queued
        for step in path.steps:
            inside = family.call(step.row)
            assert inside.queued <= step.begin < step.end <= inside.ended


@given(forks.PROGRAMS)
def test_is_what_one_finds_by_looking_at_every_moment(program: forks.Program) -> None:
    """The same as going back ns by ns with the knowledge of who waited for whom."""
    ran = forks.run(program)
    assume(not forks.ties(ran))
    family, path = of(ran)
    found = {
        at: int(family.columns["id"][step.row]) for step in path.steps for at in range(step.begin, step.end)
    }  # fmt: skip
    assert found == forks.ticks(ran, 1, ran.calls[1].ended)


@given(forks.PROGRAMS)
def test_what_is_not_on_it_did_not_matter(program: forks.Program) -> None:
    """If all that is beside the path took no time at all, the call would have ended at the same moment."""
    ran = forks.run(program)
    assume(not forks.ties(ran))
    family, path = of(ran)
    on_it = [(int(family.columns["id"][step.row]), step.begin, step.end) for step in path.steps]

    def matters(span: tuple[int, int, int]) -> bool:
        return any(who == span[0] and begin < span[2] and span[1] < end for who, begin, end in on_it)

    again = forks.run(program, lambda number, ns: ns if matters(ran.spans[number]) else 0)
    assert again.calls[1].ended == ran.calls[1].ended
