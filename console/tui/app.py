"""The app: which screen is shown, the ten frames a second, and the keys that work everywhere."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.filter import LineFilter, Monochrome

from console import collecting, commands, leaving
from console.appearance import ATTACH_AGAIN, Appearance, remember_theme
from console.commands import Exporting, Mistake
from console.render import results
from console.session import Session
from console.target.again import Again
from console.tui import messages, paint
from console.tui.look import ServiceColors
from console.tui.pace import in_slices
from console.tui.screens.base import TABS, BusScreen
from console.tui.screens.listing import ListScreen
from console.tui.themes import DARK, MONO, THEMES, css_variables
from console.tui.widgets.outcome import OutcomePane

if TYPE_CHECKING:
    from textual.command import Provider

    from console.tui.screens.help import Page

FRAME = 0.1
_READING = 5
"""Frames for one that is drawn while a recording is read."""
_LOOKS = 2.0
"""Seconds between two looks for a program that has ended."""
_SOON = 5.0
"""Seconds that what there is at the start has to come in without the garbage collector."""
_GATHERED, _MOST_GATHERED = 4, 0.3
"""Times that what comes may gather after it was taken in, as long as that took; but never longer, s."""


def _screen(mode: str) -> type[BusScreen]:
    """The class of a screen, from the module of its name; most are imported after the first picture."""
    module = import_module(f"console.tui.screens.{mode}")
    found: type[BusScreen] = getattr(module, f"{mode.title()}Screen")
    return found


def _new_screen(mode: str) -> BusScreen:
    return _screen(mode)()


def _palette_actions() -> "type[Provider]":
    from console.tui.palette import ActionsProvider

    return ActionsProvider


class ConsoleApp(App[int]):
    """The numbered screens over one session."""

    CSS_PATH = "app.tcss"
    TITLE = "bus-console"
    COMMANDS = {_palette_actions}  # noqa: RUF012  Textual's own form
    MODES: ClassVar[dict[str, Callable[[], BusScreen]]] = {  # type: ignore[assignment]  # Textual's allows more
        mode: partial(_new_screen, mode) for mode, _, _ in TABS
    }
    DEFAULT_MODE = "commands"
    ENABLE_COMMAND_PALETTE = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "show('commands')", show=False),
        Binding("2", "show('events')", show=False),
        Binding("3", "show('timeline')", show=False),
        Binding("4", "show('calls')", show=False),
        Binding("5", "show('services')", show=False),
        Binding("6", "show('problems')", show=False),
        Binding("7", "show('output')", show=False),
        Binding("space", "freeze", show=False),
        Binding("A", "attach_again", show=False),
        Binding("question_mark", "help", show=False),
        Binding("q", "quit", show=False),
        Binding("ctrl+q", "quit", show=False, priority=True),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
    ]

    def __init__(
        self,
        session: Session,
        appearance: Appearance = Appearance(),  # noqa: B008  it is frozen
        again: Again | None = None,
    ) -> None:
        self.painting: list[LineFilter] = []
        super().__init__()
        self.ascii_only = appearance.ascii_only
        for each in THEMES.values():
            self.register_theme(paint.textual_theme(each))
        self.chosen_theme = ""
        self._use_theme(MONO.name if self.no_color else appearance.theme)
        self.session = session
        self.service_colors = ServiceColors()
        self.frozen = False
        self._state = ""
        self._changed = False
        self.frames = 0
        """How many there were: 10 a second, fewer where there is no time for more."""
        self._exports: list[Exporting] = []
        self._gathers_until = 0.0
        self._again = again
        self._looks_at = 0.0
        self._began = 0.0
        self._to_import = iter([mode for mode, _, _ in TABS])

    @property
    def lively(self) -> bool:
        """Whether figures change by themselves: rates fall and running calls age while the program lives."""
        return self.session.info.state == "live"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What the stylesheet calls the colours, also before a theme is chosen."""
        return css_variables(DARK)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What lines go through before the terminal; without colours there are none at all, not shades of grey."""
        return [*(each for each in super().get_line_filters() if not isinstance(each, Monochrome)), *self.painting]

    def action_use_theme(self, name: str) -> None:
        """Change all colours, as a person wants it; `chosen_theme` says which they were."""
        self.chosen_theme = name
        self._use_theme(name)

    def _use_theme(self, name: str) -> None:
        self.painting = paint.filters(THEMES[name], ascii_only=self.ascii_only)
        self.theme = name

    def on_load(self) -> None:
        """Have tasks begin in their turn, on every Python: from 3.12 on Textual lets them begin where they are made.

        Then a mode's first screen is composed before it is the app's, and the first `Input` on it ends the app.
        """
        asyncio.get_running_loop().set_task_factory(None)

    def on_mount(self) -> None:
        """Start the frames."""
        self._began = monotonic()
        self.session.pump()
        self.set_interval(FRAME, self._frame)

    async def _frame(self) -> None:
        pumped = self.is_running and await self._pump()
        if not self.is_running:  # while the app shuts down, its widgets go one by one
            return
        changed = self._changed = pumped or self._changed
        self.frames += 1
        if self.session.info.progress < 1.0 and self.frames % _READING:
            return  # a recording that is being read is not drawn ten times a second: that would take half of the time
        self._changed = False
        if self._began and (self.session.caught_up or monotonic() > self._began + _SOON) and not self._import_next():
            self._began = 0.0
            collecting.resume()
        state = self.session.info.state
        if state != self._state:
            self._state, changed = state, True
            if state != "live":
                self.frozen = False
        self._tell_of_exports()
        if state == "ended" and self._again is not None and monotonic() >= self._looks_at:
            self._looks_at = monotonic() + _LOOKS
            self.run_worker(self._again.look, thread=True, group="again", exit_on_error=False)
        screen = self.screen
        if isinstance(screen, BusScreen) and screen.is_mounted:
            screen.tick(changed=changed)

    def _import_next(self) -> bool:
        """One more of the screens, before somebody waits for it; whether there was one left."""
        mode = next(self._to_import, "")
        return bool(mode and _screen(mode))

    @property
    def successor(self) -> int:
        """The pid of the program that has ended and runs again; 0 if it does not."""
        found = self._again.found if self._again is not None else None
        return found.pid if found is not None and self.session.info.state == "ended" else 0

    def action_attach_again(self) -> None:
        """Leave the program that has ended for the one that it is now."""
        if self.successor:
            self.exit(ATTACH_AGAIN)

    async def _pump(self) -> bool:
        """Take in what came. Where that takes long, it gathers for a while first: more at once is cheaper.

        What there was when we attached, and a recording, are taken in as fast as possible.
        """
        began = monotonic()
        if began < self._gathers_until and self._state == self.session.info.state:
            return False
        changed = await in_slices(self.session.pumping())
        ended = monotonic()
        if self.session.info.state == "live" and self.session.caught_up:
            self._gathers_until = ended + min(_MOST_GATHERED, _GATHERED * (ended - began))
        return changed

    @on(messages.ExportBegan)
    def _export_began(self, message: messages.ExportBegan) -> None:
        self._exports.append(message.exporting)

    def _tell_of_exports(self) -> None:
        """How those ended whose progress is not shown any more: elsewhere the pane above the bar says it."""
        for exporting in [one for one in self._exports if one.job.done]:
            self._exports.remove(exporting)
            panes = self.screen.query(OutcomePane)
            if not any(pane.exporting is exporting for pane in panes):
                ended = commands.export_ended(exporting)
                wrong = isinstance(ended, Mistake)
                self.notify(results.plain(ended), severity="error" if wrong else "information", markup=False)

    async def action_show(self, mode: str) -> None:
        """Go to a screen."""
        if self.current_mode != mode and isinstance(self.screen, BusScreen):
            await self.switch_mode(mode)

    async def action_find(self, mode: str, name: str) -> None:
        """Go to a list and put its cursor on NAME."""
        await self.action_show(mode)
        screen = self.screen
        if isinstance(screen, ListScreen):
            screen.call_after_refresh(screen.find, name)

    def show_call(self, call_id: int) -> None:
        """Show a call in the timeline."""
        self.run_worker(self._show_call(call_id), exclusive=True)

    def show_range(self, begin: int, end: int, call_id: int = 0) -> None:
        """Mark a stretch of time in the timeline, and select a call that was part of it."""
        self.run_worker(self._show_range(begin, end, call_id), exclusive=True)

    async def _show_range(self, begin: int, end: int, call_id: int) -> None:
        await self.action_show("timeline")
        from console.tui.screens.timeline import TimelineScreen

        screen = self.screen
        if isinstance(screen, TimelineScreen):
            screen.call_after_refresh(screen.show_range, begin, end, call_id)

    async def _show_call(self, call_id: int) -> None:
        await self.action_show("timeline")
        from console.tui.screens.timeline import TimelineScreen

        screen = self.screen
        if isinstance(screen, TimelineScreen):
            screen.call_after_refresh(screen.show_call, call_id)

    def open_call(self, call_id: int) -> None:
        """Show all that is known of a call."""
        self.run_worker(self._open_call(call_id), exclusive=True)

    def open_tree(self, call_id: int) -> None:
        """Show the causal tree that a call is part of."""
        self.run_worker(self._open_call(call_id, tree=True), exclusive=True)

    async def _open_call(self, call_id: int, *, tree: bool = False) -> None:
        await self.action_show("calls")
        from console.tui.screens.calls import CallsScreen

        screen = self.screen
        if isinstance(screen, CallsScreen):
            screen.call_after_refresh(screen.show_tree if tree else screen.find, call_id)

    def open_problem(self, problem: str) -> None:
        """Show all that is known of a problem, by the id of its view."""
        self.run_worker(self._open_problem(problem), exclusive=True)

    async def _open_problem(self, problem: str) -> None:
        await self.action_show("problems")
        from console.tui.screens.problems import ProblemsScreen

        screen = self.screen
        if isinstance(screen, ProblemsScreen):
            screen.call_after_refresh(screen.find, problem)

    def action_freeze(self) -> None:
        """Stop or go on with what is shown; the program runs on."""
        if self.session.info.state != "live" or not isinstance(self.screen, BusScreen):
            return
        self.frozen = not self.frozen
        self.screen.refresh_frame()
        self.screen.refresh_body()

    def action_command_palette(self) -> None:
        """All that can be done, by a few letters."""
        from console.tui.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    async def action_help(self) -> None:
        """Every key."""
        from console.tui.screens.help import HelpScreen

        if isinstance(self.screen, BusScreen):
            await self.push_screen(HelpScreen(self._help_pages()))

    def _help_pages(self) -> "list[Page]":
        """What works everywhere, then each screen; those that have the same keys together."""
        from console.tui.screens.help import EVERYWHERE

        screens = ", ".join(title for _, _, title in TABS)
        pages: list[Page] = [("Everywhere", ((" ".join(key for _, key, _ in TABS), screens), *EVERYWHERE))]
        for mode, _, title in TABS:
            keys = _screen(mode).KEYS_IN_WORDS
            if pages[-1][1] == keys:
                pages[-1] = (f"{pages[-1][0]}, {title}", keys)
            else:
                pages.append((title, keys))
        return pages

    def action_interrupt(self) -> None:
        """Cancel the call that was made by hand and still runs; without one, quit."""
        screen = self.screen
        if isinstance(screen, BusScreen) and screen.interrupt():
            return
        self.exit(0)


def run(session: Session, appearance: Appearance, again: Again | None = None) -> int:
    """Show SESSION until the person leaves; returns the exit status. Closing the session is the caller's.

    AGAIN: looks for the program when it has ended; ATTACH_AGAIN is returned when the person wants to go on with that.
    """
    app = ConsoleApp(session, appearance, again)

    async def shown() -> int:
        leaving.leave_by(app.exit, signal.SIGINT)  # ^C is a key here: that one comes from somebody else
        return await app.run_async() or 0

    try:
        with leaving.signals_kept():
            return asyncio.run(shown())
    finally:
        if app.chosen_theme:
            remember_theme(app.chosen_theme)
        session.jobs.stop()
