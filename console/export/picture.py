"""The timeline as SVG: what `console.model.timeline` found in each lane, drawn as areas."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from console import format as fmt
from console.model.columns import Ints
from console.model.views import LaneView, TimelineView

CELLS: Final = 500
_PARTS: Final = ("queued", "computing", "waiting", "elsewhere")
"""As the model has them; drawn from the bottom: what runs is what counts, queued is on top of it."""
_FROM_BOTTOM: Final = (1, 2, 3, 0)
_STEPS: Final = 10
"""Heights are in tenths of a lane: finer than that the eye sees nothing, and equal neighbours are one shape."""
_TICKS: Final = 6
_MOST_LANES: Final = 60


class Area(Struct, frozen=True):
    """A shape in units of cells (x) and tenths of a lane (y, from the top), and what it is."""

    part: str
    path: str


class Lane(Struct, frozen=True):
    """A lane as shapes. `failed`: (cell, call) of each failure, the first of several in a row."""

    name: str
    service: str
    areas: tuple[Area, ...]
    failed: tuple[tuple[int, int], ...]


class Picture(Struct, frozen=True):
    """All lanes; `ticks`: (cell, label). `left_out`: lanes that did not fit."""

    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str], ...]
    left_out: int


def draw(view: TimelineView, base: int) -> Picture:
    """The lanes of a view of `CELLS` cells; ticks count from BASE."""
    shown = view.lanes[:_MOST_LANES]
    moments = np.linspace(view.start, view.end, _TICKS)
    ticks = tuple(
        (CELLS * number / (_TICKS - 1), fmt.duration(round(moment) - base)) for number, moment in enumerate(moments)
    )
    return Picture(tuple(_lane(lane) for lane in shown), ticks, len(view.lanes) - len(shown))


def _lane(lane: LaneView) -> Lane:
    edges = np.zeros((len(_PARTS) + 1, lane.parts.shape[1]))
    edges[1:] = np.cumsum(lane.parts[list(_FROM_BOTTOM)], axis=0)
    heights = np.minimum(np.rint(edges * _STEPS), _STEPS).astype(np.int64)
    anything = (edges[1:] > 0) & (heights[1:] == 0)
    heights[1:][anything] = 1  # what is there is seen, however short it was
    areas = tuple(
        Area(_PARTS[part], path)
        for number, part in enumerate(_FROM_BOTTOM)
        if (path := "".join(_boxes(heights[number], heights[number + 1])))
    )
    return Lane(lane.name, lane.service, areas, tuple(_failures(lane.failed, lane.call)))


def _boxes(low: Ints, high: Ints) -> Iterator[str]:
    """Cells of one height as one box each."""
    changes = np.flatnonzero((np.diff(low) != 0) | (np.diff(high) != 0)) + 1
    bounds: Sequence[int] = [0, *changes.tolist(), len(low)]
    for first, after in pairwise(bounds):
        height = int(high[first] - low[first])
        if height:
            yield f"M{first} {_STEPS - int(high[first])}h{after - first}v{height}h{first - after}z"


def _failures(failed: NDArray[np.bool_], calls: NDArray[Any]) -> Iterator[tuple[int, int]]:
    for cell in np.flatnonzero(failed).tolist():
        if not cell or not failed[cell - 1]:
            yield cell, int(calls[cell])
