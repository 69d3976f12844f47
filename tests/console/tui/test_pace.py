"""How often costly work is done, and what happens meanwhile."""

import asyncio

import pytest

from console.model.slices import Sliced, whole
from console.tui.pace import Pace, in_slices, timed


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_work_takes_a_twentieth_of_the_time() -> None:
    """What is quick may be done at once again; after half a second of work, ten seconds go by."""
    clock = Clock()
    pace = Pace(clock)
    assert pace.due
    with pace:
        clock.now += 0.5
    assert not pace.due
    clock.now += 9.9
    assert not pace.due
    clock.now += 0.2
    assert pace.due
    with pace:
        pass
    assert pace.due


def test_knows_how_old_the_result_is() -> None:
    """Since the work was done, not since it began."""
    clock = Clock()
    pace = Pace(clock)
    with pace:
        clock.now += 2
    clock.now += 3
    assert (pace.took, pace.age) == (2, 3)


def test_work_that_fails_counts_too() -> None:
    """It cost as much."""
    clock = Clock()
    pace = Pace(clock)
    try:
        with pace:
            clock.now += 1
            raise ValueError
    except ValueError:
        pass
    assert not pace.due


def test_a_key_is_handled_while_there_is_work() -> None:
    """What was asked for during the first slice, in several steps of the event loop, is done before the last one."""
    order: list[str] = []

    async def key() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        order.append("key")

    async def main() -> int:
        tasks: list[asyncio.Task[None]] = []

        def work() -> Sliced[int]:
            tasks.append(asyncio.create_task(key()))
            yield
            order.append("work")
            return 7

        return await in_slices(work())

    assert asyncio.run(main()) == 7
    assert order == ["key", "work"]


def test_each_slice_is_timed() -> None:
    """The last one, and one that fails, too; what comes of the work is passed on."""
    clock, took = Clock(), list[float]()

    def work(*, fails: bool) -> Sliced[int]:
        clock.now += 1
        yield
        clock.now += 2
        if fails:
            raise ValueError("broken")
        return 7

    assert whole(timed(work(fails=False), took.append, clock)) == 7
    assert took == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        whole(timed(work(fails=True), took.append, clock))
    assert took == [1, 2, 1, 2]
