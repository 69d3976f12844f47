"""Batches that have come in, several at once: many small ones cost more than a large one."""

from collections import deque
from itertools import chain
from typing import Final

from msgspec import structs

from bus.attach.protocol import Batch
from console.model.packing import Portion

RECORDS: Final = 20_000
PAST_RECORDS: Final = 100_000
"""Of what a program did before: each of its lanes takes time in each batch, whatever that tells of it. But not of the
first that comes, which is taken in alone: that makes the first picture."""


def next_batches(waiting: deque[Batch], most: int = RECORDS) -> Batch:
    """Take the next batches out of WAITING, which is not empty, as one; MOST records, if the first has not more."""
    some = [waiting.popleft()]
    size = _size(some[0])
    while waiting and (size := size + _size(waiting[0])) <= most:
        if isinstance(waiting[0], Portion) or isinstance(some[0], Portion):  # large already
            break
        if waiting[0].anew:  # what is before it needs the legends that it takes back
            break
        some.append(waiting.popleft())
    if len(some) == 1:
        return some[0]
    return structs.replace(
        some[-1],
        records=tuple(chain.from_iterable(batch.records for batch in some)),
        legends=tuple(chain.from_iterable(batch.legends for batch in some)),
        timings=tuple(chain.from_iterable(batch.timings for batch in some)),
        anew=some[0].anew,
        snapshot_done=any(batch.snapshot_done for batch in some),
    )


def _size(batch: Batch) -> int:
    return len(batch.records) + len(batch.timings)
