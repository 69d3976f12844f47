"""Screen 7: what the program printed and logged, with the thread and the call that said it."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.style import Style
from textual import on
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from bus.trace.records import Output
from console.clock import clock
from console.language.filter_fields import OUTPUT
from console.language.filter_parser import Typed, parse_typed
from console.language.filters import ALL
from console.session import Session
from console.tui import messages
from console.tui.lines import Line, wrapped
from console.tui.look import HIDDEN, KEY, SOFT, TEXT, ServiceColors
from console.tui.screens.base import BusScreen
from console.tui.suggest import FilterSuggester
from console.tui.widgets.bar import Bar
from console.tui.widgets.canvas import Pane
from console.tui.widgets.outcome import OutcomePane
from console.tui.widgets.output_list import OutputList, word_of

_BRIEF = 2
"""Lines of the selected one that are shown below, until `w` shows all."""


class OutputScreen(BusScreen):
    """The lines, and the selected one in full below them."""

    MODE = "output"
    KEYS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("/", "filter", "screen.filter"),
        ("⏎", "its call", "screen.enter"),
        ("w", "whole line", "screen.whole"),
        ("End", "follow", "screen.follow"),
    )
    KEYS_IN_WORDS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("↑ ↓ PgUp PgDn Home", "move, and stay there while more is printed"),
        ("End", "to the newest line, and follow it"),
        ("/", "only some lines: text, stream:stderr, level:error, lane:indexer-0, call:1234"),
        ("w", "a long line in full, below; again: two lines of it"),
        ("Enter", "show the call that printed it in the timeline"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", show=False, priority=True),
        Binding("w", "whole", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._typed, self._filter = "", Typed(ALL, "")
        self._whole = False
        self._named = (0, "")
        """The call that was last looked up, and its name: to find one is dear, and it prints many lines."""

    def body(self) -> Iterator[Widget]:
        """Lines above, the selected one below."""
        app = self.console_app
        yield OutputList(app.session, app.service_colors, id="output")
        yield Pane(id="printed")

    @property
    def lines(self) -> OutputList:
        """The lines."""
        return self.query_one(OutputList)

    def main(self) -> Widget:
        """The lines, or the long one that is shown in full."""
        return self.query_one("#printed", Pane) if self._whole else self.lines

    def refresh_slowly(self, *, changed: bool) -> None:
        """`tick` does it all."""

    def tick(self, *, changed: bool) -> None:
        """Ten times a second, if something was printed."""
        super().tick(changed=changed)
        if changed and not self.console_app.frozen:
            self._update()

    def refresh_body(self) -> None:
        """Everything, now."""
        if not self.console_app.frozen:
            self._update()
        self._show_line()

    def _update(self) -> None:
        lines = self.lines
        empty = self._empty()
        if empty != lines.empty:
            lines.empty = empty
            lines.refresh()
        lines.update()

    def _empty(self) -> Sequence[tuple[str, Style]]:
        info = self.console_app.session.info
        if self._filter.used:
            return [(f"No line is like “{self._filter.used}”.", TEXT), ("Esc shows everything.", SOFT)]
        if info.state == "connecting":
            return [("Connecting to the program …", TEXT)]
        nothing = "Nothing was printed or logged so far." if info.state == "live" else "No output was recorded."
        return [(nothing, TEXT), ("bus-console run and demo record it; BUS_OUTPUT=1 does in any program.", SOFT)]

    # ---- the selected line

    @on(OutputList.Moved)
    def _moved(self) -> None:
        self._show_line()

    def _show_line(self) -> None:
        pane, line = self.query_one("#printed", Pane), self.lines.line
        width = pane.inner_width
        strips = [] if line is None else self._strips(width, line)
        if len(strips) > 2 + _BRIEF and not self._whole:
            more = len(strips) - 2 - _BRIEF
            strips = [*strips[: 1 + _BRIEF], _cut(width, strips[1 + _BRIEF], more)]
        pane.styles.height = max(2 + _BRIEF, len(strips))  # so that the list stays where it is from line to line
        pane.show(strips)

    def _strips(self, width: int, line: Output) -> list[Strip]:
        app = self.console_app
        if line.call and line.call != self._named[0]:
            detail = app.session.call(line.call)
            self._named = line.call, detail.call.name if detail else ""
        return line_strips(width, line, self._named[1] if line.call else "", app.session, app.service_colors)

    def action_whole(self) -> None:
        """A long line in full, where the keys scroll it; or the beginning of it."""
        self._whole = not self._whole
        self._show_line()
        (self.query_one("#printed", Pane) if self._whole else self.lines).focus()

    @on(OutputList.Entered)
    def action_enter(self) -> None:
        """Show the call that said the selected line."""
        line = self.lines.line
        if line is None or not line.call:
            self.query_one(Bar).note("this line was printed outside of all calls" if line else "nothing is selected")
        elif self.console_app.session.call(line.call) is None:
            self.query_one(Bar).note(f"call #{line.call} is not kept any more", warn=True)
        else:
            self.console_app.show_call(line.call)

    def action_follow(self) -> None:
        """To the newest line."""
        self.lines.action_follow()

    def copied(self) -> str:
        """The selected line."""
        line = self.lines.line
        return line.text if line else ""

    # ---- the filter

    def action_filter(self) -> None:
        """Show only some lines."""
        self.query_one(Bar).open("/", self._typed, FilterSuggester(self.console_app.session, (), OUTPUT))

    @on(messages.FilterChanged)
    def _filter_changed(self, message: messages.FilterChanged) -> None:
        """What cannot be understood is left out."""
        self._typed, self._filter = message.text.strip(), parse_typed(message.text, OUTPUT)
        problem = self._filter.problem
        self.query_one(Bar).say(problem.message if problem else "", warn=problem is not None)
        lines = self.lines
        lines.empty = self._empty()
        lines.rows.choose(self._filter.what)
        lines.refill()

    def idle_text(self) -> str:
        """The filter, as long as there is one."""
        if not self._typed:
            return super().idle_text()
        used, problem = self._filter.used, self._filter.problem
        only = f"only lines like “{used}”" if used else "all lines"
        return f"{only}: {problem.message}" if problem else f"{only} · Esc shows all"

    async def action_back(self) -> None:
        """Out of a result, then out of a long line, then out of the filter."""
        was_open = self.query_one(OutcomePane).is_open
        await super().action_back()
        if self._whole and not was_open:
            self.action_whole()
        elif self._typed and not was_open:
            self._filter_changed(messages.FilterChanged(""))


def line_strips(width: int, line: Output, name: str, session: Session, colors: ServiceColors) -> list[Strip]:
    """A rule, who said it when (in the call NAME), and the whole text."""
    lane = session.lane(line.lane)
    head = Line(width).gap().put(clock(line.at, session.info.session), SOFT).gap(2).put(*word_of(line))
    if lane:
        head.put("   on ", SOFT).put(lane.name, colors.style(lane.service))
    if line.call:
        head.put("   in ", SOFT).put(f"{name} " if name else "", TEXT).put(f"#{line.call}", KEY)
    rule = Line(width).put("─" * width, HIDDEN).strip()
    return [rule, head.strip(), *(Line(width).gap().put(text, TEXT).strip() for text in wrapped(line.text, width - 2))]


def _cut(width: int, strip: Strip, more: int) -> Strip:
    """The last line that is shown, with how many there are below it."""
    tail = Line(width).put(f" … {more} more, ", SOFT).put("w", KEY).put(" shows all ", SOFT)
    kept = strip.crop(0, max(0, width - tail.used))
    return Strip([*kept, *tail.strip().crop(0, tail.used)]).adjust_cell_length(width)
