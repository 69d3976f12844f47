"""The part of a recording that the timeline shows: a grid of cells, so many ns wide each. Pure; monotonic ns."""

from msgspec import Struct
from msgspec.structs import replace

_STEPS: tuple[int, ...] = tuple(factor * 10**power for power in range(12) for factor in (1, 2, 5))
"""Widths of a cell in ns that a person can think in, 1 ns to 500 s."""
SHORTEST, LONGEST = 100, 200_000_000_000
FIRST_CELL = 20_000_000
_LEAST = 20_000
"""Ns that are shown large at least: what is next to a call matters too, and most calls take longer."""
_BESIDE = 3
"""Tenths of the width that are left free at either side of what is shown large."""


class Viewport(Struct, frozen=True):
    """`width` cells of `cell` ns from `start`. With `follow` its right edge moves on with the program."""

    start: int = 0
    cell: int = FIRST_CELL
    width: int = 1
    follow: bool = True

    @property
    def end(self) -> int:
        """The first ns that is not shown any more."""
        return self.start + self.cell * self.width

    @property
    def span(self) -> int:
        """Ns from edge to edge."""
        return self.cell * self.width

    def resized(self, width: int) -> "Viewport":
        """The same scale in WIDTH cells; while following, the right edge stays."""
        width = max(1, width)
        start = self.end - self.cell * width if self.follow else self.start
        return replace(self, start=start, width=width)

    def following(self, now: int) -> "Viewport":
        """Moved so that NOW is in the last cell. The grid stays where it is, so that what is drawn only shifts."""
        end = -(-now // self.cell) * self.cell
        return replace(self, start=end - self.span, follow=True)

    def panned(self, cells: int) -> "Viewport":
        """Moved by CELLS, not following any more."""
        return replace(self, start=self.start + cells * self.cell, follow=False)

    def zoomed(self, steps: int, at: int) -> "Viewport":
        """Steps closer (positive) or farther, the moment AT stays in its cell."""
        index = min(range(len(_STEPS)), key=lambda i: abs(_STEPS[i] - self.cell)) - steps
        cell = min(LONGEST, max(SHORTEST, _STEPS[max(0, min(index, len(_STEPS) - 1))]))
        column = min(max(0, (at - self.start) // self.cell), self.width - 1)
        start = at // cell * cell - column * cell
        return replace(self, start=start, cell=cell)

    def fitted(self, first: int, last: int, margin: int = 0) -> "Viewport":
        """The closest scale that shows [FIRST, LAST) with MARGIN free cells at both ends; not following."""
        room = max(1, self.width - 2 * margin)
        cell = min(LONGEST, max(SHORTEST, _rounded_up((last - first) // max(1, room - 1) + 1)))
        return replace(self, start=(first // cell - margin) * cell, cell=cell, follow=False)

    def around(self, first: int, last: int) -> "Viewport":
        """The scale at which [FIRST, LAST) takes about 4 tenths of the width, in the middle; not following."""
        more = max(0, _LEAST - (last - first))
        begin = first - more // 2
        return self.fitted(begin, max(last, first) + more - more // 2, self.width * _BESIDE // 10)

    def centred(self, at: int) -> "Viewport":
        """The same scale with AT in the middle, unless it is visible already; not following."""
        if self.start <= at < self.end:
            return replace(self, follow=False)
        return replace(self, start=(at // self.cell - self.width // 2) * self.cell, follow=False)

    def column(self, at: int) -> int:
        """The cell that the moment AT is in; outside 0…width-1 when it is not shown."""
        return (at - self.start) // self.cell

    def moment(self, column: int) -> int:
        """The middle of a cell."""
        return self.start + column * self.cell + self.cell // 2


def tick_step(cell: int, apart: int = 12) -> int:
    """Ns between two ticks of an axis: a round number, at least APART cells."""
    return next((step for step in _STEPS if step >= cell * apart), _STEPS[-1])


def _rounded_up(ns: int) -> int:
    """NS with two figures, not less."""
    unit = int("1" + "0" * max(0, len(str(ns)) - 2))
    return -(-ns // unit) * unit
