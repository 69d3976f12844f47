"""A list of any length on the Line API: only visible rows are formatted, and the cursor sticks to a row's key."""

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar, Generic, TypeVar

from msgspec import Struct
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console.tui.lines import Line
from console.tui.look import ACCENT, GROUND, SELECTED, SOFT, STRONG, style
from console.tui.messages import RowEntered, RowSelected
from console.tui.widgets.canvas import Painted

Row = TypeVar("Row")
_NAMES = 100
"""`keep` of the column that says what a row is."""


class Column(Struct, Generic[Row], frozen=True):
    """`width` cells, 0 for what is left (one column at most). `keep`: the lowest goes first when there is no room."""

    title: str
    width: int
    keep: int
    cell: Callable[[Row], tuple[str, Style]]
    right: bool = False
    least: int = 0


class RowList(ScrollView, Painted, Generic[Row], can_focus=True):
    """Rows in the order they are given. Line 0 is the title line and stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)"),
        Binding("down,j", "move(1)"),
        Binding("pageup", "page(-1)"),
        Binding("pagedown", "page(1)"),
        Binding("home,g", "edge(0)"),
        Binding("end,G", "edge(-1)"),
        Binding("enter", "enter"),
    ]

    def __init__(self, columns: Sequence[Column[Row]], key: Callable[[Row], str], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._columns = columns
        self.key = key
        self._rows: list[Row] = []
        self._index: dict[str, int] = {}
        self._cache: dict[tuple[object, ...], Strip] = {}
        self._drawn: tuple[str, Hashable, list[tuple[str, Style]]] = ("", 0, [])
        self.selected = ""
        self.touched = 0
        """Counts what is done with the cursor, so that the screen knows that somebody is at it."""

    # ---- rows

    @property
    def row(self) -> Row | None:
        """The selected row."""
        index = self._index.get(self.selected)
        return None if index is None else self._rows[index]

    @property
    def keys(self) -> list[str]:
        """The keys of all rows from the top."""
        return [self.key(row) for row in self._rows]

    def show(
        self, rows: Sequence[Row], *, sorted_by: str = "", second: Hashable = 0, empty: Sequence[tuple[str, Style]] = ()
    ) -> None:
        """Show ROWS; the cursor stays on its key, and on the first row until somebody moves it or its key is gone.

        SORTED_BY: the title to mark. SECOND: rows that say how long ago are drawn anew when it changes. EMPTY: what to
        say when there are no rows.
        """
        old, self._rows = self._rows, list(rows)
        self._index = {self.key(row): index for index, row in enumerate(self._rows)}
        drawn = (sorted_by, second, list(empty))
        repaint = drawn != self._drawn
        self._drawn = drawn
        self.virtual_size = Size(1, len(self._rows) + 1)
        if not self.touched or self.selected not in self._index:
            self._select(0)
        if repaint or not self._rows:
            self.refresh()
            return
        for y in range(self.size.height - 1):
            index = y + self.scroll_offset.y
            if _at(old, index) != _at(self._rows, index):
                self.refresh_lines(y + 1 + self.scroll_offset.y)

    def choose(self, key: str) -> None:
        """Put the cursor on a row, if it is there."""
        if key in self._index:
            self.touched += 1
            self._select(self._index[key])

    def _select(self, index: int) -> None:
        if not self._rows:
            self.selected = ""
            return
        index = max(0, min(index, len(self._rows) - 1))
        key = self.key(self._rows[index])
        if key == self.selected:
            return
        before = self._index.get(self.selected)
        self.selected = key
        for changed in (before, index):
            if changed is not None:
                self.refresh_lines(changed + 1)
        self._reveal(index)
        self.post_message(RowSelected(key))

    def _reveal(self, index: int) -> None:
        """A row that is farther away comes with what is around it."""
        top, room = self.scroll_offset.y, max(1, self.size.height - 1)
        if not top <= index < top + room:
            near = top - room < index < top + 2 * room
            y = index - room // 2 if not near else index if index < top else index - room + 1
            self.scroll_to(y=max(0, y), animate=False, force=True)

    # ---- keys and mouse

    def action_move(self, step: int) -> None:
        """One row up or down."""
        self.touched += 1
        self._select(self._index.get(self.selected, 0) + step)

    def action_page(self, direction: int) -> None:
        """A screen up or down."""
        self.action_move(direction * max(1, self.size.height - 2))

    def action_edge(self, index: int) -> None:
        """To the first or the last row."""
        self.touched += 1
        self._select(index if index >= 0 else len(self._rows) - 1)

    def action_enter(self) -> None:
        """Into the selected row."""
        if self.selected:
            self.touched += 1
            self.post_message(RowEntered(self.selected))

    def on_click(self, event: events.Click) -> None:
        """Select the row; twice, or on its sign: enter it."""
        if event.y < 1 or event.y - 1 + self.scroll_offset.y >= len(self._rows):
            return
        self.touched += 1
        self._select(event.y - 1 + self.scroll_offset.y)
        if event.chain == 1 if self.is_sign(self.selected, event.x) else event.chain > 1:
            self.action_enter()

    def is_sign(self, key: str, x: int) -> bool:  # noqa: ARG002  a row that can be opened has one
        """Whether in this cell of a row there is a sign to click on."""
        return False

    def on_focus(self) -> None:
        """The cursor is brighter with the focus."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor is dimmer without the focus."""
        self.refresh()

    # ---- painting

    def render_line(self, y: int) -> Strip:
        """The title line, a row, what an empty list says, or nothing."""
        width = self.size.width
        if y == 0:
            return self._titles(width)
        empty = self._drawn[2]
        if not self._rows and y - 2 in range(len(empty)):
            text, look = empty[y - 2]
            return Line(width).gap(3).put(text, look).strip()
        index = y - 1 + self.scroll_offset.y
        if index >= len(self._rows):
            return Strip.blank(width, style())
        row = self._rows[index]
        here = self.key(row) == self.selected
        return self._strip(row, width, SELECTED if here else GROUND)

    def _strip(self, row: Row, width: int, ground: str) -> Strip:
        key = (row, self._drawn[1], width, ground)
        strip = self._cache.get(key)
        if strip is None:
            if len(self._cache) > 4 * max(1, self.size.height):
                self._cache.clear()
            strip = self._cache[key] = self._line(row, width, ground)
        return strip

    def _line(self, row: Row, width: int, ground: str) -> Strip:
        line = Line(width, ground)
        for column, cells in fitted(self._columns, width):
            text, look = column.cell(row)
            if ground == SELECTED and column.keep == _NAMES:
                look = STRONG
            line.gap().cell(text, cells, look, right=column.right)
        return line.strip()

    def _titles(self, width: int) -> Strip:
        line = Line(width)
        for column, cells in fitted(self._columns, width):
            look = style(ACCENT) if column.title == self._drawn[0] and column.title else SOFT
            line.gap().cell(column.title, cells, look, right=column.right)
        return line.strip()


def _at(rows: Sequence[Row], index: int) -> Row | None:
    return rows[index] if 0 <= index < len(rows) else None


def fitted(columns: Sequence[Column[Row]], width: int) -> list[tuple[Column[Row], int]]:
    """The columns that there is room for, with their cells; one blank before each. The least important go first."""
    kept = list(columns)
    while len(kept) > 1 and sum(1 + (column.width or column.least) for column in kept) > width:
        kept.remove(min(kept, key=lambda column: column.keep))
    fixed = sum(1 + column.width for column in kept)
    return [(column, column.width or max(1, width - fixed - 1)) for column in kept]
