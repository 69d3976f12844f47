"""The timeline's cells against a count of every nanosecond."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bus.attach.protocol import Batch
from bus.trace.records import Call, Lane, Wait
from console.model import lane as lane_module
from console.model import timeline
from console.model.store import Store
from console.model.views import LaneView, TimelineView
from tests import synthetic

QUEUED, COMPUTING, WAITING, ELSEWHERE = range(4)


@dataclass(frozen=True)
class Run:
    """A call on the lane: how long after the one before, how long queued, blocked in [wait, waited) of its `length`."""

    gap: int
    queued: int
    length: int
    wait: int
    waited: int
    cpu: int | None
    failed: bool


runs = st.builds(
    Run, st.integers(0, 9), st.integers(0, 20), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30),
    st.none() | st.integers(0, 40), st.booleans(),
)  # fmt: skip


def records_of(some: list[Run]) -> tuple[list[Call], list[Wait]]:
    """The calls of one lane and their waits, from 100 ns on."""
    calls, waits, at = [], [], 100
    for number, run in enumerate(some, 1):
        start = at + run.gap
        at = start + run.length
        began, ended = start + min(run.wait, run.length), start + min(max(run.wait, run.waited), run.length)
        if ended > began:
            waits.append(Wait(call=number, lane=1, target=99, began=began, ended=ended))
        calls.append(
            Call(
                id=number, root=number, kind="command", name="n", lane=1,
                queued=max(1, start - run.queued), started=start, ended=at, cpu=run.cpu, waited=ended - began,
                outcome="error" if run.failed else "ok",
            )
        )  # fmt: skip
    return calls, waits


def lane_view(records: list[Call | Wait], start: int, end: int, width: int, now: int = 10_000) -> LaneView:
    """The one lane of a recording."""
    store = Store()
    store.take(Batch(at=now, records=(Lane(key=1, name="a-0", service="a"), *records)))
    return timeline.view(store, start, end, width, now).lanes[0]


def every_ns(calls: list[Call], waits: list[Wait], start: int, end: int) -> np.ndarray:
    """What the lane did in each ns of [start, end), the slow way; shape (4, end - start)."""
    did = np.zeros((4, end - start))
    blocked = {ns for wait in waits for ns in range(wait.began, wait.ended)}
    free_from = 0
    for call in calls:
        own = [ns for ns in range(call.started, call.ended) if ns not in blocked]
        computed = len(own) if call.cpu is None else min(call.cpu, len(own))
        for ns in range(max(start, call.started), min(end, call.ended)):
            if ns in blocked:
                did[WAITING, ns - start] = 1
            else:
                did[COMPUTING, ns - start] = computed / len(own)
                did[ELSEWHERE, ns - start] = 1 - computed / len(own)
        for ns in range(max(start, call.queued, free_from), min(end, call.started)):
            did[QUEUED, ns - start] = 1
        free_from = max(free_from, call.ended)
    return did


@given(st.lists(runs, max_size=12), st.integers(60, 300), st.integers(1, 9), st.integers(1, 12))
def test_cells_are_the_sums_of_their_nanoseconds(some: list[Run], start: int, cell: int, width: int) -> None:
    """Parts, counts, failures and the call to select, for any calls and any window."""
    calls, waits = records_of(some)
    end = start + cell * width
    lane = lane_view([*waits, *calls], start, end, width)
    exact = every_ns(calls, waits, start, end).reshape(4, width, cell).mean(axis=2)
    assert lane.parts == pytest.approx(exact, abs=1e-5)
    for index in range(width):
        left, right = start + index * cell, start + (index + 1) * cell
        touching = {call.id for call in calls if call.started < right and (call.ended > left or call.started >= left)}
        failed = [call.id for call in calls if call.outcome == "error" and left <= call.ended < right]
        assert lane.count[index] == len(touching)
        assert bool(lane.failed[index]) == bool(failed)
        assert lane.call[index] in (failed[:1] or touching or {0})


@given(st.lists(runs, max_size=12), st.integers(60, 300), st.integers(1, 90), st.integers(1, 60))
def test_bars_are_whole_cells_of_their_calls(some: list[Run], start: int, length: int, width: int) -> None:
    """Each call that fills at least four whole cells has a bar there, and no other."""
    calls, waits = records_of(some)
    lane = lane_view([*waits, *calls], start, start + max(length, width), width)
    span = max(length, width)
    edges = [start + index * span // width for index in range(width + 1)]
    expected = set()
    for call in calls:
        filled = [k for k in range(width) if call.started <= edges[k] and edges[k + 1] <= call.ended]
        if len(filled) >= 4:
            expected.add((filled[0], filled[-1] + 1, call.id))
    assert {(bar.start, bar.end, bar.call) for bar in lane.bars} == expected


def call(number: int, queued: int, started: int = 0, ended: int = 0, **more: object) -> Call:
    """A command of service `a`, on lane 1 once it started."""
    defaults = {"lane": 1 if started else 0, "outcome": "ok" if ended else None}
    return Call(
        id=number, root=number, kind="command", name=f"n{number}", service="a", queued=queued, started=started,
        ended=ended, **{**defaults, **more},  # type: ignore[arg-type]
    )  # fmt: skip


def live_view(records: list[Call | Wait | Lane], live: list[Call], now: int, *, end: int = 100) -> TimelineView:
    """Cells of 10 ns over [0, end)."""
    store = Store()
    lane = Lane(key=1, name="a-0", service="a")
    store.take(Batch(at=now, records=(lane, *records), live=tuple(live), in_flight=len(live)))
    return timeline.view(store, 0, end, end // 10, now)


def test_a_running_call_reaches_to_now() -> None:
    """Queued up to its start, computing from then on but for waits that are over; it can be selected, and has a bar."""
    wait = Wait(call=2, lane=1, target=3, began=50, ended=60)
    lane = live_view([call(1, 1, 5, 10), wait], [call(2, 20, 30)], 85).lanes[0]
    assert lane.parts[QUEUED].tolist() == pytest.approx([0.4, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    assert lane.parts[COMPUTING].tolist() == pytest.approx([0.5, 0, 0, 1, 1, 0, 1, 1, 0.5, 0])
    assert lane.parts[WAITING].tolist() == pytest.approx([0, 0, 0, 0, 0, 1, 0, 0, 0, 0])
    assert lane.call.tolist() == [1, 0, 0, 2, 2, 2, 2, 2, 2, 0]
    assert lane.count.tolist() == [1, 0, 0, 1, 1, 1, 1, 1, 1, 0]
    assert [(bar.start, bar.end, bar.call) for bar in lane.bars] == [(3, 8, 2)]


def test_a_queued_call_is_drawn_where_nothing_runs() -> None:
    """On the idle workers of its service, from when it was queued or the worker was free; nowhere on a busy one."""
    busy = Lane(key=2, name="a-1", service="a", worker=1)
    view = live_view([busy, call(1, 1, 5, 40)], [call(2, 20), call(3, 1, 5, lane=2)], 70)
    assert view.lanes[0].parts[QUEUED].tolist() == pytest.approx([0.4, 0, 0, 0, 1, 1, 1, 0, 0, 0])
    assert view.lanes[1].parts[QUEUED].sum() == pytest.approx(0.4)


def test_waits_that_were_lost_are_still_shown() -> None:
    """A call that says how long it waited, with no record of when, is drawn as waiting at its end."""
    lane = live_view([call(1, 10, 10, 100, waited=20)], [], 100).lanes[0]
    assert lane.parts[WAITING].tolist() == pytest.approx([0, 0, 0, 0, 0, 0, 0, 0, 1, 1])


def test_calls_that_claim_the_same_time_never_fill_a_cell_twice() -> None:
    """As a damaged file may have them: the later one has the time."""
    lane = live_view([call(1, 1, 10, 60), call(2, 1, 30, 50)], [], 100).lanes[0]
    assert lane.parts.sum(axis=0).max() <= 1
    assert lane.call[3] == 2


def test_a_call_that_failed_in_the_queue_is_marked_at_its_caller() -> None:
    """It ran nowhere, so the thread that made it is where the failure is seen."""
    lane = live_view([call(1, 10, 0, 35, outcome="expired", caller=1)], [], 100).lanes[0]
    assert np.flatnonzero(lane.failed).tolist() == [3]
    assert lane.call[3] == 1


def test_a_dropped_event_is_no_failure_of_who_fired_it() -> None:
    """Thousands of them would hide what the thread did."""
    lost = structs.replace(call(1, 10, 0, 35, outcome="rejected", caller=1), kind="delivery")
    lane = live_view([lost, call(2, 50, 0, 55, outcome="rejected", caller=1)], [], 100).lanes[0]
    assert np.flatnonzero(lane.failed).tolist() == [5]


def test_lanes_are_grouped_by_service() -> None:
    """Threads outside of services first, then each service's workers together, the oldest service first."""
    lanes = [
        Lane(key=2, name="b-0", service="b"), Lane(key=3, name="a-1", service="a", worker=1), Lane(key=4, name="main"),
        Lane(key=5, name="b-1", service="b", worker=1), Lane(key=6, name="idle thread"),
    ]  # fmt: skip
    wait = Wait(call=0, lane=4, target=1, began=5, ended=9)
    view = live_view([*lanes, wait], [call(7, 1, 2, lane=9)], 50)
    assert [lane.name for lane in view.lanes] == ["main", "lane-9", "a-0", "a-1", "b-0", "b-1"]
    assert view.lanes[0].parts[WAITING][0] == pytest.approx(0.4)


