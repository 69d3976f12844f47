"""Where the threads of the program leave what the pump will collect."""

from collections import deque

from bus.runtime import Runtime
from bus.trace.chunk import Item

SHARDS = 16
"""A power of two. Lanes share them, so that a program which makes thousands of threads costs no more."""
LIMIT = 65_536
"""Items in one shard; beyond that they are lost, and counted. Only a pump without CPU time lets it come to that."""


class Shard(deque[Item]):
    """Appending is one atomic step; who appends looks first whether there is room. `_lock` guards `_lost`."""

    def __init__(self, runtime: Runtime, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self._lock = runtime.lock()
        self._lost = 0

    def lose(self, count: int = 1) -> None:
        """So many more for which there was no room."""
        with self._lock:
            self._lost += count

    def take_lost(self) -> int:
        """How many were lost since this was last asked."""
        with self._lock:
            lost, self._lost = self._lost, 0
        return lost


class Buffers:
    """Filled by all threads, each with the shard of its lane. Only the pump takes out."""

    def __init__(self, runtime: Runtime, limit: int = LIMIT) -> None:
        self._shards = tuple(Shard(runtime, limit) for _ in range(SHARDS))

    def of(self, lane: int) -> Shard:
        """Where LANE leaves what happened there."""
        return self._shards[lane & (SHARDS - 1)]

    def put(self, lane: int, item: Item) -> None:
        """Leave ITEM, which happened on LANE."""
        shard = self._shards[lane & (SHARDS - 1)]
        if len(shard) < shard.limit:
            shard.append(item)
        else:
            shard.lose()

    def take(self) -> list[Item]:
        """All that is there now, lane by lane or nearly so."""
        return [shard.popleft() for shard in self._shards for _ in range(len(shard))]

    def take_lost(self) -> int:
        """How many were lost since this was last asked."""
        return sum(shard.take_lost() for shard in self._shards)
