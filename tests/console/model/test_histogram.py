"""Percentiles from log buckets, against numpy's from all values."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from console.model.histogram import Distribution, Histograms

durations = st.one_of(st.integers(0, 100), st.integers(0, 10**9), st.integers(0, 2**43))


@given(st.lists(durations, min_size=1), st.lists(st.sampled_from([0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0]), min_size=1))
def test_percentiles_are_within_three_percent(values: list[int], fractions: list[float]) -> None:
    """Each is within 3 % of the value that numpy finds among all of them."""
    histograms = Histograms()
    histograms.add(np.zeros(len(values), np.int64), np.array(values, np.int64))
    found = histograms.percentiles(np.array([0]), tuple(fractions))[0]
    exact = np.percentile(values, [100 * fraction for fraction in fractions], method="inverted_cdf")
    assert np.all(np.abs(found - exact) <= 0.03 * exact)


@given(st.lists(st.tuples(st.integers(0, 40), durations)), st.integers(1, 5))
def test_batches_and_rows_do_not_mix(values: list[tuple[int, int]], batch: int) -> None:
    """Values of many rows in many batches give what each row's values give alone."""
    together = Histograms()
    for start in range(0, len(values), batch):
        rows, some = np.array(values[start : start + batch], np.int64).T
        together.add(rows, some)
    for row in range(41):
        alone = Histograms()
        own = np.array([value for number, value in values if number == row], np.int64)
        if len(own):
            alone.add(np.zeros(len(own), np.int64), own)
        expected = alone.percentiles(np.array([0]), (0.5, 0.99))
        assert np.array_equal(together.percentiles(np.array([row]), (0.5, 0.99)), expected)
        assert together.row(row).sum() == len(own)


def test_a_row_without_values_has_no_percentile() -> None:
    """It says -1, not 0, which is a duration."""
    assert Histograms().percentiles(np.array([3]), (0.5,)).tolist() == [[-1]]


def test_all_small_values_are_told_apart_within_the_bound() -> None:
    """Every duration up to 2,000 ns by itself is within 3 %."""
    values = np.arange(2001)
    histograms = Histograms()
    histograms.add(values, values)
    found = histograms.percentiles(values, (0.5,))[:, 0]
    assert np.all(np.abs(found - values) <= 0.03 * values)


def test_what_is_longer_than_five_hours_is_the_largest_value() -> None:
    """The last bucket has no upper bound, so it tells the one value that is known."""
    histograms = Histograms()
    histograms.add(np.array([0, 0]), np.array([2**50, 2**55]))
    assert histograms.percentiles(np.array([0]), (0.99,)).tolist() == [[2**55]]


@given(st.lists(durations, min_size=1), st.integers(1, 60))
def test_a_distribution_counts_every_value_once(values: list[int], columns: int) -> None:
    """Its columns add up to all values, none is outside of it, and the largest is exact."""
    histograms = Histograms()
    histograms.add(np.zeros(len(values), np.int64), np.array(values, np.int64))
    spread = histograms.distribution(0, columns, histograms.span(0))
    assert sum(spread.bars) == len(values)
    assert len(spread.bars) <= columns
    assert spread.bars[0] > 0
    assert spread.least <= spread.p50 * 1.03
    assert spread.largest == max(values)
    assert spread.p50 <= spread.p95 <= spread.p99 <= spread.largest


def test_two_distributions_share_a_scale() -> None:
    """Over a wider span than its own, a row has empty columns; nothing measured is nothing to show."""
    histograms = Histograms()
    histograms.add(np.array([0, 1]), np.array([1_000, 1_000_000]))
    whole = histograms.span(0)[0], histograms.span(1)[1]
    short, long = histograms.distribution(0, 10, whole), histograms.distribution(1, 10, whole)
    assert (short.bars[0], sum(short.bars[1:])) == (1, 0)
    assert (long.bars[-1], sum(long.bars[:-1])) == (1, 0)
    assert (short.least, short.most) == (long.least, long.most)
    assert histograms.distribution(5, 10, histograms.span(5)) == Distribution()
