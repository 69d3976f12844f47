"""The causal tree in the place of the list."""

from console.session import Session
from console.tui.look import ServiceColors
from console.tui.pace import Pace
from console.tui.widgets.call_details import CallDetails
from console.tui.widgets.tree_lines import empty_lines, tree_lines


class TreePane(CallDetails):
    """Hidden until a call is given."""

    def __init__(self, session: Session, colors: ServiceColors) -> None:
        super().__init__(id="tree")
        self._session, self._colors = session, colors
        self._pace = Pace()

    def open(self, call: int) -> None:
        """The tree that CALL is part of, with the cursor on it."""
        self.origin = self.selected = call
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

    def on_resize(self) -> None:
        """Draw it for the new width."""
        if self.origin:
            self._paint()

    def _paint(self) -> None:
        with self._pace:
            width, tree = self.inner_width, self._session.tree(self.origin)
            if tree is None:
                self.show_lines(empty_lines(width, self.origin))
            else:
                self.show_lines(tree_lines(width, tree, self._session.now(), self._colors))
