"""The lines around the lanes: status, minimap, axis, names, legend. Pure: text and figures in, strips out."""

from functools import lru_cache
from itertools import groupby
from operator import itemgetter

import numpy as np
from rich.segment import Segment
from textual.strip import Strip

from bus.trace.records import Session as SessionRecord
from console import format as fmt
from console.clock import clock, moment, time_of_day
from console.model.alerts import Alert
from console.model.ranges import RangeSummary
from console.model.views import LaneHead, TimelineView
from console.tui.lines import Line
from console.tui.look import (
    ACCENT,
    AMBER,
    BRIGHT,
    DIM,
    ELSEWHERE,
    GREEN,
    KEY,
    LINK,
    MINIMAP,
    PLAIN,
    QUEUED,
    RED,
    RULE,
    SELECTED,
    SOFT,
    STRONG,
    TEXT,
    WAITING,
    WARN,
    style,
)  # fmt: skip
from console.tui.viewport import Viewport, tick_step
from console.tui.widgets.cells import ALERT_GLYPH, ELSEWHERE_GLYPH, FAILED_GLYPH, LOWER, QUEUED_GLYPH, WAITING_GLYPH

_NARROW = 90
_MINIMAP = style(MINIMAP)
_MINIMAP_SEEN = style(ACCENT, SELECTED)
_AXIS, _AXIS_MARKED, _AXIS_CURSOR = style(DIM), style(BRIGHT, SELECTED), style(ACCENT)
_SEPARATOR, _RANGE = style(RULE), style(ground=SELECTED)


def status(width: int, view: Viewport, record: SessionRecord, now: int, *, state: str, lanes: tuple[int, int]) -> Strip:
    """What is shown: how wide, from when, how far behind, which of the lanes."""
    line = Line(width).gap().put("window ", SOFT).put(fmt.duration(view.span), TEXT)
    behind = max(0, now - view.end)
    if state == "LIVE" and view.follow:
        line.put("   ● following", style(GREEN))
    elif state == "LIVE":
        line.put("   not following, ", WARN).put("End", KEY).put(" follows", SOFT)
    line.put(f"   ◂ {fmt.duration(behind)} before the end" if behind and not view.follow else "", SOFT)
    shown, total = lanes
    line.put(f"   {fmt.plural(total, 'lane')}" if shown == total else f"   {shown} of {total} lanes", SOFT)
    begin = f"from {clock(view.start, record)}"
    if line.left > len(begin) + 2:
        line.put("   from ", SOFT).put(clock(view.start, record), TEXT)
    return line.strip()


