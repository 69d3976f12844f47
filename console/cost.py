"""What watching costs the program, over the last seconds: one turn of its recorder says little."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from bus.attach.protocol import Batch

_WINDOW_NS: Final = 2_000_000_000


class Cost:
    """Each batch tells what part of a CPU was used since the one before; those of the snapshot tell nothing."""

    def __init__(self) -> None:
        self._turns: deque[tuple[float, int]] = deque()
        self._passed = self._at = 0

    def take(self, batches: Iterable[Batch]) -> None:
        """Take in what the program said."""
        for batch in batches:
            if self._at and batch.at > self._at:
                self._add(batch.cost, batch.at - self._at)
            if self._at or batch.snapshot_done:
                self._at = batch.at

    @property
    def share(self) -> float:
        """Part of one CPU."""
        return sum(cost * passed for cost, passed in self._turns) / self._passed if self._passed else 0.0

    def _add(self, cost: float, passed: int) -> None:
        self._turns.append((cost, passed))
        self._passed += passed
        while self._passed - self._turns[0][1] >= _WINDOW_NS:
            self._passed -= self._turns.popleft()[1]
