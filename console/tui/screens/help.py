"""The `?` overlay: every key, in words."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.strip import Strip

from console.tui.lines import Line, wrapped
from console.tui.look import BAR, KEY, SOFT, STRONG
from console.tui.widgets.canvas import Pane

EVERYWHERE = (
    (":", 'type a command: search.query "thread pool" limit=5 · fire NAME …'),
    ("Space", "freeze the view; the program runs on"),
    ("y", "copy what is selected, or the result that is shown"),
    ("e", "export calls to a file, for another tool"),
    ("Ctrl+P", "palette: everything that can be done, by name; themes, too"),
    ("A", "attach to the program that has ended and runs again"),
    ("Esc", "back, close, let go"),
    ("Ctrl+C", "cancel the call that runs by hand; else quit"),
    ("q Ctrl+Q", "quit; a program started from here ends too"),
    ("mouse", "click tabs, keys, rows and calls; the wheel scrolls and zooms"),
)
Page = tuple[str, Sequence[tuple[str, str]]]
"""A title, and keys with what they do."""


_KEYS = 15
"""Cells of the keys."""


def _lines(width: int, key: str, words: str) -> list[Strip]:
    """What a key does, all of it."""
    rows = list(wrapped(words, width - _KEYS))
    first = Line(width, BAR).cell(key, _KEYS, KEY).put(rows[0], SOFT).strip()
    return [first, *(Line(width, BAR).gap(_KEYS).put(row, SOFT).strip() for row in rows[1:])]


class _Page(Pane):
    ground = BAR


class HelpScreen(ModalScreen[None]):
    """Closed by any of the usual keys, or a click."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter,space", "dismiss")]

    def __init__(self, pages: Sequence[Page]) -> None:
        super().__init__()
        self._pages = pages

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
        for title, keys in self._pages:
            strips += [Line(width, BAR).strip()] if strips else []
            strips.append(Line(width, BAR).put(title, STRONG).strip())
            strips += [strip for key, words in keys for strip in _lines(width, key, words)]
        pane.styles.height = len(strips) + 2
        pane.show(strips)
        pane.focus()

    def on_click(self, event: events.Click) -> None:
        """A click anywhere closes it."""
        event.stop()
        self.dismiss()
