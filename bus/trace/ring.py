"""The flight recorder: the last seconds of what happened, bounded by age and by bytes."""

from collections import deque

from bus.runtime import NS
from bus.trace.chunk import Chunk

MAX_AGE = 30 * NS
MAX_BYTES = 32 << 20


class Ring:
    """Keeps chunks. Owned by the pump thread; a snapshot is a plain tuple and may go anywhere."""

    def __init__(self, max_age: int = MAX_AGE, max_bytes: int = MAX_BYTES) -> None:
        """MAX_AGE in ns, MAX_BYTES as `Chunk.size` counts them."""
        self._max_age = max_age
        self._max_bytes = max_bytes
        self._chunks: deque[tuple[Chunk, int]] = deque()
        self.bytes = 0

    def add(self, chunk: Chunk) -> None:
        """Keep CHUNK, the newest, and let go of what is too old or too much."""
        if chunk.items:
            # The ring must not keep the list of live calls, which hold on to their arguments, alive with it.
            size = chunk.size()
            self._chunks.append((chunk.history(), size))
            self.bytes += size
        self.expire(chunk.at)

    def expire(self, now: int) -> None:
        """Let go of what is too old at NOW (monotonic ns)."""
        oldest = now - self._max_age
        while self._chunks and (self._chunks[0][0].at < oldest or self.bytes > self._max_bytes):
            _, size = self._chunks.popleft()
            self.bytes -= size

    def snapshot(self) -> tuple[Chunk, ...]:
        """What is kept, the oldest first."""
        return tuple(chunk for chunk, _ in self._chunks)
