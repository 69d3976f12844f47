"""What the ended calls of lanes did in each cell of a window, found by searching the lanes' sorted columns."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from console.model.columns import Ints, steps
from console.model.lane import Calls, Runs
from console.model.totals import Totals

LABEL_CELLS: Final = 4
"""A call that fills so many whole cells is wide enough for a label."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Window(Struct, frozen=True):
    """Cells of time, by their borders in ns."""

    edges: Ints

    @staticmethod
    def over(start: int, end: int, width: int) -> "Window":
        """[start, end) in WIDTH cells, but none shorter than a ns."""
        span = max(end - start, width)
        return Window(start + np.array([cell * span // width for cell in range(width + 1)], np.int64))

    @property
    def left(self) -> Ints:
        """Where each cell begins."""
        return self.edges[:-1]

    @property
    def right(self) -> Ints:
        """Where each cell ends."""
        return self.edges[1:]

    @property
    def width(self) -> int:
        """How many cells."""
        return len(self.edges) - 1

    def covered(self, began: int, ended: int) -> Ints:
        """Ns of each cell that lie in [began, ended)."""
        covered: Ints = np.maximum(0, np.minimum(self.right, ended) - np.maximum(self.left, began))
        return covered

    def whole_cells(self, began: Ints, ended: Ints) -> tuple[Ints, Ints]:
        """The first cell that lies within each interval, and the first one after it that does not."""
        first = self.edges.searchsorted(began)
        after = self.edges.searchsorted(ended, side="right") - 1
        return np.minimum(first, self.width), np.minimum(np.maximum(after, 0), self.width)


class Cells(Struct, frozen=True):
    """The calls of some lanes in a window. The arrays have a row a lane and an element for each border of a cell.

    `upto`: how many calls started before it. `at`: the last call that started at or before it, -1 if there is none;
    `started` and `ended` are that call's (or the first call's, or 0 where the lane has none).

    What is looked up is looked up lane by lane; what is worked out from it, for all lanes at once: for so few cells,
    numpy takes longer to be called than to do it.
    """

    lanes: Sequence[Runs]
    window: Window
    upto: Ints
    at: Ints
    started: Ints
    ended: Ints

    @staticmethod
    def of(lanes: Sequence[Runs], window: Window) -> "Cells":
        """Search the calls of LANES for the borders of a window."""
        shape = len(lanes), window.width + 1
        upto = np.empty(shape, np.int64)
        for row, runs in enumerate(lanes):
            upto[row] = runs.starts(window.edges)
        sizes = _sizes(lanes)
        following = _looked_up(lanes, "started", np.minimum(upto, sizes - 1))
        at = upto - np.where((upto < sizes) & (following == window.edges), 0, 1)
        return Cells(lanes, window, upto, at, *_spans(lanes, np.maximum(at, 0)))

    def parts(self) -> Floats:
        """Ns of each cell in which calls were queued, computing, waiting, elsewhere; shape (lanes, 4, width)."""
        parts = np.empty((len(self.lanes), 4, self.window.width))
        run, computed = self._progress()
        waiting = steps(self._blocked(np.broadcast_to(self.window.edges, self.at.shape)))
        parts[:, 0], parts[:, 1], parts[:, 2] = steps(self._idle()), steps(computed), waiting
        parts[:, 3] = np.maximum(0, steps(run) - parts[:, 1] - waiting)
        return parts

    def count(self) -> Ints:
        """The calls that start in each cell, and one more if a call from before runs on into it."""
        left = self.window.left
        runs_on = (self.at[:, :-1] >= 0) & (self.started[:, :-1] < left) & (self.ended[:, :-1] > left)
        count: Ints = steps(self.upto) + runs_on
        return count

    def largest(self) -> tuple[Ints, Ints]:
        """The call that has most of each cell, of those at its borders and in its middle; and its ns + 1, or 0, 0."""
        left, right = self.window.left, self.window.right
        middle = np.empty((len(self.lanes), self.window.width), np.int64)
        for row, runs in enumerate(self.lanes):
            middle[row] = runs.starts(left + (right - left) // 2 + 1)
        middle -= 1
        best, share = self.at[:, :-1], self._share(self.at[:, :-1], self.started[:, :-1], self.ended[:, :-1])
        for positions, started, ended in (
            (middle, *_spans(self.lanes, np.maximum(middle, 0))), self._last_before(),
        ):  # fmt: skip
            other = self._share(positions, started, ended)
            more = other > share
            best, share = np.where(more, positions, best), np.where(more, other, share)
        return np.where(share > 0, _looked_up(self.lanes, "id", np.maximum(best, 0)), 0), share

    def wide(self) -> list[tuple[int, int, int, int]]:
        """Lane (from 0), position, first cell and end of the calls that are wide enough for a label.

        They are found at the borders: a call that fills whole cells spans some.
        """
        at, cell = self.at, (self.window.edges[-1] - self.window.edges[0]) // self.window.width
        chosen = (at >= 0) & (self.ended - self.started > cell)  # most windows have few such calls, or none
        chosen[:, 1:] &= at[:, 1:] != at[:, :-1]
        lanes, borders = np.nonzero(chosen)
        if not len(lanes):
            return []
        first, after = self.window.whole_cells(self.started[lanes, borders], self.ended[lanes, borders])
        wide = np.flatnonzero(after - first >= LABEL_CELLS)
        columns = lanes[wide], at[lanes, borders][wide], first[wide], after[wide]
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def _share(self, positions: Ints, started: Ints, ended: Ints) -> Ints:
        """Ns + 1 that each cell has of a call, 0 of one that does not touch it."""
        left, right = self.window.left, self.window.right
        touches = (positions >= 0) & ((ended > left) | (started >= left))
        return np.where(touches, 1 + np.minimum(ended, right) - np.maximum(started, left), 0)

    def _last_before(self) -> tuple[Ints, Ints, Ints]:
        """The last call that started before the end of each cell, and its times: known but where one starts there."""
        last = self.upto[:, 1:] - 1
        if np.array_equal(last, self.at[:, 1:]):
            return last, self.started[:, 1:], self.ended[:, 1:]
        return last, *_spans(self.lanes, np.maximum(last, 0))

    def _blocked(self, moments: Ints) -> Ints:
        """Ns before each moment, a row a lane, in which the lane was blocked."""
        blocked = np.zeros(moments.shape, np.int64)
        for row, runs in enumerate(self.lanes):
            if runs.has_waits:
                blocked[row] = runs.blocked(moments[row])
        return blocked

    def _progress(self) -> tuple[Floats, Floats]:
        """Ns of running and of computing before each border; a call's cpu time is spread over its time not blocked."""
        inside, some = np.maximum(self.at, 0), self.at >= 0
        until = np.minimum(np.maximum(self.window.edges, self.started), self.ended)
        blocked = self._blocked(np.concatenate((self.started, until, self.ended), axis=1))
        began, by_then, by_end = blocked.reshape(len(self.lanes), 3, self.at.shape[1]).swapaxes(0, 1)
        done, free = until - self.started - (by_then - began), self.ended - self.started - (by_end - began)
        earlier, after = _around([runs.computed for runs in self.lanes], inside, some)
        computed = earlier + (after - earlier) * (done / np.maximum(free, 1))
        run = np.zeros(inside.shape, np.int64)
        for row, runs in enumerate(self.lanes):
            run[row] = runs.run.before(inside[row])
        return np.where(some, run + (until - self.started), 0.0), np.where(some, computed, 0.0)

    def _idle(self) -> Ints:
        """Ns before each border in which a call was queued and the lane did not run: times that end with a start."""
        sizes = _sizes(self.lanes)
        following = np.maximum(np.minimum(self.at + 1, sizes - 1), 0)
        earlier, after = _around([runs.idle for runs in self.lanes], following, sizes > 0)
        since = self.window.edges - (_looked_up(self.lanes, "started", following) - (after - earlier))
        idle: Ints = earlier + np.minimum(np.maximum(since, 0), after - earlier)
        return idle


def _sizes(lanes: Sequence[Runs]) -> Ints:
    """How many calls each lane has, a row each."""
    return np.fromiter(map(len, lanes), np.int64, len(lanes))[:, None]


def _looked_up(lanes: Sequence[Runs], column: str, positions: Ints) -> Ints:
    """A column as it is stored, at some positions of each lane; 0 where a lane is empty."""
    found = np.zeros(positions.shape, np.int64)
    for row, runs in enumerate(lanes):
        if len(runs):
            found[row] = runs.columns[column][positions[row]]
    return found


def _spans(lanes: Sequence[Runs], positions: Ints) -> tuple[Ints, Ints]:
    """As `Runs.spans`, of some positions of each lane."""
    sizes, following = _sizes(lanes), positions + 1
    started = _looked_up(lanes, "started", positions)
    ended = started - _looked_up(lanes, "ended", positions)
    limit = np.where(following < sizes, _looked_up(lanes, "started", np.minimum(following, sizes - 1)), ended)
    return started, np.maximum(started, np.minimum(ended, limit))


def _around(totals: Sequence[Totals], rows: Ints, some: Flags) -> tuple[Ints, Ints]:
    """The totals in front of and behind some rows of each lane; where there is none (not SOME), they are the same."""
    found = np.empty((len(totals), 2 * rows.shape[1]), np.int64)
    both = np.concatenate((rows, rows + some), axis=1)
    for row, one in enumerate(totals):
        found[row] = one.before(both[row])
    width = rows.shape[1]
    return found[:, :width], found[:, width:]


def failures(places: tuple[Calls | None, ...], window: Window) -> tuple[Flags, Ints]:
    """The cells in which a call failed, and the first such call of each."""
    failed, calls = np.zeros(window.width, np.bool_), np.zeros(window.width, np.int64)
    for place in places:
        if place is None or not len(place.failures):
            continue
        index = place.failures["ended"].searchsorted(window.edges)
        if index[0] == index[-1]:
            continue
        here = index[1:] > index[:-1]
        first = place.failures["id"][np.minimum(index[:-1], len(place.failures) - 1)]
        calls = np.where(here & ~failed, first, calls)
        failed |= here
    return failed, calls
