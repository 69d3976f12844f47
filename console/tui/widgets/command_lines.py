"""What stands beside the lists: the schema and figures of a command or an event, and the last calls."""

from collections.abc import Sequence

from textual.strip import Strip

from bus.trace.records import Call, Entry
from bus.trace.redact import escape
from console import format as fmt
from console.clock import clock
from console.language import completion
from console.model.histogram import Distribution
from console.model.receivers import is_pattern
from console.model.split import together
from console.model.views import CallDetail, CommandRow, EventRow, ReceiverRow
from console.session import Session
from console.tui.lines import Line, brief, clip, clip_left, width_of, wrapped
from console.tui.look import (
    FAILED,
    GOOD,
    HIDDEN,
    KEY,
    LINK,
    QUEUED,
    SOFT,
    STRONG,
    TEXT,
    WARN,
    ServiceColors,
    style,
)  # fmt: skip
from console.tui.widgets.call_lines import error_lines, outcome, parts_bar
from console.tui.widgets.cells import LOWER
from console.tui.widgets.details import Shown

_LAST_CALLS = 12
_LAST, _LAST_LINES = 5, 4
_P99, _PLACE = 8, 8
"""Cells for how long a listener takes, and for where it is at least."""
_TITLE, _FIGURE = 5, 8
_FIGURES = _TITLE + 4 * _FIGURE
Spread = tuple[Distribution, Distribution]
"""Of queue wait and run time."""
_NO_SPREAD: Spread = (Distribution(), Distribution())


def signature(width: int, name: str, entry: Entry | None) -> list[Strip]:
    """`index.file(path: Path) → int`, in three lines at most."""
    said = completion.signature(entry) if entry else ""
    first = Line(width).put(name, STRONG)
    if width_of(said) <= first.left:
        return [first.put(said, LINK).strip()]
    return [first.strip(), *(Line(width).gap(2).put(row, LINK).strip() for row in list(wrapped(said, width - 2))[:2])]


def about_command(
    width: int, row: CommandRow, recent: list[CallDetail], colors: ServiceColors, spread: Spread = _NO_SPREAD
) -> list[Strip]:
    """Schema, doc, place; how queue wait and run time are spread; where the time of the last calls went."""
    entry = row.entry
    strips = signature(width, row.name, entry)
    if entry and entry.doc:
        strips += [Line(width).put(text, TEXT).strip() for text in list(wrapped(entry.doc, width))[:3]]
    place = Line(width).put(row.service or "main", colors.style(row.service))
    if entry and entry.where:
        place.put(" · ", SOFT).put(clip_left(short_place(entry.where), place.left - 3), SOFT)
    strips.append(place.put(" · not registered any more" if row.removed else "", WARN).strip())
    strips.append(Line(width).strip())
    strips += _spread(width, spread, colors.color(row.service))
    counted = Line(width).put(fmt.plural(row.calls, "call"), TEXT if row.calls else SOFT)
    if row.errors:
        counted.put(" · ", SOFT).put(f"✗ {row.errors:,} failed", FAILED)
    strips.append(counted.strip())
    return [*strips, *_where_time_goes(width, recent, colors.color(row.service)), Line(width).strip()]


def bars_room(width: int) -> int:
    """Cells that a histogram has beside its figures."""
    return max(0, min(40, width - _FIGURES - 1))


def _spread(width: int, spread: Spread, color: str) -> list[Strip]:
    """Two histograms over one scale, with their percentiles."""
    wait, run = spread
    if not (wait.bars or run.bars):
        return []
    room = bars_room(width)
    scale = f"{fmt.duration(wait.least or run.least)} – {fmt.duration(wait.most or run.most)}"
    titles = Line(width).gap(_TITLE)
    for title in ("p50", "p95", "p99", "max"):
        titles.cell(title, _FIGURE, SOFT, right=True)
    if room >= len(scale):
        titles.gap().put(scale, HIDDEN)
    return [titles.strip(), _histogram(width, "wait", wait, QUEUED, room), _histogram(width, "run", run, color, room)]


