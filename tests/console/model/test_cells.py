"""Lanes looked at together give what each gives alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bus.attach.protocol import Batch
from console.model.cells import Cells, Window
from console.model.lane import Runs
from console.model.store import Store
from tests import synthetic

STORE = Store()
STORE.take(Batch(at=0, records=tuple(synthetic.session(400))))
WAITS_ONLY = Runs()
WAITS_ONLY.add_waits(np.array([synthetic.START + 10]), np.array([synthetic.START + 900_000_000]))
LANES = [Runs(), *STORE.runs.values(), WAITS_ONLY]
SPAN = STORE.last - synthetic.START


@given(st.integers(-SPAN, SPAN), st.integers(1, 2 * SPAN) | st.integers(1, 5_000), st.integers(1, 60))
def test_each_lane_is_as_it_is_alone(begin: int, length: int, width: int) -> None:
    """Also one without calls, and one that only waited."""
    start = synthetic.START + begin
    window = Window.over(start, start + length, width)
    together = Cells.of(LANES, window)
    parts, counts, (calls, shares) = together.parts(), together.count(), together.largest()
    for row, runs in enumerate(LANES):
        alone = Cells.of([runs], window)
        assert alone.parts()[0].tolist() == parts[row].tolist()
        assert alone.count()[0].tolist() == counts[row].tolist()
        assert [some[0].tolist() for some in alone.largest()] == [calls[row].tolist(), shares[row].tolist()]
        assert [(row, *rest) for _, *rest in alone.wide()] == [one for one in together.wide() if one[0] == row]


@given(st.integers(-SPAN, SPAN), st.integers(1, 2 * SPAN), st.integers(1, 60))
def test_what_a_lane_did_fits_into_each_cell(begin: int, length: int, width: int) -> None:
    """The parts are never negative, and together no longer than the cell but for rounding; an empty lane has none."""
    start = synthetic.START + begin
    window = Window.over(start, start + length, width)
    parts = Cells.of(LANES, window).parts()
    assert parts.min() >= -1
    assert (parts[:, 1:].sum(axis=1) <= window.right - window.left + 2).all()
    assert not parts[0].any()


def test_no_lanes_give_no_rows() -> None:
    """As in a recording without threads."""
    cells = Cells.of([], Window.over(0, 100, 10))
    assert (cells.parts().shape, cells.count().shape, cells.wide()) == ((0, 4, 10), (0, 10), [])
