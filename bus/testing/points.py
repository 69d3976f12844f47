"""The hook that turns what happens on a bus into scheduling points, and listeners' errors into failures."""

from typing import TYPE_CHECKING

from bus.context import Call
from bus.errors import DeadlockError
from bus.hooks import Hook
from bus.testing.scheduler import Scheduler

if TYPE_CHECKING:
    from bus.registry import Entry


class Points(Hook):
    """Called on the thread that has the baton. Waits and wakes are points already, by the runtime."""

    def __init__(self, scheduler: Scheduler, *, ignore_listener_errors: bool) -> None:
        self._scheduler = scheduler
        self._ignore = ignore_listener_errors

    def queued(self, call: Call) -> None:
        """A call, a fire or a delivery is about to be queued."""
        del call
        self._point()

    def started(self, call: Call) -> None:
        """A worker has taken a call."""
        del call
        self._point()

    def ended(self, call: Call) -> None:
        """A call is about to be completed; the error of a listener, which nobody else would see, ends the run."""
        error, scheduler = call.error, self._scheduler
        if error is not None and call.kind == "delivery" and call.started and not scheduler.over:
            if isinstance(error, DeadlockError) or not self._ignore:
                scheduler.fail(error)
        self._point()

    def registered(self, entry: "Entry") -> None:
        """A command or listener was registered."""
        del entry
        self._point()

    def unregistered(self, entry: "Entry") -> None:
        """A command or listener was disposed."""
        del entry
        self._point()

    def wait_began(self, call: Call | None, target: Call, at: int) -> None:
        """A thread is about to wait for TARGET; if that is never over, the report names it."""
        del call, at
        if self._scheduler.inside():
            self._scheduler.current.awaits = target
            self._scheduler.point()

    def wait_ended(self, call: Call | None, target: Call, began: int, at: int) -> None:
        """It is over."""
        del call, target, began, at
        if not self._scheduler.over and self._scheduler.inside():
            self._scheduler.current.awaits = None

    def _point(self) -> None:
        if self._scheduler.inside():
            self._scheduler.point()
