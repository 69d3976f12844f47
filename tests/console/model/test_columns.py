"""Columns and running totals in as few bytes as will do."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from console.model.columns import Columns, narrowed
from console.model.totals import Totals

numbers = st.one_of(*(st.integers(-(1 << bits), (1 << bits) - 1) for bits in (7, 15, 31, 63)))


@given(st.lists(st.lists(numbers, min_size=1, max_size=100), max_size=5))
def test_a_narrow_column_holds_whatever_comes(blocks: list[list[int]]) -> None:
    """Values come back as they were, in the fewest bytes that hold all of them."""
    columns = Columns({"a": np.int8})
    for block in blocks:
        columns.extend({"a": np.array(block, np.int64)})
    values = [value for block in blocks for value in block]
    assert columns["a"].tolist() == values
    needed = next(size for size in (1, 2, 4, 8) if all(-(1 << 8 * size - 1) <= v < 1 << 8 * size - 1 for v in values))
    assert columns.nbytes == needed * len(values)


def test_a_column_that_was_cut_goes_on_from_there() -> None:
    """The rows behind the cut are gone, and the next ones take their place."""
    columns = Columns({"a": np.int8})
    columns.extend({"a": np.arange(100)})
    columns.cut(2)
    columns.extend({"a": np.array([70_000])})
    assert columns["a"].tolist() == [0, 1, 70_000]


@given(
    st.lists(
        st.tuples(st.integers(0, 100), st.lists(st.integers(0, 1 << 40) | st.integers(0, 9), max_size=50)), max_size=6
    )
)
def test_totals_are_the_sums_of_all_rows_in_front(changes: list[tuple[int, list[int]]]) -> None:
    """Also when they are made anew from some row on, whatever was behind it."""
    totals, values = Totals(), []
    for row, some in changes:
        values[row:] = some
        totals.set_from(len(values) - len(some), np.array(some, np.int64))
    expected = [sum(values[:row]) for row in range(len(values) + 1)]
    assert totals.before(np.arange(len(values) + 1)).tolist() == expected


def test_a_total_of_short_times_takes_less_than_five_bytes() -> None:
    """A call of a millisecond has three totals."""
    totals = Totals()
    totals.set_from(0, np.full(10_000, 1_000_000))
    assert totals.nbytes < 5 * 10_000


@given(st.lists(st.integers(-(2**62), 2**62) | st.integers(-200, 200), max_size=9))
def test_numbers_are_the_same_in_fewer_bytes(numbers: list[int]) -> None:
    """As few as the farthest from 0 needs."""
    found = narrowed(np.array(numbers, np.int64))
    assert found.tolist() == numbers
    if numbers:
        fits = [
            size for size in (1, 2, 4, 8) if all(-(1 << 8 * size - 1) <= each < 1 << 8 * size - 1 for each in numbers)
        ]
        assert found.itemsize == fits[0]
