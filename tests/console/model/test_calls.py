"""One call and what is around it."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bus.attach.protocol import Batch
from bus.trace.records import Call, Lane
from console.model import calls
from console.model.store import Store

times = st.integers(0, 1_000)


def call(number: int, queued: int, started: int = 0, ended: int = 0, **more: object) -> Call:
    """A command on lane 1 once it started, called from lane 2."""
    defaults = {"lane": 1 if started else 0, "outcome": "ok" if ended else None}
    defaults |= {"kind": "command", "caller": 2, "name": "n"}
    return Call(
        id=number, root=number, queued=queued, started=started, ended=ended,
        **{**defaults, **more},  # type: ignore[arg-type]
    )  # fmt: skip


def filled(*records: Call | Lane, live: tuple[Call, ...] = ()) -> Store:
    """A store with these records."""
    store = Store()
    store.take(Batch(at=0, records=records, live=live))
    return store


@given(times, times, times, st.none() | times, times, st.sampled_from(["ok", "cancelled", None]), times)
def test_the_parts_add_up(
    queued: int, started: int, ended: int, cpu: int | None, waited: int, outcome: str | None, now: int
) -> None:
    """None is negative, and together they are the time from queue to end, or to now; even of impossible records."""
    some = call(1, queued, started, ended, cpu=cpu, waited=waited, outcome=outcome)
    parts = calls.parts(some, now)
    four = (parts.queued, parts.computing, parts.waiting, parts.elsewhere)
    assert min(four) >= 0
    assert sum(four) == max(queued, ended if outcome else now) - queued


def test_the_parts_of_an_ordinary_call() -> None:
    """Queued until the start, waiting as recorded, computing as the CPU says, elsewhere for the rest."""
    assert calls.parts(call(1, 10, 15, 100, cpu=40, waited=30), 0) == calls.CallParts(5, 40, 30, 15)


def test_without_cpu_time_what_is_not_waiting_is_computing() -> None:
    """As the timeline has it; also of a call that still runs."""
    assert calls.parts(call(1, 10, 15, 100, waited=30), 0) == calls.CallParts(5, 55, 30, 0)
    assert calls.parts(call(1, 10, 15), 40) == calls.CallParts(5, 25, 0, 0)
    assert calls.parts(call(1, 10), 40) == calls.CallParts(30, 0, 0, 0)


def test_detail_has_lanes_cause_and_effects() -> None:
    """The effects in the order they were queued, with those in flight; names of the lanes."""
    parent, early, late = call(1, 1, 2, 50), call(2, 5, 6, 40, parent=1, lane=3), call(3, 9, 0, 45, parent=1, lane=0)
    late = structs.replace(late, outcome="cancelled")
    running = call(4, 7, 8, parent=1, lane=4)
    store = filled(Lane(key=1, name="a-0"), Lane(key=2, name="main"), parent, late, early, live=(running,))
    detail = calls.detail(store, 1, 60)
    assert detail is not None
    assert (detail.call, detail.lane, detail.caller_lane, detail.cause) == (parent, "a-0", "main", None)
    assert detail.effects == (early, running, late)
    child = calls.detail(store, 2, 60)
    assert child is not None
    assert (child.cause, child.lane, child.more_effects) == (parent, "lane-3", 0)


def test_many_effects_are_counted_not_listed() -> None:
    """The first 200, and the number of the others."""
    children = [call(n, n, n, n + 1, parent=1) for n in range(10, 260)]
    detail = calls.detail(filled(call(1, 1, 2, 5), *children), 1, 0)
    assert detail is not None
    assert [child.id for child in detail.effects] == list(range(10, 210))
    assert detail.more_effects == 50


def test_an_unknown_call_has_no_detail() -> None:
    """It was evicted, or never was."""
    store = filled(call(1, 1, 2, 5, parent=77))
    assert calls.detail(store, 77, 0) is None
    detail = calls.detail(store, 1, 0)
    assert detail is not None
    assert detail.cause is None


def test_recent_calls_of_a_name() -> None:
    """Running, then queued, then ended ones, newest first."""
    store = filled(
        call(1, 1, 2, 5), call(2, 6, 7, 9), call(3, 6, 9, 12, name="other"), live=(call(5, 21), call(4, 20, 22))
    )
    assert [some.id for some in calls.recent(store, "n", 10)] == [4, 5, 2, 1]
    assert [some.id for some in calls.recent(store, "n", 3)] == [4, 5, 2]
    assert calls.recent(store, "unknown", 10) == []


def test_neighbours_in_a_lane() -> None:
    """The calls before and after it there, the running one last; 0 beyond either end."""
    store = filled(call(1, 1, 2, 5), call(2, 6, 7, 9), call(9, 6, 7, 9, lane=3), live=(call(3, 10, 11), call(4, 12)))
    assert [calls.neighbour(store, number, 1) for number in (1, 2, 3, 4)] == [2, 3, 0, 0]
    assert [calls.neighbour(store, number, -1) for number in (1, 2, 3, 4)] == [0, 1, 2, 0]
    assert calls.neighbour(store, 77, 1) == 0


def test_an_event_has_no_neighbours() -> None:
    """It does not run on a lane."""
    event = call(1, 5, 5, 5, kind="event", lane=2)
    assert calls.neighbour(filled(event, call(2, 6, 7, 9, lane=2)), 1, 1) == 0
