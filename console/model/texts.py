"""Strings of the calls: names once each, arguments and results packed outside of Python's objects."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from console.model.columns import Ints

_SEGMENT: Final = 1 << 20
END: Final = b"\xff"
"""Ends each pair; no byte of UTF-8 is this one."""
BETWEEN: Final = "\0"
"""Parts a pair. Captured text is escaped and has none; in a forged one the rest just moves to the second string."""


class _Numbers(dict[str, int]):
    def __missing__(self, name: str) -> int:
        number = self[name] = len(self)
        return number


class Names:
    """Each string once, with a small number; number 0 is ""."""

    def __init__(self) -> None:
        self._numbers = _Numbers({"": 0})
        self._names = [""]
        self.number = self._numbers.__getitem__
        """The number of a name, a new one if need be; asked for twice for every call, so it is no method of ours."""

    def find(self, name: str) -> int:
        """The number of NAME, -1 if no call ever had it."""
        return self._numbers.get(name, -1)

    def __getitem__(self, number: int) -> str:
        if number >= len(self._names):
            self._names = list(self._numbers)
        return self._names[number]


class TextHeap:
    """Pairs of strings, in segments of about 1 MB. A reference is a position in all of them; 0 is two empty strings."""

    def __init__(self) -> None:
        self._segments = [bytearray()]
        self._firsts = [1]

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return sum(map(len, self._segments))

    def put(self, pairs: Sequence[tuple[str, str]]) -> Ints:
        """Keep pairs of strings and return a reference for each."""
        if len(self._segments[-1]) >= _SEGMENT:
            self._firsts.append(self._firsts[-1] + len(self._segments[-1]))
            self._segments.append(bytearray())
        end = self._firsts[-1] + len(self._segments[-1])
        pieces = [
            f"{first}{BETWEEN}{second}".encode("utf-8", "replace") if first or second else b""
            for first, second in pairs
        ]
        lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
        lengths += lengths > 0  # its end mark
        self._segments[-1] += END.join([*filter(None, pieces), b""])
        return np.where(lengths > 0, end + np.cumsum(lengths) - lengths, 0)

    def get(self, reference: int) -> tuple[str, str]:
        """The strings of a reference; empty ones if they were let go."""
        index = bisect_right(self._firsts, reference) - 1
        if reference <= 0 or index < 0:
            return "", ""
        segment, at = self._segments[index], reference - self._firsts[index]
        first, _, second = segment[at : segment.index(END, at)].decode().partition(BETWEEN)
        return first, second

    def segments(self) -> Iterator[tuple[int, bytearray]]:
        """The pairs as they are kept, and the reference of the first in each segment: to search in, not to keep."""
        return zip(self._firsts, self._segments, strict=True)

    def release(self, oldest: int) -> None:
        """Let go of the segments in which no reference from OLDEST on lies."""
        while len(self._segments) > 1 and self._firsts[1] <= oldest:
            del self._segments[0], self._firsts[0]
