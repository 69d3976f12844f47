"""Log-bucket histograms of durations, one row for each thing that is measured, filled by the batch.

16 buckets for each power of two, spaced evenly on the logarithm, so a bucket's middle is within 2.2 % of all that is in
it (buckets spaced evenly on the value, as HdrHistogram has them, would be off by up to 3.03 %).
"""

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from console.model.columns import Ints

_PER_OCTAVE: Final = 16
_EXACT: Final = 64
"""Durations below this many ns have a bucket each: there, the log buckets are not wider than a ns anyway."""
_OCTAVES: Final = 38
"""Up to 2**44 ns, which is almost five hours; what is longer shares the last bucket."""
_BUCKETS: Final = _EXACT + _OCTAVES * _PER_OCTAVE + 1
_GROUP: Final = 32
"""Buckets that are summed first: percentiles are looked for in the sums, and then in one group."""
_WIDTH: Final = -(-_BUCKETS // _GROUP) * _GROUP
_MIDDLES: Final = np.concatenate(
    (np.arange(_EXACT), _EXACT * 2 ** ((np.arange(_BUCKETS - _EXACT) + 0.5) / _PER_OCTAVE))
)


def buckets(values: Ints) -> Ints:
    """The bucket of each duration in ns; what is below 0 counts as 0."""
    octaves = np.log2(np.maximum(values, _EXACT) / _EXACT)
    index = np.minimum(_EXACT + (octaves * _PER_OCTAVE).astype(np.int64), _BUCKETS - 1)
    return np.where(values < _EXACT, np.maximum(values, 0), index)


class Distribution(Struct, frozen=True):
    """How durations are spread: how many are in each of equal parts of the logarithm from `least` to `most` ns.

    Where nothing was measured all are 0, and `bars` is empty.
    """

    bars: tuple[int, ...] = ()
    least: int = 0
    most: int = 0
    p50: int = 0
    p95: int = 0
    p99: int = 0
    largest: int = 0


class Histograms:
    """Rows of buckets. Percentiles are within 3 % of the exact ones, and never above the largest value."""

    def __init__(self) -> None:
        self._counts = np.zeros((8, _WIDTH), np.uint32)
        self._largest = np.zeros(8, np.int64)

    def add(self, rows: Ints, values: Ints) -> None:
        """Count each value (ns) in its row."""
        self._grow(int(rows.max()) + 1)
        np.add.at(self._counts.reshape(-1), rows * _WIDTH + buckets(values), 1)  # by one index: a fifth of the time
        np.maximum.at(self._largest, rows, values)

    def percentiles(self, rows: Ints, fractions: tuple[float, ...]) -> Ints:
        """The percentiles of some rows, shape (len(rows), len(fractions)), in ns; -1 for a row without values.

        A percentile is the smallest value that at least this fraction of all values does not exceed.
        """
        self._grow(int(rows.max()) + 1)
        groups = self._counts[rows].reshape(len(rows), -1, _GROUP)
        sums = groups.sum(axis=2, dtype=np.uint32).cumsum(axis=1, dtype=np.int64)
        totals = sums[:, -1:]
        ranks = np.maximum(1, np.ceil(totals * np.array(fractions))).astype(np.int64)
        index = np.stack([_reached(groups, sums, ranks[:, [column]]) for column in range(len(fractions))], axis=1)
        values = np.rint(_MIDDLES[index]).astype(np.int64)
        largest = self._largest[rows][:, None]
        values = np.where(index == _BUCKETS - 1, largest, np.minimum(values, largest))
        return np.where(totals > 0, values, -1)

    def row(self, number: int) -> NDArray[np.uint32]:
        """The counts of one row."""
        self._grow(number + 1)
        counts: NDArray[np.uint32] = self._counts[number, :_BUCKETS]
        return counts

    def span(self, row: int) -> tuple[int, int]:
        """The first and the last bucket of a row that count something; (0, -1) when none does."""
        used = np.flatnonzero(self.row(row))
        return (int(used[0]), int(used[-1])) if len(used) else (0, -1)

    def distribution(self, row: int, columns: int, span: tuple[int, int]) -> Distribution:
        """A row from the first to the last bucket of SPAN, in so many columns."""
        first, last = span
        if self.span(row)[1] < 0 or last < first:
            return Distribution()
        edges = np.unique(first + np.arange(columns) * (last - first + 1) // columns)
        bars = np.add.reduceat(self.row(row)[: last + 1].astype(np.int64), edges)
        p50, p95, p99 = self.percentiles(np.array([row]), (0.5, 0.95, 0.99))[0].tolist()
        least, most = np.rint(_MIDDLES[[first, last]]).astype(np.int64).tolist()
        return Distribution(tuple(bars.tolist()), least, most, p50, p95, p99, int(self._largest[row]))

    def _grow(self, rows: int) -> None:
        if rows > len(self._counts):
            size, more = len(self._counts), max(rows, 2 * len(self._counts))
            counts, self._counts = self._counts, np.zeros((more, _WIDTH), np.uint32)  # untouched, it takes no memory
            self._counts[:size] = counts
            self._largest = np.concatenate((self._largest, np.zeros(more - size, np.int64)))


def _reached(groups: NDArray[np.uint32], sums: Ints, ranks: Ints) -> Ints:
    """The bucket in which each row comes to its rank; `sums` is up to the end of each group."""
    rows = np.arange(len(groups))
    group = np.minimum((sums < ranks).sum(axis=1), sums.shape[1] - 1)
    inside = groups[rows, group].cumsum(axis=1, dtype=np.int64)
    before = sums[rows, group] - inside[:, -1]
    index = group * _GROUP + (inside + before[:, None] < ranks).sum(axis=1)
    reached: Ints = np.minimum(index, _BUCKETS - 1)
    return reached
