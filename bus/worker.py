"""A service at work on a bus: its mailbox, its threads, its state."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from bus.context import Call, current, enter_lane
from bus.errors import BusError, DeadlockError, HandlerAborted, MailboxFull, ServiceStopped
from bus.mailbox import Closed, Full, Mailbox
from bus.runtime import NS, Runtime, Thread
from bus.service import Service, ServiceInfo, check_settings
from bus.trace.records import ServiceState

if TYPE_CHECKING:
    from bus.dispatch import Dispatch

_log = logging.getLogger("bus")
_ABORTS = (SystemExit, KeyboardInterrupt, GeneratorExit)


class Runner:
    """Runs the calls of one service on its threads.

    `mailbox.lock` guards `state`, `error`, `dropped`, `_working` and `_lazy`. `running[n]` belongs to worker n; others
    only read it.
    """

    def __init__(self, dispatch: "Dispatch", name: str, service: Service) -> None:
        check_settings(service)
        self.name = name
        self.service = service
        self.workers = service.workers
        self.mailbox = Mailbox(dispatch.runtime, service.capacity)
        self.state: ServiceState = "new"
        self.error: BaseException | None = None
        self.dropped = 0
        self.threads: list[Thread] = []
        self.running: list[Call | None] = [None] * self.workers
        self.dispatch = dispatch
        self._runtime: Runtime = dispatch.runtime
        self._up = dispatch.runtime.event()
        self._working = self.workers
        self._lazy = False
        # The mailbox's own `put` where it will do, so that it costs nothing that others wait, or start on first use.
        self.put: Callable[[Call], None] = self._put_waiting if service.overflow == "block" else self.mailbox.put

    # ---- life

    def start(self) -> None:
        """Start the threads and wait until `on_start` is done.

        Raises:
            BaseException: what `on_start` raised.
        """
        self.change("starting")
        self._spawn(0)
        self._up.wait()
        if self.error is not None:
            raise self.error
        for number in range(1, self.workers):
            self._spawn(number)

    def start_on_first_call(self) -> None:
        """Make the threads only when they are needed."""
        self._lazy = True
        self.put = self._start_and_put

    def change(self, state: ServiceState) -> None:
        """Enter STATE and tell the hooks."""
        with self.mailbox.lock:
            if self.state == state:
                return
            self.state = state
        error = "" if self.error is None else repr(self.error)
        self.dispatch.hooks.notify("service_state", self.name, state, self.workers, error)

    def close(self) -> None:
        """Accept nothing more; the threads end when the queue is empty."""
        self.mailbox.close()

    def join(self, until: int) -> list[Thread]:
        """Wait for the threads to end, until this monotonic ns; those that did not."""
        return [t for t in self.threads if not t.join(max(0, until - self._runtime.now()) / NS)]

    def idle(self) -> bool:
        """Whether there is nothing to do and nothing being done."""
        return self.mailbox.idle(len(self.threads))

    def info(self) -> ServiceInfo:
        """How it is now."""
        error = "" if self.error is None else repr(self.error)
        return ServiceInfo(
            self.name, self.state, self.workers, len(self.mailbox), self.mailbox.capacity, self.dropped, error
        )

    # ---- calls come in

    def deliver(self, call: Call) -> Call | None:
        """Queue an event's delivery; the delivery that was dropped for want of room, if any.

        Raises:
            ServiceStopped: the service is ending.
        """
        try:
            if self.service.overflow == "drop_oldest":
                return self.mailbox.put_dropping_oldest(call)
            self.put(call)
        except Full:
            return call
        except Closed:
            raise ServiceStopped(_ended(self.name)) from None
        return None

    def refusal(self, reason: BusError | Full | Closed) -> BusError:
        """What a caller is told whose call could not be queued for this REASON."""
        if isinstance(reason, Full):
            return MailboxFull(
                f"the mailbox of the service {self.name!r} holds {self.mailbox.capacity} calls and takes no more; "
                "call it less often, wait for results, or give it more workers"
            )
        if isinstance(reason, Closed):
            return self.dispatch.refusal or ServiceStopped(_ended(self.name))
        return reason

    def _put_waiting(self, call: Call) -> None:
        self.mailbox.put_waiting(call, self.service.push_timeout)

    def _start_and_put(self, call: Call) -> None:
        with self.mailbox.lock:
            first, self._lazy = self._lazy, False
        if first:
            self.put = self.mailbox.put
            self.start()
        self.mailbox.put(call)

    # ---- and are run

    def _spawn(self, number: int) -> None:
        self.threads.append(self._runtime.spawn(f"{self.name}-{number}", self._work, number))

    def _work(self, number: int) -> None:
        lane = enter_lane(f"{self.name}-{number}", self.name, number)
        if number == 0 and not self._set_up():
            return
        try:
            self._serve(number, lane)
        finally:
            self._tear_down()

    def _serve(self, number: int, lane: int) -> None:
        wakeup, running, mailbox = self._runtime.wakeup(), self.running, self.mailbox
        now, popleft = self._runtime.now, mailbox.popleft
        at = 0
        while True:
            try:
                call = popleft()
            except IndexError:
                at = 0
                if mailbox.sleep(wakeup):
                    continue
                return
            if mailbox.blocked:
                mailbox.let_one_in()
            running[number] = call
            # A busy worker starts a call when it ended the last one: that saves a look at the clock.
            at = self._run(call, lane, at if at >= call.queued else now())
            running[number] = None
            del call  # an idle worker must not keep the last call alive

    def _set_up(self) -> bool:
        try:
            self.service.on_start()
        except BaseException as error:  # noqa: BLE001  raised again by `start`, in the thread that adds the service
            self.error = error
            self.change("failed")
        else:
            self.change("running")
        self._up.set()
        return self.error is None

    def _tear_down(self) -> None:
        with self.mailbox.lock:
            self._working -= 1
            last = self._working == 0
        if last:
            try:
                self.service.on_stop()
            except BaseException:  # noqa: BLE001  the thread's edge: the service has ended either way
                _log.exception("on_stop of the service %r raised", self.name)
            self.change("stopped")

    def _run(self, call: Call, lane: int, at: int) -> int:
        """Run CALL, which starts AT; when it ended."""
        dispatch = self.dispatch
        if call.promise is None:
            if not dispatch.may_run(call):
                return 0
        elif call.deadline is not None and dispatch.expired(call):
            return 0
        call.lane = lane
        call.started = at
        for method in dispatch.hooks.started:
            try:
                method(call)
            except Exception:  # noqa: BLE001  foreign code: whatever it raises must not reach the program
                dispatch.hooks.failed(method)
        current.call = call
        try:
            call.result = call.context.run(call.source.callback, *call.args, **call.kwargs)  # type: ignore[union-attr,arg-type]  # set until the call ends
            call.outcome = "ok"
        except BaseException as error:  # noqa: BLE001  the thread's edge: an error is an answer, and the worker lives on
            _failed(call, error)
        current.call = None
        at = call.ended = dispatch.now()
        dispatch.ended(call)
        return at


def _failed(call: Call, error: BaseException) -> None:
    # Without the first entry, which is the worker's own frame: the traceback begins in the handler.
    handler = error.__traceback__.tb_next if error.__traceback__ is not None else None
    error = error.with_traceback(handler)
    if isinstance(error, _ABORTS):
        message = f"the handler of {call.name} raised {type(error).__name__}: {error}"
        aborted = HandlerAborted(message)
        aborted.__cause__ = error
        call.error, call.outcome = aborted, "aborted"
    else:
        call.error = error
        call.outcome = "deadlock" if isinstance(error, DeadlockError) else "error"


def _ended(name: str) -> str:
    return f"the service {name!r} has stopped or is stopping; nothing can be sent to it"
