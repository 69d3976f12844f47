"""Counts by a small number: grown when there are more of them, and for the last stretch of time only."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from console.model.columns import Ints

_SLOTS: Final = 6
"""Parts of the window that are forgotten one at a time."""
Counts = NDArray[np.int64]


def longer(counts: Counts, size: int) -> Counts:
    """COUNTS with room for SIZE of them at least."""
    if size <= len(counts):
        return counts
    return np.concatenate((counts, np.zeros(max(size, 2 * len(counts)) - len(counts), np.int64)))


def equally_long(one: Counts, other: Counts) -> tuple[Counts, Counts]:
    """Both, of the length of the longer one: each has grown by what was counted in it."""
    size = max(len(one), len(other))
    return longer(one, size)[:size], longer(other, size)[:size]


class Totals:
    """How many there were of each, or how much, since the beginning."""

    def __init__(self) -> None:
        self._counts: Counts = np.zeros(64, np.int64)

    def add(self, keys: Ints, amounts: Ints | None = None) -> None:
        """Count each key once for each time it is named; or add up its AMOUNTS."""
        if len(keys):
            added = np.bincount(keys) if amounts is None else np.bincount(keys, amounts).astype(np.int64)
            self._counts = longer(self._counts, len(added))
            self._counts[: len(added)] += added

    @property
    def counts(self) -> Counts:
        """The count of each key; keys that were never counted may be missing."""
        return self._counts


class Recent:
    """How many there were of each within the last SPAN ns, to a sixth of it; by when each was, not by when it came."""

    def __init__(self, span: int) -> None:
        self._slot = max(1, span // _SLOTS)
        self._slots: dict[int, Totals] = {}

    def add(self, keys: Ints, moments: Ints) -> None:
        """Count each key at its moment."""
        numbers = moments // self._slot
        for number in np.unique(numbers)[-_SLOTS:].tolist():
            self._slots.setdefault(number, Totals()).add(keys[numbers == number])

    def counts(self, now: int) -> Counts:
        """The count of each key up to NOW; what is older than that by the span is forgotten."""
        oldest = now // self._slot - _SLOTS
        self._slots = {number: totals for number, totals in self._slots.items() if number > oldest}
        size = max((len(totals.counts) for totals in self._slots.values()), default=0)
        counts = np.zeros(size, np.int64)
        for totals in self._slots.values():
            counts[: len(totals.counts)] += totals.counts
        return counts
