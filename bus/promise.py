"""What `execute_command` returns: a `concurrent.futures.Future` that is cheap to make and to wait for.

A plain Future makes a Condition when it is born (2.1 µs); here nothing is made until someone needs it. Waiting in
`result()` sleeps on the thread's own wake-up token; only `concurrent.futures.wait` and `as_completed` need a Condition.
"""

import asyncio
import logging
from collections.abc import Callable, Generator
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from bus import runtime
from bus.context import Call, current, lanes
from bus.errors import CallCancelled, CallTimeout, DeadlockError
from bus.runtime import NS, Wakeup

if TYPE_CHECKING:
    from bus.dispatch import Dispatch
    from bus.mailbox import Mailbox

T = TypeVar("T")
_PENDING, _RUNNING, _FINISHED = "PENDING", "RUNNING", "FINISHED"
_CANCELLED, _NOTIFIED = "CANCELLED", "CANCELLED_AND_NOTIFIED"
_UNDONE = (_PENDING, _RUNNING)
_log = logging.getLogger("bus")


class Promise(Future[T]):
    """The result of a command, or its error, some time later.

    All states change under the lock of the mailbox that the call went to; once `_made_condition` exists, also under
    that, taken first. `call` says what is asked, of whom, by whom.
    """

    __slots__ = (
        "_dispatch",
        "_done_callbacks",
        "_exception",
        "_made_condition",
        "_mailbox",
        "_result",
        "_sleepers",
        "_state",
        "_traceback",
        "_waiters",
        "call",
    )  # fmt: skip

    _result: T | None
    _exception: BaseException | None

    def __init__(self, dispatch: "Dispatch", mailbox: "Mailbox", call: Call) -> None:
        self._dispatch = dispatch
        self._mailbox = mailbox
        self.call = call
        self._state = _PENDING
        self._result = self._exception = None
        self._traceback: TracebackType | None = None
        self._made_condition: runtime.Condition | None = None
        self._sleepers: list[Wakeup] | None = None
        self._waiters: list[Any] = []
        self._done_callbacks: list[Callable[[Future[T]], object]] | None = None

    @property
    def _condition(self) -> runtime.Condition:  # type: ignore[override]  # an attribute there, made on first use here
        """For `concurrent.futures.wait` and `as_completed`, which take the conditions of many futures at once."""
        with self._mailbox.lock:
            if self._made_condition is None:
                self._made_condition = runtime.Condition()
            return self._made_condition

    # ---- asking

    def done(self) -> bool:
        """Whether there is a result, an error, or a cancellation."""
        return self._state not in _UNDONE

    def running(self) -> bool:
        """Whether a worker has begun it."""
        return self._state == _RUNNING

    def cancelled(self) -> bool:
        """Whether it was cancelled before it began."""
        return self._state in {_CANCELLED, _NOTIFIED}

    def result(self, timeout: float | None = None) -> T:
        """Wait in this thread, TIMEOUT seconds at most, and return the result or raise the handler's error.

        Raises:
            CallTimeout: not done in time; the call goes on.
            CallCancelled: it was cancelled before it began.
        """
        self._wait(timeout)
        if self._exception is None:
            return self._result  # type: ignore[return-value]  # the state says that it is there
        try:
            # Always from the original traceback: a result asked for a thousand times must not grow a thousandfold.
            raise self._exception.with_traceback(self._traceback)
        finally:
            self = None  # type: ignore[assignment]  # noqa: PLW0642  break the cycle of error, frame and promise

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait as `result` does, and return the error, None when there is none.

        Raises:
            CallTimeout: not done in time; the call goes on.
            CallCancelled: it was cancelled before it began.
        """
        self._wait(timeout)
        if self.cancelled():
            raise CallCancelled(*self._exception.args) if self._exception else CallCancelled
        return self._exception

    def add_done_callback(self, fn: Callable[[Future[T]], object]) -> None:
        """Call FN with this promise when it is done: on the thread that does it, or here and now if it is."""
        with self._mailbox.lock:
            if self._state in _UNDONE:
                self._done_callbacks = [*(self._done_callbacks or ()), fn]
                return
        self._call_back(fn)

    def __await__(self) -> Generator[Any, None, T]:
        return asyncio.wrap_future(self).__await__()

    def cancel(self) -> bool:
        """Take the call out of the queue; False when it runs already, which is then only asked to stop."""
        with self._mailbox.lock:
            withdrawn = self._mailbox.withdraw(self.call)
            if not withdrawn and self._state == _RUNNING:
                self.call.cancel_requested = True
        if withdrawn:
            self._dispatch.cancelled(self.call)
        return self.cancelled()

    # ---- answering: for the bus

    def begin(self) -> bool:
        """A worker takes the call; False when it is over already."""
        with self._mailbox.lock:
            if self._state != _PENDING:
                return False
            self._state = _RUNNING
            return True

    def set_running_or_notify_cancel(self) -> bool:
        """As the standard library's executors use it."""
        return self.begin()

    def set_result(self, result: T) -> None:
        """End it with RESULT; nothing happens when it is over already."""
        self.finish(_FINISHED, result, None)

    def set_exception(self, exception: BaseException | None) -> None:
        """End it with an error; nothing happens when it is over already."""
        self.finish(_FINISHED, None, exception)

    def set_cancelled(self, error: CallCancelled) -> None:
        """End it before it began."""
        self.finish(_NOTIFIED, None, error)

    def finish(self, state: str, result: T | None, error: BaseException | None) -> bool:
        """The one way to an end; False when another thread was first."""
        with self._mailbox.lock:
            condition = self._made_condition
            first = condition is None and self._settle(state, result, error)
        if condition is not None:
            first = self._finish_with(condition, state, result, error)
        if first:
            self._tell()
        return first

    def _finish_with(
        self, condition: runtime.Condition, state: str, result: T | None, error: BaseException | None
    ) -> bool:
        with condition:
            with self._mailbox.lock:
                first = self._settle(state, result, error)
            if first:
                condition.notify_all()
                for waiter in self._waiters:
                    _inform(waiter, self)
        return first

    def _settle(self, state: str, result: T | None, error: BaseException | None) -> bool:
        if self._state not in _UNDONE:
            return False
        self._result, self._exception = result, error
        self._traceback = error.__traceback__ if error is not None else None
        self._state = state
        return True

    def _tell(self) -> None:
        # After `_settle` nobody adds to these any more, so they are read without the lock.
        if self._sleepers is not None:
            for wakeup in self._sleepers:
                wakeup.wake()
        if self._done_callbacks is not None:
            for fn in self._done_callbacks:
                self._call_back(fn)

    def _call_back(self, fn: Callable[[Future[T]], object]) -> None:
        try:
            fn(self)
        except Exception:  # noqa: BLE001  foreign code: it must not end the worker's thread
            _log.exception("a callback of %r raised", self)

    # ---- waiting

    def _wait(self, timeout: float | None) -> None:
        if self._state not in _UNDONE:
            return
        call, dispatch = current.call, self._dispatch
        if call is not None:
            self._begin_edge(call, timed=timeout is not None)
        began = dispatch.now()
        if dispatch.hooks.wait_began:
            dispatch.hooks.notify("wait_began", call, self.call, began)
        try:
            self._sleep(None if timeout is None else began + int(timeout * NS))
        finally:
            if call is not None:
                dispatch.waits.end(call)
                call.waited += dispatch.now() - began
            if dispatch.hooks.wait_ended:
                dispatch.hooks.notify("wait_ended", call, self.call, began, dispatch.now())
        if self._state in _UNDONE:
            raise CallTimeout(self._describe_wait(timeout))

    def _begin_edge(self, call: Call, *, timed: bool) -> None:
        try:
            self._dispatch.waits.begin(call, self, timed=timed)
        except DeadlockError:
            self.cancel()  # nobody will wait for it
            raise

    def _sleep(self, until: int | None) -> None:
        now = self._dispatch.runtime.now
        wakeup = self._dispatch.runtime.own_wakeup()
        with self._mailbox.lock:
            if self._state not in _UNDONE:
                return
            self._sleepers = [*(self._sleepers or ()), wakeup]
        while self._state in _UNDONE:
            if until is None:
                wakeup.wait()
            elif (left := until - now()) <= 0 or not wakeup.wait(left / NS):
                break
        self._forget_sleeper(wakeup)

    def _forget_sleeper(self, wakeup: Wakeup) -> None:
        with self._mailbox.lock:
            if self._state in _UNDONE and self._sleepers is not None:
                self._sleepers = [other for other in self._sleepers if other is not wakeup]

    def _describe_wait(self, timeout: float | None) -> str:
        call = self.call
        what = f"{call.name} #{call.id} did not end within {timeout} s: it is"
        if call.started:
            seconds = (self._dispatch.runtime.now() - call.started) / NS
            return f"{what} running for {seconds:.3g} s on {lanes[call.lane].name}"
        position = self._mailbox.position(call)
        if position < 0:
            return f"{what} about to start on {call.service}"
        return f"{what} queued for {call.service}, {position + 1} of {len(self._mailbox)}"


def _inform(waiter: Any, promise: Promise[Any]) -> None:
    if promise.cancelled():
        waiter.add_cancelled(promise)
    elif promise.exception() is not None:
        waiter.add_exception(promise)
    else:
        waiter.add_result(promise)
