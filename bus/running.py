"""How a worker runs what it took from its mailbox, and ends it."""

from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING

from bus.context import Call, Delivery, as_call
from bus.errors import DeadlockError, HandlerAborted, ServiceCrash
from bus.foreign import traceback_of, with_traceback
from bus.lanes import ThreadState
from bus.notes import came_from_child
from bus.promise import Promise
from bus.routes import follow
from bus.trace.redact import message_of, type_name

if TYPE_CHECKING:
    from bus.dispatch import Dispatch

_ABORTS = (SystemExit, KeyboardInterrupt, GeneratorExit)


class Running:
    """For the workers of one service. Every call comes by here: what looks long is written out to be short in time.

    It has no state of its own; what is known of a running call is in the `ThreadState` of its worker.
    """

    def __init__(self, dispatch: "Dispatch", crashed: Callable[[BaseException], None]) -> None:
        """CRASHED is told of a `ServiceCrash`."""
        self._dispatch = dispatch
        self._crashed = crashed

    def call(self, call: Call, thread: ThreadState, at: int) -> int:
        """Run CALL, which starts AT; when it ended, 0 if it did not run."""
        dispatch = self._dispatch
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

    def delivery(self, delivery: Delivery, thread: ThreadState, at: int) -> int:
        """Run DELIVERY, which starts AT; when it ended, 0 if it did not run. It becomes a call only if need be."""
        number, event, source = delivery
        hooks = self._dispatch.hooks
        if source.disposed or not hooks.plain:
            return self.call(follow(as_call(delivery)), thread, at)
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
            return self._dispatch.end(call, "ok")
        looked_at, thread.call = thread.call, None
        if context is thread.blank and context:
            thread.blank = Context()
        at = self._dispatch.now()
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
