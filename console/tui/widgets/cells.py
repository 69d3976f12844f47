"""The lanes of the timeline as segments: what each cell says, and how it is drawn. Pure.

All lanes are classified at once in numpy, a cell is an index into a table of glyphs and one into a table of styles:
ten times a second, a tuple a cell would cost three times as much.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style

from bus.trace.redact import escape
from console.model.views import Bar, LaneView
from console.tui.lines import clip, width_of
from console.tui.look import (
    ACCENT,
    AMBER,
    BRIGHT,
    DIM,
    ELSEWHERE,
    ELSEWHERE_GROUND,
    ELSEWHERE_LIT,
    GROUND,
    INK,
    QUEUE_GROUND,
    QUEUED,
    RED,
    SELECTED,
    WAITING,
    WAITING_GROUND,
    WAITING_LIT,
    WHITE,
    style,
)  # fmt: skip

FULL: Final = 8
LOWER: Final = " ▁▂▃▄▅▆▇█"
LEFT: Final = " ▏▎▍▌▋▊▉█"
RIGHT: Final = " ▕▕▐▐▐▐██"
"""From the right there are only an eighth and a half; inverse glyphs would leave slits in many fonts."""
QUEUED_GLYPH, WAITING_GLYPH, ELSEWHERE_GLYPH, FAILED_GLYPH, ALERT_GLYPH = "░▒▓✗⚠"

_GLYPHS: Final = np.array(list(LOWER + LEFT + RIGHT + "░▒▓✗"))
_FROM_LEFT, _FROM_RIGHT, _QUEUED, _WAITING, _ELSEWHERE, _FAILED = 9, 18, 27, 28, 29, 30
_LABEL_ROOM: Final = 4
_SOME: Final = 0.125
"""The part of a cell from which on being queued is shown in it."""
_ENDED: Final = "┤ ended"
_SHADES = frozenset(LOWER + LEFT + RIGHT + "░▒▓")


class Look:
    """Places in the table of styles; `WHITENED` further on for the selected call, `RANGED` for the marked range."""

    BLANK, COMPUTING, OVER_QUEUE, QUEUED, WAITING, ELSEWHERE, FAILED = range(7)
    LABEL, LABEL_WAITING, LABEL_ELSEWHERE, MARK, CURSOR, ALERT, ENDED = range(7, 14)
    WHITENED = 14
    RANGED = 28


_LABELS: Final = {Look.WAITING: Look.LABEL_WAITING, Look.ELSEWHERE: Look.LABEL_ELSEWHERE, Look.COMPUTING: Look.LABEL}


@cache
def looks(color: str) -> tuple[Style, ...]:
    """The table of styles for a service's colour."""
    return tuple(
        look
        for ground in (GROUND, SELECTED)
        for colors in ((color, QUEUED, WAITING, ELSEWHERE), (WHITE, BRIGHT, WAITING_LIT, ELSEWHERE_LIT))
        for look in _looks(*colors, ground)
    )


def _looks(color: str, queued: str, waiting: str, elsewhere: str, ground: str) -> tuple[Style, ...]:
    marked = style(INK, ACCENT, bold=True)
    labels = (style(INK, color), style(BRIGHT, WAITING_GROUND), style(BRIGHT, ELSEWHERE_GROUND))
    over_queue = style(color, QUEUE_GROUND)
    parts = [style(part, ground) for part in (color, queued, waiting, elsewhere)]
    parts.insert(1, over_queue)
    failed = style(RED, ground, bold=True)
    return (
        style(ground=ground),
        *parts,
        failed,
        *labels,
        marked,
        marked,
        style(INK, AMBER, bold=True),
        style(DIM, ground),
    )


class Marks(Struct, frozen=True):
    """What is special on a lane: the cells [start, end) of the selected call and of the marked range; single cells."""

    selected: tuple[int, int] = (0, 0)
    range: tuple[int, int] = (0, 0)
    cursor: int = -1
    alerts: tuple[int, ...] = ()
    glyphs: tuple[tuple[int, str], ...] = ()


class Row(Struct, frozen=True):
    """One lane's cells: a character and a place in the table of styles for each."""

    glyphs: NDArray[np.str_]
    looks: NDArray[np.int8]

    def segments(self, color: str) -> list[Segment]:
        """Cells of one style next to each other as one segment."""
        table, places = looks(color), self.looks
        edges = [0, *(np.flatnonzero(places[1:] != places[:-1]) + 1).tolist(), len(places)]
        text = "".join(self.glyphs.tolist())
        return [Segment(text[start:end], table[places[start]]) for start, end in pairwise(edges) if start < end]


