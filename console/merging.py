"""Batches that have come in, several at once: many small ones cost more than a large one."""

from collections import deque
from itertools import chain
from typing import Final

from msgspec import structs

from bus.attach.protocol import Batch
from console.model.packing import Portion

_RECORDS: Final = 4_000


def next_batches(waiting: deque[Batch]) -> Batch:
    """Take the next batches out of WAITING, which is not empty, as one."""
    some = [waiting.popleft()]
    size = len(some[0].records)
    while waiting and (size := size + len(waiting[0].records)) <= _RECORDS:
        if isinstance(waiting[0], Portion) or isinstance(some[0], Portion):  # large already
            break
        some.append(waiting.popleft())
    if len(some) == 1:
        return some[0]
    records = tuple(chain.from_iterable(batch.records for batch in some))
    return structs.replace(some[-1], records=records, snapshot_done=any(batch.snapshot_done for batch in some))
