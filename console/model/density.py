"""How busy the program was over the whole recording: the picture above the lanes."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from console.model.columns import Ints, steps
from console.model.lane import Runs


class Density:
    """Remembers the last picture: of a recording it is the same in every window."""

    def __init__(self) -> None:
        self._of: tuple[int, int, bytes] = (0, 0, b"")
        self._density = np.zeros(0, np.float32)

    def over(self, lanes: Collection[Runs], edges: Ints) -> NDArray[np.float32]:
        """The calls that start in each cell between EDGES, as parts of those in the busiest one, 0.0 to 1.0."""
        of = (sum(map(len, lanes)), sum(runs.version for runs in lanes), edges.tobytes())
        if of != self._of:
            counts = np.zeros(len(edges) - 1, np.int64)
            for runs in lanes:
                counts += steps(runs.starts(edges))
            self._of, self._density = of, (counts / max(1, int(counts.max()))).astype(np.float32)
        return self._density
