"""Lines that stand for calls: Enter opens one with all that is known of it, `g` shows it in the timeline."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from console.tui.messages import CallChosen, CallOpened
from console.tui.widgets.details import Details


class CallDetails(Details):
    """As `Details`, of the Calls screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter"),
        Binding("g", "open"),
        Binding("pageup", "page(-1)"),
        Binding("pagedown", "page(1)"),
        Binding("home", "page(-1_000_000)"),
        Binding("end", "page(1_000_000)"),
    ]
    origin = 0
    """The call that all is about; the one to be shown in the timeline when no other is marked."""

    def action_enter(self) -> None:
        """All about the marked call."""
        if self.selected:
            self.post_message(CallOpened(self.selected))

    def action_open(self) -> None:
        """The marked call in the timeline."""
        if self.selected or self.origin:
            self.post_message(CallChosen(self.selected or self.origin))

    def action_page(self, pages: int) -> None:
        """A screen up or down, with the cursor."""
        self.action_move(pages * max(1, self.size.height - 2))

    def on_click(self, event: events.Click) -> None:
        """Mark the call that was clicked; twice: open it."""
        event.prevent_default()
        index = event.y + self.scroll_offset.y
        if self.mark(index) and event.chain > 1:
            self.action_enter()
