"""The columns of the list of calls."""

from rich.style import Style

from console import format as fmt
from console.model.codes import FAILED as FAILURES
from console.tui.call_list import CallRow
from console.tui.look import ACCENT, AMBER, FAILED, GOOD, HIDDEN, SOFT, TEXT, WARN, ServiceColors, style
from console.tui.widgets.rows import Column

_RUNNING, _QUEUED = style(ACCENT, bold=True), style(AMBER)
_FELT = 10_000_000


def columns(colors: ServiceColors) -> list[Column[CallRow]]:
    """In a narrow terminal where a call came from goes first, then the arguments."""
    return [
        Column("", 1, 99, _glyph),
        Column("call", 7, 95, lambda row: (f"#{row.call.id}", SOFT), right=True),
        Column("  name", 18, 100, _name),
        Column("caller →", 12, 10, lambda row: (f"{row.caller} →" if row.caller else "", SOFT), right=True),
        Column("lane", 11, 50, lambda row: _lane(row, colors)),
        Column("wait", 7, 60, _wait, right=True),
        Column("run", 7, 90, _run, right=True),
        Column("outcome", 11, 80, _outcome),
        Column("arguments", 0, 20, lambda row: (row.call.args, SOFT), least=8),
    ]


def _glyph(row: CallRow) -> tuple[str, Style]:
    if row.call.outcome is None:
        return ("▸", _RUNNING) if row.call.started else ("·", _QUEUED)
    return ("✗", FAILED) if row.call.outcome in FAILURES else (" ", SOFT)


def _name(row: CallRow) -> tuple[str, Style]:
    """Events have a mark, and their deliveries are dim: of the commands there are fewer, and they matter more."""
    mark = "◆ " if row.call.kind == "event" else "  "
    return mark + row.call.name, TEXT if row.call.kind == "command" else SOFT


def _lane(row: CallRow, colors: ServiceColors) -> tuple[str, Style]:
    if row.call.kind == "event":
        return "", SOFT
    return (row.lane, colors.style(row.call.service)) if row.lane else (row.call.service or "main", HIDDEN)


def _run(row: CallRow) -> tuple[str, Style]:
    if not row.call.started or row.call.kind == "event":
        return fmt.ABSENT, HIDDEN
    return fmt.duration(row.run), _RUNNING if row.call.outcome is None else TEXT


def _wait(row: CallRow) -> tuple[str, Style]:
    """Worth attention where it waited for longer than it ran, and long enough to be felt."""
    if row.call.kind == "event":
        return fmt.ABSENT, HIDDEN
    return fmt.duration(row.wait), WARN if row.wait > max(row.run, _FELT) else SOFT


def _outcome(row: CallRow) -> tuple[str, Style]:
    call = row.call
    if call.outcome is None:
        return ("running", _RUNNING) if call.started else ("queued", _QUEUED)
    if call.outcome in FAILURES:
        return (call.error.type.rsplit(".", 1)[-1] if call.error else call.outcome), FAILED
    return call.outcome, GOOD if call.outcome == "ok" else SOFT
