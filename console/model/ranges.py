"""What happened between two moments, in all lanes together."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from bus.trace.records import Call
from console.model.cells import Cells, Window
from console.model.lane import Runs
from console.model.store import Store


class RangeSummary(Struct, frozen=True):
    """Of [begin, end) ns. `busy`: the part of it in which a lane ran a call, on average over `lanes` lanes.

    `calls` touch it, `failed` of them ended in it; `slowest`: the one that ran longest, wherever it began and ended.
    """

    begin: int
    end: int
    calls: int = 0
    failed: int = 0
    busy: float = 0.0
    lanes: int = 0
    slowest: Call | None = None


def summary(store: Store, begin: int, end: int, now: int) -> RangeSummary:
    """The calls that ran in any lane between BEGIN and END; those in flight until NOW. O(calls in it)."""
    window = Window.over(begin, max(end, begin + 1), 1)
    lanes = [*_ended([runs for runs in store.runs.values() if len(runs)], window), _in_flight(store, window, now)]
    slowest = max(lanes, key=lambda lane: lane.longest, default=None)
    places = (*store.runs.values(), *store.instants.values())
    threads = len({*store.runs, *(call.lane for call in store.live.values() if call.started)})
    span = max(1, threads) * (window.edges[1] - window.edges[0]).item()
    return RangeSummary(
        begin, end, calls=sum(lane.calls for lane in lanes), busy=sum(lane.ran for lane in lanes) / span, lanes=threads,
        failed=sum(_failed(place.failures["ended"], begin, end) for place in places),
        slowest=slowest.find(store) if slowest and slowest.longest >= 0 else None,
    )  # fmt: skip


class _Part(Struct, frozen=True):
    """One lane's: how many calls, ns in which one ran, and the longest (-1: none), by its position or as it is."""

    calls: int = 0
    ran: float = 0.0
    longest: int = -1
    runs: Runs | None = None
    position: int = 0
    call: Call | None = None

    def find(self, store: Store) -> Call | None:
        return self.call if self.runs is None else store.codec.unpack(self.runs, self.position)


def _ended(lanes: list[Runs], window: Window) -> Iterator[_Part]:
    if not lanes:
        return
    cells = Cells.of(lanes, window)
    ran = cells.parts()[:, 1:, 0].sum(axis=1).tolist()
    for row, (runs, count) in enumerate(zip(lanes, cells.count()[:, 0].tolist(), strict=True)):
        if count:
            after = int(cells.upto[row, 1])
            positions = slice(after - count, after)
            took = runs.values("ended", positions) - runs["started"][positions]
            longest = int(np.argmax(took))
            yield _Part(count, ran[row], int(took[longest]), runs, after - count + longest)


def _in_flight(store: Store, window: Window, now: int) -> _Part:
    begin, end = window.edges.tolist()
    running = [call for call in store.live.values() if call.started and call.started < end and now > begin]
    if not running:
        return _Part()
    first = min(running, key=lambda call: call.started)
    ran = sum(int(window.covered(call.started, now)[0]) for call in running)
    return _Part(len(running), float(ran), now - first.started, call=first)


def _failed(ends: np.ndarray, begin: int, end: int) -> int:
    first, after = np.searchsorted(ends, np.array([begin, end]))
    return int(after - first)
