"""What the program printed and logged: the last lines of all, and of each call."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Final

from bus.trace.records import Output

KEPT: Final = 50_000
"""Lines of a program that are kept."""
OF_A_CALL: Final = 200
"""Lines that are kept of one call."""


class Outputs:
    """Bounded: the oldest line goes first, and with it its call's. Owned by the front end's thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.total = 0
        """Lines that there were; the newest one has this number."""
        self._lines: deque[Output] = deque()
        self._of: dict[int, deque[Output]] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Output]:
        return iter(self._lines)

    def add(self, line: Output) -> None:
        """Keep LINE."""
        if len(self._lines) == self._most:
            self._forget(self._lines.popleft())
        self._lines.append(line)
        self.total += 1
        if line.call:
            self._of.setdefault(line.call, deque(maxlen=OF_A_CALL)).append(line)

    def newest(self, count: int) -> list[Output]:
        """The last COUNT lines, the oldest of them first."""
        return list(islice(reversed(self._lines), count))[::-1]

    def of(self, call: int) -> tuple[Output, ...]:
        """The last lines of a call, the oldest first."""
        return tuple(self._of.get(call, ()))

    def _forget(self, line: Output) -> None:
        lines = self._of.get(line.call)
        if lines is not None and lines[0] is line:
            lines.popleft()
            if not lines:
                del self._of[line.call]
