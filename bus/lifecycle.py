"""How services and whole buses end: nothing that was accepted is forgotten, and nobody waits for ever."""

import weakref
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bus import runtime
from bus.context import as_call
from bus.errors import BusClosed, BusError, ForkedBusError, ServiceStopped
from bus.lanes import leave_lane
from bus.promise import Promise
from bus.runtime import NS

if TYPE_CHECKING:
    from bus.core import Bus
    from bus.dispatch import Dispatch
    from bus.worker import Runner

AT_EXIT_SECONDS = 4.0
"""What the buses that are still open get to drain when the interpreter ends, all together. The program is to be gone
within five: the rest is for ending files and sockets."""
_LEAVE_SECONDS = 0.1
"""What the threads of a service get to leave when there is no time any more: those that are idle need no more."""
_LOOK_SECONDS = 0.2
"""How long to sleep at most while a bus drains: Python sees a ^C that comes just before a wait only after that."""
_open: "weakref.WeakSet[Bus]" = weakref.WeakSet()


def opened(bus: "Bus") -> None:
    """Close BUS when the interpreter ends, and refuse it in a forked child, where it has no threads."""
    if bus.runtime.real:  # what a run under a schedule leaves open has no threads any more, nor lanes
        _open.add(bus)


def open_buses() -> "list[Bus]":
    """Those of this process that are not closed, in no order."""
    return [bus for bus in list(_open) if not bus.closed]


def _close_all() -> None:
    until = runtime.REAL.now() + int(AT_EXIT_SECONDS * NS)
    while not _closed_all(until):
        until = runtime.REAL.now()


def _closed_all(until: int) -> bool:
    """Close every bus by UNTIL; False when ^C or an exit in a signal's handler says to hurry."""
    try:
        runtime.die_of_second_interrupt()
        for bus in list(_open):
            bus.close(max(_LEAVE_SECONDS, (until - runtime.REAL.now()) / NS))
    except (KeyboardInterrupt, SystemExit):
        return False
    return True


def _refuse_all_in_child() -> None:
    leave_lane()  # the handler that forked, and its thread, are the parent's
    for bus in list(_open):
        message = f"the bus {bus.name!r} was made before a fork, and its threads are in the parent: make a new one here"
        bus.forbid(ForkedBusError(message))
    _open.clear()


runtime.at_exit(_close_all)
runtime.in_forked_child(_refuse_all_in_child)


class Closing:
    """The one closing of a bus. `_turn` has one item, for who begins it; `_done` is set when all has ended.

    First calls from outside are refused, while handlers that are draining may still call each other; then all are, and
    the services end in the reverse order of their start.
    """

    def __init__(self, bus_name: str, dispatch: "Dispatch") -> None:
        self._name = bus_name
        self._dispatch = dispatch
        self._runtime = dispatch.runtime
        # Not a lock: the handler of a signal may close the bus in the middle of a `close` that it interrupted.
        self._turn = [True]
        self._done = dispatch.runtime.latch()
        # Appended by whoever opens something for the bus, read by the closing thread after calls are refused.
        self.callbacks: list[Callable[[], None]] = []

    def close(self, timeout: float, end_timers: Callable[[float], None]) -> None:
        """See `Bus.close`."""
        first = self._begin()
        if not self._inside():
            if first:
                self._close(timeout, end_timers)
            else:
                self._done.wait(timeout)
        elif first:
            self._close_elsewhere(timeout, end_timers)

    def _begin(self) -> bool:
        try:
            self._turn.pop()
        except IndexError:
            return False
        self._dispatch.refusal = BusClosed(f"the bus {self._name!r} is closed and accepts nothing more")
        return True

    def _inside(self) -> bool:
        """Whether the one who closes would wait for itself, or for a lock that the code it interrupted holds."""
        return runtime.interrupts_bus() or any(on_thread_of(runner) for runner in self._dispatch.runners.values())

    def _close_elsewhere(self, timeout: float, end_timers: Callable[[float], None]) -> None:
        try:
            self._runtime.spawn(f"{self._name}-close", self._close, timeout, end_timers)
        except BaseException:  # no more threads, or the interpreter ends: whoever comes next closes
            self._turn.append(True)
            raise

    def _close(self, timeout: float, end_timers: Callable[[float], None]) -> None:
        until = self._runtime.now() + int(timeout * NS)
        try:
            end_timers(timeout)
            self._settle(list(self._dispatch.runners.values()), until)
            self._end_services(until)
        except BaseException:  # the handler of a signal raised: nobody is to wait any longer, and nobody is forgotten
            self._end_services(self._runtime.now())
            raise
        finally:
            with ExitStack() as last:  # each is called, also when one of them raises
                last.callback(self._done.set)
                for callback in self.callbacks:
                    last.callback(_to_its_end, callback)

    def _end_services(self, until: int) -> None:
        for runner in reversed(list(self._dispatch.runners.values())):
            if runner.state != "stopped":
                error = BusClosed(f"the bus {self._name!r} was closed before the call was done")
                leave = self._runtime.now() + int(_LEAVE_SECONDS * NS)
                end(runner, self._dispatch, error, drain=True, until=max(until, leave))

    def _settle(self, runners: list["Runner"], until: int) -> None:
        """Wait until no service has anything to do: until then handlers may call each other."""
        wakeup = self._runtime.own_wakeup()
        for runner in runners:
            runner.mailbox.watch(wakeup)
        while not self._idle(runners):
            left = until - self._runtime.now()
            if left <= 0:
                return
            wakeup.wait(min(left / NS, _LOOK_SECONDS))

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


def _to_its_end(callback: Callable[[], None]) -> None:
    """Call it, and again if the handler of a signal interrupted it: no file or socket is to be left behind."""
    try:
        callback()
    except (KeyboardInterrupt, SystemExit):
        callback()
        raise


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
