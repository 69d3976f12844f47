"""The first two lines of every screen: how the program is, and which screens there are."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rich.style import Style
from textual.strip import Strip

from console import format as fmt
from console.model.views import Header
from console.tui.lines import Line, width_of
from console.tui.look import (
    ACCENT,
    AMBER,
    BRIGHT,
    DIM,
    GREEN,
    GROUND,
    INK,
    PLAIN,
    RAISED,
    RED,
    SOFT,
    acting,
    style,
)  # fmt: skip
from console.tui.widgets.canvas import Canvas

_NAME = style(INK, ACCENT, bold=True)
_STATES = {
    "LIVE": ("●", GREEN),
    "FROZEN": ("‖", AMBER),
    "RECORDED": ("■", ACCENT),
    "ENDED": ("■", RED),
    "CONNECTING": ("○", AMBER),
}
_UNMARKED: Mapping[str, str] = MappingProxyType({})
Piece = tuple[str, Style]
Key = tuple[str, str, str]
ENTER = "⏎"


class HeaderLine(Canvas):
    """Program, pid, state, and the figures that tell at a glance whether all is well."""

    ground = RAISED

    def update(self, header: Header, *, frozen: bool) -> None:
        """Show these figures."""
        self.show([header_strip(self.size.width, header, frozen=frozen)])


def header_strip(width: int, header: Header, *, frozen: bool) -> Strip:
    """The header in WIDTH cells: what there is no room for is left out, the least important first."""
    state = "FROZEN" if frozen and header.state == "LIVE" else header.state
    glyph, color = _STATES.get(state, ("○", DIM))
    line = Line(width, RAISED).raw("", SOFT)
    line.put(f" {header.program} ", style(PLAIN, bold=True)) if width < 30 else _badge(line, header.program)  # noqa: PLR2004
    pieces = [
        [(f"pid {header.pid}" if header.pid else "", SOFT)],
        [(f"{glyph} ", style(color)), (state, style(BRIGHT if state == "LIVE" else color, bold=True))],
        *_figures(header, live=header.state == "LIVE"),
    ]
    gap = 3 if width >= 100 else 2  # noqa: PLR2004  designed for 160, used at 80
    for index, piece in enumerate(_fitting(pieces, line.left, gap)):
        line.gap(2 if index < 2 else gap)  # noqa: PLR2004  pid and state belong to the name
        for text, look in piece:
            line.put(text, look)
    cost = f"costs it {fmt.share(header.cost)} of a CPU "
    if header.state == "LIVE" and line.left >= len(cost) + 2:
        line.gap(line.left - len(cost)).put(cost, SOFT)
    return line.strip()


def _badge(line: Line, program: str) -> None:
    ground, line.ground = line.ground, GROUND
    line.put(f" {program} ", _NAME)
    line.ground = ground


def _figures(header: Header, *, live: bool) -> list[list[Piece]]:
    """The figures, the most important first."""
    failing = style(RED, bold=True) if header.failed else SOFT
    wrong = style(AMBER, bold=True) if header.problems else SOFT
    count = "problem" if header.problems == 1 else "problems"
    losing = style(AMBER, bold=True) if header.dropped else style(PLAIN, bold=True)
    strong = style(BRIGHT, bold=True)
    flow: list[list[Piece]] = [
        [(fmt.rate(header.calls_per_second), strong), (" calls/s", SOFT)],
        [(fmt.count(header.in_flight), strong), (" in flight", SOFT)],
    ]
    problems: list[Piece] = [
        ("⚠ " if header.problems else "", wrong), (fmt.count(header.problems), wrong), (f" {count}", SOFT),
    ]  # fmt: skip
    dropped: list[Piece] = [(fmt.count(header.dropped), losing), (" dropped", SOFT)]
    return [
        *(flow if live else []),
        [("✗ " if header.failed else "", failing), (fmt.count(header.failed), failing), (" failed", SOFT)],
        *([problems, dropped] if header.problems else [dropped, problems]),
    ]


def _fitting(pieces: list[list[Piece]], room: int, gap: int) -> list[list[Piece]]:
    """PIECES without those that do not fit: pid goes first, then from the end; the state stays."""
    kept = list(pieces)
    while len(kept) > 1 and sum(sum(width_of(t) for t, _ in piece) + gap for piece in kept) > room:
        kept.remove(pieces[0]) if pieces[0] in kept else kept.pop()
    return kept


class Tabs(Canvas):
    """The screens that there are, each with its key; a click goes there."""

    def update(self, tabs: Sequence[tuple[str, str, str]], current: str, marks: Mapping[str, str] = _UNMARKED) -> None:
        """Show (mode, key, title) for each; CURRENT is the mode that is shown, MARKS stand behind some.

        Where there is little room they stand closer, at last without the titles of those that are not shown.
        """
        marked = {mode: f" {marks[mode]}" if mode in marks else "" for mode, _, _ in tabs}
        length = sum(width_of(f"{key} {title}{marked[mode]}") for mode, key, title in tabs)
        room = self.size.width - length
        gap = next((gap for gap in (3, 2, 1) if gap * len(tabs) <= room), 0)
        line = Line(self.size.width)
        for mode, key, title in tabs:
            here = mode == current
            action = f"app.show('{mode}')"
            line.gap(gap or 1).put(key, acting(style(ACCENT if here else DIM, bold=here), action))
            if gap or here:
                line.gap().put(title, acting(style(BRIGHT, bold=True, underline=True) if here else SOFT, action))
            line.put(marked[mode], acting(style(AMBER, bold=True), action))
        self.show([line.strip()])


class Keys(Canvas):
    """The last line: the keys that matter on this screen, those that fit; a click does what the key does."""

    ground = RAISED

    def update(self, keys: Sequence[Key], always: Sequence[Key], *, in_words: bool = False) -> None:
        """Show (key, word, action) for each: ALWAYS, and those of KEYS for which there is room, closer if need be.

        IN_WORDS: the sign of the Enter key is not drawn, where ASCII has nothing that looks like it.
        """
        keys = [("Enter", *key[1:]) if in_words and key[0] == ENTER else key for key in keys]
        whole = [*keys, *always]
        room = self.size.width - sum(map(_key_width, whole))
        gap = next((gap for gap in (3, 2, 1) if gap * len(whole) <= room), 2)
        line = Line(self.size.width, RAISED)
        beside = line.left - sum(_key_width(key) + gap for key in always)
        for key in keys:
            if line.used + gap + _key_width(key) <= beside:
                _put_key(line, key, gap)
        for key in always:
            _put_key(line, key, gap)
        self.show([line.strip()])


def _key_width(key: Key) -> int:
    name, word, _ = key
    return width_of(f"{name} {word}")


def _put_key(line: Line, key: Key, gap: int) -> None:
    name, word, action = key
    if line.left >= gap + _key_width(key):
        line.gap(gap).put(name, acting(style(ACCENT, bold=True), action)).put(f" {word}", acting(SOFT, action))