def test_density_is_over_the_whole_recording() -> None:
    """The share of the calls that start in each part, the busiest part 1."""
    view = live_view([call(n, n, n, n + 1) for n in (10, 11, 12, 90)], [], 110)
    assert (view.first, view.last) == (10, 110)
    assert view.density.tolist() == pytest.approx([1, 0, 0, 0, 0, 0, 0, 0, 1 / 3, 0])


def test_an_empty_recording_has_a_timeline() -> None:
    """No lanes, and bounds that are not empty; a window of no length is made as long as it has cells."""
    view = timeline.view(Store(), 5, 5, 10, 100)
    assert (view.lanes, view.start, view.end) == ((), 5, 15)
    assert view.first < view.last


def test_moments_far_from_boot_keep_their_nanoseconds() -> None:
    """After a hundred days of uptime a float cannot hold a moment; the cells are exact all the same."""
    boot = 100 * 86_400 * 10**9
    lane = lane_view([call(1, boot + 1, boot + 3, boot + 7)], boot, boot + 10, 10)
    assert lane.parts[COMPUTING].tolist() == pytest.approx([0, 0, 0, 1, 1, 1, 1, 0, 0, 0])


def played() -> Store:
    """A made-up session of fourteen lanes."""
    store = Store()
    for batch in synthetic.batches(synthetic.session(500)):
        store.take(batch)
    return store


