"""How busy the program was over the whole recording: the picture above the lanes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from console.model.columns import Ints, steps

_SLOTS: Final = 1 << 13
"""A picture of 200 cells of all that is kept is exact to a fortieth of a cell or better."""


class Density:
    """Counts starts of calls in slots of one width, as they come: a picture is made of the counts, not of the calls.

    Slots become twice as wide when there would be too many. What is not kept any more is still counted, but lies before
    all that is shown.
    """

    def __init__(self) -> None:
        self._first = 0
        self._width = 1
        self._counts = np.zeros(0, np.int64)

    def add(self, started: Ints) -> None:
        """Count calls that started at these moments (ns)."""
        if not len(started):
            return
        self._cover(int(started.min()), int(started.max()))
        places = (started - self._first) // self._width
        self._counts += np.bincount(places, minlength=len(self._counts))

    def over(self, edges: Ints) -> NDArray[np.float32]:
        """The calls that start in each cell between EDGES, as parts of those in the busiest one, 0.0 to 1.0.

        A slot is counted whole where it begins: parts of calls would be drawn as calls.
        """
        before = np.concatenate((np.zeros(1, np.int64), np.cumsum(self._counts)))
        slots = -((self._first - edges) // self._width)
        counts = steps(before[np.minimum(np.maximum(slots, 0), len(self._counts))])
        density: NDArray[np.float32] = (counts / max(1, int(counts.max()))).astype(np.float32)
        return density

    def _cover(self, earliest: int, latest: int) -> None:
        """Have slots for these moments: wider ones, where these would be too many."""
        if not len(self._counts):
            self._first = earliest
        first, end = min(self._first, earliest), self._first + self._width * len(self._counts)
        last = max(latest, end - 1)
        while (last - first) // self._width >= _SLOTS - 1:
            self._double()
        front = -((first - self._first) // self._width)
        self._first -= front * self._width
        behind = (last - self._first) // self._width + 1 - len(self._counts) - front
        if front or behind > 0:
            self._counts = np.pad(self._counts, (front, max(0, behind)))

    def _double(self) -> None:
        even = np.pad(self._counts, (0, len(self._counts) % 2))
        self._counts, self._width = even[::2] + even[1::2], 2 * self._width
