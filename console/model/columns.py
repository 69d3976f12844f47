"""Growable numpy columns of one length: what the model keeps its calls and waits in."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

Column = NDArray[Any]
Ints = NDArray[np.int64]
Block = Mapping[str, Column]
"""Columns of one length, by name."""

_FIRST = 64


_WIDTHS: Final = tuple((size, -(1 << 8 * size - 1), (1 << 8 * size - 1) - 1) for size in (1, 2, 4, 8))
"""Bytes of a signed number, and between which bounds it lies."""


def steps(values: Column) -> Column:
    """From each value to the next, in each row; `np.diff` takes four times as long for a row of cells."""
    difference: Column = values[..., 1:] - values[..., :-1]
    return difference


def narrowed(values: Column) -> Column:
    """The same numbers in as few bytes as will do; so that who takes parts of them need not look at each part."""
    return values if values.itemsize == 1 or not len(values) else values.astype(f"i{_bytes_for(values)}", copy=False)


def _bytes_for(values: Column) -> int:
    least, most = values.min().item(), values.max().item()
    return next(size for size, lowest, highest in _WIDTHS if lowest <= least and most <= highest)


class Columns:
    """Named columns that grow together; room is doubled, and untouched room costs no memory.

    A column that was declared narrow is made wider for the first values that need it. All are signed.
    """

    def __init__(self, dtypes: Mapping[str, DTypeLike], *, zeros: int = 0) -> None:
        """The first rows are ZEROS."""
        self._room = {name: np.zeros(_FIRST, dtype) for name, dtype in dtypes.items()}
        self.size = zeros

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, name: str) -> Column:
        return self._room[name][: self.size]

    def extend(self, block: Block) -> None:
        """Append BLOCK; a column that it does not have is left for the caller to fill."""
        count = len(next(iter(block.values())))
        self._grow(self.size + count)
        for name, values in block.items():
            self._fit(name, values)
            self._room[name][self.size : self.size + count] = values
        self.size += count

    def shared(self) -> "Columns":
        """The rows that there are now: they stay what they are, as long as this side only extends and selects."""
        other = Columns({})
        other._room, other.size = dict(self._room), self.size
        return other

    def cut(self, size: int) -> None:
        """Keep the first SIZE rows."""
        self.size = size

    def select(self, chosen: Column) -> None:
        """Keep what CHOSEN (a mask, or positions in the wanted order) names."""
        kept = {name: room[: self.size][chosen] for name, room in self._room.items()}
        self.size = len(next(iter(kept.values())))
        self._room = {name: values if self.size else np.empty(_FIRST, values.dtype) for name, values in kept.items()}

    @property
    def nbytes(self) -> int:
        """Bytes that the rows take."""
        return self.size * sum(room.itemsize for room in self._room.values())

    def _fit(self, name: str, values: Column) -> None:
        room = self._room[name]
        if values.itemsize <= room.itemsize or not len(values):
            return
        size = _bytes_for(values)
        if size > room.itemsize:
            wider = np.empty(len(room), f"i{size}")  # its untouched room stays untouched
            wider[: self.size] = room[: self.size]
            self._room[name] = wider

    def _grow(self, size: int) -> None:
        if size <= len(next(iter(self._room.values()))):
            return
        for name, room in self._room.items():
            larger = np.empty(max(2 * len(room), size), room.dtype)
            larger[: self.size] = room[: self.size]
            self._room[name] = larger
