"""How long a program has said nothing: one that runs says something twenty times a second."""

from collections.abc import Callable
from typing import Final

_REGULARLY: Final = 5
"""Times that it was heard before silence means anything."""


class Hearing:
    """By the console's own clock, MONOTONIC (ns)."""

    def __init__(self, monotonic: Callable[[], int]) -> None:
        self._monotonic = monotonic
        self._last, self._times = monotonic(), 0

    def note(self) -> None:
        """Something came."""
        self._last = self._monotonic()
        self._times += 1

    @property
    def silence(self) -> int:
        """Ns since something came, once it came regularly; 0 before."""
        return self._monotonic() - self._last if self._times > _REGULARLY else 0
