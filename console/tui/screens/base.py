"""What all screens have in common: the frame around the body, the bar, and taking in what changed."""

from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from bus.trace.redact import escape
from console import format as fmt
from console.tui import messages
from console.tui.invocation import Invocation
from console.tui.suggest import LineSuggester
from console.tui.widgets.bar import Bar
from console.tui.widgets.canvas import Canvas
from console.tui.widgets.header import HeaderLine, Keys, Tabs
from console.tui.widgets.outcome import OutcomePane

if TYPE_CHECKING:
    from console.tui.app import ConsoleApp

TABS = (
    ("commands", "1", "Commands"),
    ("events", "2", "Events"),
    ("timeline", "3", "Timeline"),
    ("calls", "4", "Calls"),
    ("services", "5", "Services"),
    ("problems", "6", "Problems"),
    ("output", "7", "Output"),
)
EVERYWHERE = (
    (":", "command", "screen.command"),
    ("?", "help", "app.help"),
    ("q", "quit", "app.quit"),
)
COMMON = (("y", "copy", "screen.copy"), ("e", "export", "screen.export"))
"""As `EVERYWHERE`, but left out where there is no room."""
NARROW, SHORT, TINY = 110, 30, 12
_REST = 20
"""What takes a while to show, as ten thousand rows do, is shown less often: it may take a twentieth of the time."""
_SILENT = 2_000_000_000
_SLOW = 5
"""Lists and figures change twice a second: faster, nobody can read them."""


