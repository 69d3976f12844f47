"""The timeline of a window: every lane as cells, by searching and never by a scan; calls in flight drawn over it."""

from collections.abc import Callable, Collection, Mapping
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bus.trace.records import Call
from console.model.cells import LABEL_CELLS, Cells, Floats, Window, failures
from console.model.columns import Ints, steps
from console.model.lane import Runs
from console.model.lanes import order
from console.model.presence import absent
from console.model.store import Store
from console.model.views import Bar, LaneHead, LaneView, Lineup, TimelineView

Keep = Collection[int] | None
"""Lanes, by their keys, that are shown although they were not there; None: all are."""
Pick = Callable[[Lineup], Collection[int]] | None
"""Says which lanes of the lineup, by their keys, are to be drawn; None: all."""
_NO_RUNS: Final = Runs()
_EMPTY: Final = 3_000_000_000
"""Ns of a timeline without calls."""
_WORTH: Final = 3
"""So many lanes at least have to be absent: fewer take hardly more room than the line that stands for them."""


class _InFlight(Struct, frozen=True):
    """What is going on in a lane up to `now`: the call that it runs; since when its service has calls queued, or 0."""

    running: Call | None
    queued: int
    now: int

    def parts(self, runs: Runs, window: Window) -> Floats:
        """Ns of each cell, as `Cells.parts`; what is not known to be waiting counts as computing."""
        parts = np.zeros((4, window.width))
        end = int(runs.values("ended", -1)) if len(runs) else 0
        if self.running is not None:
            started = self.running.started
            parts[0] = window.covered(max(self.running.queued, end), started)
            blocked = steps(runs.blocked(np.clip(window.edges, started, max(self.now, started))))
            parts[1] = window.covered(started, self.now) - blocked  # the waits themselves are drawn with the lane's
        elif self.queued:
            parts[0] = window.covered(max(self.queued, end), self.now)
        return parts

    def covered(self, window: Window) -> Ints:
        """Ns of each cell that the running call has; at least 1 where it started."""
        if self.running is None:
            return np.zeros(window.width, np.int64)
        return window.covered(self.running.started, max(self.now, self.running.started + 1))

    def bar(self, window: Window) -> tuple[Bar, ...]:
        """The running call, if it is wide enough for a label."""
        call = self.running
        if call is None:
            return ()
        first, after = window.whole_cells(np.array([call.started]), np.array([self.now]))
        if after[0] - first[0] < LABEL_CELLS:
            return ()
        return (Bar(int(first[0]), int(after[0]), call.id, call.name, call.args),)


def view(
    store: Store, start: int, end: int, width: int, now: int, *,
    keep: Keep = None, pick: Pick = None,
) -> TimelineView:  # fmt: skip
    """The lanes over [start, end) ns in WIDTH cells; calls in flight reach to NOW.

    A window of less than a nanosecond a cell is made that long. KEEP: lanes that were not there in the window are only
    counted, if they are several, but for these. PICK: which of the lineup are drawn; without it, all.
    """
    window = Window.over(start, end, max(1, width))
    first, last = bounds(store, now)
    in_flight = _InFlights.of(store, now)
    lineup = _lineup(store, window, in_flight.running, keep)
    picked = None if pick is None else set(pick(lineup))
    heads = [head for head in lineup.lanes if picked is None or head.key in picked]
    return TimelineView(
        start=int(window.edges[0]), end=int(window.edges[-1]), first=first, last=last,
        lanes=_lanes(store, window, {head: in_flight.lane(head) for head in heads}),
        density=store.density.over(Window.over(first, last, window.width).edges), lineup=lineup,
    )  # fmt: skip


def bounds(store: Store, now: int) -> tuple[int, int]:
    """The whole recording as far as it is kept, in ns, at least one ns long; a few seconds if there are no calls."""
    starts = [moment for moment in (store.first, *(call.queued for call in store.live.values())) if moment]
    if not starts:
        first = max(store.began, now - _EMPTY)
        return first, max(first + _EMPTY, now)
    first = min(starts)
    return first, max(first + 1, now)


