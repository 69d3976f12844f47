"""What turns the happenings on a bus into scheduling points, and listeners' errors into failures.

Each act of a thread ends with one point: then there is one before the next act, and before a wait for it.
"""

from typing import TYPE_CHECKING, Any

from bus.context import Call
from bus.core import Bus
from bus.errors import DeadlockError
from bus.hooks import Hook
from bus.promise import Promise
from bus.runtime import Runtime
from bus.testing.scheduler import Scheduler

if TYPE_CHECKING:
    from bus.registry import Entry


class Points(Hook):
    """Called on the thread that has the baton. Waits and wakes are points already, by the runtime."""

    def __init__(self, scheduler: Scheduler, *, ignore_listener_errors: bool) -> None:
        self._scheduler = scheduler
        self._ignore = ignore_listener_errors
        self._step_of_put = -1

    def queued(self, call: Call) -> None:
        """A call or a delivery is about to be queued, and the delivery before it was."""
        if call.kind == "delivery":
            self.after_put()
        self._step_of_put = self._scheduler.steps

    def after_put(self) -> None:
        """Something was queued: a point, if it was not one already because it woke somebody."""
        if self._scheduler.steps == self._step_of_put:
            self._point()

    def started(self, call: Call) -> None:
        """A worker has taken a call."""
        del call
        self._point()

    def ended(self, call: Call) -> None:
        """A call is about to be completed; the error of a listener, which nobody else would see, ends the run."""
        error, scheduler = call.error, self._scheduler
        if error is not None and call.kind == "delivery" and call.started and self._matters(error):
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

    def service_state(self, service: str, state: str, workers: int, error: str) -> None:
        """A service is about to close its mailbox."""
        del service, workers, error
        if state == "draining":
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

    def _matters(self, error: BaseException) -> bool:
        return not self._scheduler.over and (isinstance(error, DeadlockError) or not self._ignore)

    def _point(self) -> None:
        if self._scheduler.inside():
            self._scheduler.point()


class ScheduledBus(Bus):
    """A bus that lets others go on after each call or event that is queued, even if nobody was waiting for it."""

    def __init__(self, runtime: Runtime, points: Points) -> None:
        super().__init__("scenario", runtime=runtime)
        self._points = points

    def execute_command(self, name: str, /, *args: Any, **kwargs: Any) -> Promise[Any]:
        """See `Bus`."""
        promise = super().execute_command(name, *args, **kwargs)
        self._points.after_put()
        return promise

    def fire_event(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        """See `Bus`."""
        super().fire_event(name, *args, **kwargs)
        self._points.after_put()
