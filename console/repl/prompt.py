"""The prompt in a terminal: prompt_toolkit for the line, rich for what is shown above it."""

import asyncio
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs
from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application, get_app, run_in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output
from rich.console import Console
from rich.text import Text

from bus.trace.redact import escape
from console import commands, render
from console import format as fmt
from console.commands import Exporting, Quit, Started
from console.model.views import Header
from console.repl.waiting import settled, until_ended
from console.session import Session
from console.styles import BAD, NEWS, QUIET

_LEAVING = (signal.SIGTERM, signal.SIGHUP)
_TICK = 0.1
_REDRAW = 5
"""Ticks from one drawing of the toolbar to the next."""


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
    ) -> None:
        self._session = session
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._background: list[Started] = []
        self._ended = False
        self._prompt: PromptSession[str] = PromptSession(
            history=_history(session, history or default_history()),
            auto_suggest=AutoSuggestFromHistory(),
            completer=NameCompleter(session),
            bottom_toolbar=self._toolbar,
            input=reads,
            output=writes,
        )

    def run(self) -> int:
        """Serve until Ctrl-D or quit."""
        self._greet()
        while (line := self._read()) is not None:
            self._session.pump()
            result = commands.run(self._session, line)
            if isinstance(result, Quit):
                break
            with suppress(KeyboardInterrupt):  # ^C that came too late for the call must not end the REPL
                self._take(result)
        return 0

    def _read(self) -> str | None:
        """The next line; "" after Ctrl-C, None at the end of the input."""
        with _signals_kept():
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
            self._console.print(render.outcome(result))
        elif result is not None:
            self._console.print(render.outcome(settled(self._session, result)))
        self._say_if_ended()

    def _await(self, started: Started) -> None:
        try:
            ended = until_ended(self._session, started)
        except KeyboardInterrupt:
            self._session.cancel(started.pending)
            self._console.print(Text("cancelling; Ctrl-C once more stops waiting", QUIET))
            self._await_cancelled(started)
        else:
            self._console.print(render.outcome(ended))

    def _await_export(self, exporting: Exporting) -> None:
        with self._console.status(render.exporting(exporting)) as status:
            while not exporting.job.done:
                try:
                    wait([exporting.job.future], _TICK)
                    self._session.pump()
                    status.update(render.exporting(exporting))
                except KeyboardInterrupt:
                    exporting.job.stop()
        self._console.print(render.outcome(commands.export_ended(exporting)))

    def _await_cancelled(self, started: Started) -> None:
        try:
            ended = until_ended(self._session, started)
        except KeyboardInterrupt:
            self._background.append(started)
            self._console.print(Text("not waiting any more; the result is shown when it comes", QUIET))
        else:
            self._console.print(render.outcome(ended))

    def _begin(self) -> None:
        """When a prompt opens. Signals are the loop's: an exit raised within a task would be shown as a bug."""
        app, loop = get_app(), asyncio.get_running_loop()
        for number in _LEAVING:
            loop.add_signal_handler(number, _leave, app, number)
        app.create_background_task(self._keep_up())

    async def _keep_up(self) -> None:
        """While a line is being written: take in what happens, and say what the user would want to know at once."""
        app = get_app()
        ticks = 0
        while True:
            await asyncio.sleep(_TICK)
            self._session.pump()
            if self._has_news():
                await run_in_terminal(self._say_news)
            ticks += 1
            if ticks % _REDRAW == 0:
                app.invalidate()

    def _has_news(self) -> bool:
        ended = self._session.info.state == "ended" and not self._ended
        return ended or any(started.pending.done() for started in self._background)

    def _say_news(self) -> None:
        for started in [each for each in self._background if each.pending.done()]:
            self._background.remove(started)
            self._console.print(render.outcome(commands.finish(self._session, started)))
        self._say_if_ended()

    def _say_if_ended(self) -> None:
        info = self._session.info
        if info.state == "ended" and not self._ended:
            self._ended = True
            reason = escape(info.reason) or "the program is gone"
            self._console.print(Text(f"ENDED: {reason}", f"{BAD} {NEWS}"))
            self._console.print(Text("what was recorded can still be looked at; Ctrl-D leaves", QUIET))

    def _greet(self) -> None:
        header = self._session.header()
        said = Text(escape(header.program), NEWS)
        said.append(f"  {_pid(header)}help says what can be written, Tab completes it", QUIET)
        self._console.print(said)
        self._say_if_ended()

    def _toolbar(self) -> StyleAndTextTuples:
        header = self._session.header()
        style = "fg:ansired bold" if header.state == "ENDED" else "bold"
        pid = f" pid {header.pid}  " if header.pid else " "
        said: StyleAndTextTuples = [("bold", f" {escape(header.program)} "), ("", pid)]
        said += [(style, header.state)]
        said += [("", f"  {fmt.rate(header.calls_per_second)} calls/s  {fmt.count(header.in_flight)} in flight  ")]
        said += [("fg:ansired bold" if header.failed else "", f"{fmt.count(header.failed)} failed")]
        return said


def _pid(header: Header) -> str:
    """Nothing where several programs are in one view."""
    return f"pid {header.pid}; " if header.pid else ""


class NameCompleter(Completer):
    """What the language offers, as prompt_toolkit wants it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002
        """The candidates at the cursor."""
        for candidate in commands.candidates(self._session, document.text, document.cursor_position):
            yield Completion(
                candidate.text,
                start_position=candidate.start - document.cursor_position,
                display=escape(candidate.label),
                display_meta=escape(candidate.note),
            )


class _Discreet(FileHistory):
    """A history file that no secret gets into."""

    def __init__(self, session: Session, path: Path) -> None:
        super().__init__(str(path))
        self._session = session

    def store_string(self, string: str) -> None:
        if commands.may_be_kept(self._session, string):
            super().store_string(string)


def default_history() -> Path:
    """Where the lines of earlier sessions are kept."""
    return platformdirs.user_state_path("bus-console", appauthor=False) / "history"


def _leave(app: Application[str], number: int) -> None:
    if app.is_running and not app.is_done:
        app.exit(exception=SystemExit(128 + number))


@contextmanager
def _signals_kept() -> Iterator[None]:
    """The loop of a prompt takes the signals' handlers and does not give them back."""
    before = {number: signal.getsignal(number) for number in _LEAVING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _history(session: Session, path: Path) -> History:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:  # a home that cannot be written to is no reason not to serve
        return InMemoryHistory()
    return _Discreet(session, path)
