"""A window of time as cells: what each lane did in each cell, found by searching sorted columns, never by a scan."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bus.trace.records import Call
from console.model.columns import Ints, before
from console.model.lane import Runs
from console.model.lanes import order
from console.model.store import Store
from console.model.views import Bar, LaneView, TimelineView

LABEL_CELLS: Final = 4
"""A call that fills so many whole cells gets a `Bar`."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Window:
    """The cells' borders; `left` and `right` are those of each cell, `middle` a moment inside it."""

    edges: Ints

    @property
    def left(self) -> Ints:
        return self.edges[:-1]

    @property
    def right(self) -> Ints:
        return self.edges[1:]

    @property
    def middle(self) -> Ints:
        return np.add(self.left, self.right, dtype=np.int64) // 2

    @property
    def width(self) -> int:
        return len(self.edges) - 1

    def covered(self, began: int, ended: int) -> Ints:
        """Ns of each cell that lie in [began, ended)."""
        covered: Ints = np.maximum(0, np.minimum(self.right, ended) - np.maximum(self.left, began))
        return covered


@dataclass(frozen=True, slots=True)
class _InFlight:
    """What is going on in a lane: the call that it runs, and since when calls for its service are queued (0: none)."""

    running: Call | None
    queued: int


def view(store: Store, start: int, end: int, width: int, now: int) -> TimelineView:
    """All lanes over [start, end) ns in WIDTH cells; calls in flight reach to NOW.

    A window of less than a nanosecond a cell is made that long.
    """
    width = max(1, width)
    window = _Window(_edges(start, max(end, start + width), width))
    first, last = bounds(store, now)
    in_flight = _in_flight(store)
    lanes = tuple(_lane(store, key, window, in_flight[key], now) for key in _order(store, in_flight))
    return TimelineView(
        start=int(window.edges[0]), end=int(window.edges[-1]), first=first, last=last,
        lanes=lanes, density=_density(store, first, last, width),
    )  # fmt: skip


def bounds(store: Store, now: int) -> tuple[int, int]:
    """The whole recording as far as it is kept, in ns; at least one ns long."""
    starts = [call.queued for call in store.live.values()]
    first = min((moment for moment in (store.first, *starts) if moment), default=now - 1)
    return first, max(first + 1, now)


