"""Long work in slices: who does it for a screen lets a key be handled between two of them."""

from collections.abc import Generator, Iterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")
Sliced = Generator[None, None, T]
"""Work that stops after each slice, and returns what comes of it."""
_PART: Final = 500
"""Rows of one slice: 5 ms or so, for what is worked out row by row."""


def parts(rows: Sequence[T], most: int = _PART) -> Iterator[Sequence[T]]:
    """ROWS in their order, so many at a time that they are one slice."""
    return (rows[first : first + most] for first in range(0, len(rows), most))


def whole(work: Sliced[T]) -> T:
    """Do all of it at once."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # it is what the generator returns
