"""How far apart colours are for an eye: CIELAB distance, contrast, and what protanopia and deuteranopia leave of them.

The matrices are those of Machado, Oliveira and Fernandes (2009) at full severity.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

EYES: Final = {
    "all": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
_TO_XYZ: Final = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip # noqa: E501
_WHITE: Final = np.array([0.95047, 1.0, 1.08883])


def linear(color: str) -> NDArray[np.float64]:
    """`#rrggbb` as light."""
    parts = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colours, 1 to 21."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    dim, bright = sorted((float(linear(one) @ weights), float(linear(other) @ weights)))
    return (bright + 0.05) / (dim + 0.05)


def closest(colors: Iterable[str], eye: str) -> float:
    """The smallest distance (ΔE, CIE 1976) between two of COLORS for an eye."""
    seen = [_lab(np.clip(EYES[eye] @ linear(color), 0, 1)) for color in colors]
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))


def _lab(light: NDArray[np.float64]) -> NDArray[np.float64]:
    part = _TO_XYZ @ light / _WHITE
    bent = np.where(part > 0.008856, np.cbrt(part), 7.787 * part + 16 / 116)
    return np.array([116 * bent[1] - 16, 500 * (bent[0] - bent[1]), 200 * (bent[1] - bent[2])])