def _edges(start: int, end: int, width: int) -> Ints:
    span = end - start
    return start + np.array([cell * span // width for cell in range(width + 1)], np.int64)


def _in_flight(store: Store) -> dict[int, _InFlight]:
    """For every lane: unfinished calls queue in front of all idle workers of their service."""
    running = {call.lane: call for call in store.live.values() if call.started}
    queued: dict[str, int] = {}
    for call in store.live.values():
        if not call.started and call.service:
            queued[call.service] = min(call.queued, queued.get(call.service, call.queued))
    keys = store.lanes.keys() | store.runs.keys() | running.keys()
    services = {key: lane.service for key, lane in store.lanes.items()}
    return {key: _InFlight(running.get(key), queued.get(services.get(key, ""), 0)) for key in keys if key}


def _order(store: Store, in_flight: dict[int, _InFlight]) -> list[int]:
    """A thread outside of services that neither ran a call nor waited for one has nothing to show."""
    return sorted((key for key in in_flight if _has_content(store, key, in_flight[key])), key=order(store.lanes))


def _has_content(store: Store, key: int, in_flight: _InFlight) -> bool:
    lane, runs = store.lanes.get(key), store.runs.get(key, _NO_RUNS)
    in_service = lane is not None and lane.service != ""
    return in_service or len(runs) > 0 or len(runs.waits) > 0 or in_flight.running is not None


def _density(store: Store, first: int, last: int, width: int) -> NDArray[np.float32]:
    edges = _edges(first, max(last, first + width), width)
    counts = np.zeros(width, np.int64)
    for runs in store.runs.values():
        counts += np.diff(np.searchsorted(runs["started"], edges))
    share: Floats = counts / max(1, counts.max())
    return share.astype(np.float32)


def _lane(store: Store, key: int, window: _Window, in_flight: _InFlight, now: int) -> LaneView:
    lane, runs = store.lanes.get(key), store.runs.get(key, _NO_RUNS)
    upto = runs.starts(window.edges)
    at = _last_started(runs, upto, window.edges)
    parts = _parts(runs, at, window) + _open_parts(runs, window, in_flight, now)
    failed, failure = _failures(store, key, window)
    picked = np.where(failed, failure, _picked(runs, (at, upto), window, in_flight.running, now))
    return LaneView(
        key=key, name=store.lane_name(key), service=lane.service if lane else "",
        parts=np.clip(parts / np.diff(window.edges), 0, 1).astype(np.float32),
        count=_count(runs, (at, upto), window, in_flight.running, now), call=picked, failed=failed,
        bars=(*_bars(store, runs, at, window), *_open_bar(in_flight.running, window, now)),
    )  # fmt: skip


def _last_started(runs: Runs, upto: Ints, moments: Ints) -> Ints:
    """The position of the last call that started at or before each moment, -1 if there is none.

    Of calls that share a start, all but one of no length, it is the first.
    """
    if not len(runs):
        return upto - 1
    following = runs["started"][np.minimum(upto, len(runs) - 1)]
    return upto - np.where((upto < len(runs)) & (following == moments), 0, 1)


def _parts(runs: Runs, at: Ints, window: _Window) -> Floats:
    """Ns of each cell in which ended calls were queued, computing, waiting, elsewhere."""
    blocked = np.diff(runs.waits.until(window.edges)).astype(np.float64)
    if not len(runs):
        nothing = np.zeros(window.width)
        return np.stack((nothing, nothing, blocked, nothing))
    run, computed = _progress(runs, at, window.edges)
    queued = np.diff(_idle_until(runs, at, window.edges)).astype(np.float64)
    run, computed = np.diff(run), np.diff(computed)
    return np.stack((queued, computed, blocked, np.maximum(0, run - computed - blocked)))


def _progress(runs: Runs, at: Ints, moments: Ints) -> tuple[Floats, Floats]:
    """Ns of running and of computing before each moment; a call's cpu time is spread over its time not blocked."""
    inside = np.maximum(at, 0)
    started, ended = runs["started"][inside], runs.ends(inside)
    until = np.clip(moments, started, ended)
    blocked = runs.waits.until(np.concatenate((started, until, ended))).reshape(3, -1)
    done = until - started - (blocked[1] - blocked[0])
    free = ended - started - (blocked[2] - blocked[0])
    earlier = before(runs["computed"], inside)
    computed = earlier + (runs["computed"][inside] - earlier) * (done / np.maximum(free, 1))
    run = before(runs["run"], inside) + (until - started)
    return np.where(at >= 0, run, 0).astype(np.float64), np.where(at >= 0, computed, 0.0)


def _idle_until(runs: Runs, at: Ints, moments: Ints) -> Ints:
    """Ns before each moment in which a call was queued and the lane did not run: up to the start of a call."""
    following = np.minimum(at + 1, len(runs) - 1)
    earlier, started = before(runs["idle"], following), runs["started"][following]
    length = runs["idle"][following] - earlier
    idle: Ints = earlier + np.clip(moments - (started - length), 0, length)
    return idle


def _open_parts(runs: Runs, window: _Window, in_flight: _InFlight, now: int) -> Floats:
    """The same for calls in flight: what is not known to be waiting counts as computing."""
    parts = np.zeros((4, window.width))
    end = int(runs["ended"][-1]) if len(runs) else 0
    if (call := in_flight.running) is not None:
        parts[0] = window.covered(max(call.queued, end), call.started)
        blocked = np.diff(runs.waits.until(np.clip(window.edges, call.started, max(now, call.started))))
        parts[1] = window.covered(call.started, now) - blocked  # the waiting itself is drawn with the lane's waits
    elif in_flight.queued:
        parts[0] = window.covered(max(in_flight.queued, end), now)
    return parts


def _count(runs: Runs, found: tuple[Ints, Ints], window: _Window, running: Call | None, now: int) -> NDArray[np.int32]:
    """The calls that start in each cell, and one more if a call from before runs on into it."""
    at, upto = found
    counts = np.diff(upto)
    if len(runs):
        inside = np.maximum(at[:-1], 0)
        runs_on = (at[:-1] >= 0) & (runs["started"][inside] < window.left) & (runs.ends(inside) > window.left)
        counts += runs_on
    if running is not None:
        counts += window.covered(running.started, max(now, running.started + 1)) > 0
    return counts.astype(np.int32)


def _picked(runs: Runs, found: tuple[Ints, Ints], window: _Window, running: Call | None, now: int) -> Ints:
    """The call that has most of the cell, among those at its left border, its middle and its right border."""
    picked = np.zeros(window.width, np.int64)
    best = np.zeros(window.width, np.int64)
    at, upto = found
    if len(runs):
        for candidate in (at[:-1], runs.starts(window.middle + 1) - 1, upto[1:] - 1):
            inside = np.maximum(candidate, 0)
            started, ended = runs["started"][inside], runs.ends(inside)
            share = 1 + np.minimum(ended, window.right) - np.maximum(started, window.left)  # 1: also one of no length
            share = np.where((candidate >= 0) & ((ended > window.left) | (started >= window.left)), share, 0)
            picked, best = np.where(share > best, runs["id"][inside], picked), np.maximum(best, share)
    if running is not None:
        picked = np.where(window.covered(running.started, now) > best, running.id, picked)
    return picked


def _failures(store: Store, key: int, window: _Window) -> tuple[NDArray[np.bool_], Ints]:
    """The cells in which a call failed, and the first such call in each; also one that failed before it ran."""
    failed, calls = np.zeros(window.width, np.bool_), np.zeros(window.width, np.int64)
    for place in (store.runs.get(key), store.instants.get(key)):
        if place is None or not len(place.failures):
            continue
        index = np.searchsorted(place.failures["ended"], window.edges)
        here = index[1:] > index[:-1]
        first = place.failures["id"][np.minimum(index[:-1], len(place.failures) - 1)]
        calls = np.where(here & ~failed, first, calls)
        failed |= here
    return failed, calls


def _bars(store: Store, runs: Runs, at: Ints, window: _Window) -> list[Bar]:
    """Only a call that spans a border can fill whole cells, so those at the borders are all that can have one."""
    bars: list[Bar] = []
    positions = np.unique(at[at >= 0])
    if len(positions):
        started, ended = _whole_cells(window, runs["started"][positions], runs.ends(positions))
        for index in np.flatnonzero(ended - started >= LABEL_CELLS).tolist():
            position = int(positions[index])
            name, args = store.codec.names[runs["name"][position]], store.codec.text(runs, position)[0]
            bars.append(Bar(int(started[index]), int(ended[index]), int(runs["id"][position]), name, args))
    return bars


def _open_bar(running: Call | None, window: _Window, now: int) -> list[Bar]:
    if running is None:
        return []
    begin, end = (int(some[0]) for some in _whole_cells(window, np.array([running.started]), np.array([now])))
    return [Bar(begin, end, running.id, running.name, running.args)] if end - begin >= LABEL_CELLS else []


def _whole_cells(window: _Window, started: Ints, ended: Ints) -> tuple[Ints, Ints]:
    """The first whole cell of each interval, and the first one after it."""
    first = np.searchsorted(window.edges, started)
    after = np.searchsorted(window.edges, ended, side="right") - 1
    return np.minimum(first, window.width), np.clip(after, 0, window.width)


_NO_RUNS: Final = Runs()
