"""A service at work on a bus: its mailbox, its threads, its state; started anew when it crashes."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import Context
from typing import TYPE_CHECKING

from bus.context import Call, Delivery, as_call
from bus.crew import Crew, Term
from bus.errors import (
    BusError,
    DeadlockError,
    HandlerAborted,
    MailboxFull,
    ServiceCrash,
    ServiceDied,
    ServiceStopped,
)
from bus.foreign import traceback_of, with_traceback
from bus.lanes import ThreadState
from bus.mailbox import Closed, Full, Item, Mailbox
from bus.notes import came_from_child
from bus.promise import Promise
from bus.routes import follow
from bus.runtime import NS, Thread
from bus.service import Service, ServiceInfo, check_settings
from bus.stuck import stuck_calls
from bus.supervisor import RESTARTS, Budget
from bus.trace.records import ServiceState
from bus.trace.redact import message_of, type_name, value_text
from bus.waits import Block

if TYPE_CHECKING:
    from bus.dispatch import Dispatch

_ABORTS = (SystemExit, KeyboardInterrupt, GeneratorExit)
_LEAVE_SECONDS = 5.0
"""What the other workers of a crashed or replaced service get to end their calls."""


class Runner:
    """Runs the calls of one service.

    `mailbox.lock` guards `state`, `error`, `dropped`, `restarts`, `_restarting` and `_lazy`.
    """

    def __init__(self, dispatch: "Dispatch", name: str, service: Service) -> None:
        check_settings(service)
        self.name = name
        self.service = service
        self.mailbox = Mailbox(dispatch.runtime, service.capacity)
        self.state: ServiceState = "new"
        self.error: BaseException | None = None
        self.dropped = 0
        self.restarts = 0
        self.dispatch = dispatch
        self._runtime = dispatch.runtime
        self._crew = Crew(
            dispatch.runtime, name, self.mailbox, self._run, self._run_delivery, started=self._started,
            stopped=self._stopped,
        )  # fmt: skip
        self._budget = Budget()
        self._ending = dispatch.runtime.event()
        self._lazy = False
        self._restarting = False
        self._given_up = ""
        self.put: Callable[[Item], None]
        self._choose_put()

    # ---- life

    def start(self) -> None:
        """Start the threads and wait until `on_start` is done.

        Raises:
            BaseException: what `on_start` raised.
        """
        self.change("starting")
        try:
            self._crew.start(self.service, self.service.workers)
        except BaseException as error:
            self.error = error
            self.change("failed")
            raise

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
        error = "" if self.error is None else value_text(self.error)
        self.dispatch.hooks.notify("service_state", self.name, state, self.workers, error)

    def close(self) -> None:
        """Accept nothing more; the threads end when the queue is empty."""
        self._ending.set()
        self._crew.close()
        self.mailbox.close()

    def join(self, until: int) -> list[Thread]:
        """Wait for the threads to end, until this monotonic ns; those that did not."""
        return self._crew.join(until)

    def idle(self) -> bool:
        """Whether there is nothing to do and nothing being done."""
        return self.mailbox.idle(len(self.threads))

    def scale(self, workers: int) -> None:
        """Have WORKERS threads from now on; those too many leave after the call that they run."""
        self._crew.resize(workers)
        self.dispatch.hooks.notify("service_state", self.name, self.state, workers, "")

    def replace_stuck(self, call: Call) -> str:
        """Let a fresh worker take the place of the one that runs CALL; its name, "" when the call has just ended.

        What the old one still delivers is marked late; it leaves when its handler ends at last.
        """
        return self._crew.unseat(call)

    def halt(self) -> Term | None:
        """Let the threads end after the call that each runs; the mailbox stays, and is not served."""
        self.change("starting")
        return self._crew.dismiss()

    def adopt(self, service: Service) -> None:
        """Work for SERVICE from the next `start` on."""
        self.service = service
        self.mailbox.capacity = service.capacity
        self._choose_put()

    # ---- looking at it

    @property
    def workers(self) -> int:
        """How many threads it should have."""
        return self._crew.size or self.service.workers

    @property
    def threads(self) -> list[Thread]:
        """Those that have not ended."""
        return self._crew.threads

    @property
    def ending(self) -> bool:
        """Whether it was closed."""
        return self._ending.is_set()

    @property
    def idents(self) -> frozenset[int]:
        """The interpreter's ids of its threads, those of a former term too that have not ended."""
        return frozenset(self._crew.idents)

    @property
    def serving(self) -> list[Call | None]:
        """What each worker runs that takes calls, None for one that runs nothing."""
        return self._crew.running

    @property
    def running(self) -> list[Call | None]:
        """The same, and what is run by those who take no more."""
        return [*self._crew.running, *self._crew.left]

    def has_free_worker(self) -> bool:
        """Whether a call that is queued now can be taken by a worker that does not wait on the bus itself."""
        return self._crew.has_free_worker()

    def info(self) -> ServiceInfo:
        """How it is now."""
        error = "" if self.error is None else value_text(self.error)
        return ServiceInfo(
            name=self.name, state=self.state, workers=self.workers, depth=len(self.mailbox),
            capacity=self.mailbox.capacity, dropped=self.dropped, restarts=self.restarts, error=error,
            stuck=stuck_calls(self.running, self.service, self._runtime.now()),
        )  # fmt: skip

    # ---- calls come in

    def put_all(self, deliveries: Sequence[Delivery]) -> Sequence[Item]:
        """Queue them in one step; those that were not taken, because the service is ending.

        Raises:
            Full: there is not room for all, and none was queued.
        """
        if self._lazy:
            self._start_lazily()
        return self.mailbox.put_all(deliveries)

    def make_room(self, item: Item) -> Item | None:
        """The mailbox was full for the delivery ITEM: the one that is lost, None when there was room after all.

        Raises:
            Closed: the service is ending.
        """
        return self.mailbox.put_dropping_oldest(item) if self.service.overflow == "drop_oldest" else item

    def blocked(self, *, end: bool = False) -> AbstractContextManager[None]:
        """The current thread waits inside for room in the mailbox, or for the END of the service."""
        dispatch = self.dispatch
        return dispatch.waits.blocked(Block(self.name, end), dispatch.hooks, dispatch.now)

    def check_open(self) -> None:
        """Raise `ServiceStopped` when it is ending."""
        if self.ending:
            raise ServiceStopped(_ended(self.name))

    def refusal(self, reason: BusError | Full | Closed) -> BusError:
        """What a caller is told whose call could not be queued for this REASON."""
        if isinstance(reason, Full):
            return MailboxFull(
                f"the mailbox of the service {self.name!r} holds {self.mailbox.capacity} calls and takes no more; "
                "call it less often, wait for results, or give it more workers"
            )
        if isinstance(reason, Closed) and self.state == "failed":
            return self._died()
        if isinstance(reason, Closed):
            why = self.dispatch.refusal
            return ServiceStopped(_ended(self.name)) if why is None else self.dispatch.refused(why)
        return reason

    def _choose_put(self) -> None:
        # The mailbox's own `put` where it will do, so that it costs nothing that others wait, or start on first use.
        self.put = self._put_waiting if self.service.overflow == "block" else self.mailbox.put

    def _put_waiting(self, item: Item) -> None:
        """All deliveries of one event share the time for which its firer may wait."""
        try:
            self.mailbox.put(item)
        except Full:
            with self.blocked():
                self.mailbox.put_waiting(item, as_call(item).queued + int(self.service.push_timeout * NS))

    def _start_and_put(self, item: Item) -> None:
        self._start_lazily()
        self.mailbox.put(item)

    def _start_lazily(self) -> None:
        with self.mailbox.lock:
            first, self._lazy = self._lazy, False
        if first:
            self._choose_put()
            self.start()

    # ---- and are run

    def _run(self, call: Call, thread: ThreadState, at: int) -> int:
        """Run CALL, which starts AT; when it ended, 0 if it did not run."""
        dispatch = self.dispatch
        hooks = dispatch.hooks
        context = call.context
        if context is None:
            context = thread.blank
        elif call.deadline is not None and dispatch.expired(call):
            return 0
        if call.__class__ is not Promise and not dispatch.may_run(call):
            return 0
        call.lane = thread.lane
        call.started = at
        thread.call = call
        thread.origin = None
        if hooks.started:
            hooks.notify("started", call)
        try:
            if call.kwargs is None:
                value = context.run(call.source.callback, *call.args)  # type: ignore[arg-type]  # what runs has one
            else:
                value = context.run(call.source.callback, *call.args, **call.kwargs)  # type: ignore[arg-type]
        except BaseException as error:  # noqa: BLE001  the thread's edge: an error is an answer, and the worker lives on
            thread.call = None
            at = self._end_failed(call, error, thread)
            del call  # the error's traceback leads to this frame, and the promise to the error
            return at
        thread.call = None
        if context is thread.blank and context:
            thread.blank = Context()  # the handler left variables in it
        at = dispatch.now()
        if call.__class__ is Promise and hooks.plain and not thread.late and call.end_plainly(value, at, thread, hooks):
            return at
        _mark_late(call, thread)
        return dispatch.end(call, "ok", value=value)

    def _run_delivery(self, delivery: Delivery, thread: ThreadState, at: int) -> int:
        """Run DELIVERY, which starts AT; when it ended, 0 if it did not run. It becomes a call only if need be."""
        number, event, source = delivery
        hooks = self.dispatch.hooks
        if source.disposed or not hooks.plain:
            return self._run(follow(as_call(delivery)), thread, at)
        event_id, root, _, caller, queued, args, kwargs, context = event
        # All listeners have the firer's variables, and none sees what another one sets.
        context = thread.blank if context is None else context.copy()
        thread.began = at
        thread.call = delivery
        thread.origin = None
        try:
            if kwargs is None:
                context.run(source.callback, *args)  # type: ignore[arg-type]  # a listener has one
            else:
                context.run(source.callback, *args, **kwargs)  # type: ignore[arg-type]
        except BaseException as error:  # noqa: BLE001  the thread's edge: an error is an answer, and the worker lives on
            call = thread.running() or as_call(delivery)
            thread.call = None
            at = self._end_failed(call, error, thread)
            del call
            return at
        if thread.late:
            call = thread.running() or as_call(delivery)
            thread.call = None
            _mark_late(call, thread)
            return self.dispatch.end(call, "ok")
        looked_at, thread.call = thread.call, None
        if context is thread.blank and context:
            thread.blank = Context()
        at = self.dispatch.now()
        waited = 0 if looked_at is delivery else looked_at.waited  # type: ignore[attr-defined]  # see `running`
        for buffer in thread.buffers if thread.buffers_of is hooks.timings else hooks.buffers(thread):
            if len(buffer) < buffer.limit:
                lane, began = thread.lane, thread.began
                buffer.append((number, event_id, root, caller, source.key, lane, queued, began, at, waited))
            else:
                buffer.lose()
        return at

    def _end_failed(self, call: Call, error: BaseException, thread: ThreadState) -> int:
        _mark_late(call, thread)
        # Without the first entry, which is the worker's own frame: the traceback begins in the handler.
        traceback = traceback_of(error)
        with_traceback(error, traceback.tb_next if traceback is not None else None)
        error, outcome = _as_answer(call, error)
        # One that only passes through, from another service that this call asked, is an error like any other here.
        crash = issubclass(type(error), ServiceCrash) and not came_from_child(error, call)
        at = self.dispatch.end(call, outcome, error=error)
        if crash:
            self._crashed(error)
        return at

    # ---- crashes

    def _started(self) -> None:
        """On the first worker, before it runs anything: a call that crashes must find the service running."""
        with self.mailbox.lock:
            self.restarts += self._restarting
            self._restarting = False
        self.change("running")

    def _stopped(self) -> None:
        """The last worker has left: for good, if the mailbox is closed."""
        if self._ending.is_set():
            self.change("stopped")

    def _crashed(self, error: BaseException) -> None:
        """On the worker that crashed: somebody else has to wait for the other workers, and start them anew."""
        with self.mailbox.lock:
            if self.state != "running":
                return  # another worker crashed first, or the service ends
            self.state = "starting"
            self.error = error
        self.dispatch.hooks.notify("service_state", self.name, "starting", self.workers, value_text(error))
        # At once: this worker must not begin another call before it is replaced.
        term = self._crew.dismiss()
        self._runtime.spawn(f"{self.name}-restart", self._restart, term)

    def _restart(self, term: Term | None) -> None:
        wait_gone(term)
        while not self._ending.is_set():
            delay = self._budget.spend(self._runtime.now()) if self.service.restart == "on-crash" else None
            if delay is None:
                often = self.service.restart == "on-crash"
                self.give_up(f"after {RESTARTS} restarts within a minute" if often else "at once")
                return
            if self._ending.wait(delay):
                return
            with self.mailbox.lock:
                self._restarting = True
            try:
                self._crew.start(self.service, self.workers)
            except BaseException as again:  # noqa: BLE001  the thread's edge: it counts as one more crash
                self.error = again
                continue
            self.dispatch.announce("service_restarted", service=self.name)
            return

    def give_up(self, when: str) -> None:
        """The service has failed for good: what is queued, and whatever comes, gets `ServiceDied`, which says WHEN."""
        self._given_up = when
        self.change("failed")
        self.mailbox.close()
        for item in self.mailbox.empty():
            self.dispatch.abandon(as_call(item), self._died())
        self.dispatch.announce("service_failed", service=self.name, error=self.error)

    def _died(self) -> ServiceDied:
        last = value_text(self.error)
        text = f"the service {self.name!r} crashed and was given up {self._given_up}; its last error was {last}"
        return ServiceDied(text)


def wait_gone(term: Term | None) -> None:
    """Wait until the workers of TERM have left, for as long as they get for that."""
    if term is not None:
        term.gone.wait(_LEAVE_SECONDS)


def _mark_late(call: Call, thread: ThreadState) -> None:
    """Somebody else has got the place of the worker that was stuck with CALL."""
    if thread.late == call.id:
        call.marks = (*call.marks, "late")


def _as_answer(call: Call, error: BaseException) -> tuple[BaseException, str]:
    """What the caller gets for ERROR, and the outcome."""
    # Not `isinstance`, which asks the object itself for its class.
    if issubclass(type(error), _ABORTS):
        aborted = HandlerAborted(f"the handler of {call.name} raised {type_name(error)}: {message_of(error)}")
        aborted.__cause__ = error
        return aborted, "aborted"
    return error, "deadlock" if issubclass(type(error), DeadlockError) else "error"


def _ended(name: str) -> str:
    return f"the service {name!r} has stopped or is stopping; nothing can be sent to it"
