"""Strings of the calls: names once each, arguments and results packed outside of Python's objects."""

from bisect import bisect_right

_SEGMENT = 1 << 20


class Names:
    """Each string once, with a small number; number 0 is ""."""

    def __init__(self) -> None:
        self._numbers = {"": 0}
        self._names = [""]

    def number(self, name: str) -> int:
        """The number of NAME, a new one if need be."""
        known = self._numbers.get(name)
        if known is None:
            known = self._numbers[name] = len(self._names)
            self._names.append(name)
        return known

    def find(self, name: str) -> int:
        """The number of NAME, -1 if no call ever had it."""
        return self._numbers.get(name, -1)

    def __getitem__(self, number: int) -> str:
        return self._names[number]


class TextHeap:
    """Pairs of strings in segments of about 1 MB; a reference is the position in all of them, 0 is two empty ones."""

    def __init__(self) -> None:
        self._segments = [bytearray()]
        self._firsts = [1]

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return sum(map(len, self._segments))

    def put(self, first: str, second: str) -> int:
        """Keep two strings and return their reference."""
        if not first and not second:
            return 0
        one, two = first.encode("utf-8", "replace"), second.encode("utf-8", "replace")
        if len(self._segments[-1]) >= _SEGMENT:
            self._firsts.append(self._end())
            self._segments.append(bytearray())
        reference = self._end()
        self._segments[-1] += len(one).to_bytes(4, "little") + len(two).to_bytes(4, "little") + one + two
        return reference

    def get(self, reference: int) -> tuple[str, str]:
        """The strings of a reference; empty ones if they were let go."""
        index = bisect_right(self._firsts, reference) - 1
        if reference <= 0 or index < 0:
            return "", ""
        segment, at = self._segments[index], reference - self._firsts[index]
        middle = at + 8 + int.from_bytes(segment[at : at + 4], "little")
        end = middle + int.from_bytes(segment[at + 4 : at + 8], "little")
        return segment[at + 8 : middle].decode(), segment[middle:end].decode()

    def release(self, oldest: int) -> None:
        """Let go of the segments in which no reference from OLDEST on lies."""
        while len(self._segments) > 1 and self._firsts[1] <= oldest:
            del self._segments[0], self._firsts[0]

    def _end(self) -> int:
        return self._firsts[-1] + len(self._segments[-1])