PLAYED = played()


def test_a_made_up_session_never_overfills() -> None:
    """On fourteen lanes no cell is more than full, at any zoom."""
    store = PLAYED
    first, last = timeline.bounds(store, store.last)
    for span in (last - first, 10**8, 10**6):
        view = timeline.view(store, first, first + span, 97, store.last)
        assert len(view.lanes) == 14
        assert max(float(lane.parts.sum(axis=0).max()) for lane in view.lanes) <= 1 + 1e-6


@given(st.sets(st.integers(1, 14)), st.integers(0, 3_000))
def test_lanes_that_are_picked_are_as_they_are_among_all(picked: set[int], start: int) -> None:
    """Only those are worked out; the lineup, which says which there are, is whole."""
    store = PLAYED
    window = store.first + start * 1_000_000, store.first + (start + 200) * 1_000_000, 40, store.last
    whole, some = timeline.view(store, *window), timeline.view(store, *window, pick=lambda _: picked)
    assert some.lineup == whole.lineup
    assert some.density.tolist() == whole.density.tolist()
    assert [lane.key for lane in some.lanes] == [lane.key for lane in whole.lanes if lane.key in picked]
    for lane in some.lanes:
        other = next(each for each in whole.lanes if each.key == lane.key)
        assert (lane.head, lane.bars) == (other.head, other.bars)
        for name in ("parts", "count", "call", "failed"):
            assert getattr(lane, name).tolist() == getattr(other, name).tolist()


def test_the_lineup_says_when_threads_ended() -> None:
    """As their records do; it has the lanes that are drawn, in that order."""
    lanes = [Lane(key=2, name="guest", began=1, ended=80), Lane(key=3, name="b-0", service="b")]
    view = live_view([*lanes, call(2, 5, 6, 9, lane=2)], [], 100)
    assert [(head.name, head.ended) for head in view.lineup.lanes] == [("guest", 80), ("a-0", 0), ("b-0", 0)]
    assert tuple(lane.head for lane in view.lanes) == view.lineup.lanes


@given(st.lists(runs, min_size=1, max_size=20), st.integers(1, 7), st.integers(1, 12), st.booleans())
def test_it_does_not_matter_how_often_a_lane_is_looked_at(
    some: list[Run], at_once: int, backlog: int, turned: bool
) -> None:  # fmt: skip
    """What is derived from its calls is the same in the end, in whatever order they came and however many at a time."""
    calls, waits = records_of(some)
    records = sorted([*waits, *calls], key=lambda record: record.ended, reverse=turned)
    batches = [records[first : first + at_once] for first in range(0, len(records), at_once)]
    watched, left_alone, short = Store(), Store(), Store()
    end = max(record.ended for record in records) + 7
    with pytest.MonkeyPatch.context() as patch:
        for batch in batches:
            for store, most in ((watched, 2_000), (left_alone, 2_000), (short, backlog)):
                patch.setattr(lane_module, "_BACKLOG", most)
                store.take(Batch(at=end, records=tuple(batch)))
            timeline.view(watched, 90, end, 9, end)
    views = [timeline.view(store, 90, end, 40, end) for store in (watched, left_alone, short)]
    for name in ("parts", "count", "call", "failed"):
        first, *others = (getattr(view.lanes[0], name).tolist() for view in views)
        assert all(other == first for other in others), name
    assert len({len(store.runs[1].failures) for store in (watched, left_alone, short)}) == 1
