"""Numbers as a person reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import format as fmt
from console.model.split import CallParts


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (None, "–"), (0, "0 ns"), (850, "850 ns"), (3_100, "3.1 µs"), (999_999, "1.0 ms"), (3_140_000, "3.1 ms"),
        (41_200_000, "41 ms"), (1_240_000_000, "1.24 s"), (12_345_000_000, "12.3 s"), (125_000_000_000, "2 min 05 s"),
    ],
)  # fmt: skip
def test_duration(ns, text):
    """A duration has two or three figures and the unit that fits."""
    assert fmt.duration(ns) == text


@given(st.integers(min_value=0, max_value=59_900_000_000))
def test_duration_says_the_truth(ns):
    """Below a minute, the text is within 5 % of the number it stands for."""
    figure, unit = fmt.duration(ns).split()
    scale = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}[unit]
    assert float(figure) * scale == pytest.approx(ns, rel=0.05)


def test_more_than_was_counted():
    """A figure that is only a part of the whole says so."""
    assert (fmt.at_least(1_204, more=True), fmt.at_least(3, more=False)) == ("1,204+", "3")


def test_parts_are_in_the_unit_of_their_sum():
    """The four parts can be compared with the whole at a glance, and nothing is a plain 0."""
    times = CallParts(queued=100_000, computing=2_400_000, waiting=0, elsewhere=600_000)
    assert fmt.duration(fmt.total(times)) == "3.1 ms"
    assert fmt.parts(times) == "queued 0.1 · computing 2.4 · waiting 0 · elsewhere 0.6"


def test_main_parts_leave_out_what_does_not_count():
    """Where there is little room, only what the time went to is said."""
    times = CallParts(queued=1_170_000_000, computing=40_000, waiting=0, elsewhere=12_000_000)
    assert fmt.main_parts(times) == "queued 1.17 · elsewhere 0.01"
    assert fmt.main_parts(CallParts(queued=30_000, computing=970_000, waiting=0, elsewhere=0)) == "computing 1.0"


def test_parts_of_a_long_call():
    """A call of minutes has its parts in seconds."""
    times = CallParts(queued=0, computing=0, waiting=180_000_000_000, elsewhere=5_000_000)
    assert fmt.parts(times) == "queued 0 · computing 0 · waiting 180 · elsewhere 0.01"


@pytest.mark.parametrize(
    ("ns", "text"),
    [(None, "–"), (0, "0"), (3_000, "<.01"), (20_000, "0.02"), (3_140_000, "3.1"), (1_204_000_000, "1,204")],
)
def test_millis(ns, text):
    """A column of milliseconds keeps small times visible."""
    assert fmt.millis(ns) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (0.04, "0"), (0.31, "0.3"), (412.4, "412"), (1204.0, "1,204")])
def test_rate(value, text):
    """A rate has one decimal below ten."""
    assert fmt.rate(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.9, "3 s"), (125, "2 min 05 s"), (11_520, "3 h 12 min"), (353_000, "4 d 2 h")]
)
def test_age(seconds, text):
    """An age has its two largest units."""
    assert fmt.age(seconds) == text


def test_share_count_plural():
    """The small ones."""
    assert (fmt.share(0.018), fmt.share(0.35), fmt.count(50_112)) == ("1.8 %", "35 %", "50,112")
    assert (fmt.plural(1, "call"), fmt.plural(0, "call"), fmt.plural(2_000, "call")) == (
        "1 call",
        "0 calls",
        "2,000 calls",
    )


def test_columns():
    """Cells are aligned left or right, and no line ends in blanks."""
    rows = [("name", "n"), ("a", "10"), ("long one", "")]
    assert fmt.columns(rows, right=(1,)) == "name       n\na         10\nlong one"


def test_some_of_many_names():
    """A few names are all said; of many, how many there are and the first ones, in as much room as there is."""
    assert fmt.some([]) == ""
    assert fmt.some(["clerk", "till"]) == "clerk, till"
    many = [f"service-{number}" for number in range(100)]
    assert fmt.some(many) == "100: service-0, service-1, service-2, …"
    assert fmt.some(["x" * 60, "y"]) == f"2: {'x' * 60}, …"
