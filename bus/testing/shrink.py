"""A shorter schedule that fails in the same way: fewer choices other than 0, then fewer choices, then smaller ones."""

from collections.abc import Callable, Iterator, Sequence

from bus.testing.run import Ran
from bus.testing.strategies import Written

MOST_RUNS = 500
MOST_STEPS = 300_000
"""In all runs together: a few seconds."""


def shrunk(failed: Ran, run: Callable[[Written], Ran], most_runs: int = MOST_RUNS) -> list[int]:
    """The smallest schedule found in MOST_RUNS runs that fails as FAILED did."""
    best = stripped(failed.picks)
    candidates = _smaller(best)
    steps = 0
    for _ in range(most_runs):
        candidate = next(candidates, None)
        if candidate is None or steps > MOST_STEPS:
            break
        ran = run(Written(candidate))
        steps += ran.steps
        # What was really chosen: where the candidate did not fit, the strategy took the nearest that did.
        chosen = stripped(ran.picks)
        if _same(ran, failed) and _size(chosen) < _size(best):
            best = chosen
            candidates = _smaller(best)
    return best


def stripped(picks: Sequence[int]) -> list[int]:
    """Without the zeros at the end, which need not be said."""
    schedule = list(picks)
    while schedule and schedule[-1] == 0:
        schedule.pop()
    return schedule


def _same(ran: Ran, failed: Ran) -> bool:
    return ran.kind == failed.kind and type(ran.failure) is type(failed.failure)


def _size(schedule: Sequence[int]) -> tuple[int, int, int]:
    return sum(map(bool, schedule)), len(schedule), sum(schedule)


def _smaller(schedule: list[int]) -> Iterator[list[int]]:
    """Candidates, the boldest first: parts made 0, parts left out, single choices made smaller."""
    length = len(schedule)
    width = length
    while width:
        for start in range(0, length, width):
            part = schedule[start : start + width]
            if any(part):
                yield schedule[:start] + [0] * len(part) + schedule[start + width :]
        for start in range(0, length, width):
            yield schedule[:start] + schedule[start + width :]
        width //= 2
    for position, pick in enumerate(schedule):
        for smaller in range(1, pick):
            yield [*schedule[:position], smaller, *schedule[position + 1 :]]
