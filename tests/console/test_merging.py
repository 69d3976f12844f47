"""Several batches as one."""

from collections import deque

from bus.attach.protocol import Batch
from bus.trace.records import Lane
from console.merging import next_batches


def lanes(first: int, count: int) -> tuple[Lane, ...]:
    return tuple(Lane(key=key, name="a") for key in range(first, first + count))


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
