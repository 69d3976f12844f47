"""Which lanes stand where: pinned ones on top, those of a service together, and which of them are in view. Pure."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from console.model.views import LaneHead


class LaneRows:
    """The order of the lanes, and how far they are scrolled. Lanes are known by their keys."""

    def __init__(self) -> None:
        self.pinned: list[int] = []
        self._top = 0

    def pin(self, lane: int) -> None:
        """Keep a lane on top, or let go of it."""
        if lane in self.pinned:
            self.pinned.remove(lane)
        else:
            self.pinned.append(lane)

    def ordered(self, lanes: Sequence[LaneHead]) -> list[LaneHead]:
        """Pinned lanes as they were pinned; then lanes of one service together, services in the order they came in."""
        first: dict[str, int] = {}
        for lane in lanes:
            first.setdefault(lane.service, len(first))
        pins = {key: place for place, key in enumerate(self.pinned)}
        return sorted(lanes, key=lambda lane: (pins.get(lane.key, len(pins)), first[lane.service]))

    def shown(self, lanes: Sequence[LaneHead], current: int, room: int) -> list[LaneHead | None]:
        """The lanes in ROOM lines, CURRENT among them; None between two groups, where there is room for such gaps.

        Services of one lane each stand together: a gap around every single one would only be a sparser list.
        """
        ordered = self.ordered(lanes)
        gaps = self._gaps(ordered)
        self._top = self._scrolled(ordered, current, room)
        if len(ordered) + len(gaps) > room:
            return list(ordered[self._top : self._top + room])
        rows: list[LaneHead | None] = []
        for index, lane in enumerate(ordered):
            rows += [None, lane] if index in gaps else [lane]
        return rows

    def _gaps(self, lanes: Sequence[LaneHead]) -> set[int]:
        """Before which of LANES there is a gap."""
        groups = [self._group(lane) for lane in lanes]
        sizes = Counter(groups)
        return {
            index
            for index, (before, group) in enumerate(pairwise(groups), start=1)
            if before != group and (before[0] or sizes[before] > 1 or sizes[group] > 1)
        }

    def scroll(self, lines: int) -> None:
        """Show lanes farther down, or up."""
        self._top = max(0, self._top + lines)

    def _group(self, lane: LaneHead) -> tuple[bool, str]:
        pinned = lane.key in self.pinned
        return pinned, "" if pinned else lane.service

    def _scrolled(self, lanes: Sequence[LaneHead], current: int, room: int) -> int:
        index = next((i for i, lane in enumerate(lanes) if lane.key == current), 0)
        top = min(self._top, max(0, len(lanes) - room))
        return min(max(top, index - room + 1), index) if current else top
