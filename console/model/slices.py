"""Long work in slices: who does it for a screen lets a key be handled between two of them."""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")
Sliced = Generator[None, None, T]
"""Work that stops after each slice, and returns what comes of it."""


def whole(work: Sliced[T]) -> T:
    """Do all of it at once."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # it is what the generator returns
