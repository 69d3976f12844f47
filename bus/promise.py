"""What `execute_command` returns: a `concurrent.futures.Future` that is cheap to make and to wait for.

A plain Future makes a Condition when it is born (2.1 µs); here nothing is made until someone needs it. Waiting in
`result()` sleeps on the thread's own wake-up token; only `concurrent.futures.wait` and `as_completed` need a Condition.
"""

import asyncio
import logging
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from bus import runtime
from bus.context import Call, current
from bus.deadlines import current_deadline
from bus.errors import CallCancelled, CallTimeout, DeadlockError
from bus.runtime import NS, Wakeup
from bus.unretrieved import Unretrieved
from bus.waits import describe, tell_suspicion

if TYPE_CHECKING:
    from bus.mailbox import Mailbox
    from bus.worker import Runner

T = TypeVar("T")
# The standard library's own words, which `wait` and `as_completed` look at; compared by identity here.
_PENDING, _FINISHED, _NOTIFIED = "PENDING", "FINISHED", "CANCELLED_AND_NOTIFIED"
_log = logging.getLogger("bus")


class Promise(Future[T]):
    """The result of a command, or its error, some time later.

    All states change under the lock of the mailbox that the call went to; once `_made_condition` exists, also under
    that, taken first. `call` says what is asked, of whom, by whom. What few promises need has its default in the class.
    """

    __slots__ = ("_exception", "_result", "_runner", "_state", "call")

    _result: T | None
    _exception: BaseException | None
    _traceback: TracebackType | None = None
    _made_condition: runtime.Condition | None = None
    _done_callbacks: Sequence[Callable[[Future[T]], object]] = ()
    _waiters: list[Any]
    unretrieved: Unretrieved | None = None
    """Reports the error when the promise goes and nobody has asked for it."""
    _sleepers: Sequence[Wakeup] = ()
    """The threads that wait in `result`; who appends looks at the state again, who settles looks here after it."""

    def __init__(self, runner: "Runner", call: Call) -> None:
        self._runner = runner
        self.call = call
        self._state = _PENDING

    @property
    def mailbox(self) -> "Mailbox":
        """Where the call is queued until it starts."""
        return self._runner.mailbox

    @property
    def _condition(self) -> runtime.Condition:  # type: ignore[override]  # an attribute there, made on first use here
        """For `concurrent.futures.wait` and `as_completed`, which take the conditions of many futures at once."""
        with self._runner.mailbox.lock:
            if self._made_condition is None:
                self._waiters = []
                self._made_condition = runtime.Condition()
            return self._made_condition

    # ---- asking

    def done(self) -> bool:
        """Whether there is a result, an error, or a cancellation."""
        return self._state is not _PENDING

    def running(self) -> bool:
        """Whether a worker has begun it."""
        return self._state is _PENDING and self.call.started > 0

    def cancelled(self) -> bool:
        """Whether it was cancelled before it began."""
        return self._state is _NOTIFIED

    def result(self, timeout: float | None = None) -> T:
        """Wait in this thread, TIMEOUT seconds at most, and return the result or raise the handler's error.

        Raises:
            CallTimeout: not done in time; the call goes on.
            CallCancelled: it was cancelled before it began.
        """
        if self._state is _PENDING:
            self._wait(timeout)
        if self._exception is None:
            return self._result  # type: ignore[return-value]  # the state says that it is there
        self._retrieved()
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
        if self._state is _PENDING:
            self._wait(timeout)
        if self.cancelled():
            raise CallCancelled(*self._exception.args) if self._exception else CallCancelled
        self._retrieved()
        return self._exception

    def _retrieved(self) -> None:
        if self.unretrieved is not None:
            self.unretrieved.disarm()

    def add_done_callback(self, fn: Callable[[Future[T]], object]) -> None:
        """Call FN with this promise when it is done: on the thread that does it, or here and now if it is."""
        with self._runner.mailbox.lock:
            if self._state is _PENDING:
                self._done_callbacks = (*self._done_callbacks, fn)
                return
        self._call_back(fn)

    def __await__(self) -> Generator[Any, None, T]:
        return asyncio.wrap_future(self).__await__()

    def cancel(self) -> bool:
        """Take the call out of the queue; False when it runs already, which is then only asked to stop."""
        if self._runner.mailbox.withdraw(self.call):
            self._runner.dispatch.cancelled(self.call)
        elif self._state is _PENDING:
            self.call.cancel_requested = True
        return self.cancelled()

    # ---- answering: for the bus

    def set_running_or_notify_cancel(self) -> bool:
        """Whether it is still to be done; the bus itself has no need of it."""
        return self._state is _PENDING

    def set_result(self, result: T) -> None:
        """End it with RESULT; nothing happens when it is over already."""
        self.settle(result, None)

    def set_exception(self, exception: BaseException | None) -> None:
        """End it with an error; nothing happens when it is over already."""
        self.settle(None, exception)

    def set_cancelled(self, error: CallCancelled) -> None:
        """End it before it began."""
        self.settle(None, error, _NOTIFIED)

    def settle(self, result: T | None, error: BaseException | None, state: str = _FINISHED) -> bool:
        """The one way to an end; False when another thread was first."""
        if error is not None:
            self._traceback = error.__traceback__
        with self._runner.mailbox.lock:
            condition = self._made_condition
            if condition is None:
                if self._state is not _PENDING:
                    return False
                self._result, self._exception = result, error
                self._state = state
        if condition is not None and not self._settle_with(condition, result, error, state):
            return False
        if self._sleepers:
            for wakeup in tuple(self._sleepers):  # a copy: who gives up meanwhile takes itself out
                wakeup.wake()
        for fn in self._done_callbacks:
            self._call_back(fn)
        return True

    def _settle_with(
        self, condition: runtime.Condition, result: T | None, error: BaseException | None, state: str
    ) -> bool:
        with condition:
            with self._runner.mailbox.lock:
                if self._state is not _PENDING:
                    return False
                self._result, self._exception = result, error
                self._state = state
            condition.notify_all()
            for waiter in self._waiters:
                _inform(waiter, self)
        return True

    def _call_back(self, fn: Callable[[Future[T]], object]) -> None:
        try:
            fn(self)
        except Exception:  # noqa: BLE001  foreign code: it must not end the worker's thread
            _log.exception("a callback of %r raised", self)

    # ---- waiting

    def _wait(self, timeout: float | None) -> None:
        call, dispatch, deadline = current.call, self._runner.dispatch, current_deadline.get()
        if call is not None:
            self._begin_edge(call, timed=timeout is not None or deadline is not None)
        hooks, began = dispatch.hooks, dispatch.now()
        if hooks.wait_began:
            hooks.notify("wait_began", call, self.call, began)
        try:
            self._sleep(None if timeout is None else began + int(timeout * NS), deadline)
        finally:
            if call is not None:
                dispatch.waits.end(call)
                call.waited += dispatch.now() - began
            if hooks.wait_ended:
                hooks.notify("wait_ended", call, self.call, began, dispatch.now())
        if self._state is _PENDING:
            limit = f"within {timeout} s" if timeout is not None else "by its deadline"
            text = f"{self.call.name} #{self.call.id} did not end {limit}: {describe(self, dispatch.now())}"
            raise CallTimeout(text)

    def _begin_edge(self, call: Call, *, timed: bool) -> None:
        dispatch = self._runner.dispatch
        try:
            cycle = dispatch.waits.begin(call, self, timed=timed)
        except DeadlockError:
            self.cancel()  # nobody will wait for it
            raise
        tell_suspicion(dispatch.hooks, cycle)

    def _sleep(self, until: int | None, deadline: int | None) -> None:
        wakeup = self._runner.dispatch.runtime.own_wakeup()
        sleepers: list[Wakeup] = self.__dict__.setdefault("_sleepers", [])  # one atomic step, if many wait
        sleepers.append(wakeup)
        while self._state is _PENDING:
            if until is None and deadline is None:
                wakeup.wait()
            elif (left := self._left(until, deadline)) > 0:
                wakeup.wait(left / NS)
            else:
                sleepers.remove(wakeup)
                return

    def _left(self, until: int | None, deadline: int | None) -> int:
        """Ns until the earlier of the two, each on its own clock."""
        dispatch = self._runner.dispatch
        timeout = None if until is None else until - dispatch.now()
        rest = None if deadline is None else deadline - dispatch.clock.now()
        return min(left for left in (timeout, rest) if left is not None)


def _inform(waiter: Any, promise: Promise[Any]) -> None:
    if promise.cancelled():
        waiter.add_cancelled(promise)
    elif promise.exception() is not None:
        waiter.add_exception(promise)
    else:
        waiter.add_result(promise)
