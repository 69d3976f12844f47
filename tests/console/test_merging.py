"""Several batches as one."""

from collections import deque

from bus.attach.protocol import Batch
from bus.context import Timed
from bus.trace.records import Lane
from bus.trace.timings import Legend
from console.merging import next_batches


def lanes(first: int, count: int) -> tuple[Lane, ...]:
    return tuple(Lane(key=key, name="a") for key in range(first, first + count))


def legend(key: int) -> Legend:
    return Legend(key, "command", f"n{key}", "s", key)


def timed(key: int) -> Timed:
    return TIMED[key]


TIMED = {key: Timed(key, (1, 0, 0, 0), key, 2, 1, 2, 3, 0) for key in (1, 2, 3)}
"""One object each: they are equal only to themselves."""


def test_small_batches_are_one() -> None:
    """In their order, as of the last of them; whether the snapshot was done in any of them is not lost."""
    waiting = deque([Batch(at=1, records=lanes(1, 2), snapshot_done=True), Batch(at=2, records=lanes(3, 1))])
    assert next_batches(waiting) == Batch(at=2, records=lanes(1, 3), snapshot_done=True)
    assert not waiting


def test_one_batch_does_not_get_too_large() -> None:
    """What is too much for one stays for the next time."""
    waiting = deque([Batch(at=1, records=lanes(1, 3_000)), Batch(at=2, records=lanes(4_000, 3_000))])
    assert len(next_batches(waiting, 4_000).records) == 3_000
    assert [batch.at for batch in waiting] == [2]
    assert len(next_batches(waiting, 1_000).records) == 3_000


def test_what_takes_legends_back_is_not_merged_with_what_needs_them() -> None:
    """Before it, as much as after it."""
    waiting = deque(
        [
            Batch(at=1, legends=(legend(1),), timings=(timed(1),)),
            Batch(at=2, timings=(timed(1),)),
            Batch(at=3, legends=(legend(2),), timings=(timed(2),), anew=True),
            Batch(at=4, legends=(legend(3),), timings=(timed(3),)),
        ]
    )
    assert next_batches(waiting) == Batch(at=2, legends=(legend(1),), timings=(timed(1), timed(1)))
    assert next_batches(waiting) == Batch(at=4, legends=(legend(2), legend(3)), timings=(timed(2), timed(3)), anew=True)


def test_timings_count_for_the_size() -> None:
    """As records do."""
    waiting = deque([Batch(at=at, timings=(timed(1),) * 30) for at in (1, 2, 3)])
    assert len(next_batches(waiting, 70).timings) == 60