def rows(lanes: Sequence[LaneView]) -> list[Row]:
    """The cells of all LANES, which are equally wide. A failure is never hidden by what else is in its cell."""
    if not lanes:
        return []
    parts = np.stack([lane.parts for lane in lanes], axis=1)
    queued, busy = parts[0], parts[1:].sum(axis=0)
    count, failed = np.stack([lane.count for lane in lanes]), np.stack([lane.failed for lane in lanes])
    level = np.clip(np.ceil(busy * FULL - 0.25), 0, FULL).astype(np.int8)
    level[(level == 0) & (count > 0) & (queued < _SOME)] = 1
    behind, kind = queued >= _SOME, np.argmax(parts[1:], axis=0)
    codes = _shapes(level)
    places = np.where(behind & (level < FULL), Look.OVER_QUEUE, Look.COMPUTING).astype(np.int8)
    for code, place, where in (
        (_WAITING, Look.WAITING, (kind == 1) & (level >= FULL // 2)),
        (_ELSEWHERE, Look.ELSEWHERE, (kind == 2) & (level >= FULL // 2)),  # noqa: PLR2004  the parts' order
        (_QUEUED, Look.QUEUED, (level == 0) & behind),
        (0, Look.BLANK, (level == 0) & ~behind),
        (_FAILED, Look.FAILED, failed),
    ):
        codes[where] = code
        places[where] = place
    glyphs = _GLYPHS[codes]
    return [Row(glyphs[index], places[index]) for index in range(len(lanes))]


def _shapes(level: NDArray[np.int8]) -> NDArray[np.int8]:
    """The begin of a call from the right, its end or a short one alone from the left, several by how busy they are."""
    padded = np.pad(level, ((0, 0), (1, 1)))
    before, after = padded[:, :-2], padded[:, 2:]
    codes = level.copy()
    codes[(before == FULL) | ((before == 0) & (after == 0))] += _FROM_LEFT
    begins = (after == FULL) & (before < FULL)
    codes[begins] = level[begins] + _FROM_RIGHT
    return codes


def put_labels(row: Row, bars: Sequence[Bar]) -> None:
    """Write names into bars that have room; a cell that says more than "busy" (a failure, an edge) keeps its glyph."""
    if not bars:
        return
    fits = np.isin(row.glyphs, ("█", WAITING_GLYPH, ELSEWHERE_GLYPH))
    for bar in bars:
        takes = fits[max(0, bar.start) : bar.end]
        if not takes.any():
            continue
        begin = int(takes.argmax())
        room = int((~takes[begin:]).argmax()) or len(takes) - begin
        text = clip(escape(f"{bar.name} {bar.args}".rstrip()), room - 1)
        if room >= _LABEL_ROOM and width_of(text) == len(text):
            _write(row, max(0, bar.start) + begin, text)


def put_end(row: Row, column: int) -> None:
    """Say from COLUMN on, where its thread ended, that the lane has; what ended there itself is left as it is."""
    free = np.flatnonzero(row.looks[max(0, column) :] == Look.BLANK)
    if len(free):
        cells = slice(max(0, column) + int(free[0]), max(0, column) + int(free[0]) + len(_ENDED))
        room = len(row.looks[cells])
        row.glyphs[cells], row.looks[cells] = list(_ENDED[:room]), Look.ENDED


def _write(row: Row, start: int, text: str) -> None:
    cells = slice(start, start + len(text))
    row.glyphs[cells] = list(text)
    row.looks[cells] = [_LABELS[place] for place in row.looks[cells].tolist()]


def put_marks(row: Row, marks: Marks) -> None:
    """Draw the marked range, the selected call in white, the glyphs of cause and effects, problems, and the cursor.

    What the selected call caused within its own bar leaves the letters of its name.
    """
    row.looks[slice(*marks.range)] += Look.RANGED
    start, end = max(0, marks.selected[0]), max(0, marks.selected[1])
    row.looks[start:end] += Look.WHITENED
    for column, glyph in marks.glyphs:
        named = start <= column < end and row.glyphs[column] not in _SHADES
        if 0 <= column < len(row.looks) and not named:
            row.glyphs[column], row.looks[column] = glyph, Look.MARK
    for column in marks.alerts:
        if 0 <= column < len(row.looks):
            row.glyphs[column], row.looks[column] = ALERT_GLYPH, Look.ALERT
    if 0 <= marks.cursor < len(row.looks):
        glyph = str(row.glyphs[marks.cursor])
        row.glyphs[marks.cursor], row.looks[marks.cursor] = " " if glyph in _SHADES else glyph, Look.CURSOR
