"""The timeline's window: panning, zooming, fitting, following."""

from hypothesis import given
from hypothesis import strategies as st

from console.tui.viewport import LONGEST, SHORTEST, Viewport, tick_step

MOMENTS = st.integers(0, 10**15)
VIEWS = st.builds(
    Viewport,
    start=MOMENTS,
    cell=st.sampled_from([100, 5_000, 20_000_000, 10**9]),
    width=st.integers(1, 300),
    follow=st.booleans(),
)


@given(VIEWS, MOMENTS)
def test_following_ends_with_the_cell_that_holds_now(view: Viewport, now: int) -> None:
    """The last cell ends at or after now, by less than a cell, on the same grid as before."""
    moved = view.following(now)
    assert now <= moved.end < now + view.cell
    assert moved.end % view.cell == 0
    assert moved.follow


@given(VIEWS, st.integers(-5, 5), st.integers(0, 299))
def test_zooming_keeps_the_moment_in_its_column(view: Viewport, steps: int, column: int) -> None:
    """What was under the cursor stays under it."""
    column = min(column, view.width - 1)
    at = view.start + column * view.cell
    zoomed = view.zoomed(steps, at)
    assert zoomed.column(at) == column
    assert SHORTEST <= zoomed.cell <= LONGEST


@given(VIEWS, MOMENTS, st.integers(1, 10**12))
def test_fitting_shows_all_of_it(view: Viewport, first: int, length: int) -> None:
    """Everything from first to last is inside, where the scale allows it and there are two cells at least."""
    fitted = view.resized(max(2, view.width)).fitted(first, first + length)
    assert fitted.start <= first
    assert fitted.end > first + length - 1 or fitted.cell == LONGEST
    assert not fitted.follow


@given(VIEWS, st.integers(-100, 100))
def test_panning_there_and_back_is_where_it_was(view: Viewport, cells: int) -> None:
    """Panning moves by whole cells and stops following."""
    back = view.panned(cells).panned(-cells)
    assert (back.start, back.cell) == (view.start, view.cell)
    assert not back.follow


@given(VIEWS, MOMENTS, st.integers(0, 10**10))
def test_what_is_shown_large_takes_a_third_to_a_half_of_the_width(view: Viewport, first: int, length: int) -> None:
    """And stands in the middle; something of less than 20 µs is as small as that allows, but never larger."""
    large = view.resized(max(60, view.width)).around(first, first + length)
    share = max(length, 20_000) / large.span
    assert share > 1 / 3 if large.cell < LONGEST else share > 0
    assert share < 1 / 2
    beside = first - large.start, large.end - first - length
    assert abs(beside[0] - beside[1]) < 0.25 * large.span
    assert not large.follow


@given(VIEWS, MOMENTS)
def test_centring_makes_a_moment_visible(view: Viewport, at: int) -> None:
    """A moment that is shown stays where it is, another one comes into view."""
    centred = view.centred(at)
    assert 0 <= centred.column(at) < view.width
    if 0 <= view.column(at) < view.width:
        assert centred.start == view.start


@given(VIEWS, st.integers(1, 300))
def test_resizing_keeps_the_edge_that_matters(view: Viewport, width: int) -> None:
    """While following the right edge stays, else the left one."""
    resized = view.resized(width)
    assert (resized.end == view.end) if view.follow else (resized.start == view.start)


def test_ticks_are_far_enough_apart() -> None:
    """A label has room between two ticks, which stand at round numbers."""
    assert tick_step(20_000_000) == 500_000_000
    assert tick_step(1_000, 9) == 10_000
