"""The timeline of a window: every lane as cells, by searching and never by a scan; calls in flight drawn over it."""

from collections.abc import Collection, Mapping
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
from console.model.views import Bar, LaneView, TimelineView

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
    store: Store, start: int, end: int, width: int, now: int, *, keep: Collection[int] | None = None
) -> TimelineView:
    """All lanes over [start, end) ns in WIDTH cells; calls in flight reach to NOW.

    A window of less than a nanosecond a cell is made that long. KEEP: lanes that were not there in the window are only
    counted, if they are several, but for these.
    """
    window = Window.over(start, end, max(1, width))
    first, last = bounds(store, now)
    in_flight = _in_flight(store, now)
    shown = {key for key in in_flight if _has_content(store, key, in_flight[key])}
    left_out = set[int]() if keep is None else _absent(store, shown - set(keep), window, in_flight)
    shown -= left_out
    return TimelineView(
        start=int(window.edges[0]), end=int(window.edges[-1]), first=first, last=last,
        lanes=_lanes(store, window, {key: in_flight[key] for key in sorted(shown, key=order(store.lanes))}),
        density=store.density.over(store.runs.values(), Window.over(first, last, window.width).edges),
        absent=len(left_out),
    )  # fmt: skip


def bounds(store: Store, now: int) -> tuple[int, int]:
    """The whole recording as far as it is kept, in ns, at least one ns long; a few seconds if there are no calls."""
    starts = [moment for moment in (store.first, *(call.queued for call in store.live.values())) if moment]
    if not starts:
        first = max(store.began, now - _EMPTY)
        return first, max(first + _EMPTY, now)
    first = min(starts)
    return first, max(first + 1, now)


def _in_flight(store: Store, now: int) -> dict[int, _InFlight]:
    """For every lane; queued calls are queued in front of all idle workers of their service."""
    running = {call.lane: call for call in store.live.values() if call.started}
    queued: dict[str, int] = {}
    for call in store.live.values():
        if not call.started and call.service:
            queued[call.service] = min(call.queued, queued.get(call.service, call.queued))
    services = {key: lane.service for key, lane in store.lanes.items()}
    keys = services.keys() | store.runs.keys() | running.keys()
    return {key: _InFlight(running.get(key), queued.get(services.get(key, ""), 0), now) for key in keys if key}


def _absent(store: Store, keys: Collection[int], window: Window, in_flight: Mapping[int, _InFlight]) -> set[int]:
    running = {key: lane.running for key, lane in in_flight.items() if lane.running is not None}
    found = absent(store, keys, int(window.edges[0]), int(window.edges[-1]), running)
    return found if len(found) >= _WORTH else set()


def _has_content(store: Store, key: int, in_flight: _InFlight) -> bool:
    """A thread outside of services that neither ran a call nor waited for one has nothing to show."""
    lane, runs = store.lanes.get(key), store.runs.get(key, _NO_RUNS)
    in_service = lane is not None and lane.service != ""
    return in_service or len(runs) > 0 or len(runs.waits) > 0 or in_flight.running is not None


def _lanes(store: Store, window: Window, shown: Mapping[int, _InFlight]) -> tuple[LaneView, ...]:
    """A view of each lane that is shown, in their order."""
    runs = [store.runs.get(key, _NO_RUNS) for key in shown]
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
        _lane(store, key, (shown_parts[row], counts[row], calls[row]), window, (*bars[row], *in_flight.bar(window)))
        for row, (key, in_flight) in enumerate(shown.items())
    )


def _lane(
    store: Store, key: int, cells: tuple[NDArray[np.float32], Ints, Ints], window: Window, bars: tuple[Bar, ...]
) -> LaneView:
    lane, (parts, count, calls) = store.lanes.get(key), cells
    failed, failure = failures((store.runs.get(key), store.instants.get(key)), window)
    return LaneView(
        key=key, name=store.lane_name(key), service=lane.service if lane else "", parts=parts,
        count=count.astype(np.int32), call=np.where(failed, failure, calls), failed=failed, bars=bars,
    )  # fmt: skip


def _bars(store: Store, cells: Cells) -> list[list[Bar]]:
    """The labels of each lane."""
    codec, bars = store.codec, [list[Bar]() for _ in cells.lanes]
    for row, at, first, after in cells.wide():
        runs = cells.lanes[row]
        name = codec.names[runs.values("name", at)]
        bars[row].append(Bar(first, after, int(runs.values("id", at)), name, codec.text(runs, at)[0]))
    return bars
