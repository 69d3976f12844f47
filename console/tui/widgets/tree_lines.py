"""The causal tree of a call: who caused whom, when each was queued and ran, and what decided when the call ended."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from rich.style import Style
from textual.strip import Strip

from bus.trace.records import Call
from bus.trace.redact import escape
from console import format as fmt
from console.model.split import parts
from console.model.tree import CallTree, TreeLine
from console.render import branches
from console.tui.lines import Line, clip
from console.tui.look import AMBER, HIDDEN, KEY, LINK, QUEUED, SOFT, STRONG, TEXT, WARN, ServiceColors, style
from console.tui.widgets.call_lines import outcome
from console.tui.widgets.cells import QUEUED_GLYPH
from console.tui.widgets.details import Shown

_LOOKS: dict[branches.Meaning, Style] = {
    "branch": HIDDEN, "number": SOFT, "name": TEXT, "news": WARN, "text": HIDDEN, "quiet": SOFT,
}  # fmt: skip
_PATH = style(AMBER, bold=True)
_BARS_FROM = 100
"""Cells from which on there is room for the bars."""
_TOOK, _OWN, _OUTCOME = 9, 9, 14


class _Scale(Struct, frozen=True):
    """What all lines are drawn by: the time from first to last of the tree (ns), now, and the services' colours."""

    first: int
    last: int
    now: int
    colors: ServiceColors

    def cell(self, at: int, cells: int) -> int:
        """Where a moment is among so many cells."""
        return min(cells - 1, max(0, (at - self.first) * cells // (self.last - self.first)))

    def end(self, call: Call) -> int:
        """When a call ended, now if it has not."""
        return max(call.ended, call.queued) if call.outcome else self.now


def tree_lines(width: int, tree: CallTree, now: int, colors: ServiceColors) -> list[Shown]:
    """A title, and a line for each line of the tree; folded ones stand for their first call, by its negative id."""
    scale = _scale([line.call for line in tree.lines if line.call], now, colors)
    lines = (Shown(_strip(width, line, scale, here=_id(line) == tree.call), _id(line)) for line in tree.lines)
    return [Shown(Line(width).put(branches.title(tree), SOFT).strip()), Shown(_titles(width)), *lines]


def _id(line: TreeLine) -> int:
    return line.call.id if line.call else -line.first


def _scale(calls: Sequence[Call], now: int, colors: ServiceColors) -> _Scale:
    first = min((call.queued for call in calls), default=0)
    scale = _Scale(first, first + 1, now, colors)
    return replace(scale, last=max([first + 1, *map(scale.end, calls)]))


def _bars(width: int) -> int:
    return min(60, (width - 60) // 2) if width >= _BARS_FROM else 0


def _figures(width: int) -> int:
    """Cells of all that stands right of the names."""
    bars = _bars(width)
    return (bars + 2 if bars else 0) + _TOOK + _OWN + _OUTCOME + 2


def _titles(width: int) -> Strip:
    line = Line(width).to(width - _figures(width))
    if _bars(width):
        line.gap().cell("when", _bars(width) + 1, HIDDEN)
    line.cell("took", _TOOK, HIDDEN, right=True).cell("on path", _OWN, HIDDEN, right=True)
    return line.gap(2).cell("outcome", _OUTCOME, HIDDEN).strip()


def _strip(width: int, line: TreeLine, scale: _Scale, *, here: bool) -> Strip:
    drawn = Line(width).put(f"{branches.ON_PATH} " if line.on_path else "  ", _PATH)
    names = max(10, width - _figures(width))
    for text, meaning in branches.pieces(line):
        look = STRONG if here and meaning == "name" else LINK if here and meaning == "number" else _LOOKS[meaning]
        drawn.put(clip(escape(text), names - 1 - drawn.used), look)
    if line.folded:
        drawn.put(clip("   Enter shows them", names - 1 - drawn.used), HIDDEN)
    if line.call and _bars(width):
        _put_bar(drawn.to(names + 1), line.call, scale, _bars(width))
    drawn.to(width - _TOOK - _OWN - _OUTCOME - 2)
    took = (
        "" if line.call is None or line.call.kind == "event" else fmt.duration(fmt.total(parts(line.call, scale.now)))
    )
    drawn.cell(took, _TOOK, TEXT, right=True)
    drawn.cell(fmt.duration(line.own) if line.own else "", _OWN, _PATH, right=True).gap(2)
    return outcome(drawn, line.call, long=False).strip() if took and line.call else drawn.strip()


def _put_bar(line: Line, call: Call, scale: _Scale, cells: int) -> None:
    """When the call was queued and ran, within the time of the tree; at least a cell of it."""
    moments = (call.queued, call.started or scale.end(call), scale.end(call))
    queued, started, end = (scale.cell(at, cells) for at in moments)
    color = scale.colors.color(call.service)
    line.gap(queued).raw(QUEUED_GLYPH * (started - queued), style(QUEUED))
    line.raw(("█" if call.started else QUEUED_GLYPH) * (end - started + 1), style(color if call.started else QUEUED))


def empty_lines(width: int, call: int) -> list[Shown]:
    """The call is not kept any more."""
    return [
        Shown(Line(width).put(f"#{call} is not kept any more: ", SOFT).put("Esc", KEY).put(" goes back", SOFT).strip())
    ]
