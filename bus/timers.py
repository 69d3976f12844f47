"""Callbacks at a given time: one sleeping thread for a whole bus, started when the first timer is set."""

import heapq
import itertools
import logging
from collections.abc import Callable

from bus.registry import Registration
from bus.runtime import NS, Runtime, Thread, Wakeup

_log = logging.getLogger("bus")


class Timers:
    """Calls back on a thread of its own; a callback must only hand work on (to a mailbox)."""

    def __init__(self, runtime: Runtime, name: str) -> None:
        self._runtime = runtime
        self._name = name
        self._lock = runtime.lock()
        # Under `_lock`: due time, a number that keeps equal times in order, the timer.
        self._heap: list[tuple[int, int, _Timer]] = []
        self._numbers = itertools.count()
        self._thread: Thread | None = None
        self._wakeup: Wakeup = runtime.wakeup()
        self._closed = False

    def every(self, seconds: float, callback: Callable[[], None]) -> Registration:
        """Call CALLBACK every SECONDS from now on; a turn that comes late moves the later ones, none is made up for."""
        timer = _Timer(max(1, int(seconds * NS)), callback)
        self._push(timer)
        return Registration(timer.cancel)

    def close(self, timeout: float) -> None:
        """End the thread; no callback starts after this returned, unless one took longer than TIMEOUT seconds."""
        with self._lock:
            self._closed = True
            thread = self._thread
        self._wakeup.wake()
        if thread is not None:
            thread.join(timeout)

    def _push(self, timer: "_Timer") -> None:
        due = self._runtime.now() + timer.period
        with self._lock:
            heapq.heappush(self._heap, (due, next(self._numbers), timer))
            if self._thread is None and not self._closed:
                self._thread = self._runtime.spawn(f"{self._name}-timer", self._run)
        self._wakeup.wake()

    def _run(self) -> None:
        while not self._closed:
            timer, sleep = self._next()
            if timer is None:
                self._wakeup.wait(sleep)
            elif not timer.cancelled:
                self._call(timer)
                self._push(timer)

    def _next(self) -> "tuple[_Timer | None, float | None]":
        with self._lock:
            if not self._heap:
                return None, None
            wait = self._heap[0][0] - self._runtime.now()
            if wait > 0:
                return None, wait / NS
            return heapq.heappop(self._heap)[2], None

    def _call(self, timer: "_Timer") -> None:
        try:
            timer.callback()
        except Exception:  # noqa: BLE001  the timers of all services share this thread
            _log.exception("a timer of the bus %r raised", self._name)


class _Timer:
    """`cancelled` is written by whoever disposes it and read by the timer thread; a late read costs one more turn."""

    __slots__ = ("callback", "cancelled", "period")

    def __init__(self, period: int, callback: Callable[[], None]) -> None:
        self.period = period
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True
