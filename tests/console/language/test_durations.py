"""Lengths of time as they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.language import durations


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("250ms", 250_000_000), ("1.5s", 1_500_000_000), ("2min", 120_000_000_000), ("3", 3_000_000_000),
        (".5", 500_000_000), ("10 us", 10_000), ("10\u00b5s", 10_000), ("10\u03bcs", 10_000), ("7ns", 7), (" 0 ", 0),
    ],
)  # fmt: skip
def test_read(text, ns):
    """A number and a unit; seconds without one; both letters that look like the micro sign."""
    assert durations.read(text) == ns


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1h", "1,5s", "1e3s", "s", "1 s s", "nan", "\u0661s"])
def test_what_is_no_length_is_refused(text):
    """The message says what to write."""
    with pytest.raises(ValueError, match="write 250ms"):
        durations.read(text)


@given(st.decimals(0, 10_000, places=3), st.sampled_from(["ns", "us", "ms", "s", "min"]))
def test_any_number_with_a_unit(number, unit):
    """Up to three decimals are exact, in every unit."""
    size = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "min": 60 * 10**9}[unit]
    assert abs(durations.read(f"{number:f}{unit}") - number * size) <= 1
