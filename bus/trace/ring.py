"""The flight recorder: the last seconds of what happened, bounded by age and by bytes."""

from collections import deque

from bus.runtime import NS
from bus.trace.chunk import Chunk

MAX_AGE = 30 * NS
MAX_BYTES = 32 << 20


class Ring:
    """Keeps chunks. Owned by the pump thread; a snapshot is a plain tuple and may go anywhere.

    `since`: all that happened after this moment (monotonic ns) is kept; 0 when nothing was let go of yet.
    """

    def __init__(self, max_age: int = MAX_AGE, max_bytes: int = MAX_BYTES) -> None:
        """MAX_AGE in ns, MAX_BYTES as `Chunk.size` counts them."""
        self._max_age = max_age
        self._max_bytes = max_bytes
        self._chunks: deque[tuple[Chunk, int]] = deque()
        # When, and how many records, the limit of bytes cost before their time.
        self._pushed_out: deque[tuple[int, int]] = deque()
        self.bytes = 0
        self.since = 0

    @property
    def pushed_out(self) -> int:
        """Records that are young enough to be here, and for which there was no room."""
        return sum(count for _, count in self._pushed_out)

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
            chunk, size = self._chunks.popleft()
            self.bytes -= size
            self.since = chunk.at
            self._pushed_out.append((chunk.at, len(chunk.items)))
        while self._pushed_out and self._pushed_out[0][0] < oldest:
            self._pushed_out.popleft()

    def snapshot(self) -> tuple[Chunk, ...]:
        """What is kept, the oldest first."""
        return tuple(chunk for chunk, _ in self._chunks)
