"""The lanes of all threads over time: the keys and the mouse that move cursor and view, and select calls."""

from typing import ClassVar

from msgspec.structs import replace
from textual.binding import Binding, BindingType
from textual.message import Message

from console.model.ranges import RangeSummary
from console.model.views import LaneView
from console.tui.viewport import Viewport
from console.tui.widgets.timeline_keys import KEYS
from console.tui.widgets.timeline_marks import extent
from console.tui.widgets.timeline_picture import ABOVE, LanesPicture

_MINIMAP = 1


class Timeline(LanesPicture, can_focus=True):
    """What moves, on the picture of the lanes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding(key, action) for key, action in KEYS]

    class Moved(Message):
        """Something else is selected, or another part is shown."""

    class Entered(Message):
        """A problem that had the cursor was clicked."""

    # ---- moving

    def _sized(self) -> Viewport:
        return self.viewport.resized(self.size.width - self.label)

    def moved(self, viewport: Viewport) -> None:
        """Show another part."""
        self.viewport = viewport
        self.update()
        self.post_message(self.Moved())

    def choose(self, call_id: int) -> bool:
        """Select a call and bring it into view; False when it is not kept any more."""
        detail = self.session.call(call_id)
        if detail is None:
            return False
        self.selected = call_id
        self._opened = True
        self._lane = detail.call.lane or detail.call.caller or self._lane
        self._at = detail.call.started or detail.call.queued
        self.moved(self._sized().centred(self._at))
        return True

    def show_call(self, call_id: int) -> None:
        """Select a call, at the scale at which it is large."""
        if self.choose(call_id) and (detail := self.session.call(call_id)):
            self.moved(self._sized().around(*extent(detail.call, self.session.now())))

    def show_range(self, begin: int, end: int, call_id: int) -> None:
        """Mark a stretch of time, at the scale at which it is large, with a call selected (0: none)."""
        self.choose(call_id)
        self.range.set(begin, max(end, begin + 1))
        self.moved(self._sized().around(begin, end))

    def action_pan(self, direction: int) -> None:
        """Move by a quarter of what is shown."""
        self.moved(self.viewport.panned(direction * max(1, self.viewport.width // 4)))

    def action_zoom(self, steps: int) -> None:
        """Closer or farther, around the cursor where there is one."""
        at = self._at if self._cursor() >= 0 else self.viewport.moment(self.viewport.width // 2)
        self.moved(self.viewport.zoomed(steps, at))

    def action_fit(self) -> None:
        """The marked range or the selected call from edge to edge; everything when there is none."""
        if self.range.bounds:
            self.moved(self._sized().fitted(*self.range.bounds))
            return
        if self._detail is None:
            self.action_all()
            return
        call = self._detail.call
        sized = self._sized()
        self.moved(sized.fitted(call.queued, call.ended or self.session.now(), sized.width // 10))

    def action_all(self) -> None:
        """The whole recording."""
        first, last = self.session.bounds()
        self.moved(self._sized().fitted(first, max(last, first + 1)))

    def action_follow(self) -> None:
        """To the end; where the program lives, stay there."""
        live = self.session.info.state == "live"
        self.moved(replace(self.viewport.following(self.session.now()), follow=live))

    def action_across(self, columns: int) -> None:
        """Move the cursor by cells and select what is there; at the edge, the view moves."""
        column = self.viewport.column(self._at) if self._cursor() >= 0 else self.viewport.width // 2
        viewport = replace(self.viewport, follow=False)
        if not 0 <= column + columns < viewport.width:
            viewport = viewport.panned(columns)
        self._at = (
            viewport.moment(viewport.column(viewport.moment(column)) + columns)
            if viewport.start == self.viewport.start
            else viewport.moment(column)
        )
        self._lane = self._lane or self._first_lane()
        self.viewport = viewport
        self._reselect()

    def action_lane(self, step: int) -> None:
        """Move the cursor to the lane above or below."""
        lanes = [lane.key for lane in self._ordered()]
        if not lanes:
            return
        if self._cursor() < 0:
            self._at = self.viewport.moment(self.viewport.width // 2)
        if self._lane not in lanes:
            self._lane = lanes[0]
        else:
            self._lane = lanes[max(0, min(lanes.index(self._lane) + step, len(lanes) - 1))]
        self._reselect()

    def action_neighbour(self, step: int) -> None:
        """The previous or the next call in this lane."""
        chosen = (
            self.session.neighbour(self.selected, step)
            if self.selected
            else self._nearest(step) or self._nearest(-step)
        )
        if chosen:
            self.choose(chosen)

    def action_cause(self) -> None:
        """The call that made this one."""
        if self._detail and self._detail.cause:
            self.choose(self._detail.cause.id)

    def action_effect(self) -> None:
        """The first call that this one made."""
        if self._detail and self._detail.effects:
            self.choose(self._detail.effects[0].id)

    @property
    def marked(self) -> RangeSummary | None:
        """What happened in the marked range; None when none is marked."""
        return self.range.summary(self.session)

    def action_mark(self) -> None:
        """Begin a range at the cursor, which then moves its other end; end it."""
        at = self._at if self._cursor() >= 0 else self.viewport.moment(self.viewport.width // 2)
        self.range.toggle(at)
        self._at, self._lane = at, self._lane or self._first_lane()
        self.moved(replace(self.viewport, follow=False))

    def action_slowest(self) -> None:
        """The slowest call of the marked range."""
        if (marked := self.marked) and marked.slowest:
            self.choose(marked.slowest.id)

    def action_axis(self) -> None:
        """Time of day, or time since the recording began."""
        self._absolute = not self._absolute
        self.moved(self.viewport)

    def action_pin(self) -> None:
        """Keep the current lane on top, or let go of it."""
        if self._lane:
            self._lane_rows.pin(self._lane)
            self.moved(self.viewport)

    def action_absent(self) -> None:
        """Show the lanes of threads that were not there, too; or leave them out."""
        self._with_absent = not self._with_absent
        self.moved(self.viewport)

    def action_scroll_lanes(self, lines: int) -> None:
        """Other lanes, when there are more than there is room for."""
        self._lane = 0
        self._lane_rows.scroll(lines)
        self.moved(self.viewport)

    def action_unselect(self) -> None:
        """No range marked; then no call selected, no cursor."""
        if not self.range.clear():
            self.selected, self._lane = 0, 0
        self.moved(self.viewport)

    def _first_lane(self) -> int:
        lanes = self._ordered()
        return lanes[0].key if lanes else 0

    def _nearest(self, step: int) -> int:
        """The call nearest to the cursor in its lane, to the left (-1) or right; 0 if none is shown."""
        if not self._lane:
            self._lane = self._first_lane()
            self.update()
        lane = self._current()
        if lane is None:
            return 0
        calls = lane.call.tolist()
        column = self._cursor() if self._cursor() >= 0 else self.viewport.width // 2
        order = range(column, len(calls)) if step > 0 else range(min(column, len(calls) - 1), -1, -1)
        return next((calls[c] for c in order if calls[c]), 0)

    def _current(self) -> LaneView | None:
        lanes = self._view.lanes if self._view else ()
        return next((lane for lane in lanes if lane.key == self._lane), None)

    def _reselect(self) -> None:
        """Select the call under the cursor; nothing where nothing ran. A range that is being marked grows to there."""
        self.range.extend(self._at, self.viewport.cell)
        self.update()
        lane, column = self._current(), self._cursor()
        self.selected = int(lane.call[column]) if lane is not None and 0 <= column < len(lane.call) else 0
        self.moved(self.viewport)

    # ---- the mouse

    def dragged(self, first: int, last: int) -> None:
        """Mark the cells from one to another."""
        self.range.between(self.viewport, first, last)
        self.moved(replace(self.viewport, follow=False))

    def clicked(self, column: int, line: int) -> None:
        """Select what was clicked; a click on the minimap goes there."""
        if line == _MINIMAP and self._view and column >= 0:
            span = self._view.last - self._view.first
            at = self._view.first + span * column // max(1, self.viewport.width)
            self.moved(replace(self.viewport, start=at - self.viewport.span // 2, follow=False))
            return
        rows = self._rows
        if self._lineup.absent and line == ABOVE + len(rows):
            self.action_absent()
            return
        lane = rows[line - ABOVE] if 0 <= line - ABOVE < len(rows) else None
        if lane is None:
            return
        before, self._lane = self.alert, lane.key
        if column >= 0:
            self._at = self.viewport.moment(column)
            self._reselect()
            if before is not None and before == self.alert:
                self.post_message(self.Entered())
        else:
            self.moved(self.viewport)

    def wheeled(self, column: int, direction: int, *, sideways: bool) -> None:
        """Closer or farther at a cell; or back and forth in time."""
        if sideways:
            self.moved(self.viewport.panned(-8 * direction))
        else:
            self.moved(self.viewport.zoomed(direction, self.viewport.moment(max(0, column))))
