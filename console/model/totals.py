"""Running totals in few bytes each: a timeline's cell is the difference of two of them."""

from typing import Final

import numpy as np

from console.model.columns import Columns, Ints

_SHIFT: Final = 4
_PART: Final = 1 << _SHIFT
"""So many rows share a total of 8 bytes; each adds what came since, which 4 bytes hold as long as that is under 2 s."""


class Totals:
    """The total in front of each row, and that behind the last one."""

    def __init__(self) -> None:
        self._parts = Columns({"total": np.int64}, zeros=1)
        self._since = Columns({"since": np.int8}, zeros=1)

    @property
    def nbytes(self) -> int:
        """Bytes that the totals take."""
        return self._parts.nbytes + self._since.nbytes

    def set_from(self, row: int, values: Ints) -> None:
        """Let VALUES be those of ROW and all rows behind it."""
        first = self.before(np.array([row])) if row else np.zeros(1, np.int64)
        totals = np.concatenate((first, first + np.cumsum(values)))
        part = -(-row // _PART)
        self._parts.cut(part)
        self._parts.extend({"total": totals[part * _PART - row :: _PART]})
        rows = np.arange(row, row + len(totals))
        self._since.cut(row)
        self._since.extend({"since": totals - self._parts["total"][rows // _PART]})

    def before(self, rows: Ints) -> Ints:
        """The total of all rows in front of each of ROWS."""
        total: Ints = self._parts["total"][rows >> _SHIFT] + self._since["since"][rows]
        return total
