"""In which order a list stands: what it is sorted by, and an order that does not jump about under the cursor. Pure."""

from collections.abc import Callable, Hashable, Sequence
from math import log2
from time import monotonic
from typing import Any, Generic, TypeVar

from msgspec import Struct

_CALM, _UNTOUCHED = 2.0, 4.0
"""Seconds between two new orders, and since the cursor was moved last."""

Row = TypeVar("Row")


class Sort(Struct, Generic[Row], frozen=True):
    """Something to sort by, under a column's title; names sort upwards, figures downwards."""

    title: str
    key: Callable[[Row], Any]
    downwards: bool = True


def bucket(figure: float) -> int:
    """FIGURE in doublings: a rate that wavers a little does not change places."""
    return int(log2(figure * 10 + 1))


class CalmOrder:
    """Gives names their places: new ones at once, a new order only every now and then."""

    def __init__(self) -> None:
        self._order: list[str] = []
        self._asked: Hashable = None
        self._ordered = 0.0
        self._touches = 0
        self._touched = 0.0

    def arrange(self, ranked: Sequence[str], touches: int, asked: Hashable, now: float | None = None) -> list[str]:
        """RANKED, or the last order with what came and went. TOUCHES counts cursor moves, ASKED is the wish."""
        now = monotonic() if now is None else now
        if touches != self._touches:
            self._touches, self._touched = touches, now
        calm = now - self._ordered >= _CALM and now - self._touched >= _UNTOUCHED
        if asked != self._asked or (calm and list(ranked) != self._order):
            self._order, self._ordered, self._asked = list(ranked), now, asked
            return self._order
        there, known = set(ranked), set(self._order)
        self._order = [name for name in self._order if name in there] + [name for name in ranked if name not in known]
        return self._order
