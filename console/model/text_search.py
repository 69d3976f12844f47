"""Arguments and results of all calls searched at once, in the packed form in which the heap keeps them.

A text of ASCII letters is found at the speed of memory, in what is ASCII itself; elsewhere, and for patterns, each
text is looked at.
"""

from collections.abc import Iterator
from typing import Final, Literal

import numpy as np

from console.language.filters import Match, Phrase
from console.language.patterns import Test
from console.model.columns import Column, Ints
from console.model.predicates import text_test
from console.model.texts import BETWEEN, END, TextHeap

Side = Literal["args", "result", "both"]
_BEYOND_ASCII: Final = 0x80


def search(heap: TextHeap, what: Phrase | Match, side: Side, since: int = 1) -> Ints:
    """References, from SINCE on, of the pairs in which WHAT fits this side, ascending."""
    test, part = text_test(what), _part(what)
    found: list[Column] = [np.zeros(0, np.int64)]
    for begin, whole in heap.segments():
        if begin + len(whole) <= since:
            continue
        first = max(begin, since)
        segment = whole[first - begin :]
        if not part or not _is_ascii(segment):
            found.append(first + np.fromiter(_look(segment, test, side), np.int64))
        elif part.isascii():
            found.append(first + _scan(segment, part.encode(), side))
    return np.concatenate(found)


def _part(what: Phrase | Match) -> str:
    """What `_scan` can look for, in lower case; "" if it cannot."""
    anywhere = isinstance(what, Phrase) or what.how == "contains"
    return what.text.casefold() if anywhere and BETWEEN not in what.text else ""


def _is_ascii(segment: bytearray) -> bool:
    beyond = np.frombuffer(segment, np.uint8) >= _BEYOND_ASCII
    return int(np.count_nonzero(beyond)) == segment.count(END)


def _scan(segment: bytearray, needle: bytes, side: Side) -> Ints:
    """Where the pairs begin that contain NEEDLE on this side, whatever their case."""
    places = np.fromiter(_places(segment.lower(), needle), np.int64)
    if not len(places):
        return places
    characters = np.frombuffer(segment, np.uint8)
    ends = np.flatnonzero(characters == END[0])
    begins = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
    pairs = np.searchsorted(ends, places)
    if side != "both":
        between = np.flatnonzero(characters == ord(BETWEEN))
        in_args = places < between[np.searchsorted(between, begins)][pairs]
        pairs = pairs[in_args if side == "args" else ~in_args]
    found: Ints = begins[np.unique(pairs)]
    return found


def _places(segment: bytearray, needle: bytes) -> Iterator[int]:
    at = segment.find(needle)
    while at >= 0:
        yield at
        at = segment.find(needle, at + len(needle))


def _look(segment: bytearray, test: Test, side: Side) -> Iterator[int]:
    """Where the pairs begin of which this side passes TEST."""
    at = 0
    for pair in segment.split(END)[:-1]:
        args, _, result = pair.decode().partition(BETWEEN)
        if (side != "result" and test(args)) or (side != "args" and test(result)):
            yield at
        at += len(pair) + 1
