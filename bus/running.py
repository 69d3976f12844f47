"""What a worker does: it takes what comes into the mailbox, runs it, and ends it."""

from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING

from bus.context import Call, Delivered, Delivery, as_call
from bus.errors import DeadlockError, HandlerAborted, ServiceCrash
from bus.foreign import traceback_of, with_traceback
from bus.lanes import ThreadState
from bus.mailbox import Mailbox
from bus.notes import came_from_child
from bus.promise import Promise
from bus.routes import follow
from bus.runtime import Wakeup
from bus.trace.redact import message_of, type_name

if TYPE_CHECKING:
    from bus.dispatch import Dispatch

_ABORTS = (SystemExit, KeyboardInterrupt, GeneratorExit)


class Running:
    """For the workers of one service. Every call comes by here: what looks long is written out to be short in time.

    What is known of a running call is in the `ThreadState` of its worker. `epoch` changes when workers should ask
    whether they may stay; the crew's lock guards it.
    """

    def __init__(self, dispatch: "Dispatch", mailbox: Mailbox, crashed: Callable[[BaseException], None]) -> None:
        """CRASHED is told of a `ServiceCrash`."""
        self.epoch = 0
        self._dispatch = dispatch
        self._mailbox = mailbox
        self._crashed = crashed

    def serve(self, thread: ThreadState, wanted: Callable[[], bool]) -> None:
        """Run what comes into the mailbox until it is closed and empty, or the worker is not WANTED any more."""
        runtime = self._dispatch.runtime
        quick, quiet = runtime.wakeup(), runtime.quiet_wakeup()
        # What was made where no variables are set runs in the worker's own context, which has none either; a context
        # for each would cost a sixth of a delivery. When a handler has left variables in it, it gets a new one.
        staying = True
        while staying:
            context = Context()
            staying = context.run(self._serve_in, context, thread, wanted, quick, quiet)

    def _serve_in(  # noqa: C901, PLR0912, PLR0915  the way of every call: each step out of here costs 60 ns
        self, context: Context, thread: ThreadState, wanted: Callable[[], bool], quick: Wakeup, quiet: Wakeup
    ) -> bool:
        """Whether the worker stays, and only needs a CONTEXT without variables."""
        dispatch, mailbox, lane = self._dispatch, self._mailbox, thread.lane
        hooks, now = dispatch.hooks, dispatch.now
        calls, blocked, popleft = mailbox.calls, mailbox.blocked, mailbox.popleft
        # Who executes a command is about to wait for it, and an eventfd lets go of the GIL; who fires an event has more
        # to fire, and goes on. So a worker sleeps on the kind of token that fits what it ran last.
        wakeup, epoch, at = quick, -1, 0
        while not context:
            if epoch != self.epoch:
                epoch = self.epoch
                if not wanted():
                    mailbox.wake_one()  # this worker may have been woken for a call that another one has to take now
                    return False
            if not calls:
                item = source = value = thread.origin = None  # an idle worker keeps nothing alive
                at = 0
                if mailbox.sleep(wakeup):
                    continue
                return False
            try:
                item = popleft()
            except IndexError:  # another worker was first
                continue
            if blocked:
                mailbox.let_one_in()
            # A busy worker starts a call when it ended the last one: that saves a look at the clock.
            if item.__class__ is Delivery:
                wakeup, source, event = quiet, item.source, item.event
                if at < event.at:
                    at = now()
                if item.extra is not None or source.disposed or not hooks.plain:
                    at = self._delivery(item, thread, at)
                    continue
                thread.began = began = at
                thread.call = item
                thread.origin = None
                try:
                    source.callback(*item.args)
                except BaseException as error:  # noqa: BLE001  the thread's edge: the worker lives on
                    at = self._delivery_failed(item, error, thread)
                    continue
                if thread.call is not item or thread.late:
                    at = self._delivery_ended(item, thread)
                    continue
                thread.call = None
                at = now()
                if thread.recorded_by is not hooks.timings or not thread.room:
                    hooks.make_room(thread)
                thread.room -= 1
                if thread.record is not None:
                    thread.record(Delivered(item.id, event, source.key, lane, began, at))
                continue
            wakeup = quick
            if at < item.queued:  # type: ignore[union-attr]  # what is no delivery is a call
                at = now()
            if item.__class__ is not Promise or item.context is not None or not hooks.plain:
                at = self._call(item, thread, at)  # type: ignore[arg-type]  # as above
                continue
            item.lane = lane
            item.started = at
            thread.call = item
            thread.origin = None
            try:
                if item.kwargs is None:
                    value = item.source.callback(*item.args)
                else:
                    value = item.source.callback(*item.args, **item.kwargs)
            except BaseException as error:  # noqa: BLE001  the thread's edge: an error is an answer
                thread.call = None
                at = self._failed(item, error, thread)
                continue
            thread.call = None
            at = now()
            if thread.late or not item.end_plainly(value, at, thread, hooks):
                at = self._ended(item, value, thread)
        return True

    def _call(self, call: Call, thread: ThreadState, at: int) -> int:
        """Run CALL, which starts AT and is none of the plain ones; when it ended, 0 if it did not run."""
        dispatch, context = self._dispatch, call.context
        if call.deadline is not None and dispatch.expired(call):
            return 0
        if call.__class__ is not Promise and not dispatch.may_run(call):
            return 0
        call.lane = thread.lane
        call.started = at
        thread.call = call
        thread.origin = None
        dispatch.hooks.notify("started", call)
        try:
            if context is None:
                value = call.source.callback(*call.args, **call.kwargs or {})
            else:
                value = context.run(call.source.callback, *call.args, **call.kwargs or {})
        except BaseException as error:  # noqa: BLE001  as in `_serve_in`
            thread.call = None
            at = self._failed(call, error, thread)
            del call  # the error's traceback leads to this frame, and the promise to the error
            return at
        thread.call = None
        return self._ended(call, value, thread)

    def _ended(self, call: Call, value: object, thread: ThreadState) -> int:
        _mark_late(call, thread)
        return self._dispatch.end(call, "ok", value=value)

    def _delivery(self, delivery: Delivery, thread: ThreadState, at: int) -> int:
        """Run DELIVERY, which starts AT and is none of the plain ones; when it ended, 0 if it did not run."""
        source, args, extra = delivery.source, delivery.args, delivery.extra
        if extra is None or source.disposed or not self._dispatch.hooks.plain:
            return self._call(follow(as_call(delivery)), thread, at)
        kwargs, context = extra
        thread.began = at
        thread.call = delivery
        thread.origin = None
        try:
            if context is None:
                source.callback(*args, **kwargs or {})
            else:
                # All listeners have the firer's variables, and none sees what another one sets.
                context.copy().run(source.callback, *args, **kwargs or {})
        except BaseException as error:  # noqa: BLE001  as in `_serve_in`
            return self._delivery_failed(delivery, error, thread)
        return self._delivery_ended(delivery, thread)

    def _delivery_ended(self, delivery: Delivery, thread: ThreadState) -> int:
        """It went well, though it may have waited, or its worker was stuck with it; when that was."""
        call = thread.running() or as_call(delivery)
        thread.call = None
        if thread.late:
            _mark_late(call, thread)
            return self._dispatch.end(call, "ok")
        call.ended = self._dispatch.now()
        self._dispatch.hooks.keep(call.timing(), thread)
        return call.ended

    def _delivery_failed(self, delivery: Delivery, error: BaseException, thread: ThreadState) -> int:
        call = thread.running() or as_call(delivery)
        thread.call = None
        return self._failed(call, error, thread)

    def _failed(self, call: Call, error: BaseException, thread: ThreadState) -> int:
        _mark_late(call, thread)
        # Without the first entry, which is the worker's own frame: the traceback begins in the handler.
        traceback = traceback_of(error)
        with_traceback(error, traceback.tb_next if traceback is not None else None)
        error, outcome = _as_answer(call, error)
        # One that only passes through, from another service that this call asked, is an error like any other here.
        crash = issubclass(type(error), ServiceCrash) and not came_from_child(error, call)
        at = self._dispatch.end(call, outcome, error=error)
        if crash:
            self._crashed(error)
        return at


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
