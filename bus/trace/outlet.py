"""Hands work to a sink on a thread of its own, so that a slow or dead sink never holds up the recorder."""

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, Generic, NamedTuple, TypeVar

from bus.runtime import Runtime

T = TypeVar("T")
CAPACITY = 50_000
"""Records that wait for a slow sink before it begins to lose some."""
_log = logging.getLogger("bus")


class Outlet(Generic[T]):
    """A queue and the thread that empties it, in order, by calling `handle`, up to the job that ends it.

    The queue is appended to by any thread. `_refused` and `_offered` belong to the one thread that offers, `cpu`,
    `_taken` and `_left` to the outlet's own; the others only read them. What is offered is handled, or counted as lost
    by exactly one of the two: who takes it out of the queue. There is no lock, for it is closed in signal handlers too.
    """

    def __init__(
        self,
        name: str,
        handle: Callable[[T], None],
        finish: Callable[[], None],
        runtime: Runtime,
        *,
        capacity: int = CAPACITY,
    ) -> None:
        """HANDLE and FINISH run on the new thread called NAME; an OSError that leaves HANDLE ends it."""
        self.cpu = 0
        self._runtime = runtime
        self._handle = handle
        self._finish = finish
        self._capacity = capacity
        self._queue: deque[_Job] = deque()
        self._offered = self._taken = self._refused = self._left = 0
        self._wakeup = runtime.wakeup()
        self._closing = self._ended = False
        self._thread = runtime.spawn(name, self._run)

    @property
    def alive(self) -> bool:
        """Whether it still takes work."""
        return self._thread.alive and not self._closing

    def offer(self, item: T, records: int) -> bool:
        """Queue ITEM, which holds so many RECORDS, if there is room; otherwise they are lost, and counted."""
        weight = max(1, records)
        if not self.alive or (self._queue and self.backlog + weight > self._capacity):
            self._refused += records
            return False
        self._offered += weight
        self._append(_Job(partial(self._handle, item), weight, records))
        if self._ended:  # meanwhile: nobody takes it any more
            self._refused += self._abandoned()
        return not self._ended

    @property
    def lost(self) -> int:
        """Records that were offered and will not be handled."""
        return self._refused + self._left

    @property
    def backlog(self) -> int:
        """Records offered and not handled yet."""
        return self._offered - self._taken

    @property
    def waiting(self) -> int:
        """Things of all kinds in the queue."""
        return len(self._queue)

    def put(self, item: T) -> None:
        """Queue ITEM in any case."""
        self._append(_Job(partial(self._handle, item)))

    def call(self, job: Callable[[], None]) -> None:
        """Let the thread call JOB after what is queued."""
        self._append(_Job(job))

    def flush(self, timeout: float) -> bool:
        """Wait until all that is queued now is handled, TIMEOUT seconds at most; whether it was."""
        done = self._runtime.latch()
        self.call(done.set)
        return self.alive and done.wait(timeout)

    def close(self, timeout: float | None) -> bool:
        """End the thread after what is queued; whether it ended within TIMEOUT seconds (None: do not wait)."""
        self._closing = True
        self._append(_END)
        return timeout is None or self._thread.join(timeout)

    def _append(self, job: "_Job") -> None:
        self._queue.append(job)
        self._wakeup.wake()

    def _abandoned(self) -> int:
        """Empty the queue; how many records were in it."""
        records = 0
        while True:
            try:
                records += self._queue.popleft().records
            except IndexError:
                return records

    def _run(self) -> None:
        try:
            while self._next():
                self.cpu = self._runtime.cpu()
        except OSError:
            pass  # the sink is gone: its owner knows from `finish`
        except Exception:  # noqa: BLE001  the thread's edge: a sink that fails must not take the program with it
            _log.exception("a sink of the recorder failed")
        finally:
            self._closing = self._ended = True  # before the queue is emptied: what comes now is seen by who offers it
            self._left += self._abandoned()
            self._finish()

    def _next(self) -> bool:
        try:
            job = self._queue.popleft()
        except IndexError:
            self._wakeup.wait()
            return True
        if job is _END:
            return False
        try:
            job.do()
        except BaseException:
            self._left += job.records
            raise
        self._taken += job.weight
        return True


class _Job(NamedTuple):
    """What is queued. `weight`: what it takes of the capacity."""

    do: Callable[[], object]
    weight: int = 0
    records: int = 0


_END: Final = _Job(lambda: None)
