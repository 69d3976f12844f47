"""The right-hand side of a list: scrolled lines, some of which stand for a call that can be opened."""

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct
from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from console.tui.look import SELECTED, TEXT, on
from console.tui.messages import CallChosen
from console.tui.widgets.canvas import Pane


class Shown(Struct, frozen=True):
    """A line, and the call that it stands for (0: none)."""

    strip: Strip
    call: int = 0


class Details(Pane):
    """Up and down move over the calls while it has the focus; Enter or a click opens one in the timeline."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)"),
        Binding("down,j", "move(1)"),
        Binding("pageup", "page_up"),
        Binding("pagedown", "page_down"),
        Binding("enter,g", "open"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id)
        self._lines: list[int] = []
        self._shown: list[Shown] = []
        self._line = 0
        self.selected = 0

    def show_lines(self, shown: Sequence[Shown]) -> None:
        """Show these lines."""
        self._shown = list(shown)
        self._lines = [at for at, line in enumerate(shown) if line.call]
        self._draw()

    def choose(self, call: int) -> None:
        """Put the cursor on a call, if it is there, and bring it into view."""
        self.selected = call
        self._draw()
        self._reveal()

    def mark(self, line: int) -> bool:
        """Put the cursor on a line; False if it stands for no call."""
        if line not in self._lines:
            return False
        self._line, self.selected = line, self._shown[line].call
        self._draw()
        return True

    def _draw(self) -> None:
        """The cursor stays with its call: of several lines of that call, with the nearest."""
        same = [at for at in self._lines if self._shown[at].call == self.selected]
        self._line = min(same or self._lines[:1] or [-1], key=lambda at: abs(at - self._line))
        self.selected = self._shown[self._line].call if self._line >= 0 else 0
        here = self._line if self.has_focus else -1
        self.show([_lit(line.strip) if at == here else line.strip for at, line in enumerate(self._shown)])

    def _reveal(self) -> None:
        if not self.scroll_offset.y <= self._line < self.scroll_offset.y + self.size.height:
            self.scroll_to(y=max(0, self._line - self.size.height // 2), animate=False, force=True)

    def action_move(self, step: int) -> None:
        """To the call above or below; scrolls where there is none."""
        ahead = [at for at in self._lines if (at - self._line) * step > 0]
        if not ahead:
            self.scroll_relative(y=step, animate=False)
            return
        self._line = min(ahead, key=lambda at: abs(at - self._line - step))
        self.selected = self._shown[self._line].call
        self._draw()
        self._reveal()

    def action_open(self) -> None:
        """Show the call in the timeline."""
        if self.selected:
            self.post_message(CallChosen(self.selected))

    def on_click(self, event: events.Click) -> None:
        """Open the call that was clicked."""
        index = event.y + self.scroll_offset.y
        if 0 <= index < len(self._shown) and self._shown[index].call:
            self.selected = self._shown[index].call
            self.action_open()

    def on_focus(self) -> None:
        """Show which call Enter would open."""
        self._draw()

    def on_blur(self) -> None:
        """No call is marked without the focus."""
        self._draw()


def _lit(strip: Strip) -> Strip:
    return Strip([segment._replace(style=on(segment.style or TEXT, SELECTED)) for segment in strip])