def _histogram(width: int, title: str, spread: Distribution, color: str, room: int) -> Strip:
    line = Line(width).cell(title, _TITLE, SOFT)
    for figure in (spread.p50, spread.p95, spread.p99, spread.largest):
        line.cell(fmt.duration(figure) if spread.bars else fmt.ABSENT, _FIGURE, TEXT, right=True)
    most = max(spread.bars, default=0)
    heights = [-(-count * 8 // most) if most else 0 for count in spread.bars[:room]]
    return line.gap().raw("".join(LOWER[height] for height in heights), style(color)).strip()


def short_place(where: str) -> str:
    """`sample_services/indexer.py:41` of a whole path: folder, file and line are enough to find it."""
    return "/".join(escape(where).split("/")[-2:])


def _where_time_goes(width: int, recent: list[CallDetail], color: str) -> list[Strip]:
    ended = [detail.parts for detail in recent if detail.call.outcome is not None]
    sums = together(ended)
    total = fmt.total(sums)
    if not total:
        return []
    line = Line(width).cell("time", 6, SOFT)
    for segment in parts_bar(sums, max(8, min(44, width - 16)), color):
        line.raw(segment.text, segment.style or TEXT)
    line.put(f"  last {len(ended)}", SOFT)
    shares = " · ".join(f"{name} {part * 100 / total:.0f}" for name, part in sums.named())
    return [line.strip(), Line(width).put(f"{shares} %", SOFT).strip()]


def last_calls(width: int, recent: list[CallDetail], session: Session) -> list[Shown]:
    """The last calls, the newest first, and the error of the last failed one."""
    if not recent:
        text = "no calls yet: press x to execute it" if session.info.can_act else "no calls were recorded"
        return [Shown(Line(width).put(text, SOFT).strip())]
    shown = [Shown(Line(width).put("last calls", SOFT).strip())]
    shown += [Shown(_call_line(width, detail), detail.call.id) for detail in recent[:_LAST_CALLS]]
    failed = next((detail.call for detail in recent if detail.call.error), None)
    if failed and failed.error:
        shown.append(Shown(Line(width).strip()))
        shown.append(Shown(Line(width).put("last failure ", SOFT).put(f"#{failed.id}", KEY).strip(), failed.id))
        shown += [Shown(strip) for strip in error_lines(width, failed.error)]
    return shown


def _call_line(width: int, detail: CallDetail) -> Strip:
    call = detail.call
    line = Line(width).cell(f"#{call.id}", max(8, len(str(call.id)) + 2), SOFT)
    left = line.used
    outcome(line, call, long=False)
    line.to(left + (24 if call.outcome not in {None, "ok"} else 9))
    line.cell(fmt.duration(fmt.total(detail.parts)), 8, TEXT, right=True).gap(2)
    line.put(detail.lane or "in the queue", SOFT).gap(2)
    return line.put(brief(call.args, line.left), HIDDEN if call.outcome == "ok" else SOFT).strip()


# ---- events


def about_event(width: int, row: EventRow, receivers: Sequence[ReceiverRow], colors: ServiceColors) -> list[Strip]:
    """Figures of an event, and RECEIVERS: the first of its listeners, in the order in which they get it."""
    strips = [Line(width).put(row.name, STRONG).strip()]
    line = Line(width).put(f"fired {fmt.plural(row.fired, 'time')} · {fmt.rate(row.rate)}/s", SOFT)
    strips.append(line.put(f" · {fmt.rate(row.delivery_rate)} deliveries/s", SOFT).strip())
    if row.failed:
        strips.append(Line(width).put(f"✗ {row.failed:,} failed", FAILED).strip())
    if row.lost:
        strips.append(Line(width).put(f"⚠ {row.lost:,} lost before a listener got it", WARN).strip())
    rows = list(wrapped(row.last_args, width - _LAST))[:_LAST_LINES] if row.last_args else []
    strips += [
        Line(width).cell("" if at else "last", _LAST, SOFT).put(text, TEXT).strip() for at, text in enumerate(rows)
    ]
    strips.append(Line(width).strip())
    if receivers:
        line = Line(width).put(f"{fmt.plural(len(row.listeners), 'listener')}, in this order", SOFT)
        line.to(width - _P99).cell("run p99", _P99, SOFT, right=True)
        strips.append(line.strip())
    else:
        strips.append(Line(width).put("no listener: firing it reaches nobody", WARN).strip())
    strips += [_receiver(width, number, each, colors) for number, each in enumerate(receivers, 1)]
    if len(row.listeners) > len(receivers):
        strips.append(Line(width).gap(4).put(f"and {len(row.listeners) - len(receivers):,} more", SOFT).strip())
    return [*strips, Line(width).strip()]


def last_fired(width: int, recent: list[CallDetail], session: Session) -> list[Shown]:
    """When it was fired last, by whom, with what."""
    if not recent:
        return [Shown(Line(width).put("never fired so far", SOFT).strip())]
    shown = [Shown(Line(width).put("fired and delivered, the last first", SOFT).strip())]
    number = max(len(f"#{detail.call.id}") for detail in recent[:_LAST_CALLS])
    for detail in recent[:_LAST_CALLS]:
        call = detail.call
        line = Line(width).cell(f"#{call.id}", number, SOFT).gap(2)
        line.put(clock(call.queued, session.info.session), SOFT).gap(2)
        if call.kind == "delivery":  # with what, stands where it was fired
            where = f"on {detail.lane}" if detail.lane else f"for {call.service}"
            outcome(line, call, long=False).put(f" {fmt.duration(fmt.total(detail.parts))} {where}", SOFT)
            shown.append(Shown(line.strip(), call.id))
        else:
            line.put(f"by {detail.caller_lane}  " if detail.caller_lane else "", SOFT)
            shown += _with_arguments(line, call)
    return shown


def _with_arguments(line: Line, call: Call) -> list[Shown]:
    """What an event was fired with: on its line if there is room for all of it, else below."""
    if width_of(escape(call.args)) <= line.left:
        return [Shown(line.put(call.args, TEXT).strip(), call.id)]
    below = Line(line.width).gap(2)
    return [Shown(line.strip(), call.id), Shown(below.put(brief(call.args, below.left), TEXT).strip())]


def listened(width: int, row: EventRow, recent: list[Call], session: Session, most: int) -> list[Shown]:
    """An event as it is fired, the newest first; says so when only some of what comes can be shown."""
    fired = [call for call in recent if call.kind == "event"][:most]
    line = Line(width).put("● listening", GOOD).put(f"   {fmt.rate(row.rate)}/s", TEXT)
    if row.rate > most:
        line.put(f"   the last {len(fired)} of them are shown", SOFT)
    shown = [Shown(line.put("   l", KEY).put(" ends it", SOFT).strip())]
    if not fired:
        shown.append(Shown(Line(width).put("not fired so far", SOFT).strip()))
    for call in fired:
        line = Line(width).put(clock(call.queued, session.info.session), SOFT).gap().put(f"#{call.id}", KEY).gap()
        shown.append(Shown(line.put(call.args or "no arguments", TEXT if call.args else HIDDEN).strip(), call.id))
    return shown


def _receiver(width: int, number: int, row: ReceiverRow, colors: ServiceColors) -> Strip:
    entry, end = row.entry, width - _P99 - 1
    line = Line(width).cell(str(number), 3, SOFT, right=True).gap()
    line.cell(entry.service or "main", 12, colors.style(entry.service)).gap()
    line.put(clip(entry.callback or entry.name, end - line.used), TEXT)
    if is_pattern(entry.name):
        line.put(clip(f"  as {entry.name}", end - line.used), SOFT)
    if entry.where and end - line.used > _PLACE:
        line.put(f"  {clip_left(short_place(entry.where), end - line.used - 2)}", HIDDEN)
    return line.to(width - _P99).cell(fmt.duration(row.p99), _P99, TEXT, right=True).strip()
