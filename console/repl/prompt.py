"""The prompt in a terminal: prompt_toolkit for the line, rich for what is shown above it."""

import asyncio
import time
from concurrent.futures import wait
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application, get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console
from rich.text import Text

from bus.trace.redact import escape
from console import commands, leaving
from console.commands import Exporting, Quit, Started
from console.model.views import Header
from console.render import results
from console.render.styles import BAD, NEWS, QUIET
from console.repl.current import Current, Look
from console.repl.history import default_path, open_history, recall
from console.repl.line import LineCompleter, LineLexer, keys
from console.repl.toolbar import toolbar
from console.repl.watch_lines import WatchLines
from console.session import Session
from console.waiting import settled, until_ended

_TICK = 0.1
_REDRAW = 5
"""Ticks from one drawing of the toolbar to the next."""
_LOOK = 10
"""Ticks from one look for a program that has ended to the next."""


class Prompt:
    """Reads a line, carries it out, shows what came of it. Everything runs on the thread that calls `run`."""

    def __init__(
        self,
        session: Session,
        *,
        history: Path | None = None,
        reads: Input | None = None,
        writes: Output | None = None,
        console: Console | None = None,
        look: Look | None = None,
    ) -> None:
        """Take over SESSION, but closing it is the caller's. LOOK finds the program when it ended and runs again."""
        self._current = Current(session)
        self._first = session
        self._look = look
        self._watched = WatchLines(time.monotonic)
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._background: list[Started] = []
        self._ended = False
        lines = open_history(self._current, history or default_path())
        recall(session, lines)
        self._prompt: PromptSession[str] = PromptSession(
            history=lines,
            auto_suggest=AutoSuggestFromHistory(),
            completer=LineCompleter(self._current),
            complete_while_typing=session.preferences.complete_while_typing,
            vi_mode=session.preferences.vi,
            lexer=LineLexer(self._current),
            key_bindings=keys(),
            multiline=True,
            prompt_continuation=_continuation,
            bottom_toolbar=self._toolbar,
            input=reads,
            output=writes,
        )

    @property
    def _session(self) -> Session:
        return self._current.session

    def run(self) -> int:
        """Serve until Ctrl-D or quit."""
        self._greet()
        try:
            self._serve()
        finally:
            if self._session is not self._first:
                self._session.close()
        return 0

    def _serve(self) -> None:
        while (line := self._read()) is not None:
            self._session.pump()
            result = commands.run(self._session, line)
            if isinstance(result, Quit):
                break
            with suppress(KeyboardInterrupt):  # ^C that came too late for the call must not end the REPL
                self._take(result)

    def _read(self) -> str | None:
        """The next line; "" after Ctrl-C, None at the end of the input."""
        with leaving.signals_kept(), patch_stdout(raw=True):
            try:
                return self._prompt.prompt("› ", pre_run=self._begin)
            except KeyboardInterrupt:
                return ""
            except EOFError:
                return None

    def _take(self, result: commands.Outcome | None) -> None:
        if isinstance(result, Started) and result.waits:
            self._await(result)
        elif isinstance(result, Exporting):
            self._await_export(result)
        elif isinstance(result, Started):
            self._background.append(result)
            self._console.print(results.outcome(result))
        elif result is not None:
            self._console.print(results.outcome(settled(self._session, result)))
        self._say_if_ended()

    def _await(self, started: Started) -> None:
        try:
            ended = until_ended(self._session, started)
        except KeyboardInterrupt:
            self._session.cancel(started.pending)
            self._console.print(Text("cancelling; Ctrl-C once more stops waiting", QUIET))
            self._await_cancelled(started)
        else:
            self._console.print(results.outcome(ended))

    def _await_export(self, exporting: Exporting) -> None:
        with self._console.status(results.exporting(exporting)) as status:
            while not exporting.job.done:
                try:
                    wait([exporting.job.future], _TICK)
                    self._session.pump()
                    status.update(results.exporting(exporting))
                except KeyboardInterrupt:
                    exporting.job.stop()
        self._console.print(results.outcome(commands.export_ended(exporting)))

    def _await_cancelled(self, started: Started) -> None:
        try:
            ended = until_ended(self._session, started)
        except KeyboardInterrupt:
            self._background.append(started)
            self._console.print(Text("not waiting any more; the result is shown when it comes", QUIET))
        else:
            self._console.print(results.outcome(ended))

    def _begin(self) -> None:
        """When a prompt opens. Signals are the loop's: an exit raised within a task would be shown as a bug."""
        app = get_app()
        leaving.leave_by(partial(_leave, app))
        app.create_background_task(self._keep_up())

    async def _keep_up(self) -> None:
        """While a line is being written, until something goes wrong with that: then the prompt ends with it."""
        app = get_app()
        try:
            await self._take_in_news(app)
        except Exception as error:  # noqa: BLE001 prompt-toolkit would show it, ask for Enter, and never take in anything again
            if not app.is_done:
                app.exit(exception=error)

    async def _take_in_news(self, app: Application[str]) -> NoReturn:
        """Take in what happens, and say what the user would want to know at once."""
        ticks = 0
        while True:
            await asyncio.sleep(_TICK)
            self._session.pump()
            self._say_news()
            if self._ended and self._look is not None and ticks % _LOOK == 0:
                await self._look_for_it(self._look)
            ticks += 1
            if ticks % _REDRAW == 0:
                app.invalidate()

    async def _look_for_it(self, look: Look) -> None:
        """Go on with the program if it runs again."""
        info = self._session.info.session
        found = await asyncio.get_running_loop().run_in_executor(None, look, info.program, info.pid)
        if found is None:
            return
        self._current.replace(found)
        self._ended = False
        header = found.header()
        self._console.print(Text(f"RECONNECTED: {escape(header.program)} runs again, {_pid(header)[:-2]}", NEWS))

    def _say_news(self) -> None:
        for line in self._watched.new(self._session, self._console.width):
            self._console.print(line)
        for started in [each for each in self._background if each.pending.done()]:
            self._background.remove(started)
            self._console.print(results.outcome(commands.finish(self._session, started)))
        self._say_if_ended()

    def _say_if_ended(self) -> None:
        info = self._session.info
        if info.state == "ended" and not self._ended:
            self._ended = True
            reason = escape(info.reason) or "the program is gone"
            self._console.print(Text(f"ENDED: {reason}", f"{BAD} {NEWS}"))
            self._console.print(Text("what was recorded can still be looked at; Ctrl-D leaves", QUIET))
            if self._look is not None:
                self._console.print(Text("when the program runs again, this goes on", QUIET))

    def _greet(self) -> None:
        header = self._session.header()
        said = Text(escape(header.program), NEWS)
        said.append(f"  {_pid(header)}help says what can be written, Tab completes it", QUIET)
        self._console.print(said)
        self._say_if_ended()

    def _toolbar(self) -> StyleAndTextTuples:
        return toolbar(self._session, get_app().output.get_size().columns)


def _pid(header: Header) -> str:
    """Nothing where several programs are in one view."""
    return f"pid {header.pid}; " if header.pid else ""


def _continuation(width: int, _line: int, _wraps: int) -> str:
    return "… ".rjust(width)


def _leave(app: Application[str], status: int) -> None:
    if app.is_running and not app.is_done:
        app.exit(exception=SystemExit(status))
