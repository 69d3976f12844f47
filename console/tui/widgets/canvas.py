"""Widgets that show finished strips and repaint only the lines that changed."""

from collections.abc import Sequence

from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from console.tui.look import GROUND, style


class Painted(Widget):
    """A widget whose strips are in the look's colours only: they need no search for the terminal's own colours."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The theme's and ASCII's, if there are any."""
        painting: Sequence[LineFilter] = getattr(self.app, "painting", ())
        return painting


class Canvas(Painted):
    """As many lines as it is high."""

    ground = GROUND

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id, classes=classes)
        self._strips: list[Strip] = []

    def show(self, strips: Sequence[Strip]) -> None:
        """Show these lines from the top."""
        old, self._strips = self._strips, list(strips)
        changed = changed_lines(old, self._strips)
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed if y < self.size.height))

    def render_line(self, y: int) -> Strip:
        """One line, blank below the last."""
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.size.width, style(ground=self.ground))


class Pane(ScrollView, Painted, can_focus=True):
    """Any number of lines, scrolled when there is not room for all."""

    # `ScrollView` comes first: Textual takes the default CSS of the first base alone, and without it nothing scrolls.

    ground = GROUND

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id, classes=classes)
        self._strips: list[Strip] = []

    @property
    def inner_width(self) -> int:
        """Cells that a line may take; the last one is the scrollbar's, which `size` includes."""
        return max(1, self.size.width - 1)

    @property
    def text(self) -> str:
        """What is shown, as text."""
        return "\n".join(strip.text.rstrip() for strip in self._strips)

    def show(self, strips: Sequence[Strip]) -> None:
        """Show these lines; the position stays where it was."""
        old, self._strips = self._strips, list(strips)
        if len(old) != len(self._strips):
            self.virtual_size = Size(1, len(self._strips))
        for y in changed_lines(old, self._strips):
            self.refresh_lines(y)

    def render_line(self, y: int) -> Strip:
        """One line of what is scrolled to."""
        index = y + self.scroll_offset.y
        width = self.size.width
        if index < len(self._strips):
            return self._strips[index].adjust_cell_length(width, style(ground=self.ground))
        return Strip.blank(width, style(ground=self.ground))


def changed_lines(old: Sequence[Strip], new: Sequence[Strip]) -> list[int]:
    """The lines in which NEW differs from OLD, those that only one of them has included."""
    shared = min(len(old), len(new))
    differ = [y for y in range(shared) if old[y] is not new[y] and old[y] != new[y]]
    return differ + list(range(shared, max(len(old), len(new))))
