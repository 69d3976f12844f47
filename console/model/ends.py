"""How calls ended, by the columns that say so: what failed, and what never came to be."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from console.model.codes import CANCELLED, KINDS, OUTCOMES
from console.model.columns import Column

_REJECTED: Final = OUTCOMES.index("rejected")
_DELIVERY: Final = KINDS.index("delivery")


def failures(kind: Column, outcome: Column) -> NDArray[np.bool_]:
    """Which calls failed. An event that a full mailbox dropped did not: nobody has tried."""
    failed: NDArray[np.bool_] = outcome > CANCELLED
    return failed & ~losses(kind, outcome)


def losses(kind: Column, outcome: Column) -> NDArray[np.bool_]:
    """Which are deliveries that were never made: for want of room, or because their service had stopped."""
    lost: NDArray[np.bool_] = (outcome == _REJECTED) & (kind == _DELIVERY)
    return lost
