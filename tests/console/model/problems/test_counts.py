"""Counts by number, of all time and of the last stretch of it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from console.model.problems.counts import Recent, Totals, equally_long


def test_totals_grow() -> None:
    """With the largest number; nothing counted is nothing changed."""
    totals = Totals()
    totals.add(np.array([1, 1, 300]))
    totals.add(np.array([], np.int64))
    totals.add(np.array([300]))
    assert (totals.counts[1], totals.counts[300], totals.counts.sum()) == (2, 2, 4)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), max_size=60), st.integers(0, 60))
def test_recent_counts_forget_by_sixths(added: list[tuple[int, int]], wait: int) -> None:
    """Of 60 ns all of the last 50 are counted, and nothing that is older than 60."""
    recent, now, log = Recent(60), 0, []
    for key, pause in added:
        now += pause
        recent.add(np.array([key]), np.array([now]))
        log.append((key, now))
    now += wait
    counts = recent.counts(now)
    for key in range(6):
        count = counts[key] if key < len(counts) else 0
        least = sum(other == key and at > now - 50 for other, at in log)
        most = sum(other == key and at > now - 60 for other, at in log)
        assert least <= count <= most


def test_what_comes_late_is_counted_where_it_belongs() -> None:
    """A recording brings much at once."""
    recent = Recent(60)
    recent.add(np.array([1, 1, 1]), np.array([100, 900, 910]))
    assert recent.counts(920)[1] == 2


@given(st.lists(st.integers(0, 9), max_size=8), st.lists(st.integers(0, 9), max_size=8))
def test_two_counts_are_made_equally_long(one: list[int], other: list[int]) -> None:
    """Nothing of the longer one is cut off, and the shorter one has zeros behind."""
    first, second = equally_long(np.array(one, np.int64), np.array(other, np.int64))
    assert len(first) == len(second) == max(len(one), len(other))
    assert first.tolist() == one + [0] * (len(first) - len(one))
    assert second.tolist() == other + [0] * (len(second) - len(other))
