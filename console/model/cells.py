"""What the ended calls of one lane did in each cell of a window, found by searching the lane's sorted columns."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from console.model.columns import Ints, steps
from console.model.lane import Calls, Runs

LABEL_CELLS: Final = 4
"""A call that fills so many whole cells is wide enough for a label."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Window:
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
        first = np.searchsorted(self.edges, began)
        after = np.searchsorted(self.edges, ended, side="right") - 1
        return np.minimum(first, self.width), np.minimum(np.maximum(after, 0), self.width)


@dataclass(frozen=True, slots=True)
class Cells:
    """A lane's calls in a window. The arrays have an element for each border of a cell.

    `upto`: how many calls started before it. `at`: the last call that started at or before it, -1 if there is none;
    `started` and `ended` are that call's (or the first call's).
    """

    runs: Runs
    window: Window
    upto: Ints
    at: Ints
    started: Ints
    ended: Ints

    @staticmethod
    def of(runs: Runs, window: Window) -> "Cells":
        """Search the calls of a lane for the borders of a window."""
        upto = runs.starts(window.edges)
        if not len(runs):
            return Cells(runs, window, upto, upto - 1, upto, upto)
        following = runs["started"][np.minimum(upto, len(runs) - 1)]
        at = upto - np.where((upto < len(runs)) & (following == window.edges), 0, 1)
        inside = np.maximum(at, 0)
        return Cells(runs, window, upto, at, runs["started"][inside], runs.ends(inside))

    def parts(self) -> Floats:
        """Ns of each cell in which calls were queued, computing, waiting, elsewhere; shape (4, width)."""
        waiting = steps(self.runs.blocked(self.window.edges)).astype(np.float64)
        parts = np.zeros((4, self.window.width))
        parts[2] = waiting
        if len(self.runs):
            run, computed = self._progress()
            parts[0], parts[1] = steps(self._idle()), steps(computed)
            parts[3] = np.maximum(0, steps(run) - parts[1] - waiting)
        return parts

    def count(self) -> Ints:
        """The calls that start in each cell, and one more if a call from before runs on into it."""
        counts = steps(self.upto)
        if len(self.runs):
            left = self.window.left
            counts += (self.at[:-1] >= 0) & (self.started[:-1] < left) & (self.ended[:-1] > left)
        return counts

    def largest(self) -> tuple[Ints, Ints]:
        """The call that has most of each cell, of those at its borders and in its middle; and its ns + 1, or 0, 0."""
        left, right = self.window.left, self.window.right
        nothing = np.zeros(self.window.width, np.int64)
        if not len(self.runs):
            return nothing, nothing
        middle = self.runs.starts(left + (right - left) // 2 + 1) - 1
        others = np.concatenate((middle, self.upto[1:] - 1))
        inside = np.maximum(others, 0)
        positions = np.concatenate((self.at[:-1], others)).reshape(3, -1)
        started = np.concatenate((self.started[:-1], self.runs["started"][inside])).reshape(3, -1)
        ended = np.concatenate((self.ended[:-1], self.runs.ends(inside))).reshape(3, -1)
        touches = (positions >= 0) & ((ended > left) | (started >= left))
        shares = np.where(touches, 1 + np.minimum(ended, right) - np.maximum(started, left), 0)
        best, cells = np.argmax(shares, axis=0), np.arange(self.window.width)
        share, position = shares[best, cells], positions[best, cells]
        return np.where(share > 0, self.runs.values("id", np.maximum(position, 0)), 0), share

    def wide(self) -> list[tuple[int, int, int]]:
        """Position, first cell and end of the calls that are wide enough for a label.

        They are found at the borders: a call that fills whole cells spans some.
        """
        at = self.at
        chosen = np.flatnonzero((at >= 0) & np.concatenate(([True], at[1:] != at[:-1])))
        cell = (self.window.edges[-1] - self.window.edges[0]) // self.window.width
        chosen = chosen[self.ended[chosen] - self.started[chosen] > cell]  # most windows have few such calls, or none
        if not len(chosen):
            return []
        first, after = self.window.whole_cells(self.started[chosen], self.ended[chosen])
        wide = np.flatnonzero(after - first >= LABEL_CELLS)
        return list(zip(at[chosen[wide]].tolist(), first[wide].tolist(), after[wide].tolist(), strict=True))

    def _progress(self) -> tuple[Floats, Floats]:
        """Ns of running and of computing before each border; a call's cpu time is spread over its time not blocked."""
        inside, some = np.maximum(self.at, 0), self.at >= 0
        until = np.minimum(np.maximum(self.window.edges, self.started), self.ended)
        blocked = self.runs.blocked(np.concatenate((self.started, until, self.ended))).reshape(3, -1)
        done = until - self.started - (blocked[1] - blocked[0])
        free = self.ended - self.started - (blocked[2] - blocked[0])
        earlier = self.runs.computed.before(inside)
        computed = earlier + (self.runs.computed.before(inside + 1) - earlier) * (done / np.maximum(free, 1))
        run = self.runs.run.before(inside) + (until - self.started)
        return np.where(some, run, 0.0), np.where(some, computed, 0.0)

    def _idle(self) -> Ints:
        """Ns before each border in which a call was queued and the lane did not run: times that end with a start."""
        following = np.minimum(self.at + 1, len(self.runs) - 1)
        earlier = self.runs.idle.before(following)
        length = self.runs.idle.before(following + 1) - earlier
        idle: Ints = earlier + np.clip(self.window.edges - (self.runs["started"][following] - length), 0, length)
        return idle


def failures(places: tuple[Calls | None, ...], window: Window) -> tuple[Flags, Ints]:
    """The cells in which a call failed, and the first such call of each."""
    failed, calls = np.zeros(window.width, np.bool_), np.zeros(window.width, np.int64)
    for place in places:
        if place is None or not len(place.failures):
            continue
        index = np.searchsorted(place.failures["ended"], window.edges)
        here = index[1:] > index[:-1]
        first = place.failures["id"][np.minimum(index[:-1], len(place.failures) - 1)]
        calls = np.where(here & ~failed, first, calls)
        failed |= here
    return failed, calls
