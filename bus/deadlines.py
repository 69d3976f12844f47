"""Deadlines that calls inherit, on a clock that can be stopped while a person looks.

The deadline travels in a context variable, so it reaches every call that is made inside, on whatever thread; Orleans
stretches its timeouts under a debugger for the same reason that this clock can be paused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bus.registry import Registration
from bus.runtime import NS, Runtime

current_deadline: ContextVar[int | None] = ContextVar("bus_deadline", default=None)
"""Ns on the clock of deadlines; None: there is none."""


class Clock:
    """Monotonic ns without the time for which it was paused. `_lock` guards the three fields."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = runtime.lock()
        self._pauses = 0
        self._paused_at = 0
        self._lost = 0

    def now(self) -> int:
        """The time on this clock."""
        with self._lock:
            at = self._paused_at if self._pauses else self._runtime.now()
            return at - self._lost

    def pause(self) -> Registration:
        """Stop it until the registration is disposed; several pauses end with the last one."""
        with self._lock:
            if not self._pauses:
                self._paused_at = self._runtime.now()
            self._pauses += 1
        return Registration(self._resume)

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Calls made inside end by then, or by the deadline that is there already if that is earlier."""
        mine = self.now() + int(seconds * NS)
        outer = current_deadline.get()
        token = current_deadline.set(mine if outer is None else min(mine, outer))
        try:
            yield
        finally:
            current_deadline.reset(token)

    def _resume(self) -> None:
        with self._lock:
            self._pauses -= 1
            if not self._pauses:
                self._lost += self._runtime.now() - self._paused_at
