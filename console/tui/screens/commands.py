"""Screen 1: every command with its figures, the troubled ones first; execute one by hand."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from msgspec.structs import replace
from rich.style import Style
from textual.strip import Strip

from bus.trace.records import Parameter
from console import format as fmt
from console.language.filter_fields import COMMANDS, Fields
from console.model.predicates import Reader
from console.model.row_filters import COMMAND_ROWS
from console.model.slices import Sliced
from console.model.views import CommandRow
from console.session import Session
from console.tui.look import ACCENT, AMBER, FAILED, HIDDEN, SOFT, TEXT, WARN, ServiceColors, style
from console.tui.order import Sort, bucket
from console.tui.screens.listing import ListScreen
from console.tui.widgets.command_lines import about_command, bars_room, last_calls
from console.tui.widgets.details import Shown
from console.tui.widgets.named_rows import NamedRows
from console.tui.widgets.rows import Column, RowList

_CROWD = 10
"""Calls in a queue that are worth attention."""
_LONG_WAIT = 10_000_000
_BUSY = style(ACCENT, bold=True)


SORTS: tuple[Sort[CommandRow], ...] = (
    Sort("", lambda row: (_trouble(row), bucket(row.rate), bucket(row.calls))),
    Sort("command", lambda row: row.name, downwards=False),
    Sort("service", lambda row: row.service, downwards=False),
    Sort("calls", lambda row: row.calls),
    Sort("rate/s", lambda row: row.rate),
    Sort("now", lambda row: row.running),
    Sort("queued", lambda row: row.queued),
    Sort("wait p99", lambda row: row.wait_p99 or 0),
    Sort("run p99", lambda row: row.run_p99 or 0),
    Sort("failed", lambda row: row.errors),
)


class CommandsScreen(ListScreen[CommandRow]):
    """All commands."""

    MODE = "commands"
    VERB = "execute"
    NOUN = "command"
    SORTS: ClassVar[Sequence[Sort[CommandRow]]] = SORTS
    FIELDS: ClassVar[Fields] = COMMANDS
    READER: ClassVar[Reader[Any]] = COMMAND_ROWS
    ACTING: ClassVar[tuple[tuple[str, str, str], ...]] = (("x", "execute", "screen.act"),)
    KEYS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("/", "filter", "screen.filter"),
        ("s S", "sort", "screen.sort(1)"),
        ("⏎", "details", "screen.enter"),
    )

    def make_rows(self) -> RowList[CommandRow]:
        """The list of commands."""
        app = self.console_app
        return NamedRows(columns(app.service_colors, app.session, self.namespaces.title), self.namespaces)

    def known_names(self) -> Iterable[str]:
        """All commands."""
        return self.console_app.session.names().commands

    def fetching(self) -> Sliced[list[CommandRow]]:
        """All commands, with the newest figures, and what has a problem."""
        session = self.console_app.session
        rows = yield from session.gathering_commands()
        wrong = {problem.name for problem in session.problems().problems if not problem.over}
        return [replace(row, wrong=True) if row.name in wrong else row for row in rows] if wrong else rows

    def empty(self) -> Sequence[tuple[str, Style]]:
        """How a program gets commands."""
        return [("No command is registered.", TEXT), ("bus.register_command(…) or @command makes one.", SOFT)]

    def total(self, key: str, rows: Sequence[CommandRow]) -> CommandRow:
        """Sums; of the percentiles the worst."""
        return total(key, rows)

    def parameters(self, row: CommandRow) -> tuple[Sequence[Parameter] | None, str]:
        """The schema; a free line for a command whose schema is not known."""
        return (row.entry.parameters if row.entry else None), "value … name=value …"

    def about(self, width: int, row: CommandRow) -> list[Strip]:
        """Schema and figures."""
        spread = self.console_app.session.distributions(row.name, bars_room(width))
        return about_command(width, row, self.recent(row.name), self.console_app.service_colors, spread)

    def below(self, width: int, row: CommandRow) -> list[Shown]:
        """Last calls and the last failure."""
        return last_calls(width, self.recent(row.name), self.console_app.session)


def columns(colors: ServiceColors, session: Session, title: Callable[[str], str]) -> list[Column[CommandRow]]:
    """The columns; in a narrow terminal wait and service go before rate and failures."""
    return [
        Column("", 1, 99, _glyph),
        Column("command", 0, 100, lambda row: (title(row.name), HIDDEN if row.removed else TEXT), least=18),
        Column("service", 10, 40, lambda row: (row.service or "main", colors.style(row.service))),
        Column("calls", 6, 25, lambda row: (fmt.count(row.calls), SOFT if row.calls else HIDDEN), right=True),
        Column("rate/s", 6, 90, lambda row: (fmt.rate(row.rate), TEXT if row.rate else HIDDEN), right=True),
        Column("now", 3, 80, lambda row: (fmt.count(row.running), _BUSY if row.running else HIDDEN), right=True),
        Column("queued", 6, 70, lambda row: (fmt.at_least(row.queued, row.more), _queue_look(row)), right=True),
        Column("wait p50", 8, 30, lambda row: (fmt.millis(row.wait_p50), _soft(row.wait_p50)), right=True),
        Column("p99", 6, 20, lambda row: (fmt.millis(row.wait_p99), _wait_look(row)), right=True),
        Column("run p50", 7, 60, lambda row: (fmt.millis(row.run_p50), _soft(row.run_p50)), right=True),
        Column("p99 ms", 6, 50, lambda row: (fmt.millis(row.run_p99), SOFT if row.run_p99 else HIDDEN), right=True),
        Column("failed", 6, 85, lambda row: (fmt.count(row.errors), FAILED if row.errors else HIDDEN), right=True),
        Column("last", 5, 15, lambda row: (_ago(row, session), SOFT if row.last else HIDDEN), right=True),
    ]


def total(key: str, rows: Sequence[CommandRow]) -> CommandRow:
    """All commands of a namespace as one."""
    services = {row.service for row in rows}
    return CommandRow(
        name=key, service=services.pop() if len(services) == 1 else fmt.ABSENT, calls=sum(row.calls for row in rows),
        rate=sum(row.rate for row in rows), running=sum(row.running for row in rows),
        queued=sum(row.queued for row in rows), wait_p50=None, wait_p99=_worst(row.wait_p99 for row in rows),
        run_p50=None, run_p99=_worst(row.run_p99 for row in rows), errors=sum(row.errors for row in rows),
        last=max(row.last for row in rows), last_failed=any(row.last_failed for row in rows),
        removed=all(row.removed for row in rows), entry=None, more=any(row.more for row in rows),
    )  # fmt: skip


def _worst(figures: Iterable[int | None]) -> int | None:
    return max((figure for figure in figures if figure is not None), default=None)


def _ago(row: CommandRow, session: Session) -> str:
    """How long ago it was last called, in one unit."""
    return " ".join(fmt.age((session.now() - row.last) / 1e9).split()[:2]) if row.last else fmt.ABSENT


def _glyph(row: CommandRow) -> tuple[str, Style]:
    return ("✗", FAILED) if row.last_failed else ("⚠", style(AMBER)) if _trouble(row) else (" ", SOFT)


_FAILED, _WRONG = 2, 3


def _trouble(row: CommandRow) -> int:
    """3: it has a problem; 2: its last call failed; 1: calls wait for longer than they run, or crowd; 0: nothing."""
    if row.wrong:
        return _WRONG
    return _FAILED if row.last_failed else int(row.queued >= _CROWD or _waits(row))


def _waits(row: CommandRow) -> bool:
    """Whether its calls wait in the queue for longer than they run."""
    return (row.wait_p50 or 0) > max(_LONG_WAIT, 2 * (row.run_p50 or 0))


def _wait_look(row: CommandRow) -> Style:
    return WARN if _waits(row) else SOFT if row.wait_p99 else HIDDEN


def _queue_look(row: CommandRow) -> Style:
    if row.queued >= _CROWD:
        return WARN
    return TEXT if row.queued else HIDDEN


def _soft(figure: int | None) -> Style:
    return HIDDEN if figure is None else TEXT
