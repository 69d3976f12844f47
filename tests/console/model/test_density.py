"""How busy the program was, against counting all calls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.attach.protocol import Batch
from bus.trace.records import Call
from console.model.density import Density
from console.model.store import Store

BATCHES = st.lists(st.lists(st.integers(0, 10**13), min_size=1, max_size=30), min_size=1, max_size=6)


def density_of(batches: list[list[int]]) -> Density:
    density = Density()
    for batch in batches:
        density.add(np.array(batch, np.int64))
    return density


@given(
    st.lists(st.lists(st.integers(10**15, 10**15 + 4_000), max_size=30), min_size=1, max_size=6),
    st.integers(-5_000, 5_000), st.integers(1, 200), st.integers(1, 60),
)  # fmt: skip
def test_a_short_recording_is_counted_exactly(batches: list[list[int]], begin: int, cell: int, width: int) -> None:
    """In whichever order the calls come, and whatever cells they are looked at in."""
    edges = 10**15 + begin + cell * np.arange(width + 1)
    exact = np.histogram([moment for batch in batches for moment in batch], [*edges[:-1], edges[-1] - 0.5])[0]
    found = density_of(batches).over(edges)
    assert found == pytest.approx(exact / max(1, exact.max()), abs=1e-6)


@given(BATCHES, st.integers(2, 200))
def test_a_long_recording_is_counted_to_a_part_of_a_cell(batches: list[list[int]], width: int) -> None:
    """Before each border there are as many calls as there are, give or take those next to it."""
    density = density_of(batches)
    starts = np.sort([moment for batch in batches for moment in batch])
    first, span = int(starts[0]), int(starts[-1] - starts[0]) + 1
    edges = first + np.array([span * place // width for place in range(width + 1)])
    found = density.over(edges)
    near = span // 4_000 + 2
    fewest = np.searchsorted(starts, edges[1:] - near) - np.searchsorted(starts, edges[:-1] + near)
    most = np.searchsorted(starts, edges[1:] + near) - np.searchsorted(starts, edges[:-1] - near)
    busiest = max(1, int(most.max()))
    assert (found * busiest >= fewest - 1e-3).all()
    assert (found * max(1, int(fewest.max())) <= np.maximum(most, 1) + 1e-3).all()
    assert found.max() == 1


def test_nothing_is_a_picture_too() -> None:
    """Of a recording without calls."""
    assert Density().over(np.arange(5)).tolist() == [0, 0, 0, 0]


def test_each_call_is_counted_once_and_events_are_not() -> None:
    """A call that came twice, as from the ring and as news, starts once; an event runs nowhere."""
    store = Store()
    runs = [
        Call(
            id=number, root=number, kind="event" if number > 4 else "command", name="n", lane=1, queued=at, started=at,
            ended=at + 1, outcome="ok",
        )
        for number, at in enumerate((100, 150, 151, 199, 120, 121, 122), 1)
    ]  # fmt: skip
    store.take(Batch(at=200, records=tuple(runs[:3])))
    store.take(Batch(at=200, records=tuple(runs)))
    assert store.density.over(np.array([100, 150, 200])).tolist() == pytest.approx([1 / 3, 1])
