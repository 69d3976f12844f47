"""Ended calls of a store, asked all at once: by the values of a column, and by where their time went."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from console.model.columns import Column, Ints
from console.model.lane import Calls

Mask = NDArray[np.bool_]

_FEW: Final = 1 << 16
"""Codes below it are looked up in a table; there are more only in what is forged."""


class CallRows:
    """Some calls of a store, from a position on, and what can be asked of their columns; each is made once."""

    def __init__(self, calls: Calls, first: int = 0) -> None:
        self.calls, self.first = calls, first
        self._size = len(calls) - first
        self._columns: dict[str, Column] = {}

    def __len__(self) -> int:
        return self._size

    def column(self, name: str) -> Column:
        """A column as it is, by its name in `lane.CALL`."""
        if name not in self._columns:
            self._columns[name] = self.calls.values(name, slice(self.first, self.first + self._size))
        return self._columns[name]

    def where(self, name: str, test: Callable[[int], bool]) -> Mask:
        """The rows whose value in a column passes TEST, which is asked once for each value that there is."""
        column = self.column(name)
        if not len(column):
            return np.zeros(0, np.bool_)
        most = int(column.max())
        if most >= _FEW:
            values, inverse = np.unique(column, return_inverse=True)
            return np.array([test(value) for value in values.tolist()], np.bool_)[inverse]
        table = np.zeros(most + 1, np.bool_)
        for value in np.flatnonzero(np.bincount(column)).tolist():
            table[value] = test(value)
        return table[column]

    def numbers(self, field: str) -> tuple[Column, Mask | bool]:
        """A time or number of each call, and where it is known; times as `split.parts` has them."""
        if field in ("id", "parent", "root"):
            return self.column(field), True
        queued = self.column("queued")
        ended = np.maximum(queued, self.column("ended"))
        if field == "took":
            return ended - queued, True
        started = self.column("started")
        start = np.where(started > 0, np.minimum(np.maximum(queued, started), ended), ended)
        if field == "queued":
            return start - queued, True
        return self._within(field, ended - start)

    def _within(self, field: str, run: Ints) -> tuple[Column, Mask | bool]:
        if field == "run":
            return run, True
        waiting = np.minimum(self.column("waited"), run)
        if field == "waiting":
            return waiting, True
        cpu, free = self.column("cpu"), run - waiting
        computing = np.where(cpu < 0, free, np.minimum(cpu, free))
        return (computing if field == "computing" else free - computing), (cpu >= 0) | (run == 0)
