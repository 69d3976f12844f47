"""The store takes records in any order, any number of times, and keeps what it may."""

import itertools
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from bus.attach.protocol import Batch
from bus.trace.records import (
    AnyRecord,
    Call,
    Depth,
    Dropped,
    Entry,
    Error,
    Lane,
    Output,
    Problem,
    Session,
    State,
    Wait,
)
from console.model.store import Store
from tests import synthetic


def command(number: int, queued: int, started: int = 0, ended: int = 0, **more: object) -> Call:
    """A command on lane 1; unended without an end."""
    defaults = {"lane": 1 if started else 0, "outcome": "ok" if ended else None}
    return Call(
        id=number, root=number, kind="command", name="index.file", queued=queued, started=started, ended=ended,
        **{**defaults, **more},  # type: ignore[arg-type]
    )  # fmt: skip


def runs(count: int, *, first: int = 1, **more: object) -> list[Call]:
    """Calls 10 ns apart, one after the other on lane 1."""
    return [command(n, 10 * n, 10 * n + 1, 10 * n + 9, **more) for n in range(first, first + count)]


def filled(*batches: Sequence[AnyRecord]) -> Store:
    """A store that has taken these batches."""
    store = Store()
    for records in batches:
        store.take(Batch(at=0, records=tuple(records)))
    return store


def calls_in(store: Store) -> dict[int, Call]:
    """All ended calls that a store has."""
    places = [*store.runs.values(), *store.instants.values()]
    numbers = [number for place in places for number in place["id"].tolist()]
    assert len(numbers) == len(set(numbers)) == store.size
    found = {number: store.call(number) for number in numbers}
    return {number: call for number, call in found.items() if call is not None}


@given(st.integers(0, 10_000), st.integers(1, 60), st.booleans())
@settings(max_examples=30)
def test_any_order_and_any_repetition_give_the_same_calls(seed: int, size: int, repeat: bool) -> None:
    """Every call comes back field for field, whether its records came in order, shuffled, or twice."""
    records = [record for record in synthetic.session(60) if isinstance(record, Call | Wait)]
    expected = {record.id: record for record in records if isinstance(record, Call)}
    chance = random.Random(seed)
    some = records * 2 if repeat else list(records)
    chance.shuffle(some)
    store = filled(*(some[start : start + size] for start in range(0, len(some), size)))
    assert calls_in(store) == expected
    in_order = filled(records)
    for lane, place in in_order.runs.items():
        other = store.runs[lane]
        for column in ("id", "started", "ended", "queued", "root"):
            assert other[column].tolist() == place[column].tolist(), column
        for some, expected_totals in (
            (other.run, place.run),
            (other.computed, place.computed),
            (other.idle, place.idle),
        ):
            rows = np.arange(len(place) + 1)
            assert some.before(rows).tolist() == expected_totals.before(rows).tolist()


def test_returns_only_what_is_new() -> None:
    """What a snapshot repeats is not counted a second time."""
    store = filled(runs(3))
    fresh = store.take(Batch(at=0, records=tuple(runs(5))))
    assert fresh is not None
    assert fresh["id"].tolist() == [4, 5]
    assert store.take(Batch(at=0, records=tuple(runs(5)))) is None


def test_calls_in_flight_are_those_of_the_last_batch() -> None:
    """A call that ended is replaced by its record; one whose record was lost does not run for ever."""
    store = Store()
    store.take(Batch(at=20, live=(command(1, 1, 2), command(2, 3))))
    assert store.live.keys() == {1, 2}
    store.take(Batch(at=40, records=(command(1, 1, 2, 30),), live=(command(3, 35),)))
    assert store.live.keys() == {3}
    ended, lost = store.call(1), store.call(2)
    assert ended is not None
    assert (ended.outcome, lost) == ("ok", None)


