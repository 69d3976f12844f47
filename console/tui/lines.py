"""One screen line under construction: text is escaped, clipped by cells and never parsed as markup."""

from collections.abc import Iterable, Iterator

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from bus.trace.redact import escape
from console.tui.look import GROUND, TEXT, on, style


def width_of(text: str) -> int:
    """Cells that printable TEXT takes."""
    return len(text) if text.isascii() else cell_len(text)


def clip(text: str, width: int) -> str:
    """TEXT in at most WIDTH cells, its end replaced by `…` where it does not fit."""
    if width <= 0:
        return ""
    return text if width_of(text) <= width else set_cell_size(text, width - 1) + "…"


def clip_left(text: str, width: int) -> str:
    """TEXT in at most WIDTH cells, its beginning replaced by `…`: for paths, whose end says most."""
    if width <= 0 or width_of(text) <= width:
        return text if width > 0 else ""
    while width_of(text) > width - 1:
        text = text[1:]
    return "…" + text


def brief(args: str, width: int) -> str:
    """ARGS in WIDTH cells; where they do not fit and the first one is a path, its end, which says most."""
    text = escape(args)
    first, more, _ = text.partition(", ")
    if width_of(text) <= width or "/" not in first:
        return clip(text, width)
    return clip_left(first, width - 3) + ", …" if more else clip_left(first, width)


class Line:
    """Segments from left to right in WIDTH cells; what does not fit is clipped."""

    def __init__(self, width: int, ground: str = GROUND) -> None:
        self.width = width
        self.ground = ground
        self.used = 0
        self._segments: list[Segment] = []

    @property
    def left(self) -> int:
        """Cells that are still free."""
        return self.width - self.used

    def put(self, text: str, look: Style = TEXT) -> "Line":
        """Append TEXT, escaped, clipped to what is left."""
        text = clip(escape(text), self.left)
        if text:
            self._segments.append(Segment(text, look if self.ground == GROUND else on(look, self.ground)))
            self.used += width_of(text)
        return self

    def raw(self, text: str, look: Style) -> "Line":
        """Append our own TEXT of one-cell glyphs, in a look that brings its own ground."""
        text = text[: max(0, self.left)]
        if text:
            self._segments.append(Segment(text, look))
            self.used += len(text)
        return self

    def cell(self, text: str, width: int, look: Style = TEXT, *, right: bool = False) -> "Line":
        """Append TEXT in a column of exactly WIDTH cells."""
        text = clip(escape(text), min(width, self.left))
        pad = max(0, min(width, self.left) - width_of(text))
        if right:
            return self.gap(pad).put(text, look)
        return self.put(text, look).gap(pad)

    def gap(self, cells: int = 1) -> "Line":
        """Append blank cells."""
        return self.put(" " * max(0, min(cells, self.left)))

    def to(self, column: int) -> "Line":
        """Append blanks up to COLUMN."""
        return self.gap(column - self.used)

    def strip(self) -> Strip:
        """The finished line, filled up to its width."""
        fill = [Segment(" " * self.left, style(ground=self.ground))] if self.left > 0 else []
        return Strip([*self._segments, *fill], self.width)


def wrapped(text: str, width: int) -> Iterable[str]:
    """TEXT as lines of at most WIDTH cells; long lines are broken, never lost. Line ends in TEXT are kept."""
    for row in text.expandtabs(4).split("\n"):
        rest = escape(row)
        while width_of(rest) > max(width, 2):
            cut = _break(_head(rest, max(width, 2)))
            yield rest[:cut].rstrip()
            rest = rest[cut:]
        yield rest


def flowing(
    width: int, rails: Iterator[tuple[str, Style]], indent: int, pieces: Iterable[tuple[str, Style]]
) -> Iterator[Strip]:
    """PIECES one after the other in lines of WIDTH cells, each behind one of RAILS, from the second INDENT deeper.

    A piece that fits into a line of its own is not broken. Nothing is lost.
    """
    line = Line(width).put(*next(rails))
    start = line.used
    for text, look in pieces:
        rest = escape(text)
        if width_of(rest) > line.left and line.used > start:
            yield line.strip()
            line = Line(width).put(*next(rails)).gap(indent)
            start, rest = line.used, rest.lstrip()
        while width_of(rest) > max(line.left, 2):
            row = next(iter(wrapped(rest, line.left)))
            yield line.put(row, look).strip()
            line = Line(width).put(*next(rails)).gap(indent)
            start, rest = line.used, rest[len(row) :].lstrip()
        line.put(rest, look)
    yield line.strip()


def _head(text: str, width: int) -> str:
    """As many whole characters of TEXT as fit into WIDTH cells."""
    if text.isascii():
        return text[:width]
    used = 0
    for index, char in enumerate(text):
        used += cell_len(char)
        if used > width:
            return text[:index]
    return text


def _break(head: str) -> int:
    """Where to break a line: after its last space in the second half, else after what parts a name, else at its end."""
    space = head.rfind(" ")
    if space <= len(head) // 2:
        space = max(map(head.rfind, "./_-"))
    return space + 1 if space > len(head) // 2 else len(head)
