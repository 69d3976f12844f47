"""The lanes over time as they are painted: takes the newest figures, and draws what of them is in view."""

from collections.abc import Mapping, Sequence

from textual.strip import Strip

from console.model.alerts import Alert
from console.model.views import CallDetail, LaneHead, LaneView, Lineup, TimelineView
from console.session import Session
from console.tui.look import ServiceColors
from console.tui.viewport import Viewport
from console.tui.widgets import cells
from console.tui.widgets import timeline_lines as lines
from console.tui.widgets.time_range import TimeRange
from console.tui.widgets.timeline_marks import marks
from console.tui.widgets.timeline_mouse import LanesMouse
from console.tui.widgets.timeline_rows import LaneRows

ABOVE = 3
"""Lines above the lanes."""
_LABEL, _NARROW_LABEL, _NARROW = 19, 13, 100


class LanesPicture(LanesMouse):
    """A lane a thread. Everything is kept by call id and by time, never by row or column."""

    def __init__(self, session: Session, colors: ServiceColors) -> None:
        super().__init__(id="timeline")
        self.session = session
        self.service_colors = colors
        self.viewport = Viewport()
        self.selected = 0
        self.frozen = False
        self._view: TimelineView | None = None
        self._lineup = Lineup()
        self._rows: list[LaneHead | None] = []
        self._detail: CallDetail | None = None
        self._lane = 0
        self._at = 0
        self._lane_rows = LaneRows()
        self.range = TimeRange()
        self._absolute = False
        self._alerts: Mapping[int, tuple[Alert, ...]] = {}
        self._opened = self._with_absent = False

    # ---- what is shown

    @property
    def detail(self) -> CallDetail | None:
        """The selected call, as it was at the last update."""
        return self._detail

    @property
    def alert(self) -> Alert | None:
        """The problem under the cursor, the newest if there are several."""
        column, mine = self._cursor(), self._alerts.get(self._lane, ())
        here = [alert for alert in mine if column >= 0 and self.viewport.column(alert.at) == column]
        return max(here, key=lambda alert: alert.at, default=None)

    @property
    def has_lanes(self) -> bool:
        """Whether any is shown, or could be."""
        return len(self._lineup.lanes) + self._lineup.absent > 0

    @property
    def label(self) -> int:
        """Cells that the lanes' names take."""
        return _LABEL if self.size.width >= _NARROW else _NARROW_LABEL if self.size.width >= 30 else 4  # noqa: PLR2004

    def update(self) -> None:
        """Take the newest figures and repaint the lines that changed."""
        width = self.size.width - self.label
        if width < 1 or self.size.height < 1:
            return
        self.viewport = self.viewport.resized(width)
        self._open()
        if self.viewport.follow and not self.frozen:
            self._follow_now()
        view = self.viewport
        self._view = self.session.timeline(view.start, view.end, width, self._kept(), self._in_view)
        self._detail = self.session.call(self.selected) if self.selected else None
        self._alerts = self.session.alerts()
        self._paint()

    def _kept(self) -> set[int] | None:
        """The lanes to show although their threads were not there; None: all."""
        return None if self._with_absent else {*self._lane_rows.pinned, self._lane}

    def _open(self) -> None:
        """A recording opens fitted; so does what is left of a program that had ended already."""
        if self._opened:
            return
        first, last = self.session.bounds()
        if last <= first:
            return
        self._opened = True
        if self.session.info.state != "live":
            self.viewport = self.viewport.fitted(first, last)

    def _follow_now(self) -> None:
        moved = self.viewport.following(self.session.now())
        if self._lane and not self.selected:
            self._at += moved.start - self.viewport.start
        self.viewport = moved

    # ---- painting

    def _paint(self) -> None:
        view = self._view
        if view is None:
            return
        width, record = self.size.width, self.session.info.session
        total = len(self._lineup.lanes) + self._lineup.absent
        lanes = sum(lane is not None for lane in self._rows), total
        state = "LIVE" if self.session.info.state == "live" else ""
        strips = [
            lines.status(width, self.viewport, record, self.session.now(), state=state, lanes=lanes),
            lines.minimap(width, self.label, view, self.viewport),
            lines.axis(
                width,
                self.label,
                self.viewport,
                record,
                self._cursor(),
                absolute=self._absolute,
                marked=self.range.columns(self.viewport),
            ),
        ]
        strips += self._lane_strips(view.lanes) if total else lines.empty(width, can_act=self.session.info.can_act)
        if self._lineup.absent:
            strips.append(lines.absent(width, self.label, self._lineup.absent))
        if self.size.height >= len(strips) + 1:
            strips += [lines.blank(width, self.label)] * (self.size.height - len(strips) - 1)
            strips.append(lines.legend(width, cpu_times=self.session.level == "full"))
        self.show(strips)

    def _in_view(self, lineup: Lineup) -> list[int]:
        """The lanes that there is room for; `_rows` has None between two groups of them."""
        self._lineup, absent = lineup, lineup.absent > 0
        legend = self.size.height > len(lineup.lanes) + absent + ABOVE
        room = max(1, self.size.height - ABOVE - absent - legend)
        self._rows = self._lane_rows.shown(lineup.lanes, self._lane, room)
        return [lane.key for lane in self._rows if lane is not None]

    def _ordered(self) -> list[LaneHead]:
        return self._lane_rows.ordered(self._lineup.lanes)

    def _lane_strips(self, lanes: Sequence[LaneView]) -> list[Strip]:
        drawn = {lane.key: self._lane_strip(lane, row) for lane, row in zip(lanes, cells.rows(lanes), strict=True)}
        gap = lines.blank(self.size.width, self.label, self.range.columns(self.viewport))
        return [gap if lane is None else drawn[lane.key] for lane in self._rows]

    def _lane_strip(self, lane: LaneView, row: cells.Row) -> Strip:
        color = self.service_colors.color(lane.service)
        cells.put_labels(row, lane.bars)
        if 0 < lane.head.ended < self.viewport.end:
            cells.put_end(row, self.viewport.column(lane.head.ended))
        cells.put_marks(row, self._marks(lane.key))
        pinned = lane.key in self._lane_rows.pinned
        head = lines.name(self.label, lane.head, color, current=lane.key == self._lane, pinned=pinned)
        return Strip([*head, *row.segments(color)], self.size.width)

    def _marks(self, lane: int) -> cells.Marks:
        return marks(
            lane, self.viewport, self._detail, self.session.now(), cursor=self._cursor() if lane == self._lane else -1,
            alerts=(alert.at for alert in self._alerts.get(lane, ())), marked=self.range.columns(self.viewport),
        )  # fmt: skip

    def _cursor(self) -> int:
        column = self.viewport.column(self._at)
        return column if self._lane and 0 <= column < self.viewport.width else -1
