"""Names that are nearly the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.problems.close import close_names, edits, suggestion

WORDS = st.text("ab.", max_size=8)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("file.chnaged", "file.changed", 2), ("a", "a", 0), ("", "ab", 2), ("kitten", "sitting", 3), ("abc", "abxc", 1)],
)
def test_distances(one: str, other: str, distance: int) -> None:
    """Insertions, deletions, replacements."""
    assert edits(one, other, 9) == distance
    assert edits(one, other, distance) == distance


@given(WORDS, WORDS, WORDS)
def test_it_is_a_distance(one: str, other: str, third: str) -> None:
    """Nothing between equal texts, the same both ways, no way round is shorter."""
    assert (edits(one, other, 99) == 0) == (one == other)
    assert edits(one, other, 99) == edits(other, one, 99)
    assert edits(one, third, 99) <= edits(one, other, 99) + edits(other, third, 99)


@given(WORDS, WORDS, st.integers(0, 4))
def test_looking_no_further_than_needed_changes_nothing(one: str, other: str, most: int) -> None:
    """What is farther than MOST is only known to be so."""
    exact = edits(one, other, 99)
    assert (edits(one, other, most) == exact) if exact <= most else edits(one, other, most) > most


def test_the_closest_come_first() -> None:
    """Three of them at most, never the name itself."""
    known = ["file.changed", "file.chanced", "file.cnaged", "file.chaged", "other"]
    assert close_names("file.changed", known, 2) == ["file.chaged", "file.chanced", "file.cnaged"]
    assert close_names("x", ["far.away"], 2) == []
    assert suggestion(["a", "b"]) == " → a or b ?"
    assert suggestion([]) == ""
