"""A lane of the timeline as segments: what each cell says, and how it is drawn. Pure."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from rich.segment import Segment
from rich.style import Style

from bus.trace.redact import escape
from console.model.views import Bar, LaneView
from console.tui.lines import clip, width_of
from console.tui.look import ACCENT, BRIGHT, ELSEWHERE, QUEUED, RED, WAITING, style

LEFT = " ▏▎▍▌▋▊▉█"
LOWER = " ▁▂▃▄▅▆▇█"
RIGHT = " ▕▕▐▐▐▐██"
"""From the right there are only an eighth and a half; inverse glyphs would leave slits in many fonts."""
FULL = 8
QUEUED_GLYPH, WAITING_GLYPH, ELSEWHERE_GLYPH, FAILED_GLYPH = "░", "▒", "▓", "✗"
DARK, WHITE = "#0b0f14", "#ffffff"
_BLOCKS = frozenset(LEFT + RIGHT + LOWER + "░▒▓")
_LABEL_ROOM = 4
_SOME = 0.125
"""The part of a cell from which on being queued is shown in it."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What is special on a lane: the selected call's cells [start, end), the cursor, and glyphs at single cells."""

    selected: tuple[int, int] = (0, 0)
    cursor: int = -1
    glyphs: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """The shared styles of one service's lanes."""

    computing: Style
    over_queue: Style
    label: Style

    @staticmethod
    @cache
    def of(color: str) -> "Look":
        """Styles for a service's colour."""
        return Look(style(color), style(color, _QUEUE_GROUND), style(DARK, color))


_QUEUE_GROUND = "#222b39"
_QUEUED = style(QUEUED)
_WAITING = style(WAITING)
_WAITING_LABEL = style(BRIGHT, "#35436a")
_ELSEWHERE = style(ELSEWHERE)
_ELSEWHERE_LABEL = style(BRIGHT, "#5f5136")
_FAILED = style(RED, bold=True)
_BLANK = style()
_MARK = style(DARK, ACCENT, bold=True)
_CURSOR = style(DARK, ACCENT, bold=True)

Cell = tuple[str, Style]


def lane_cells(lane: LaneView, color: str) -> list[Cell]:
    """A glyph and a style for each cell; `lane.failed` is never hidden."""
    look = Look.of(color)
    queued, computing, waiting, elsewhere = lane.parts
    level = np.clip(np.ceil((computing + waiting + elsewhere) * FULL - 0.25), 0, FULL).astype(np.int8)
    level[(level == 0) & (lane.count > 0) & (queued < _SOME)] = 1
    kind = np.argmax(lane.parts[1:], axis=0)
    rows = zip(kind.tolist(), (queued >= _SOME).tolist(), lane.failed.tolist(), strict=True)
    levels = [0, *level.tolist(), 0]
    cells: list[Cell] = []
    for column, (which, behind, failed) in enumerate(rows):
        before, eighths, after = levels[column : column + 3]
        if failed:
            cells.append((FAILED_GLYPH, _FAILED))
        elif eighths == 0:
            cells.append((QUEUED_GLYPH, _QUEUED) if behind else (" ", _BLANK))
        elif which and eighths >= FULL // 2:
            cells.append((WAITING_GLYPH, _WAITING) if which == 1 else (ELSEWHERE_GLYPH, _ELSEWHERE))
        elif eighths == FULL:
            cells.append(("█", look.computing))
        else:
            base = look.over_queue if behind else look.computing
            cells.append((_partial(before, eighths, after), base))
    return cells


def _partial(before: int, eighths: int, after: int) -> str:
    """The begin of a call (from the right), its end or a short one alone (from the left), or several (so high)."""
    if after == FULL and before < FULL:
        return RIGHT[eighths]
    if before == FULL or (before == 0 and after == 0):
        return LEFT[eighths]
    return LOWER[eighths]


def put_labels(cells: list[Cell], bars: tuple[Bar, ...], color: str) -> None:
    """Write names into bars that have room; a cell that says more than "busy" (a failure, an edge) keeps its glyph."""
    label = Look.of(color).label
    grounds = {"█": label, WAITING_GLYPH: _WAITING_LABEL, ELSEWHERE_GLYPH: _ELSEWHERE_LABEL}
    for bar in bars:
        start = next((c for c in range(max(0, bar.start), min(bar.end, len(cells))) if cells[c][0] in grounds), bar.end)
        room = _run(cells, start, min(bar.end, len(cells)), grounds)
        text = clip(escape(f"{bar.name} {bar.args}".rstrip()), room - 1)
        if room < _LABEL_ROOM or width_of(text) != len(text):
            continue
        for offset, char in enumerate(text):
            glyph, _ = cells[start + offset]
            cells[start + offset] = (char, grounds[glyph])


def _run(cells: list[Cell], start: int, end: int, grounds: dict[str, Style]) -> int:
    """How many cells from START on take a label."""
    column = start
    while column < end and cells[column][0] in grounds:
        column += 1
    return column - start


def put_marks(cells: list[Cell], marks: Marks, color: str) -> None:
    """Draw the selected call white, the glyphs of cause and effects, and the cursor, in this order."""
    white = _whitening(color)
    for column in range(max(0, marks.selected[0]), min(marks.selected[1], len(cells))):
        glyph, look = cells[column]
        cells[column] = (glyph, white.get(look, look))
    for column, glyph in marks.glyphs:
        if 0 <= column < len(cells):
            cells[column] = (glyph, _MARK)
    if 0 <= marks.cursor < len(cells):
        glyph = cells[marks.cursor][0]
        cells[marks.cursor] = (" " if glyph in _BLOCKS else glyph, _CURSOR)


@cache
def _whitening(color: str) -> dict[Style, Style]:
    """From the styles of a service's lane to those of the selected call in it."""
    look, white = Look.of(color), Look.of(WHITE)
    pairs = zip(
        (look.computing, look.over_queue, look.label), (white.computing, white.over_queue, white.label), strict=True
    )
    return {**dict(pairs), _QUEUED: style(BRIGHT), _WAITING: style("#a9bbec"), _ELSEWHERE: style("#e6c78d")}


def segments(cells: list[Cell]) -> list[Segment]:
    """Cells of one style next to each other as one segment."""
    merged: list[Segment] = []
    text: list[str] = []
    current: Style | None = None
    for glyph, look in cells:
        if look is not current and look != current:
            if text:
                merged.append(Segment("".join(text), current))
            text, current = [], look
        text.append(glyph)
    if text:
        merged.append(Segment("".join(text), current))
    return merged
