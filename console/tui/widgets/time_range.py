"""The range of time that is marked in the timeline, by keys or by dragging. Pure; monotonic ns."""

from console.model.ranges import RangeSummary
from console.session import Session
from console.tui.viewport import Viewport

_UNMARKED = (0, 0)


class TimeRange:
    """None, or [begin, end). While keys mark it, `_anchor` is the end that stays."""

    def __init__(self) -> None:
        self.bounds: tuple[int, int] | None = None
        self._anchor: int | None = None
        self._known: RangeSummary | None = None

    def toggle(self, at: int) -> None:
        """Begin at a moment, or end where it reaches to now; the one that was there before is gone."""
        if self._anchor is not None:
            self._anchor = None
        else:
            self._anchor, self.bounds = at, (at, at + 1)

    def extend(self, at: int, cell: int) -> None:
        """To a moment that the cursor went to, its cell included."""
        if self._anchor is not None:
            half = cell // 2
            self.bounds = min(self._anchor, at) - half, max(self._anchor, at) + cell - half

    def between(self, viewport: Viewport, one: int, other: int) -> None:
        """From one cell to another, both included."""
        first, last = sorted((one, other))
        begin = viewport.start + first * viewport.cell
        self._anchor, self.bounds = None, (begin, begin + (last - first + 1) * viewport.cell)

    def set(self, begin: int, end: int) -> None:
        """From one moment to another."""
        self._anchor, self.bounds = None, (begin, end)

    def clear(self) -> bool:
        """Nothing is marked; False when nothing was."""
        was, self.bounds, self._anchor = self.bounds, None, None
        return was is not None

    def columns(self, viewport: Viewport) -> tuple[int, int]:
        """The cells [first, after) of it that are shown; (0, 0) when none is."""
        if self.bounds is None:
            return _UNMARKED
        begin, end = self.bounds
        first, after = viewport.column(begin), viewport.column(end - 1) + 1
        shown = max(0, first), min(after, viewport.width)
        return shown if shown[0] < shown[1] else _UNMARKED

    def summary(self, session: Session) -> RangeSummary | None:
        """What happened in it, counted anew only where more may have come."""
        if self.bounds is None:
            return None
        begin, end = self.bounds
        known = self._known
        if known is None or (known.begin, known.end) != self.bounds or session.info.state == "live":
            self._known = known = session.range(begin, end)
        return known
