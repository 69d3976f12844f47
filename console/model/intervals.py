"""Disjoint intervals of one lane, with running totals: how long a thread was blocked, up to any moment."""

import numpy as np

from console.model.columns import Columns, Ints, before


class Intervals:
    """Intervals sorted by their beginning. Late, repeated and overlapping ones are put right as they come."""

    def __init__(self) -> None:
        self._columns = Columns({"began": np.int64, "ended": np.int64, "sum": np.int64})

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def last(self) -> int:
        """The end of the last interval, 0 if there is none."""
        return int(self._columns["ended"][-1]) if len(self._columns) else 0

    def add(self, began: Ints, ended: Ints) -> None:
        """Take in intervals, in any order; empty ones are left out."""
        real = ended > began
        began, ended = began[real], ended[real]
        if not len(began):
            return
        size, last = len(self._columns), self.last
        self._columns.extend({"began": began, "ended": ended})
        in_order = began[0] >= last and bool(np.all(began[1:] >= ended[:-1]))
        if in_order:
            self._sum_from(size)
        else:
            self._put_right()

    def until(self, moments: Ints) -> Ints:
        """Ns within the intervals before each moment."""
        if not len(self._columns):
            return np.zeros(len(moments), np.int64)
        began, ended, sums = self._columns["began"], self._columns["ended"], self._columns["sum"]
        index = np.searchsorted(began, moments, side="right") - 1
        inside = np.maximum(index, 0)
        part = np.clip(moments, began[inside], ended[inside]) - began[inside]
        return np.where(index >= 0, before(sums, index) + part, 0).astype(np.int64)

    def forget_before(self, moment: int) -> None:
        """Let go of the intervals that ended before MOMENT."""
        if len(self._columns) and self._columns["ended"][0] < moment:
            self._columns.select(self._columns["ended"] >= moment)
            self._sum_from(0)

    def _put_right(self) -> None:
        """Sort, and cut what an earlier interval covers: a thread waits for one thing at a time."""
        self._columns.select(np.lexsort((self._columns["ended"], self._columns["began"])))
        began, ended = self._columns["began"], self._columns["ended"]
        began[1:] = np.maximum(began[1:], np.maximum.accumulate(ended)[:-1])
        self._columns.select(ended > began)
        self._sum_from(0)

    def _sum_from(self, position: int) -> None:
        began, ended, sums = self._columns["began"], self._columns["ended"], self._columns["sum"]
        total = int(sums[position - 1]) if position else 0
        sums[position:] = total + np.cumsum(ended[position:] - began[position:])
