"""What the mouse does to lanes: click, drag and wheel in cells and lines, without what they mean there."""

from textual import events

from console.tui.widgets.canvas import Canvas

_AXIS = 2
"""The first line in which a drag may begin."""


class LanesMouse(Canvas):
    """Lines with a label of `label` cells on the left. A drag that moved is no click."""

    _pressed, _dragging = -1, False

    @property
    def label(self) -> int:
        """Cells before the first cell of a lane."""
        raise NotImplementedError

    def clicked(self, column: int, line: int) -> None:
        """A click in a cell; COLUMN is negative on a label."""
        raise NotImplementedError

    def dragged(self, first: int, last: int) -> None:
        """The mouse was moved with its button down, from one cell to another."""
        raise NotImplementedError

    def wheeled(self, column: int, direction: int, *, sideways: bool) -> None:
        """The wheel was turned: DIRECTION 1 is up or left."""
        raise NotImplementedError

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A drag may begin."""
        if event.button == 1 and event.y >= _AXIS and event.x >= self.label:
            self._pressed, self._dragging = event.x - self.label, False
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """A drag goes on; it stays within the lanes."""
        if self._pressed < 0:
            return
        column = max(0, min(event.x - self.label, self.size.width - self.label - 1))
        if self._dragging or column != self._pressed:
            self._dragging = True
            self.dragged(self._pressed, column)

    def on_mouse_up(self) -> None:
        """A drag ends."""
        if self._pressed >= 0:
            self._pressed = -1
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """A click, unless it is the end of a drag."""
        if not self._dragging:
            self.clicked(event.x - self.label, event.y)
        self._dragging = False

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """With Shift, sideways."""
        self._wheel(event, 1, sideways=event.shift)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """With Shift, sideways."""
        self._wheel(event, -1, sideways=event.shift)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Sideways."""
        self._wheel(event, 1, sideways=True)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Sideways."""
        self._wheel(event, -1, sideways=True)

    def _wheel(self, event: events.MouseEvent, direction: int, *, sideways: bool) -> None:
        event.stop()
        self.wheeled(event.x - self.label, direction, sideways=sideways)
