"""How services and whole buses end: nothing that was accepted is forgotten, and nobody waits for ever."""

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from bus import runtime
from bus.context import as_call
from bus.errors import BusClosed, BusError, ForkedBusError, ServiceStopped
from bus.promise import Promise
from bus.runtime import NS

if TYPE_CHECKING:
    from bus.core import Bus
    from bus.dispatch import Dispatch
    from bus.worker import Runner

AT_EXIT_SECONDS = 5.0
"""What a bus that is still open gets to drain when the interpreter ends."""
_open: "weakref.WeakSet[Bus]" = weakref.WeakSet()


def opened(bus: "Bus") -> None:
    """Close BUS when the interpreter ends, and refuse it in a forked child, where it has no threads."""
    if bus.runtime.real:  # what a run under a schedule leaves open has no threads any more, nor lanes
        _open.add(bus)


def _close_all() -> None:
    for bus in list(_open):
        bus.close(AT_EXIT_SECONDS)


def _refuse_all_in_child() -> None:
    for bus in list(_open):
        message = f"the bus {bus.name!r} was made before a fork, and its threads are in the parent: make a new one here"
        bus.forbid(ForkedBusError(message))
    _open.clear()


runtime.at_exit(_close_all)
runtime.in_forked_child(_refuse_all_in_child)


class Closing:
    """The one closing of a bus. `_begun` is guarded by `_lock`; `_done` is set when all has ended.

    First calls from outside are refused, while handlers that are draining may still call each other; then all are, and
    the services end in the reverse order of their start.
    """

    def __init__(self, bus_name: str, dispatch: "Dispatch") -> None:
        self._name = bus_name
        self._dispatch = dispatch
        self._runtime = dispatch.runtime
        self._lock = dispatch.runtime.lock()
        self._begun = False
        self._done = dispatch.runtime.event()
        # Appended by whoever opens something for the bus, read by the closing thread after calls are refused.
        self.callbacks: list[Callable[[], None]] = []

    def close(self, timeout: float, end_timers: Callable[[float], None]) -> None:
        """See `Bus.close`."""
        with self._lock:
            first, self._begun = not self._begun, True
        if first:
            self._dispatch.refusal = BusClosed(f"the bus {self._name!r} is closed and accepts nothing more")
        inside = any(on_thread_of(runner) for runner in self._dispatch.runners.values())
        if first and inside:
            self._runtime.spawn(f"{self._name}-close", self._close, timeout, end_timers)
        elif first:
            self._close(timeout, end_timers)
        elif not inside:
            self._done.wait(timeout)

    def _close(self, timeout: float, end_timers: Callable[[float], None]) -> None:
        until = self._runtime.now() + int(timeout * NS)
        try:
            end_timers(timeout)
            runners = list(self._dispatch.runners.values())
            self._settle(runners, until)
            for runner in reversed(runners):
                error = BusClosed(f"the bus {self._name!r} was closed before the call was done")
                end(runner, self._dispatch, error, drain=True, until=until)
        finally:
            for callback in reversed(self.callbacks):
                callback()
            self._done.set()

    def _settle(self, runners: list["Runner"], until: int) -> None:
        """Wait until no service has anything to do: until then handlers may call each other."""
        wakeup = self._runtime.own_wakeup()
        for runner in runners:
            runner.mailbox.watch(wakeup)
        while not self._idle(runners):
            left = until - self._runtime.now()
            if left <= 0:
                return
            wakeup.wait(left / NS)

    def _idle(self, runners: list["Runner"]) -> bool:
        # A call may hop from a service not yet asked to one asked already; then a call was made in between.
        before = self._dispatch.accepted()
        return all(runner.idle() for runner in runners) and self._dispatch.accepted() == before + 1


def end(runner: "Runner", dispatch: "Dispatch", error: BusError, *, drain: bool, until: int) -> None:
    """End a service by UNTIL (monotonic ns); what it has not done then fails with ERROR, running calls too."""
    runner.change("draining")
    runner.close()
    if not drain:
        abandon_queued(runner, dispatch, error)
    stragglers = runner.join(until)
    abandon_queued(runner, dispatch, error)
    for call in runner.running:
        if isinstance(call, Promise):
            call.marks = (*call.marks, "late")
            call.set_exception(error)
    if stragglers:
        runtime.log_stacks(f"ending the service {runner.name!r}", stragglers)
    runner.change("stopped")


def on_thread_of(runner: "Runner") -> bool:
    """Whether the current thread is one of RUNNER's."""
    return runtime.thread_ident() in runner.idents


def stopped_error(name: str) -> ServiceStopped:
    """For the calls of a service that is removed."""
    return ServiceStopped(f"the service {name!r} was removed before the call was done")


def abandon_queued(runner: "Runner", dispatch: "Dispatch", error: BusError) -> None:
    """What RUNNER has not begun ends with ERROR."""
    for item in runner.mailbox.empty():
        dispatch.abandon(as_call(item), error)
