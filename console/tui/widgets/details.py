"""The right-hand side of a list: scrolled lines, some of which stand for a call that can be opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from console.tui.look import SELECTED, TEXT, on
from console.tui.messages import CallChosen
from console.tui.widgets.canvas import Pane


@dataclass(frozen=True, slots=True)
class Shown:
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
        self._calls: list[int] = []
        self._shown: list[Shown] = []
        self.selected = 0

    def show_lines(self, shown: Sequence[Shown]) -> None:
        """Show these lines."""
        self._shown = list(shown)
        self._calls = [line.call for line in shown if line.call]
        self._draw()

    def _draw(self) -> None:
        if self.selected not in self._calls:
            self.selected = self._calls[0] if self._calls else 0
        here = self.selected if self.has_focus else 0
        self.show([_lit(line.strip) if line.call and line.call == here else line.strip for line in self._shown])

    def action_move(self, step: int) -> None:
        """To the call above or below; scrolls where there is none."""
        if self.selected not in self._calls:
            self.scroll_relative(y=step, animate=False)
            return
        at = self._calls.index(self.selected) + step
        if not 0 <= at < len(self._calls):
            self.scroll_relative(y=step, animate=False)
            return
        self.selected = self._calls[at]
        self._draw()
        line = next(y for y, shown in enumerate(self._shown) if shown.call == self.selected)
        if not self.scroll_offset.y <= line < self.scroll_offset.y + self.size.height:
            self.scroll_to(y=max(0, line - self.size.height // 2), animate=False, force=True)

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
