"""Lines from a pipe: plain output, and an exit code that says whether all went well."""

import sys
from collections.abc import Iterable

from console import commands
from console.commands import Ended, Exporting, Mistake, Started
from console.render import going_on, results
from console.render.printing import PLAIN_WIDTH, PlainConsole
from console.session import Session
from console.waiting import run_patiently, settled, until_ended, until_exported

OK, FAILED, NOT_DONE = 0, 1, 2
_MOST_WATCHED = 1_000


def run_lines(session: Session, lines: Iterable[str]) -> int:
    """Carry out LINES; results go to stdout, what could not be done to stderr.

    Calls begun with & are awaited at the end. Returns 1 when a call failed, 2 when a line could not be carried out.
    """
    return _Lines(session).run(lines)


class _Lines:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._out, self._err = PlainConsole(sys.stdout), PlainConsole(sys.stderr)
        self._background: list[Started] = []
        self._code = OK

    def run(self, lines: Iterable[str]) -> int:
        for line in lines:
            result = run_patiently(self._session, line.rstrip("\n"))
            if isinstance(result, commands.Quit):
                break
            if result is not None:
                self._take(result)
            self._show_watched()
        for started in self._background:
            self._show(until_ended(self._session, started))
        self._show_watched()
        return self._code

    def _show_watched(self) -> None:
        """What ended while the last line was carried out."""
        self._session.pump()
        if self._session.watch is None:
            return
        calls, more = self._session.watch.new(_MOST_WATCHED)
        for call in calls:
            self._out.print(going_on.line(call, self._session.info.session, PLAIN_WIDTH))
        if more:
            self._err.print(going_on.left_out(more))

    def _take(self, result: commands.Outcome) -> None:
        if isinstance(result, Started) and not result.waits:
            self._background.append(result)
        elif isinstance(result, Started):
            self._show(until_ended(self._session, result))
        elif isinstance(result, Exporting):
            self._show(until_exported(self._session, result))
        else:
            self._show(settled(self._session, result))

    def _show(self, result: commands.Outcome) -> None:
        wrong = isinstance(result, Mistake)
        (self._err if wrong else self._out).print(results.outcome(result))
        if wrong:
            self._code = NOT_DONE
        elif isinstance(result, Ended) and not result.ok:
            self._code = max(self._code, FAILED if result.reply.call else NOT_DONE)
