"""Strings of the calls: names once each, arguments and results packed outside of Python's objects."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from console.model.columns import Ints

_SEGMENT: Final = 1 << 20
END: Final = b"\xff"
"""Ends each pair; no byte of UTF-8 is this one."""
_END_LETTER: Final = END.decode("latin-1")
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
        self._names: tuple[str, ...] = ("",)
        self.number = self._numbers.__getitem__
        """The number of a name, a new one if need be; asked for twice for every call, so it is no method of ours."""

    def find(self, name: str) -> int:
        """The number of NAME, -1 if no call ever had it."""
        return self._numbers.get(name, -1)

    def __getitem__(self, number: int) -> str:
        if number >= len(self._names):
            self.all()
        return self._names[number]

    def all(self) -> tuple[str, ...]:
        """Every string, by its number; the same object as long as there is no new one."""
        if len(self._names) < len(self._numbers):
            self._names = tuple(self._numbers)
        return self._names


def packed_texts(pairs: Sequence[str]) -> tuple[bytes, Ints]:
    """Pairs of strings, each `first BETWEEN second`, one behind the other as bytes; and 1 + where each begins.

    Two empty strings take no room, and have 0.
    """
    empty = pairs.count(BETWEEN)
    if empty == len(pairs):
        return b"", np.zeros(len(pairs), np.int64)
    if "".join(pairs).isascii():
        lengths = np.fromiter(map(len, pairs), np.int64, len(pairs))
        some = [pair for pair in pairs if pair != BETWEEN] if empty else pairs
        texts = f"{_END_LETTER.join(some)}{_END_LETTER}".encode("latin-1")
    else:
        pieces = [pair.encode("utf-8", "replace") for pair in pairs]
        lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
        texts = END.join([*(piece for piece in pieces if len(piece) > 1), b""])
    lengths = np.where(lengths > 1, lengths + 1, 0)  # with its end mark
    return texts, np.where(lengths > 0, 1 + np.cumsum(lengths) - lengths, 0)


class TextHeap:
    """Pairs of strings, in segments of about 1 MB. A reference is a position in all of them; 0 is two empty strings."""

    def __init__(self) -> None:
        self._segments = [bytearray()]
        self._firsts = [1]

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return sum(map(len, self._segments))

    @property
    def end(self) -> int:
        """The reference that the next pair gets, or a smaller one than that."""
        return self._firsts[-1] + len(self._segments[-1])

    def add(self, texts: bytes, places: Ints) -> Ints:
        """Keep what `packed_texts` made, and return the references for PLACES; what is not above 0 stays as it is."""
        if len(self._segments[-1]) >= _SEGMENT:
            self._firsts.append(self._firsts[-1] + len(self._segments[-1]))
            self._segments.append(bytearray())
        before = self._firsts[-1] + len(self._segments[-1]) - 1
        self._segments[-1] += texts
        return np.where(places > 0, before + places, places)

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

    def shared(self) -> "TextHeap":
        """The same texts, of which none is let go."""
        other = TextHeap()
        other._segments, other._firsts = list(self._segments), list(self._firsts)
        return other

    def release(self, oldest: int) -> None:
        """Let go of the segments in which no reference from OLDEST on lies."""
        while len(self._segments) > 1 and self._firsts[1] <= oldest:
            del self._segments[0], self._firsts[0]