class BusScreen(Screen[None]):
    """One of the numbered screens."""

    MODE: ClassVar[str] = ""
    AUTO_FOCUS = ""
    ACTING: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    KEYS: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    LIVE: ClassVar[tuple[tuple[str, str, str], ...]] = (("Space", "freeze", "app.freeze"),)
    """Keys (key, word, action) of the footer: where the program can be acted on, always, while it lives."""
    KEYS_IN_WORDS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """All keys of this screen in words, for `?`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, so that the bar is open before the next key of a burst is given to anyone: see `check_action`.
        Binding("colon", "command", show=False, priority=True),
        Binding("escape", "back", show=False),
        Binding("y", "copy", show=False),
        Binding("e", "export", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._ticks = 0
        self._due = False
        self._changed = False
        self._rested = 0.0

    @property
    def console_app(self) -> "ConsoleApp":
        """The app, by its own type."""
        return self.app  # type: ignore[return-value]  # there is only one App class here

    def compose(self) -> ComposeResult:
        """The frame; `body` is the screen's own."""
        yield HeaderLine(id="header")
        yield Tabs(id="tabs")
        yield Canvas(id="blank")
        yield from self.body()
        yield OutcomePane(id="outcome")
        yield Bar(LineSuggester(self.console_app.session), self._bar_closed)
        yield Keys(id="keys")

    def body(self) -> Iterator[Widget]:
        """The widgets between tabs and bar."""
        raise NotImplementedError

    def main(self) -> Widget:
        """The widget that has the keys when nothing else wants them."""
        raise NotImplementedError

    def refresh_body(self) -> None:
        """Show what the session knows now."""
        raise NotImplementedError

    def copied(self) -> str:
        """What `y` copies: the selected thing as text, "" when nothing is selected."""
        return ""

    # ---- time

    def refresh_slowly(self, *, changed: bool) -> None:
        """Twice a second: figures change by themselves while the program lives, as rates fall and calls age."""
        if changed or self.console_app.lively:
            self.refresh_body()

    def tick(self, *, changed: bool) -> None:
        """Ten times a second while this screen is shown."""
        self._ticks += 1
        self._changed = self._changed or changed
        if self._ticks % _SLOW == 0:
            self.refresh_frame()
            if not self.console_app.frozen and monotonic() >= self._rested:
                began = monotonic()
                self.refresh_slowly(changed=self._changed)
                self._changed = False
                self.rest_after(monotonic() - began)
        self.query_one(OutcomePane).tick()

    def rest_after(self, took: float) -> None:
        """Do not refresh again soon after what took so many seconds."""
        self._rested = monotonic() + took * _REST

    def refresh_calmly(self) -> None:
        """Show what the session knows now, or soon."""
        self.refresh_body()

    def refresh_frame(self) -> None:
        """Header, tabs, keys, and what the bar says while it is closed."""
        app = self.console_app
        header = app.session.header()
        self.query_one(HeaderLine).update(header, frozen=app.frozen)
        wrong = {"problems": f"⚠{header.problems:,}"} if header.problems else {}
        self.query_one(Tabs).update(TABS, self.MODE, wrong)
        acting = self.ACTING if app.session.info.can_act else ()
        live = self.LIVE if app.session.info.state == "live" else ()
        keys = (*acting, *self.KEYS, *live, *COMMON)
        self.query_one(Keys).update(keys, EVERYWHERE, in_words=app.ascii_only)
        bar = self.query_one(Bar)
        if not bar.kind:
            self._say(bar)

    def _say(self, bar: Bar) -> None:
        info = self.console_app.session.info
        if info.state == "ended":
            reason = info.reason or "the program has ended"
            if pid := self.console_app.successor:
                bar.say(f"it runs again, as pid {pid}: A attaches to it ({reason})", warn=True)
                return
            bar.say(f"{reason}. Everything recorded so far can still be browsed.", warn=True)
        elif info.state == "connecting":
            bar.say(info.reason or "connecting to the program …", warn=True)
        elif (silence := self.console_app.session.silence) > _SILENT:
            for_so_long = fmt.age(silence / 1e9)
            bar.say(f"no news for {for_so_long}: the program may be stopped, or the machine too busy", warn=True)
        elif info.progress < 1.0:
            bar.say(f"reading the recording … {info.progress:.0%}")
        elif info.damaged:
            bar.say(f"{info.damaged:,} damaged lines of this recording were left out", warn=True)
        elif info.reason:
            bar.say(info.reason)
        else:
            bar.say(self.idle_text())

    def idle_text(self) -> str:
        """What the closed bar says when there is nothing to report."""
        return "press : for a command, Ctrl+P for the palette, ? for help"

    def on_mount(self) -> None:
        """The main widget gets the keys."""
        self.main().focus()

    def on_screen_resume(self) -> None:
        """Shown again: what was not drawn meanwhile is drawn now."""
        self._refresh_soon()

    def on_resize(self) -> None:
        """Narrow and short terminals drop what matters least."""
        self.set_class(self.size.width < NARROW, "narrow")
        self.set_class(self.size.height < SHORT, "short")
        self.set_class(self.size.height < TINY, "tiny")
        self._refresh_soon()

    def _refresh_soon(self) -> None:
        """Once, however many reasons there are: ten thousand rows take a while."""
        if not self._due:
            self._due = self.call_after_refresh(self._refresh_all)

    def _refresh_all(self) -> None:
        self._due = False
        if self.is_current and self.is_attached:
            self.refresh_frame()
            self.refresh_calmly()

    # ---- the bar

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys that open the bar are text while a line or a field is being typed."""
        if action in {"command", "filter"} and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def action_command(self, text: str = "") -> None:
        """Type a command of the console."""
        self.query_one(Bar).open(":", text)

    def action_export(self) -> None:
        """Write the calls to a file: the bar asks for its name."""
        self.action_command("export ")

    def action_copy(self) -> None:
        """The selected thing, or the result that is shown, into the clipboard of the terminal (OSC 52)."""
        outcome = self.query_one(OutcomePane)
        text = escape(outcome.text, keep="\n") if outcome.is_open else escape(self.copied())
        if text:
            self.app.copy_to_clipboard(text)
        self.query_one(Bar).note(f"copied: {text}" if text else "nothing is selected", warn=not text)

    async def action_back(self) -> None:
        """Close what is open."""
        self.query_one(OutcomePane).close()
        self.main().focus()

    def acts(self) -> tuple[Invocation | None, ...]:
        """What was executed or fired by hand on this screen, and may still run."""
        return (self.query_one(OutcomePane).act,)

    def interrupt(self) -> bool:
        """Cancel what was executed or exported from here and still runs; False when nothing does."""
        running = next((act for act in self.acts() if act is not None and act.running), None)
        exporting = self.query_one(OutcomePane).exporting
        if running is not None:
            running.cancel()
        elif exporting is not None:
            exporting.job.stop()
        return running is not None or exporting is not None

    def _bar_closed(self) -> None:
        self.set_focus(self.main())  # at once, as when the bar is opened
        self.refresh_frame()

    @on(messages.LineEntered)
    def _line_entered(self, message: messages.LineEntered) -> None:
        if message.kind == ":":
            self.query_one(OutcomePane).run(self.console_app.session, message.text)

    @on(messages.CallChosen)
    def _call_chosen(self, message: messages.CallChosen) -> None:
        self.console_app.show_call(message.call)
