"""Rows of the model as rich tables, the same wherever they are printed. All text of the program is escaped here."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from bus.trace.records import Call
from bus.trace.redact import escape
from console import format as fmt
from console.model.views import CommandRow, EventRow
from console.render.styles import BAD, GOOD, NAME, QUIET


def command_table(rows: Iterable[CommandRow]) -> Table:
    """Commands with their figures, times in ms."""
    table = _new("command", "service")
    for column in ("calls", "rate/s", "now", "queued", "run p50", "p99 ms", "errors"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            Text(escape(row.name), BAD if row.last_failed else NAME),
            Text(escape(row.service)),
            fmt.count(row.calls),
            fmt.rate(row.rate),
            fmt.count(row.running),
            fmt.at_least(row.queued, row.more),
            fmt.millis(row.run_p50),
            fmt.millis(row.run_p99),
            _errors(row.errors),
        )
    return table


def event_table(rows: Iterable[EventRow]) -> Table:
    """Events with their figures."""
    table = _new("event")
    for column in ("fired", "rate/s", "listeners", "failed"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        name = Text(escape(row.name), NAME)
        figures = (fmt.count(row.fired), fmt.rate(row.rate), fmt.count(len(row.listeners)), _errors(row.failed))
        table.add_row(name, *figures)
    return table


def call_table(calls: Iterable[Call], *, named: bool = False, now: int = 0) -> Table:
    """Calls, one a line; NAMED where they are of several names. Those in flight took until NOW, if that is known."""
    table = _new("call")
    if named:
        table.add_column("name", no_wrap=True, overflow="ellipsis")
    table.add_column("outcome", no_wrap=True)
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("arguments", no_wrap=True, overflow="ellipsis")
    table.columns[0].justify = "right"
    for each in calls:
        until = each.ended or now
        took = fmt.duration(max(0, until - each.queued)) if until else fmt.ABSENT
        name = [Text(escape(each.name), NAME)] if named else []
        table.add_row(f"#{each.id}", *name, state(each), took, Text(escape(each.args)))
    return table


def state(it: Call) -> Text:
    """How a call ended, or what it does."""
    if it.outcome:
        return outcome_word(it.outcome)
    return Text("running" if it.started else "queued", NAME)


def outcome_word(word: str) -> Text:
    """How a call ended, in its colour."""
    return Text(word, GOOD) if word == "ok" else Text(f"✗ {escape(word)}", BAD)


def _errors(number: int) -> Text:
    return Text(fmt.count(number), BAD if number else QUIET)


def _new(*names: str) -> Table:
    table = Table(box=None, header_style=QUIET, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    return table
