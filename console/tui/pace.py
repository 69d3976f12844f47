"""How often something costly may be done, and how it lets keys be handled meanwhile."""

import asyncio
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import TypeVar

from console.model.slices import Sliced

T = TypeVar("T")
_SHARE = 20
_STEPS = 8
"""Turns of the event loop between two slices: from hand to hand, a key takes about so many to what it changes."""


async def in_slices(work: Sliced[T]) -> T:
    """Do WORK; between its slices everything else has a turn."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # it is what the generator returns
        for _ in range(_STEPS):
            await asyncio.sleep(0)


def timed(work: Sliced[T], spend: Callable[[float], None], clock: Callable[[], float] = monotonic) -> Sliced[T]:
    """WORK; SPEND is told how long each of its slices took, in seconds."""
    while True:
        began = clock()
        try:
            next(work)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # it is what the generator returns
        finally:
            spend(clock() - began)
        yield


class Pace:
    """Used as `with pace:` around the work, it measures it; `due` says when the next time has come.

    So that the work takes a twentieth of the time at most, however much there is to do.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._began = 0.0
        self._next = 0.0
        self.took = 0.0
        """Seconds that the work took the last time."""

    @property
    def due(self) -> bool:
        """Whether enough time has gone by since the last time."""
        return self._clock() >= self._next

    @property
    def age(self) -> float:
        """Seconds since the work was done."""
        return self._clock() - self._began - self.took

    def __enter__(self) -> None:
        self._began = self._clock()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        now = self._clock()
        self.took = now - self._began
        self._next = now + _SHARE * self.took
