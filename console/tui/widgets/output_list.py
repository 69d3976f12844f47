"""The lines that a program printed and logged: only those that are seen are formatted, and the end can be followed."""

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bus.trace.records import Output
from console import format as fmt
from console.clock import clock
from console.model.output_rows import OutputRows
from console.session import Session
from console.tui.lines import Line
from console.tui.look import FAILED, GREEN, GROUND, HIDDEN, KEY, SELECTED, SOFT, TEXT, WARN, ServiceColors, style

_NARROW = 110
_WORD = 8
_LEVELS = {"CRITICAL": FAILED, "ERROR": FAILED, "WARNING": WARN, "INFO": TEXT, "DEBUG": HIDDEN}


def word_of(line: Output) -> tuple[str, Style]:
    """`stdout`, `stderr`, or the level of a log record: never by colour alone."""
    if line.stream == "log":
        return line.level or "log", _LEVELS.get(line.level, TEXT)
    return line.stream, WARN if line.stream == "stderr" else HIDDEN


class OutputList(ScrollView, can_focus=True):
    """Line 0 is the title line and stays. `selected` is a line's number, 0 for none: the last one, while it follows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)"),
        Binding("down,j", "move(1)"),
        Binding("pageup", "page(-1)"),
        Binding("pagedown", "page(1)"),
        Binding("home,g", "first"),
        Binding("end,G", "follow"),
        Binding("enter", "enter"),
    ]

    class Moved(Message):
        """Another line is selected, or the view follows, or does not any more."""

    class Entered(Message):
        """Enter, or a second click, on the selected line."""

    def __init__(self, session: Session, colors: ServiceColors, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.rows: OutputRows = session.output()
        self.follow = True
        self.selected = 0
        self.empty: Sequence[tuple[str, Style]] = ()
        self._session = session
        self._colors = colors
        self._cache: dict[tuple[int, int, str], Strip] = {}
        self._adjusting = False
        self._top = 0
        """The number of the first line that is seen: it stays there while older ones are let go."""

    @property
    def line(self) -> Output | None:
        """The selected line, if it is still there."""
        at = self._at()
        return self.rows.line(at)[1] if at >= 0 else None

    def update(self) -> None:
        """Take in what came since."""
        if self.rows.update():
            self._settle()

    def refill(self) -> None:
        """The filter is another one: all lines are looked at anew."""
        self._cache.clear()
        self.rows.update()
        self._settle()

    def _settle(self) -> None:
        """To the end, or leave the lines where they are seen, though others above them went."""
        count = len(self.rows)
        self._adjusting = True
        self.virtual_size = Size(1, count + 1)
        if self.follow:
            self.selected = self.rows.line(count - 1)[0] if count else 0
            self.scroll_to(y=self._end(), animate=False, force=True, immediate=True)
        else:
            self.scroll_to(y=max(0, self.rows.position(self._top)), animate=False, force=True, immediate=True)
        self._adjusting = False
        self.refresh()
        self.post_message(self.Moved())

    def _end(self) -> int:
        return max(0, len(self.rows) + 1 - self.size.height)

    def _at(self) -> int:
        """Where the selected line is, -1 if it is not there."""
        if not self.selected:
            return -1
        at = self.rows.position(self.selected)
        return at if at >= 0 and self.rows.line(at)[0] == self.selected else -1

    # ---- keys and mouse

    def action_move(self, step: int) -> None:
        """A line up or down; the last one is followed."""
        if not len(self.rows):
            return
        at = self._at() if self._at() >= 0 else max(0, self.rows.position(self.selected))
        self._select(at + step)

    def action_page(self, direction: int) -> None:
        """A screen up or down."""
        self.action_move(direction * max(1, self.size.height - 2))

    def action_first(self) -> None:
        """To the oldest line that is kept."""
        self.action_move(-len(self.rows))

    def action_follow(self) -> None:
        """To the newest line, and stay with it."""
        self.follow = True
        self._settle()

    def action_enter(self) -> None:
        """To the call that said it."""
        if self.line is not None:
            self.post_message(self.Entered())

    def on_click(self, event: events.Click) -> None:
        """Select a line; twice: enter it."""
        at = event.y - 1 + self.scroll_offset.y
        if event.y < 1 or at >= len(self.rows):
            return
        self._select(at)
        if event.chain > 1:
            self.action_enter()

    def _select(self, at: int) -> None:
        at = max(0, min(at, len(self.rows) - 1))
        self.selected = self.rows.line(at)[0]
        self.follow = at == len(self.rows) - 1
        top, room = self.scroll_offset.y, max(1, self.size.height - 1)
        if not top <= at < top + room:
            self._scroll(at if at < top else at - room + 1)
        self.refresh()
        self.post_message(self.Moved())

    def _scroll(self, top: int) -> None:
        self._adjusting = True
        self.scroll_to(y=top, animate=False, force=True, immediate=True)
        self._adjusting = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Whoever scrolls away from the end wants to read; who scrolls back to it follows again."""
        super().watch_scroll_y(old_value, new_value)
        top = int(new_value)
        self._top = self.rows.line(top)[0] if top < len(self.rows) else 0
        if not self._adjusting and self.is_mounted:
            self.follow = top >= self._end()
            self.post_message(self.Moved())

    def on_resize(self) -> None:
        """As many lines as there is room for."""
        self._settle()

    def on_focus(self) -> None:
        """The cursor is there with the focus."""
        self.refresh()

    def on_blur(self) -> None:
        """And not without."""
        self.refresh()

    # ---- painting

    def render_line(self, y: int) -> Strip:
        """The title line, a line, what an empty list says, or nothing."""
        width = self.size.width
        if y == 0:
            return self._titles(width)
        if not len(self.rows):
            if y - 2 in range(len(self.empty)):
                text, look = self.empty[y - 2]
                return Line(width).gap(3).put(text, look).strip()
            return Strip.blank(width, style())
        at = y - 1 + self.scroll_offset.y
        if at >= len(self.rows):
            return Strip.blank(width, style())
        number, line = self.rows.line(at)
        return self._strip(number, line, width, SELECTED if number == self.selected else GROUND)

    def _strip(self, number: int, line: Output, width: int, ground: str) -> Strip:
        key = (number, width, ground)
        strip = self._cache.get(key)
        if strip is None:
            if len(self._cache) > 4 * max(1, self.size.height):
                self._cache.clear()
            strip = self._cache[key] = self._line(line, width, ground)
        return strip

    def _line(self, line: Output, width: int, ground: str) -> Strip:
        time, lane, call = _widths(width)
        known = self._session.lane(line.lane)
        made = Line(width, ground).gap().cell(clock(line.at, self._session.info.session)[:time], time, SOFT).gap()
        word, look = word_of(line)
        made.cell(word, _WORD, look).gap()
        made.cell(known.name if known else "", lane, self._colors.style(known.service if known else "")).gap()
        made.cell(f"#{line.call}" if line.call else "", call, KEY).gap()
        loud = look if look in {FAILED, WARN} and line.stream == "log" else TEXT
        return made.cell(line.text, made.left - 1, loud).strip()  # the last cell is the scrollbar's

    def _titles(self, width: int) -> Strip:
        time, lane, call = _widths(width)
        made = Line(width).gap().cell("time", time, SOFT).gap().cell("level", _WORD, SOFT).gap()
        made.cell("thread", lane, SOFT).gap().cell("call", call, SOFT).gap()
        status = self._status()
        room = sum(len(text) for text, _ in status) + 1
        if made.left > room:
            made.to(width - room)
            for text, look in status:
                made.put(text, look)
        return made.strip()

    def _status(self) -> list[tuple[str, Style]]:
        count = len(self.rows)
        said = [(fmt.plural(count, "line"), SOFT)]
        if self.rows.let_go:
            said.append((f" · {self.rows.let_go:,} older let go", WARN))
        if self.follow and self._session.info.state == "live":
            said.append(("  ● following", style(GREEN)))
        elif not self.follow:
            below = max(0, count - self.scroll_offset.y - self.size.height + 1)
            said += [(f"  {below:,} below, ", SOFT), ("End", KEY), (" follows", SOFT)]
        return said


def _widths(width: int) -> tuple[int, int, int]:
    """Cells of time, thread and call."""
    return (12, 14, 9) if width >= _NARROW else (8, 10, 7)
