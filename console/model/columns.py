"""Growable numpy columns of one length: what the model keeps its calls and waits in."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

Column = NDArray[Any]
Ints = NDArray[np.int64]
Block = Mapping[str, Column]
"""Columns of one length, by name."""

_FIRST = 64


class Rows(Protocol):
    """A block, or anything else that gives its columns by name."""

    def __getitem__(self, name: str, /) -> Column:
        """One column."""


class Columns:
    """Named columns that grow together; room is doubled, and untouched room costs no memory."""

    def __init__(self, dtypes: Mapping[str, DTypeLike]) -> None:
        self._room = {name: np.empty(_FIRST, dtype) for name, dtype in dtypes.items()}
        self.size = 0

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, name: str) -> Column:
        return self._room[name][: self.size]

    def extend(self, block: Block) -> None:
        """Append BLOCK; a column that it does not have is left for the caller to fill."""
        count = len(next(iter(block.values())))
        self._grow(self.size + count)
        for name, values in block.items():
            self._room[name][self.size : self.size + count] = values
        self.size += count

    def select(self, chosen: Column) -> None:
        """Keep what CHOSEN (a mask, or positions in the wanted order) names."""
        kept = {name: room[: self.size][chosen] for name, room in self._room.items()}
        self.size = len(next(iter(kept.values())))
        self._room = {name: values if self.size else np.empty(_FIRST, values.dtype) for name, values in kept.items()}

    def _grow(self, size: int) -> None:
        if size <= len(next(iter(self._room.values()))):
            return
        for name, room in self._room.items():
            larger = np.empty(max(2 * len(room), size), room.dtype)
            larger[: self.size] = room[: self.size]
            self._room[name] = larger


def before(sums: Column, index: Ints) -> Column:
    """The running total in front of each position: SUMS includes the position itself, position 0 has 0 before it."""
    return np.where(index > 0, sums[np.maximum(index - 1, 0)], 0)
