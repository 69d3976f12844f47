"""Where the threads of the program leave what the pump will collect."""

from collections import deque
from collections.abc import Iterator

from bus.runtime import Runtime
from bus.trace.chunk import Item

SHARDS = 16
"""A power of two. Lanes share them, so that a program which makes thousands of threads costs no more."""
LIMIT = 65_536
"""Items in one shard; beyond that they are lost, and counted. Only a pump without CPU time lets it come to that."""


class Buffers:
    """Appending is one `deque.append`, which needs no lock; `_lock` guards `_lost`. Only the pump takes out."""

    def __init__(self, runtime: Runtime, limit: int = LIMIT) -> None:
        self._shards = tuple(deque[Item]() for _ in range(SHARDS))
        self._limit = limit
        self._lock = runtime.lock()
        self._lost = 0

    def put(self, lane: int, item: Item) -> None:
        """Leave ITEM, which happened on LANE."""
        shard = self._shards[lane & (SHARDS - 1)]
        if len(shard) < self._limit:
            shard.append(item)
        else:
            with self._lock:
                self._lost += 1

    def take(self, most: int) -> Iterator[list[Item]]:
        """All that is there now, in lists of at most MOST."""
        taken: list[Item] = []
        for shard in self._shards:
            for _ in range(len(shard)):
                taken.append(shard.popleft())
                if len(taken) >= most:
                    yield taken
                    taken = []
        if taken:
            yield taken

    def take_lost(self) -> int:
        """How many were lost since this was last asked."""
        with self._lock:
            lost, self._lost = self._lost, 0
        return lost
