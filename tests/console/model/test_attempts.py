"""Which calls are the same call made again after a failure."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bus.trace.records import Call
from console.model import attempts
from tests.console.model.test_calls import call, filled


def attempt(number: int, begin: int, end: int, outcome: str | None = "error", args: str = "x=1", **more: Any) -> Call:
    return call(number, begin, begin, end, outcome=outcome, args=args, **more)


def numbers(found: list[list[Call]]) -> list[list[int]]:
    return [[one.id for one in series] for series in found]


def test_a_call_made_again_after_it_failed_is_an_attempt() -> None:
    """Until one succeeds; what comes then is a new call."""
    calls = [attempt(1, 0, 5), attempt(2, 6, 9, "expired"), attempt(3, 9, 11, "ok"), attempt(4, 12, 14, "ok")]
    assert numbers(attempts.series(calls)) == [[1, 2, 3], [4]]


def test_other_arguments_other_names_and_overlapping_calls_are_no_attempts() -> None:
    """Nor what was made before the failure was known."""
    calls = [attempt(1, 0, 5), attempt(2, 3, 9), attempt(3, 10, 12, args="x=2"), attempt(4, 10, 12, name="m")]
    assert numbers(attempts.series(calls)) == [[1], [2], [3], [4]]


def test_a_cancelled_call_was_no_failure() -> None:
    """Somebody asked for it."""
    assert numbers(attempts.series([attempt(1, 0, 5, "cancelled"), attempt(2, 6, 7)])) == [[1], [2]]


def test_arguments_that_were_not_recorded_are_not_the_same() -> None:
    """At the level `times` nothing is known of them; without any, at the level `full`, they are."""
    assert numbers(attempts.series([attempt(1, 0, 5, args=""), attempt(2, 6, 7, args="")])) == [[1], [2]]
    known = [attempt(1, 0, 5, args="", cpu=1), attempt(2, 6, 7, args="", cpu=1)]
    assert numbers(attempts.series(known)) == [[1, 2]]


def test_calls_from_outside_are_attempts_of_the_thread_that_made_them() -> None:
    """Also one that is in flight; another thread's calls are not."""
    first, second, others = attempt(1, 0, 5), attempt(2, 6, 9), attempt(3, 6, 8, caller=7)
    third = attempt(4, 20, 0, None)
    store = filled(first, second, others, live=(third,))
    for one in (first, second, third):
        assert [other.id for other in attempts.around(store, one)] == [1, 2, 4]
    assert attempts.around(store, others) == ()


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["ok", "error", "cancelled"])), max_size=20))
def test_each_call_is_in_one_series(made: list[tuple[int, str]]) -> None:
    """Whose calls but the last have all failed, in their order."""
    calls = [attempt(n, 2 * n, 2 * n + 1, outcome, args=f"x={x}") for n, (x, outcome) in enumerate(made, 1)]
    found = attempts.series(calls)
    assert sorted(one.id for series in found for one in series) == list(range(1, len(made) + 1))
    for series in found:
        assert all(one.outcome == "error" for one in series[:-1])
        assert [one.id for one in series] == sorted(one.id for one in series)
        assert len({one.args for one in series}) == 1
