"""What is special on a lane: the selected call with its cause and effects, problems, the marked range, the cursor."""

from collections.abc import Iterable, Iterator

from bus.trace.records import Call
from console.model.views import CallDetail
from console.tui.viewport import Viewport
from console.tui.widgets.cells import Marks

_WAIT_SHOWN = 8
"""Times as long as the call ran, of the time that it was queued."""


def marks(
    lane: int, viewport: Viewport, detail: CallDetail | None, now: int, *,
    cursor: int, alerts: Iterable[int], marked: tuple[int, int],
) -> Marks:  # fmt: skip
    """In cells of VIEWPORT. DETAIL: the selected call. ALERTS: moments of problems. MARKED: the range's cells."""
    selected, glyphs = (0, 0), tuple[tuple[int, str], ...]()
    if detail is not None:
        selected = _cells(detail.call, viewport, now) if detail.call.lane == lane else selected
        glyphs = tuple((_cells(call, viewport, now)[0], glyph) for call, glyph in _around(detail) if call.lane == lane)
    columns = tuple(viewport.column(at) for at in alerts)
    return Marks(selected=selected, range=marked, cursor=cursor, alerts=columns, glyphs=glyphs)


def extent(call: Call, now: int) -> tuple[int, int]:
    """From when to when (ns) a call is shown; of a long wait in a queue only the end, so that the run has room."""
    end = max(call.ended or now, call.queued)
    if not call.started:
        return call.queued, end
    return max(call.queued, call.started - _WAIT_SHOWN * (end - call.started)), end


def _around(detail: CallDetail) -> Iterator[tuple[Call, str]]:
    yield from ((call, "]") for call in detail.effects)
    if detail.cause is not None:
        yield detail.cause, "["


def _cells(call: Call, viewport: Viewport, now: int) -> tuple[int, int]:
    start, end = call.started or call.queued, call.ended or now
    return viewport.column(start), viewport.column(max(start, end - 1)) + 1
