"""Hands work to a sink on a thread of its own, so that a slow or dead sink never holds up the recorder."""

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from bus.runtime import Runtime

T = TypeVar("T")
CAPACITY = 50_000
"""Records that wait for a slow sink before it begins to lose some."""
_log = logging.getLogger("bus")


class Outlet(Generic[T]):
    """A queue and the thread that empties it, in order, by calling `handle`.

    The queue is appended to by any thread. `lost` and `_offered` belong to the one thread that offers, `cpu` and
    `_taken` to the outlet's own; the others only read them.
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
        self.lost = 0
        self.cpu = 0
        self._runtime = runtime
        self._handle = handle
        self._finish = finish
        self._capacity = capacity
        self._queue: deque[tuple[Callable[[], None], int]] = deque()
        self._offered = self._taken = 0
        self._wakeup = runtime.wakeup()
        self._closing = False
        self._thread = runtime.spawn(name, self._run)

    @property
    def alive(self) -> bool:
        """Whether it still takes work."""
        return self._thread.alive and not self._closing

    def offer(self, item: T, records: int) -> bool:
        """Queue ITEM, which holds so many RECORDS, if there is room; otherwise they are lost, and counted."""
        weight = max(1, records)
        if not self.alive or (self._queue and self.backlog + weight > self._capacity):
            self.lost += records
            return False
        self._offered += weight
        self._append(partial(self._handle, item), weight)
        return True

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
        self._append(partial(self._handle, item), 0)

    def call(self, job: Callable[[], None]) -> None:
        """Let the thread call JOB after what is queued."""
        self._append(job, 0)

    def flush(self, timeout: float) -> bool:
        """Wait until all that is queued now is handled, TIMEOUT seconds at most; whether it was."""
        done = self._runtime.event()
        self.call(done.set)
        return self.alive and done.wait(timeout)

    def close(self, timeout: float | None) -> bool:
        """End the thread after what is queued; whether it ended within TIMEOUT seconds (None: do not wait)."""
        self._closing = True
        self._wakeup.wake()
        return timeout is None or self._thread.join(timeout)

    def _append(self, job: Callable[[], None], weight: int) -> None:
        self._queue.append((job, weight))
        self._wakeup.wake()

    def _run(self) -> None:
        try:
            while self._next():
                self.cpu = self._runtime.cpu()
        except OSError:
            pass  # the sink is gone: its owner knows from `finish`
        except Exception:  # noqa: BLE001  the thread's edge: a sink that fails must not take the program with it
            _log.exception("a sink of the recorder failed")
        finally:
            self._closing = True
            self._queue.clear()
            self._finish()

    def _next(self) -> bool:
        closing = self._closing  # before the queue is looked at: what was queued before `close` is handled
        try:
            job, weight = self._queue.popleft()
        except IndexError:
            if closing:
                return False
            self._wakeup.wait()
            return True
        job()
        self._taken += weight
        return True
