"""Running totals of disjoint intervals, whatever order they come in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from console.model.intervals import Intervals

pairs = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)


@given(st.lists(pairs), st.lists(st.integers(-5, 70), min_size=1))
def test_the_total_is_the_union(batches: list[list[tuple[int, int]]], moments: list[int]) -> None:
    """What overlaps, repeats or comes late counts once: before a moment lie as many ns as the union has there."""
    intervals = Intervals()
    covered: set[int] = set()
    for batch in batches:
        if batch:
            began, ended = np.array(batch, np.int64).T
            intervals.add(began, ended)
        covered.update(ns for began, ended in batch for ns in range(began, ended))
    expected = [sum(ns < moment for ns in covered) for moment in moments]
    assert intervals.until(np.array(moments)).tolist() == expected


def test_forgets_what_ended_before() -> None:
    """Differences after the moment stay as they were."""
    intervals = Intervals()
    intervals.add(np.array([0, 10, 20]), np.array([5, 15, 25]))
    intervals.forget_before(15)
    assert np.diff(intervals.until(np.array([12, 30]))).tolist() == [8]
    assert len(intervals) == 2


@given(pairs, st.integers(-5, 70), st.integers(0, 70))
def test_finds_the_intervals_that_touch_a_time(batch: list[tuple[int, int]], begin: int, length: int) -> None:
    """Each whole, in order; together they cover what is covered of that time."""
    intervals = Intervals()
    if batch:
        began, ended = np.array(batch, np.int64).T
        intervals.add(began, ended)
    covered = {ns for began, ended in batch for ns in range(began, ended)}
    first, last = intervals.touching(begin, begin + length)
    found = list(zip(first.tolist(), last.tolist(), strict=True))
    assert found == sorted(found)
    assert {ns for began, ended in found for ns in range(began, ended)} <= covered
    assert all(began < begin + length and ended > begin for began, ended in found)
    inside = {ns for ns in range(begin, begin + length) if ns in covered}
    assert inside <= {ns for began, ended in found for ns in range(began, ended)}
