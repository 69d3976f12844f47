"""The `?` overlay: every key, in words."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.strip import Strip

from console.tui.lines import Line
from console.tui.look import BAR, KEY, SOFT, STRONG
from console.tui.widgets.canvas import Pane

_EVERYWHERE = (
    ("1 2 3", "Commands, Events, Timeline"),
    (":", 'type a command: search.query "thread pool" limit=5 · fire NAME …'),
    ("Space", "freeze the view; the program runs on"),
    ("Ctrl+P", "palette: everything that can be done, by name"),
    ("Esc", "back, close, let go"),
    ("Ctrl+C", "cancel the call that runs by hand; else quit"),
    ("q Ctrl+Q", "quit; a program started from here ends too"),
)
_LISTS = (
    ("↑ ↓ PgUp PgDn", "move"),
    ("/", "show only rows that contain a text"),
    ("s S", "sort by the next column, the other way round"),
    ("Enter", "into the details; there, Enter shows a call in the timeline"),
    ("x", "execute the command or fire the event by hand"),
    ("Ctrl+R", "run, in the form"),
)
_TIMELINE = (
    ("← → ↑ ↓", "move the cursor over cells and lanes (Shift: ten cells)"),
    ("a d", "back and forth in time"),
    ("w s", "closer and farther; the wheel does the same"),
    (", .", "previous and next call in this lane"),
    ("[ ]", "the cause of this call, its first effect"),
    ("f 0 End", "fit the call, show all, follow the program"),
)


class _Page(Pane):
    ground = BAR


class HelpScreen(ModalScreen[None]):
    """Closed by any of the usual keys, or a click."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter,space", "dismiss")]

    def compose(self) -> ComposeResult:
        """One pane of lines."""
        yield _Page(id="help")

    def on_mount(self) -> None:
        """Draw it once the width is known."""
        self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        """Draw it anew."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        pane = self.query_one(Pane)
        width = pane.inner_width
        strips: list[Strip] = []
        for title, keys in (("Everywhere", _EVERYWHERE), ("Commands and Events", _LISTS), ("Timeline", _TIMELINE)):
            strips += [Line(width, BAR).strip()] if strips else []
            strips.append(Line(width, BAR).put(title, STRONG).strip())
            strips += [Line(width, BAR).cell(key, 15, KEY).put(word, SOFT).strip() for key, word in keys]
        pane.styles.height = len(strips) + 2
        pane.show(strips)
        pane.focus()

    def on_click(self, event: events.Click) -> None:
        """A click anywhere closes it."""
        event.stop()
        self.dismiss()
