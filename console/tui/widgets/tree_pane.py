"""The causal tree in the place of the list."""

from textual.events import Click

from console.session import Session
from console.tui.look import ServiceColors
from console.tui.pace import Pace
from console.tui.widgets.call_details import CallDetails
from console.tui.widgets.tree_lines import empty_lines, tree_lines


class TreePane(CallDetails):
    """Hidden until a call is given. A line of folded calls is selected by the negative id of the first of them."""

    def __init__(self, session: Session, colors: ServiceColors) -> None:
        super().__init__(id="tree")
        self._session, self._colors = session, colors
        self._pace = Pace()
        self._unfolded: list[int] = []

    def open(self, call: int) -> None:
        """The tree that CALL is part of, with the cursor on it."""
        self.origin = self.selected = call
        self._unfolded = []
        self._paint()
        self.call_after_refresh(self.choose, call)

    def renew(self) -> None:
        """The same tree as it is now, when it is time; the cursor stays."""
        if self.origin and self._pace.due:
            self._paint()

    def close(self) -> None:
        """No tree."""
        self.origin = 0
        self.show_lines([])

    def action_enter(self) -> None:
        """All about the marked call; what is folded is shown."""
        if self.selected < 0:
            self._unfold(-self.selected)
        else:
            super().action_enter()

    def action_open(self) -> None:
        """The marked call in the timeline; what is folded is shown."""
        if self.selected < 0:
            self._unfold(-self.selected)
        else:
            super().action_open()

    def on_click(self, event: Click) -> None:
        """As in all details; but what is folded is shown at once."""
        if self.mark(event.y + self.scroll_offset.y) and self.selected < 0:
            event.prevent_default()
            self._unfold(-self.selected)

    def _unfold(self, first: int) -> None:
        self._unfolded.append(first)
        self._paint()
        self.choose(first)

    def on_resize(self) -> None:
        """Draw it for the new width."""
        if self.origin:
            self._paint()

    def _paint(self) -> None:
        with self._pace:
            width, tree = self.inner_width, self._session.tree(self.origin, self._unfolded)
            if tree is None:
                self.show_lines(empty_lines(width, self.origin))
            else:
                self.show_lines(tree_lines(width, tree, self._session.now(), self._colors))
