"""Disjoint intervals of one lane, with running totals: how long a thread was blocked, up to any moment."""

import numpy as np

from console.model.columns import Columns, Ints
from console.model.totals import Totals


class Intervals:
    """Intervals sorted by their beginning. Late, repeated and overlapping ones are put right as they come."""

    def __init__(self) -> None:
        self._columns = Columns({"began": np.int64, "length": np.int8})
        self._totals = Totals()

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def last(self) -> int:
        """The end of the last interval, 0 if there is none."""
        return int(self._columns["began"][-1] + self._columns["length"][-1]) if len(self._columns) else 0

    @property
    def bounds(self) -> tuple[int, ...]:
        """The beginning of the first interval and the end of the last one; () if there is none."""
        return (int(self._columns["began"][0]), self.last) if len(self._columns) else ()

    @property
    def nbytes(self) -> int:
        """Bytes that the intervals and their totals take."""
        return self._columns.nbytes + self._totals.nbytes

    def add(self, began: Ints, ended: Ints) -> None:
        """Take in intervals, in any order; empty ones are left out."""
        real = ended > began
        began, ended = began[real], ended[real]
        if not len(began):
            return
        size, last = len(self._columns), self.last
        in_order = began[0] >= last and bool(np.all(began[1:] >= ended[:-1]))
        if not in_order:
            size, began, ended = self._put_right(began, ended)
        self._columns.extend({"began": began, "length": ended - began})
        self._sum_from(size)

    def until(self, moments: Ints) -> Ints:
        """Ns within the intervals before each moment."""
        if not len(self._columns):
            return np.zeros(len(moments), np.int64)
        began = self._columns["began"]
        index = began.searchsorted(moments, side="right") - 1
        inside = np.maximum(index, 0)
        part = np.minimum(np.maximum(moments - began[inside], 0), self._columns["length"][inside])
        return np.where(index >= 0, self._totals.before(inside) + part, 0)

    def touching(self, begin: int, end: int) -> tuple[Ints, Ints]:
        """Where the intervals begin and end of which any part lies in [BEGIN, END)."""
        began = self._columns["began"]
        last = int(np.searchsorted(began, np.int64(end)))
        first = max(0, int(np.searchsorted(began, np.int64(begin), side="right")) - 1)
        some = began[first:last]
        ended = some + self._columns["length"][first:last]
        inside = ended > begin
        return some[inside], ended[inside]

    def forget_before(self, moment: int) -> None:
        """Let go of the intervals that ended before MOMENT."""
        if not len(self._columns):
            return
        ended = self._columns["began"] + self._columns["length"]
        if ended[0] < moment:
            self._columns.select(ended >= moment)
            self._sum_from(0)

    def _put_right(self, began: Ints, ended: Ints) -> tuple[int, Ints, Ints]:
        """Sort, and cut what an earlier interval covers: a thread waits for one thing at a time.

        Takes those that the new ones may touch out of the columns; returns how many are left there, and the others.
        """
        kept = self._columns["began"]
        size = max(0, int(np.searchsorted(kept, began.min(), side="right")) - 1)
        began = np.concatenate((kept[size:], began))
        ended = np.concatenate((kept[size:] + self._columns["length"][size:], ended))
        order = np.lexsort((ended, began))
        began, ended = began[order], ended[order]
        began[1:] = np.maximum(began[1:], np.maximum.accumulate(ended)[:-1])
        real = ended > began
        self._columns.cut(size)
        return size, began[real], ended[real]

    def _sum_from(self, position: int) -> None:
        self._totals.set_from(position, self._columns["length"][position:])