@pytest.mark.parametrize("together", [True, False])
def test_an_end_that_comes_before_the_list_of_live_calls_wins(together: bool) -> None:
    """The program may list a call as running whose end is in the same batch, or in the one before."""
    end, live = (command(1, 1, 2, 30),), (command(1, 1, 2),)
    store = Store()
    store.take(Batch(at=31, records=end, live=live if together else ()))
    store.take(Batch(at=32, live=live))
    assert not store.live


def test_a_lane_runs_one_call_at_a_time() -> None:
    """An unended call on a lane that started another one since has ended, though nobody saw how."""
    store = filled(runs(3))
    store.take(Batch(at=0, live=(command(9, 1, 12, lane=1), command(10, 40, 41, lane=1))))
    assert store.live.keys() == {10}


def test_unended_records_are_in_flight() -> None:
    """A snapshot may have them among its records."""
    assert filled([command(1, 5, 6)]).live.keys() == {1}


@pytest.mark.parametrize("damaged", [{"queued": -5}, {"id": 0}, {"lane": 1 << 40}, {"ended": 1 << 63}, {"cpu": -7}])
def test_impossible_numbers_are_left_out(damaged: dict[str, int]) -> None:
    """A forged or damaged line is counted and harms no other call."""
    bad = structs.replace(command(99, 1, 2, 3), **damaged)
    store = filled([*runs(3), bad])
    assert calls_in(store).keys() == {1, 2, 3}
    assert store.codec.damaged == 1
    store.take(Batch(at=0, live=(structs.replace(bad, outcome=None),)))
    assert not store.live


def test_a_wait_with_impossible_numbers_is_left_out() -> None:
    """The other records of the batch are taken."""
    bad = Wait(call=1, lane=1, target=2, began=0, ended=1 << 70)
    assert calls_in(filled([bad, *runs(2)])).keys() == {1, 2}


def test_events_and_calls_that_never_ran_are_no_runs() -> None:
    """They are found by their id, but no lane ran them."""
    event = Call(id=1, root=1, kind="event", name="e", caller=3, lane=3, queued=5, started=5, ended=5, outcome="ok")
    cancelled = command(2, 6, 0, 9, outcome="cancelled", caller=3)
    store = filled([event, cancelled])
    assert not store.runs
    assert calls_in(store) == {1: event, 2: cancelled}


def test_everything_else_is_kept_too() -> None:
    """Lanes, registrations, states, depths, problems, output, losses; the latest where only that matters."""
    entry = Entry(entry=1, kind="command", name="a", service="s", doc="Do it.")
    states = [State(service="s", state=name, at=at) for at, name in enumerate(("starting", "running"), 1)]  # type: ignore[arg-type]
    store = filled([
        Session(session="x", pid=1, program="p", python="3", start_monotonic=0, start_unix=0),
        Lane(key=1, name="s-0", service="s"), entry, structs.replace(entry, doc="", added=False), *states,
        Depth(service="s", at=3, depth=7), Problem(rule="r", at=4, text="t"), Output(at=5, stream="stdout", text="o"),
        Dropped(at=6, count=2, kind="event", where="s"), Dropped(at=7, count=3, kind="record", where="recorder"),
    ])  # fmt: skip
    store.take(Batch(at=0, dropped=4))
    assert (store.lane_name(1), store.lane_name(2), store.lane_name(0)) == ("s-0", "lane-2", "")
    assert store.entries[1] == structs.replace(entry, added=False)
    assert (store.states["s"].state, store.depths["s"].depth) == ("running", 7)
    assert ([p.text for p in store.problems], [o.text for o in store.outputs]) == (["t"], ["o"])
    assert (store.lost.dropped, store.last) == (9, 7)