def minimap(width: int, label: int, timeline: TimelineView, viewport: Viewport) -> Strip:
    """Calls over the whole recording; what is shown below is marked."""
    line = Line(width).gap().cell("whole recording" if label > len("whole recording") else "all", label - 1, SOFT)
    span = max(1, timeline.last - timeline.first)
    cells = len(timeline.density)
    begin = (viewport.start - timeline.first) * cells // span
    seen = range(begin, max(begin + 1, -((timeline.first - viewport.end) * cells // span)))
    heights = np.clip(np.ceil(timeline.density * 8), 0, 8).astype(np.int8).tolist()
    text = "".join(LOWER[height] for height in heights)
    first, after = max(0, min(seen.start, cells)), max(0, min(seen.stop, cells))
    line.raw(text[:first], _MINIMAP).raw(text[first:after], _MINIMAP_SEEN)
    return line.raw(text[after:], _MINIMAP).strip()


def axis(
    width: int, label: int, viewport: Viewport, record: SessionRecord, cursor: int, *,
    absolute: bool, marked: tuple[int, int] = (0, 0),
) -> Strip:  # fmt: skip
    """Round moments since the recording began, or of the day; the marked range; the moment under the cursor alone."""
    room = max(0, width - label)
    origin = record.start_monotonic - (record.start_unix if absolute else 0)

    def said(at: int, step: int) -> str:
        return time_of_day(at, record, step) if absolute else moment(at - origin, step)

    row, looks = [" "] * room, [_AXIS] * room
    step = tick_step(viewport.cell, len(said(viewport.end, viewport.cell)) + (4 if room < _NARROW else 7))
    first = -(-(viewport.start - origin) // step) * step + origin
    here = f"▾ {said(viewport.moment(cursor), viewport.cell)}" if 0 <= cursor < room else ""
    place = min(cursor, max(0, room - len(here)))
    for at in range(first, viewport.end, step):
        column, text = viewport.column(at), "│" + said(at, step)
        if not here or not place - len(text) <= column <= place + len(here):
            _write(row, column, text)
    for column in range(*marked):
        looks[column] = _AXIS_MARKED
    if here:
        _write(row, place, here)
        looks[place : place + len(here)] = [_AXIS_CURSOR] * min(len(here), room - place)
    segments = [
        Segment("".join(char for char, _ in some), look)
        for look, some in groupby(zip(row, looks, strict=True), key=itemgetter(1))
    ]
    return Strip([Segment(" " * label, style()), *segments], label + room)


def _write(row: list[str], at: int, text: str) -> None:
    for offset, char in enumerate(text):
        if 0 <= at + offset < len(row):
            row[at + offset] = char


@lru_cache(maxsize=1_000)
def name(
    label: int, lane: LaneHead, color: str, *, current: bool, pinned: bool = False
) -> tuple[Segment, ...]:  # fmt: skip
    """The beginning of a lane's line, the same in most frames: a stripe in the service's colour, the name, a rule."""
    line = Line(label - 1).raw("▎", style(color))
    look = STRONG if current else style(PLAIN) if lane.service else SOFT
    line.put("▸" if current else "◆" if pinned else " ", style(ACCENT)).cell(lane.name, label - 3, look)
    return (*line.strip(), Segment("│", _SEPARATOR))


def absent(width: int, label: int, count: int) -> Strip:
    """The line that stands for the lanes that are left out."""
    line = Line(width).gap(2).cell(f"+{count:,} others", label - 3, SOFT).put("│", _SEPARATOR)
    return line.put(" threads that had ended, or not begun: ", SOFT).put("h", KEY).put(" shows them", SOFT).strip()


def blank(width: int, label: int, marked: tuple[int, int] = (0, 0)) -> Strip:
    """The space between two services; the marked range goes through it."""
    line = Line(width).gap(label - 1).put("│", _SEPARATOR)
    return line.to(label + marked[0]).raw(" " * (marked[1] - marked[0]), _RANGE).strip()


def legend(width: int, *, cpu_times: bool = True) -> Strip:
    """What the glyphs mean; shorter words where there is little room.

    Without CPU_TIMES, at the level `times`, what runs may compute or be elsewhere: nobody knows.
    """
    running = "computing" if cpu_times else "running"
    elsewhere = (ELSEWHERE_GLYPH, ELSEWHERE, "elsewhere (I/O, locks, GIL)", "elsewhere")
    known = (
        (QUEUED_GLYPH, QUEUED, "queued", "queued"),
        ("█", GREEN, running, running),
        (WAITING_GLYPH, WAITING, "waiting for other calls", "waiting"),
        *((elsewhere,) if cpu_times else ()),
        (FAILED_GLYPH, RED, "failed", "failed"),
        (ALERT_GLYPH, AMBER, "problem", "problem"),
    )
    wide = width > sum(len(word) + 4 for _, _, word, _ in known)
    line = Line(width).gap()
    for glyph, color, word, short in known:
        line.raw(glyph, style(color)).put(f" {word if wide else short}  ", SOFT)
    return line.strip()


def empty(width: int, *, can_act: bool) -> list[Strip]:
    """A timeline without lanes: what is missing, and what to do about it."""
    if can_act:
        said, advice = "Nothing has run yet.", "Press 1 and execute a command with x."
    else:
        said, advice = "No calls were recorded.", "Was the program started with BUS_TRACE=off?"
    return [
        Line(width).strip(),
        Line(width).gap(2).put(said, STRONG).strip(),
        Line(width).gap(2).put(advice, SOFT).strip(),
    ]


def alert_line(width: int, alert: Alert) -> Strip:
    """The problem under the cursor."""
    line = Line(width).gap().put(f"{ALERT_GLYPH} {alert.rule}", WARN).put(f"  {alert.subject}", TEXT)
    return line.put("   Enter", KEY).put(" shows what is wrong", SOFT).strip()


def range_line(width: int, found: RangeSummary) -> Strip:
    """What happened in the marked range: how long, how many calls, how busy, failures, the slowest."""
    line = Line(width).gap().put("◆ ", LINK).put(fmt.duration(found.end - found.begin), STRONG)
    line.put(f"   {fmt.plural(found.calls, 'call')}", TEXT).put(f"   busy {fmt.share(found.busy)}", TEXT)
    line.put(f" of {fmt.plural(found.lanes, 'lane')}", SOFT)
    if found.failed:
        line.put(f"   ✗ {found.failed:,} failed", style(RED, bold=True))
    else:
        line.put("   none failed", SOFT)
    if call := found.slowest:
        took = fmt.duration(call.ended - call.started) if call.ended else "still running"
        line.put("   slowest ", SOFT).put(call.name, TEXT).put(f" #{call.id}", KEY).put(f" {took}", STRONG)
    return line.strip()
