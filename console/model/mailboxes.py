"""How full the mailbox of each service was over the last minute, and what the service lost and went through."""

from collections import Counter, deque
from collections.abc import Collection
from typing import Final

from bus.trace.records import Depth, Dropped

WINDOW: Final = 60_000_000_000
"""Ns that are kept."""
_SLICE: Final = 500_000_000
_SLICES: Final = WINDOW // _SLICE + 8


class Mailboxes:
    """Bounded: of each half second the deepest sample and the last one. Owned by the front end's thread."""

    def __init__(self) -> None:
        self._last: dict[str, Depth] = {}
        self._slices: dict[str, deque[tuple[int, int, int]]] = {}
        self._dropped = Counter[str]()

    def take(self, sample: Depth) -> None:
        """A mailbox was so full."""
        known = self._last.get(sample.service)
        if known is not None and sample.at < known.at:
            return
        self._last[sample.service] = sample
        slices = self._slices.setdefault(sample.service, deque(maxlen=_SLICES))
        number, most = sample.at // _SLICE, sample.depth
        if slices and slices[-1][0] == number:
            most = max(most, slices.pop()[1])
        slices.append((number, most, sample.depth))

    def take_dropped(self, lost: Dropped) -> None:
        """Events were lost, most of them at the mailbox of a service."""
        self._dropped[lost.where] += lost.count

    @property
    def services(self) -> Collection[str]:
        """Those of which there was a sample."""
        return self._last.keys()

    def last(self, service: str) -> Depth:
        """The last sample; an empty mailbox where there was none."""
        return self._last.get(service) or Depth(service=service, at=0, depth=0)

    def dropped(self, service: str) -> int:
        """Events that it lost: what the program counted, or what was told since, if that is more."""
        return max(self.last(service).dropped, self._dropped[service])

    def history(self, service: str, now: int, width: int) -> tuple[int, ...]:
        """The deepest moment of each of WIDTH equal parts of the last minute; they begin at round times."""
        part = WINDOW // width
        first = (now // part + 1 - width) * part
        deepest = [0] * width
        reached, depth = 0, 0  # the part that is being filled, and how deep it was at its beginning
        for number, most, last in self._slices.get(service, ()):
            place = min((number * _SLICE - first) // part, width - 1)
            if place >= 0:
                deepest[reached : place + 1] = [max(deepest[reached], depth), *[depth] * (place - reached)]
                deepest[place] = max(deepest[place], most)
                reached = place
            depth = last
        deepest[reached:] = [max(deepest[reached], depth), *[depth] * (width - reached - 1)]
        return tuple(deepest)