def test_the_oldest_calls_are_let_go_and_failed_ones_stay() -> None:
    """Of 1,000 calls with room for 100 the last 100 stay, and all that failed, with their errors."""
    store = Store(retain=100)
    error = Error("ValueError", "x", "Traceback")
    for first in range(1, 1_001, 20):
        some = runs(20, first=first, args="a" * 50)
        failed = structs.replace(some[0], outcome="error", error=error)
        store.take(Batch(at=0, records=(failed, *some[1:])))
    found = calls_in(store)
    assert {number for number in found if number > 900} == set(range(901, 1_001))
    assert {number for number in found if number <= 900} == set(range(1, 901, 20))
    assert found[1].error == error
    assert found[1_000].args == "a" * 50
    assert store.first == 9_009, "the end of call 900: of what ended later nothing is missing"


def test_figures_of_a_lane_are_right_after_the_oldest_were_let_go() -> None:
    """The running totals are made anew."""
    store = Store(retain=50)
    for first in range(1, 501, 10):
        store.take(Batch(at=0, records=tuple(runs(10, first=first))))
    place = store.runs[1]
    assert place.run.before(np.arange(len(place) + 1)).tolist() == [8 * n for n in range(len(place) + 1)]


def test_texts_of_evicted_calls_are_freed() -> None:
    """Memory does not grow with the length of a recording."""
    store = Store(retain=200)
    for first in range(1, 20_001, 100):
        store.take(Batch(at=0, records=tuple(runs(100, first=first, args="x" * 500))))
    assert store.codec.heap.size < 3 << 20
    last = store.call(20_000)
    assert last is not None
    assert last.args == "x" * 500


def test_equal_errors_are_one_object() -> None:
    """A thousand failures of one kind do not cost a thousand tracebacks."""
    failed = [structs.replace(call, outcome="error", error=Error("E", "m", "T" * 100)) for call in runs(3)]
    errors = [call.error for call in calls_in(filled(failed)).values()]
    assert errors[0] is errors[1] is errors[2]
    assert errors[0] is not None


def test_newest_and_oldest_of_a_name() -> None:
    """The newest come last to end first, the oldest first queued first; the total counts all."""
    store = filled([*runs(9), command(20, 500, 501, 502, lane=2), command(21, 600, 0, 610, outcome="cancelled")])
    name = store.codec.names.find("index.file")
    newest, total = store.matching("name", name, 3, newest=True)
    assert ([call.id for call in newest], total) == ([21, 20, 9], 11)
    oldest, _ = store.matching("name", name, 3, newest=False)
    assert [call.id for call in oldest] == [1, 2, 3]


def test_a_call_takes_at_most_60_bytes_and_its_texts() -> None:
    """Of a program that fires, calls and waits, at level full: with the running totals and the waits."""
    store = filled([record for record in synthetic.session(20_000) if isinstance(record, Call | Wait)])
    assert sum(place.nbytes for place in (*store.runs.values(), *store.instants.values())) <= 60 * store.size


def test_a_batch_larger_than_is_packed_at_once_is_whole() -> None:
    """Calls that make no sense are left out of whichever part they are in."""
    impossible = command(9_000, 1, 2, 3, lane=1 << 40)
    store = filled([*runs(650), impossible, *runs(650, first=1_000)])
    assert (store.size, store.codec.damaged) == (1_300, 1)
    assert store.call(1_400) == runs(1, first=1_400)[0]


def test_many_lanes_are_taken_in_slices() -> None:
    """200 lanes are no single piece of work, which would hold up a key; between the slices all can be asked."""
    store, sizes = Store(), []
    calls = tuple(command(n, 10 * n, 10 * n + 1, 10 * n + 9, lane=n) for n in range(1, 201))
    work = store.taking(Batch(at=0, records=calls, live=(command(999, 5),)))
    for _ in work:
        sizes.append(sum(len(one) for one in store.runs.values()))
        assert all((call := store.call(number)) is None or call.lane == number for number in range(1, 201))
    assert all(after - before <= 20 for before, after in itertools.pairwise([*sizes, 200]))
    assert (store.size, list(store.live)) == (200, [999])
