"""Screen 3: what every thread was doing, when, and why."""

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from console.model.views import CallDetail
from console.session import Session
from console.tui.lines import Line
from console.tui.look import HIDDEN, KEY, SOFT, ServiceColors
from console.tui.screens.base import BusScreen
from console.tui.widgets.call_lines import as_text, headline, neighbours_line, result_line, time_line
from console.tui.widgets.canvas import Canvas
from console.tui.widgets.outcome import OutcomePane
from console.tui.widgets.timeline import Timeline
from console.tui.widgets.timeline_lines import alert_line, empty, range_line


class TimelineScreen(BusScreen):
    """The lanes, and the selected call below them."""

    MODE = "timeline"
    KEYS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("a d", "pan", "screen.lanes('pan', 1)"),
        ("w s", "zoom", "screen.lanes('zoom', 1)"),
        (", .", "prev/next", "screen.lanes('neighbour', 1)"),
        ("[ ]", "cause/effect", "screen.lanes('cause')"),
        ("⏎", "details", "screen.details"),
        ("f", "fit", "screen.lanes('fit')"),
        ("0", "all", "screen.lanes('all')"),
        ("v", "range", "screen.lanes('mark')"),
        ("p", "pin", "screen.lanes('pin')"),
        ("t", "time", "screen.lanes('axis')"),
        ("h", "all lanes", "screen.lanes('absent')"),
    )
    LIVE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("End", "follow", "screen.lanes('follow')"),
        ("Space", "freeze", "app.freeze"),
    )

    KEYS_IN_WORDS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("← → ↑ ↓", "move the cursor over cells and lanes (Shift: ten cells)"),
        ("a d", "back and forth in time"),
        ("w s", "closer and farther; the wheel does the same"),
        (", .", "previous and next call in this lane"),
        ("[ ]", "the cause of this call, its first effect"),
        ("Enter", "all about this call; on a ⚠ all about the problem"),
        ("f 0 End", "fit the range or the call, show all, follow the program"),
        ("v", "mark a range from the cursor; a drag does the same; Esc lets go of it"),
        ("g", "to the slowest call of the range"),
        ("t", "time of day, or time since the beginning"),
        ("p", "keep this lane on top"),
        ("h", "the lanes of threads that were not there in what is shown, too"),
        ("PgUp PgDn", "other lanes, when there are more than lines"),
    )

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "details", show=False)]

    def body(self) -> Iterator[Widget]:
        """Lanes above, the selected call below."""
        app = self.console_app
        yield Timeline(app.session, app.service_colors)
        yield Canvas(id="call")

    @property
    def timeline(self) -> Timeline:
        """The lanes."""
        return self.query_one(Timeline)

    def main(self) -> Widget:
        """The lanes."""
        return self.timeline

    def refresh_slowly(self, *, changed: bool) -> None:
        """`tick` does it all."""

    def tick(self, *, changed: bool) -> None:
        """A live timeline moves ten times a second, also when nothing happens."""
        super().tick(changed=changed)
        app = self.console_app
        following = self.timeline.viewport.follow and app.session.info.state == "live"
        if not app.frozen and (changed or following):
            self.timeline.update()
            self._show_call()

    def refresh_body(self) -> None:
        """Everything, now."""
        self.timeline.frozen = self.console_app.frozen
        self.timeline.update()
        self._show_call()

    @on(Timeline.Entered)
    def _entered(self) -> None:
        self.action_details()

    @on(Timeline.Moved)
    def _moved(self) -> None:
        self._show_call()

    def _show_call(self) -> None:
        canvas, detail, marked = self.query_one("#call", Canvas), self.timeline.detail, self.timeline.marked
        width, app, alert = canvas.size.width, self.console_app, self.timeline.alert
        call = call_strips(width, detail, app.session, app.service_colors) if detail else self._no_call(width)
        if alert is not None:
            canvas.show([_rule(width), alert_line(width, alert), *(call if detail else ())])
        elif marked is None:
            canvas.show([_rule(width), *call])
        else:
            canvas.show([_rule(width), range_line(width, marked), *(call if detail else _range_keys(width))])

    def _no_call(self, width: int) -> list[Strip]:
        """How to select one; what to do where there is none."""
        session = self.console_app.session
        if session.size or session.in_flight:
            return _nothing(width)
        return empty(width, can_act=session.info.can_act)[1:] if self.timeline.has_lanes else []

    def action_details(self) -> None:
        """All about the problem under the cursor, else about the selected call."""
        if alert := self.timeline.alert:
            self.console_app.open_problem(alert.problem)
        elif self.timeline.selected:
            self.console_app.open_call(self.timeline.selected)

    def copied(self) -> str:
        """The selected call."""
        detail = self.timeline.detail
        return as_text(detail.call) if detail else ""

    def show_call(self, call_id: int) -> None:
        """Select a call and show it large."""
        self.timeline.show_call(call_id)

    def show_range(self, begin: int, end: int, call_id: int) -> None:
        """Mark a stretch of time and show it large, with a call selected (0: none)."""
        self.timeline.show_range(begin, end, call_id)

    async def action_back(self) -> None:
        """Out of a result, then out of the selection."""
        if self.query_one(OutcomePane).is_open:
            await super().action_back()
        else:
            self.timeline.action_unselect()

    def action_lanes(self, verb: str, step: int = 0) -> None:
        """What a click on a key in the footer does."""
        action = getattr(self.timeline, f"action_{verb}")
        action(step) if step else action()


def _nothing(width: int) -> list[Strip]:
    line = Line(width).gap().put("no call selected: ", HIDDEN).put("↑ ↓ ← →", KEY).put(" or a click select one, ", SOFT)
    line.put(", .", KEY).put(" the previous, the next", SOFT)
    return [line.strip(), Line(width).gap().put("a drag or ", SOFT).put("v", KEY).put(" marks a range", SOFT).strip()]


def _range_keys(width: int) -> list[Strip]:
    line = (
        Line(width)
        .gap(3)
        .put("f", KEY)
        .put(" fits it   ", SOFT)
        .put("g", KEY)
        .put(" goes to the slowest call   ", SOFT)
    )
    return [line.put("Esc", KEY).put(" lets go of it", SOFT).strip()]


def call_strips(width: int, detail: CallDetail, session: Session, colors: ServiceColors) -> list[Strip]:
    """The selected call: what, where its time went, what it led to."""
    result = result_line(width, detail.call)
    return [
        headline(width, detail, session.info.session, colors),
        time_line(width, detail, colors),
        *([result] if result else []),
        neighbours_line(width, detail),
    ]


def _rule(width: int) -> Strip:
    return Line(width).put("─" * width, HIDDEN).strip()
