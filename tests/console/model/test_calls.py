"""One call and what is around it."""

import numpy as np
from msgspec import structs

from bus.attach.protocol import Batch
from bus.trace.records import Call, Entry, Lane
from console.model import calls
from console.model.store import Store


def call(number: int, queued: int, started: int = 0, ended: int = 0, **more: object) -> Call:
    """A command on lane 1 once it started, called from lane 2."""
    defaults = {"lane": 1 if started else 0, "outcome": "ok" if ended else None}
    defaults |= {"kind": "command", "caller": 2, "name": "n", "root": number}
    return Call(
        id=number, queued=queued, started=started, ended=ended,
        **{**defaults, **more},  # type: ignore[arg-type]
    )  # fmt: skip


def filled(*records: Call | Lane, live: tuple[Call, ...] = ()) -> Store:
    """A store with these records."""
    store = Store()
    store.take(Batch(at=0, records=records, live=live))
    return store


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


def test_how_long_a_listener_takes() -> None:
    """Of its own deliveries alone, on all lanes of its service, as numpy has it; None before there is one."""
    listener = Entry(entry=7, kind="listener", name="e", service="s")
    other = Entry(entry=8, kind="listener", name="e", service="s")
    lanes = [Lane(key=key, name=f"s-{key}", service="s" if key < 3 else "t") for key in (1, 2, 3)]
    runs = np.random.default_rng(1).integers(1, 10**9, 400)
    deliveries = [
        call(
            number, 10**10 * number, 10**10 * number, 10**10 * number + int(ns), lane=1 + number % 2,
            kind="delivery", entry=7,
        )
        for number, ns in enumerate(runs, 1)
    ]  # fmt: skip
    store = filled(*lanes, *deliveries, call(999, 5, 5, 6 * 10**9, kind="delivery", entry=9))
    assert calls.listener_p99(store, listener) == np.percentile(runs, 99, method="inverted_cdf")
    assert calls.listener_p99(store, other) is None
    assert calls.listener_p99(Store(), listener) is None
