"""A call in lines: what it was, where its time went, how it ended. Used wherever one call is shown."""

from rich.segment import Segment
from textual.strip import Strip

from bus.trace.records import Call, Error
from bus.trace.records import Session as SessionRecord
from console import format as fmt
from console.clock import clock
from console.model.split import CallParts
from console.model.views import CallDetail
from console.tui.lines import Line, clip, wrapped
from console.tui.look import (
    AMBER,
    ELSEWHERE,
    FAILED,
    GOOD,
    HIDDEN,
    KEY,
    LINK,
    QUEUED,
    RED,
    SOFT,
    STRONG,
    TEXT,
    WAITING,
    ServiceColors,
    style,
)  # fmt: skip
from console.tui.widgets.cells import ELSEWHERE_GLYPH, QUEUED_GLYPH, WAITING_GLYPH

_NARROW = 110
"""Cells below which the caller is left to the line of cause and effects."""


def outcome(line: Line, call: Call, *, long: bool = True) -> Line:
    """`ok`, `✗ ValueError`, `running`, `queued`: never by colour alone."""
    if call.outcome is None:
        return line.put("running" if call.started else "queued", style(AMBER))
    if call.outcome == "ok":
        return line.put("ok", GOOD)
    what = call.error.type.rsplit(".", 1)[-1] if call.error else call.outcome
    return line.put(f"✗ {what}", style(RED, bold=long))


def as_text(call: Call) -> str:
    """`#18342 index.file path='a.py' ok`, for the clipboard."""
    what = call.outcome or ("running" if call.started else "queued")
    error = f": {call.error.type}: {call.error.message}" if call.error else ""
    return " ".join(filter(None, (f"#{call.id}", call.name, call.args, what))) + error


def parts_bar(parts: CallParts, width: int, color: str) -> list[Segment]:
    """The four parts of a call's time as a bar of WIDTH cells; what there was at all gets a cell at least."""
    amounts = (parts.queued, parts.computing, parts.waiting, parts.elsewhere)
    looks = ((QUEUED_GLYPH, QUEUED), ("█", color), (WAITING_GLYPH, WAITING), (ELSEWHERE_GLYPH, ELSEWHERE))
    cells = shares(amounts, width)
    return [Segment(glyph * n, style(shade)) for (glyph, shade), n in zip(looks, cells, strict=True) if n]


def shares(amounts: tuple[int, ...], width: int) -> list[int]:
    """WIDTH cells divided in proportion to AMOUNTS, none of which disappears while there is room."""
    total = sum(amounts)
    if total <= 0:
        return [0] * len(amounts)
    cells = [max(1, round(width * amount / total)) if amount > 0 else 0 for amount in amounts]
    while sum(cells) != width:
        step = 1 if sum(cells) < width else -1
        largest = max(range(len(cells)), key=lambda i: cells[i])
        if cells[largest] + step < 1:
            break
        cells[largest] += step
    return cells


def headline(width: int, detail: CallDetail, record: SessionRecord, colors: ServiceColors) -> Strip:
    """`▸ #18342 index.file path='…' on indexer-2 from scan.folder #18001 ok 12:04:32.114`."""
    call = detail.call
    tail = Line(width)
    if detail.lane:
        tail.put("   on ", SOFT).put(detail.lane, colors.style(call.service, bold=True))
    if width < _NARROW:
        tail.put("", SOFT)
    elif detail.cause:
        tail.put("   from ", SOFT).put(detail.cause.name, TEXT).put(f" #{detail.cause.id}", SOFT)
        tail.put(f" on {detail.caller_lane}" if detail.caller_lane else "", SOFT)
    elif detail.caller_lane:
        tail.put(f"   from {detail.caller_lane}", SOFT)
    outcome(tail.gap(3), call).put(f"   {clock(call.queued, record)}", SOFT)
    line = Line(width).gap().put("▸ ", LINK).put(f"#{call.id}", KEY).gap()
    line.put("delivery of " if call.kind == "delivery" else "", SOFT).put(call.name, STRONG)
    if call.args:
        line.gap(2).put(clip(call.args, max(12, line.left - tail.used - 2)), TEXT)
    return Strip(
        [*line.strip().crop(0, line.used), *tail.strip().crop(0, min(tail.used, line.left))]
    ).adjust_cell_length(width, style())


def time_line(width: int, detail: CallDetail, colors: ServiceColors) -> Strip:
    """Duration, the four-part bar, and the parts in figures."""
    call, parts = detail.call, detail.parts
    line = Line(width).gap(3).cell(fmt.duration(fmt.total(parts)), 8, STRONG).gap()
    text = fmt.parts(parts)
    bar = max(0, min(56, width - line.used - len(text) - 4))
    for segment in parts_bar(parts, bar, colors.color(call.service)):
        line.raw(segment.text, segment.style or TEXT)
    return line.gap(3 if bar else 0).put(text, SOFT).strip()


def neighbours_line(width: int, detail: CallDetail) -> Strip:
    """Where `[` and `]` lead."""
    line = Line(width).gap(3)
    if detail.cause:
        line.put("[", KEY).put(" cause ", SOFT).put(detail.cause.name, TEXT).put(f" #{detail.cause.id}   ", SOFT)
    if detail.effects:
        first, more = detail.effects[0], len(detail.effects) - 1
        line.put("]", KEY).put(" first effect ", SOFT).put(first.name, TEXT).put(f" #{first.id}", SOFT)
        line.put(f" and {more:,} more" if more else "", SOFT)
    if not detail.cause and not detail.effects:
        line.put("no cause and no effects were recorded", HIDDEN)
    return line.strip()


def result_line(width: int, call: Call) -> Strip | None:
    """The result, or the error's message; None when there is neither."""
    if call.error:
        name = call.error.type.rsplit(".", 1)[-1]
        message = " ".join(call.error.message.split())
        return Line(width).gap(3).put(f"✗ {name}: ", style(RED, bold=True)).put(message, FAILED).strip()
    if call.result:
        return Line(width).gap(3).put("└ ", SOFT).put(call.result, TEXT).strip()
    return None


def error_lines(width: int, error: Error) -> list[Strip]:
    """An exception with its traceback, wrapped; the message stands first because it says most."""
    name = error.type.rsplit(".", 1)[-1]
    strips = [
        Line(width).put(text, style(RED, bold=True)).strip() for text in wrapped(f"✗ {name}: {error.message}", width)
    ]
    for row in error.traceback.rstrip().split("\n"):
        look = TEXT if row.startswith("    ") else SOFT
        strips += [Line(width).put(text, look).strip() for text in wrapped(row, width)]
    return strips


def summary(line: Line, call: Call, parts: CallParts) -> Line:
    """`#18877 ok 4.4 ms  queued 0.1 · computing 2.9 · …`."""
    line.put(f"#{call.id} ", KEY)
    outcome(line, call).put(f" {fmt.duration(fmt.total(parts))}", STRONG)
    return line.put(f"  {fmt.parts(parts)}", SOFT)
