"""Strategies choose what they say, and shrinking keeps the failure."""

import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.testing.carriers import Carrier
from bus.testing.run import Ran
from bus.testing.scheduler import Task
from bus.testing.shrink import shrunk, stripped
from bus.testing.strategies import DepthFirst, Priorities, RandomWalk, Written


@pytest.fixture(scope="module")
def tasks():
    carrier = Carrier(0)
    yield [Task(number, f"t{number}", carrier) for number in range(1, 5)]
    carrier.end()


def test_random_walk_reaches_everybody(tasks) -> None:
    """Every task that can go on is chosen at times, with and without the current one."""
    walk = RandomWalk(Random(0))
    assert {walk.choose(tasks[0], tasks[1:]) for _ in range(200)} == {0, 1, 2, 3}
    assert {walk.choose(None, tasks[1:]) for _ in range(200)} == {0, 1, 2}


def test_priorities_change_at_most_depth_minus_one_times(tasks) -> None:
    """Among the same tasks the same one goes on, but for depth - 1 changes."""
    for seed in range(50):
        strategy = Priorities(Random(seed), depth=3, length=40)
        chosen = [strategy.choose(tasks[0], tasks[1:]) for _ in range(60)]
        changes = sum(former != later for former, later in itertools.pairwise(chosen))
        assert changes <= 2
    steady = Priorities(Random(0), depth=1, length=40)
    assert len({steady.choose(tasks[0], tasks[1:]) for _ in range(60)}) == 1


def test_depth_first_tries_each_schedule_once() -> None:
    """With n choices of m and up to two deviations there are 1 + n(m-1) + n(n-1)/2 (m-1)² schedules, all different."""
    crowds = [(1, 2, 3)] * 5
    search = DepthFirst(2)
    seen: list[tuple[int, ...]] = []
    for schedule in search.schedules():
        seen.append(tuple(schedule))
        search.ran(crowds)
    assert len(seen) == len(set(seen)) == 1 + 5 * 2 + 10 * 4
    deviations = [sum(map(bool, schedule)) for schedule in seen]
    assert deviations == sorted(deviations)


def test_written_takes_the_nearest_that_fits(tasks) -> None:
    """A choice that is too large is the last one that there is; after the end it is always 0."""
    written = Written([9, 1])
    assert [written.choose(None, tasks[:3]) for _ in range(3)] == [2, 1, 0]
    assert written.diverged is None


@given(st.lists(st.integers(0, 3), max_size=40), st.sets(st.integers(0, 39), min_size=1, max_size=3))
def test_shrinking_keeps_what_matters(picks: list[int], needed: set[int]) -> None:
    """A failure that needs a choice other than 0 at some places shrinks to 1 at exactly these."""
    picks = [max(1, pick) if n in needed else pick for n, pick in enumerate([*picks, *[0] * 40][:40])]

    def run(written: Written) -> Ran:
        schedule = [*written._schedule, *[0] * 40][:40]
        fails = all(schedule[place] for place in needed)
        return Ran(schedule, [], 40, ValueError() if fails else None)

    expected = [int(n in needed) for n in range(40)]
    assert shrunk(Ran(picks, [], 40, ValueError()), run, most_runs=5_000) == stripped(expected)


def test_shrinking_does_not_change_the_failure() -> None:
    """A schedule that fails in another way is not taken for a smaller one."""

    def run(written: Written) -> Ran:
        schedule = list(written._schedule)
        return Ran(schedule, [], 1, ValueError() if schedule == [1, 1] else KeyError())

    assert shrunk(Ran([1, 1], [], 1, ValueError()), run) == [1, 1]