class _InFlights(Struct, frozen=True):
    """What is going on up to `now`: the call that each lane runs; since when each service has calls queued.

    Queued calls are queued in front of all idle workers of their service.
    """

    running: Mapping[int, Call]
    queued: Mapping[str, int]
    now: int

    @staticmethod
    def of(store: Store, now: int) -> "_InFlights":
        running = {call.lane: call for call in store.live.values() if call.started}
        queued: dict[str, int] = {}
        for call in store.live.values():
            if not call.started and call.service:
                queued[call.service] = min(call.queued, queued.get(call.service, call.queued))
        return _InFlights(running, queued, now)

    def lane(self, head: LaneHead) -> _InFlight:
        return _InFlight(self.running.get(head.key), self.queued.get(head.service, 0), self.now)


def _lineup(store: Store, window: Window, running: Mapping[int, Call], keep: Keep) -> Lineup:
    """Which lanes there are, in their order."""
    keys = store.lanes.keys() | store.runs.keys() | running.keys()
    shown = {key for key in keys if key and _has_content(store, key, running)}
    left_out = set[int]() if keep is None else _absent(store, shown.difference(keep), window, running)
    ordered = sorted(shown - left_out, key=order(store.lanes))
    return Lineup(tuple(_head(store, key) for key in ordered), len(left_out))


def _head(store: Store, key: int) -> LaneHead:
    lane = store.lanes.get(key)
    if lane is None:
        return LaneHead(key, store.lane_name(key), "")
    return LaneHead(key, lane.name, lane.service, lane.ended)


def _absent(store: Store, keys: Collection[int], window: Window, running: Mapping[int, Call]) -> set[int]:
    found = absent(store, keys, int(window.edges[0]), int(window.edges[-1]), running)
    return found if len(found) >= _WORTH else set()


def _has_content(store: Store, key: int, running: Mapping[int, Call]) -> bool:
    """A thread outside of services that neither ran a call nor waited for one has nothing to show."""
    lane, runs = store.lanes.get(key), store.runs.get(key, _NO_RUNS)
    in_service = lane is not None and lane.service != ""
    return in_service or len(runs) > 0 or len(runs.waits) > 0 or key in running


def _lanes(store: Store, window: Window, shown: Mapping[LaneHead, _InFlight]) -> tuple[LaneView, ...]:
    """A view of each lane that is shown, in their order."""
    runs = [store.runs.get(head.key, _NO_RUNS) for head in shown]
    cells = Cells.of(runs, window)
    parts, counts = cells.parts(), cells.count()
    calls, shares = cells.largest()
    for row, in_flight in enumerate(shown.values()):
        if in_flight.running is not None or in_flight.queued:
            parts[row] += in_flight.parts(runs[row], window)
        if in_flight.running is not None:
            covered = in_flight.covered(window)
            counts[row] += covered > 0
            calls[row] = np.where(covered >= np.maximum(shares[row], 1), in_flight.running.id, calls[row])
    shown_parts = np.minimum(np.maximum(parts / steps(window.edges), 0), 1).astype(np.float32)
    bars = _bars(store, cells)
    return tuple(
        _lane(store, head, (shown_parts[row], counts[row], calls[row]), window, (*bars[row], *in_flight.bar(window)))
        for row, (head, in_flight) in enumerate(shown.items())
    )


def _lane(
    store: Store, head: LaneHead, cells: tuple[NDArray[np.float32], Ints, Ints], window: Window, bars: tuple[Bar, ...]
) -> LaneView:
    parts, count, calls = cells
    failed, failure = failures((store.runs.get(head.key), store.instants.get(head.key)), window)
    return LaneView(
        head=head, parts=parts, count=count.astype(np.int32), call=np.where(failed, failure, calls), failed=failed,
        bars=bars,
    )  # fmt: skip


def _bars(store: Store, cells: Cells) -> list[list[Bar]]:
    """The labels of each lane."""
    codec, bars = store.codec, [list[Bar]() for _ in cells.lanes]
    for row, at, first, after in cells.wide():
        runs = cells.lanes[row]
        name = codec.names[runs.values("name", at)]
        bars[row].append(Bar(first, after, int(runs.values("id", at)), name, codec.text(runs, at)[0]))
    return bars
