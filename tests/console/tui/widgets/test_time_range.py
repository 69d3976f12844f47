"""The range that is marked in the timeline."""

from console.tui.viewport import Viewport
from console.tui.widgets.time_range import TimeRange

VIEW = Viewport(start=1_000, cell=10, width=20)


def test_keys_mark_from_where_they_began_to_the_cursor() -> None:
    """Either way round; after the second press it stays."""
    marked = TimeRange()
    marked.extend(1_050, VIEW.cell)
    assert marked.bounds is None
    marked.toggle(1_055)
    marked.extend(1_085, VIEW.cell)
    assert marked.columns(VIEW) == (5, 9)
    marked.extend(1_025, VIEW.cell)
    assert marked.columns(VIEW) == (2, 6)
    marked.toggle(1_025)
    marked.extend(1_185, VIEW.cell)
    assert marked.columns(VIEW) == (2, 6)


def test_a_drag_marks_whole_cells_either_way() -> None:
    """Both its cells are in it, and it stays when the view moves."""
    marked = TimeRange()
    marked.between(VIEW, 7, 3)
    assert marked.bounds == (1_030, 1_080)
    assert marked.columns(VIEW.panned(5)) == (0, 3)
    assert marked.columns(VIEW.panned(50)) == (0, 0)


def test_it_is_let_go_of_once() -> None:
    """Clearing says whether there was something to clear."""
    marked = TimeRange()
    marked.between(VIEW, 1, 2)
    assert marked.clear()
    assert not marked.clear()
    assert marked.columns(VIEW) == (0, 0)
