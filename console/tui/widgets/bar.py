"""The line above the footer: a command after `:`, a filter after `/`, otherwise a word on what to do."""

from collections.abc import Callable
from time import monotonic
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.suggester import Suggester
from textual.widgets import Input, Static

from bus.trace.redact import escape
from console.tui.look import ACCENT, AMBER, DIM
from console.tui.messages import FilterChanged, LineEntered

_HISTORY = 100
_NOTED = 3.0
"""Seconds."""
_PROMPT = Style(color=ACCENT, bold=True)


class _Line(Input):
    """Enter ends it at once; by a message, as usual, the line would have the keys that come next, too."""

    async def action_submit(self) -> None:
        """Give the bar what was typed."""
        assert isinstance(self.parent, Bar)
        self.parent.submit(self.value)


class Bar(Horizontal):
    """Closed until `open` gives it a prompt."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close"),
        Binding("up", "recall(-1)"),
        Binding("down", "recall(1)"),
        Binding("tab", "accept"),
    ]

    def __init__(self, suggester: Suggester, when_closed: Callable[[], None]) -> None:
        """WHEN_CLOSED is called whenever the line gives the keys back."""
        super().__init__(id="bar")
        self._suggester = suggester
        self._when_closed = when_closed
        self._kind = ""
        self._lines: list[str] = []
        self._recalled = 0
        self._noted = 0.0
        self._said = ("", False, False)

    @property
    def kind(self) -> str:
        """The prompt, "" while it is closed."""
        return self._kind

    def compose(self) -> ComposeResult:
        """Prompt, input, hint."""
        yield Static(Text(":", style=_PROMPT), id="prompt")
        yield _Line(id="line", compact=True, select_on_focus=False)
        yield Static("", id="hint")

    def on_mount(self) -> None:
        """Closed at first."""
        self.query_one(Input).display = False

    def note(self, text: str, *, warn: bool = False) -> None:
        """Answer a key: it stands for a moment, whatever else there is to say."""
        self._noted = 0.0
        self.say(text, warn=warn)
        self._noted = monotonic() + _NOTED

    def say(self, text: str, *, warn: bool = False) -> None:
        """What stands there while it is closed, or behind what is typed."""
        said = text, warn, bool(self._kind)
        if monotonic() < self._noted or said == self._said:
            return
        self._said = said
        hint = self.query_one("#hint", Static)
        wrong = warn and bool(self._kind)
        hint.set_class(wrong, "wrong")  # about what is typed: it has the room that it needs
        hint.update(Text(escape(text), style=AMBER if warn else DIM, no_wrap=True, overflow="ellipsis"), layout=wrong)

    def open(self, kind: str, text: str = "", suggester: Suggester | None = None) -> None:
        """Take the keys for a line of this KIND; SUGGESTER is for what is no command."""
        self._kind, self._recalled, self._noted = kind, len(self._lines), 0.0
        self.query_one("#prompt", Static).update(Text(kind, style=_PROMPT))
        line = self.query_one(Input)
        line.suggester = self._suggester if kind == ":" else suggester
        line.display = True
        line.value = text
        line.cursor_position = len(text)
        # At once, where `line.focus()` would come after the next keys: what is typed ahead belongs to the line.
        self.screen.set_focus(line)

    def action_close(self) -> None:
        """Leave without a line; a filter is taken away."""
        if self._kind == "/":
            self.post_message(FilterChanged(""))
        self._shut()

    def action_accept(self) -> None:
        """Take what is suggested."""
        self.query_one(Input).action_cursor_right()

    def action_recall(self, step: int) -> None:
        """Earlier and later lines."""
        if self._kind != ":" or not self._lines:
            return
        self._recalled = max(0, min(self._recalled + step, len(self._lines)))
        line = self.query_one(Input)
        line.value = self._lines[self._recalled] if self._recalled < len(self._lines) else ""
        line.cursor_position = len(line.value)

    def on_click(self, event: events.Click) -> None:
        """A click opens it for a command."""
        if not self._kind:
            event.stop()
            self.open(":")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._kind == "/":
            self.post_message(FilterChanged(event.value))

    def submit(self, line: str) -> None:
        """Close it, and say what was entered."""
        text, kind = line.strip(), self._kind
        if kind == ":" and text:
            self._lines = [*(line for line in self._lines if line != text), text][-_HISTORY:]
        self._shut()
        if text:
            self.post_message(LineEntered(kind, text))

    def _shut(self) -> None:
        self._kind = ""
        self.query_one(Input).display = False
        self.query_one("#prompt", Static).update(Text(":", style=_PROMPT))
        self._when_closed()
