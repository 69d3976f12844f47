"""What `execute_command` returns: a `concurrent.futures.Future` that is cheap to make and to wait for.

A plain Future makes a Condition when it is born (2.1 µs); here nothing is made until someone needs it. Waiting in
`result()` sleeps on the thread's own wake-up token; only `concurrent.futures.wait` and `as_completed` need a Condition.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Generator
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from bus import runtime
from bus.context import Call, Timed, Waited
from bus.deadlines import current_deadline
from bus.errors import CallCancelled, CallTimeout, DeadlockError
from bus.foreign import log_error, traceback_of, with_traceback
from bus.hooks import ENDS, Hooks
from bus.lanes import ThreadState, current, this_thread
from bus.progress import describe
from bus.runtime import NS, Wakeup
from bus.unretrieved import Unretrieved
from bus.waits import tell_suspicion

if TYPE_CHECKING:
    from bus.dispatch import Dispatch
    from bus.mailbox import Mailbox

T = TypeVar("T")
# The standard library's own words, which `wait` and `as_completed` look at; compared by identity here.
PENDING, _FINISHED, _NOTIFIED = "PENDING", "FINISHED", "CANCELLED_AND_NOTIFIED"


class Promise(Call, Future[T]):
    """The call of a command and, in the same object, its result, or its error, some time later.

    There is no lock. To end it is to delete `open_`, which one thread can do and all others fail to: a slot that is
    gone cannot be deleted. That one sets value, error and state, in this order, and then looks whether it is `watched`;
    who wants to be told says so first and then looks at the state. So of two that race at least one sees the other.
    `Dispatch.execute` makes it.
    """

    __slots__ = ("_state", "open_", "value", "watched")

    value: Any
    open_: bool
    """There until somebody ends it; False (by its maker) when hooks are to hear more than a timing."""
    watched: bool
    """Whether a thread sleeps for it, a callback waits, or a condition was made."""
    _traceback: TracebackType | None = None
    _made_condition: runtime.Condition | None = None
    # What few have comes into `__dict__`, where who is first puts it, which is one step.
    _done_callbacks: "deque[Callable[[Future[T]], object]] | tuple[()]" = ()
    _waiters: Collection[Any] = ()  # type: ignore[assignment]  # a list there, when there is one
    _sleepers: Collection[Wakeup] = ()
    unretrieved: Unretrieved | None = None
    """Reports the error when the promise goes and nobody has asked for it."""

    @property
    def call(self) -> Call:
        """What is asked, of whom, by whom: the promise itself, which is its call."""
        return self

    @property
    def in_flight(self) -> bool:
        """Whether it is queued or running."""
        return hasattr(self, "open_")

    @property
    def mailbox(self) -> "Mailbox":
        """Where the call is queued until it starts."""
        return self.source.runner.mailbox

    @property
    def _dispatch(self) -> "Dispatch":
        return self.source.runner.dispatch

    @property
    def _condition(self) -> runtime.Condition:  # type: ignore[override]  # an attribute there, made on first use here
        """For `concurrent.futures.wait` and `as_completed`, which take the conditions of many futures at once."""
        self._check_process()
        if self._made_condition is None:
            # Each step is atomic, and the first one's object stays.
            self.__dict__.setdefault("_waiters", [])
            self.__dict__.setdefault("_made_condition", runtime.Condition())
            self.watched = True
            if self._state is PENDING and not self.in_flight:
                # Who ends it at this moment may not have seen the condition, under which the state must change.
                self._sleep(self._dispatch, None, None)
        return self._made_condition  # type: ignore[return-value]  # just made

    # ---- asking

    def done(self) -> bool:
        """Whether there is a result, an error, or a cancellation."""
        return self._state is not PENDING

    def running(self) -> bool:
        """Whether a worker has begun it."""
        return self._state is PENDING and self.started > 0

    def cancelled(self) -> bool:
        """Whether it was cancelled before it began."""
        return self._state is _NOTIFIED

    def result(self, timeout: float | None = None) -> T:
        """Wait in this thread, TIMEOUT seconds at most, and return the result or raise the handler's error.

        Raises:
            CallTimeout: not done in time; the call goes on.
            CallCancelled: it was cancelled before it began.
        """
        if self._state is PENDING:
            self._wait(timeout)
        error = self.error
        if error is None:
            return self.value  # type: ignore[no-any-return]  # the state says that it is there
        self._retrieved()
        try:
            # Always from the original traceback: a result asked for a thousand times must not grow a thousandfold.
            raise with_traceback(error, self._traceback)
        finally:
            self = error = None  # type: ignore[assignment]  # noqa: PLW0642  break the cycle of error, frame and promise

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait as `result` does, and return the error, None when there is none.

        Raises:
            CallTimeout: not done in time; the call goes on.
            CallCancelled: it was cancelled before it began.
        """
        if self._state is PENDING:
            self._wait(timeout)
        if self.cancelled():
            raise CallCancelled(*self.error.args) if self.error else CallCancelled
        self._retrieved()
        return self.error

    def _retrieved(self) -> None:
        if self.unretrieved is not None:
            self.unretrieved.disarm()

    def add_done_callback(self, fn: Callable[[Future[T]], object]) -> None:
        """Call FN with this promise when it is done: on the thread that does it, or here and now if it is."""
        self._check_process()
        self.__dict__.setdefault("_done_callbacks", deque()).append(fn)
        self.watched = True
        if self._state is not PENDING:
            self._call_back()

    def __await__(self) -> Generator[Any, None, T]:
        return asyncio.wrap_future(self).__await__()

    def cancel(self) -> bool:
        """Take the call out of the queue; False when it runs already, which is then only asked to stop."""
        self._check_process()
        if self.mailbox.withdraw(self):
            self._dispatch.cancelled(self)
        elif self._state is PENDING:
            self.cancel_requested = True
        return self.cancelled()

    def _check_process(self) -> None:
        """In a forked child nobody will end what is pending."""
        dispatch = self._dispatch
        if dispatch.forbidden and self._state is PENDING:
            dispatch.refuse()

    # ---- answering: for the bus

    def set_running_or_notify_cancel(self) -> bool:
        """Whether it is still to be done; the bus itself has no need of it."""
        return self._state is PENDING

    def set_result(self, result: T) -> None:
        """End it with RESULT; nothing happens when it is over already."""
        if self.claim():
            self.settle(result, None)

    def set_exception(self, exception: BaseException | None) -> None:
        """End it with an error; nothing happens when it is over already."""
        if self.claim():
            self.settle(None, exception)

    def set_cancelled(self, error: CallCancelled) -> None:
        """End it, which was claimed, before it began."""
        self.settle(None, error, _NOTIFIED)

    def end_plainly(self, value: T, at: int, thread: ThreadState, hooks: Hooks) -> bool:
        """It went well, and a timing tells all there is to tell; False when there is more, or somebody else ended it.

        The way of nearly every call, in one piece: claimed, recorded, let go of, settled.
        """
        try:
            if not self.open_:
                return False
            del self.open_
        except AttributeError:
            return False
        if thread.recorded_by is not hooks.timings or not thread.room:
            hooks.make_room(thread)
        thread.room -= 1
        if thread.record is not None:
            key, lane = self.source.key, thread.lane
            thread.record(Timed(self.id, self.origin, key, lane, self.queued, self.started, at, self.waited))
        self.args, self.kwargs, self.context = (), None, None
        if self.watched and self._made_condition is not None:
            self.settle(value, None)
            return True
        self.value = value
        self._state = _FINISHED
        if self.watched:
            self._tell()
        return True

    def claim(self) -> bool:
        """Whether the current thread is the one that ends it."""
        try:
            del self.open_
        except AttributeError:
            return False
        return True

    def settle(self, value: T | None, error: BaseException | None, state: str = _FINISHED) -> None:
        """The end, for the one who has claimed it."""
        if error is not None:
            self.error, self._traceback = error, traceback_of(error)
        self.value = value
        condition = self._made_condition if self.watched else None
        if condition is None:
            self._state = state
        else:
            with condition:
                self._state = state
                for waiter in self._waiters:
                    _inform(waiter, self)
                condition.notify_all()
        if self.watched:
            self._tell()

    def _tell(self) -> None:
        """It is over: wake those who sleep for it, and call back."""
        sleeper = self.source.runner.dispatch.sleepers.pop(self.id, None)
        if sleeper is not None:
            sleeper.wake()
        if self._sleepers:
            for wakeup in tuple(self._sleepers):  # a copy: who gives up meanwhile takes itself out
                wakeup.wake()
        if self._done_callbacks:
            self._call_back()

    def _call_back(self) -> None:
        """Whoever gets a callback out of the deque calls it, so that each is called once."""
        callbacks = self._done_callbacks
        while callbacks:
            try:
                fn = callbacks.popleft()
            except IndexError:
                return
            try:
                fn(self)
            except BaseException as error:
                if not issubclass(type(error), Exception) and runtime.on_main_thread():
                    raise  # ^C, or an exit in the handler of a signal
                log_error(f"a callback of the promise of {self.name} raised", error)

    # ---- waiting

    def _wait(self, timeout: float | None) -> None:
        dispatch, thread, deadline = self.source.runner.dispatch, current.state or this_thread(), current_deadline.get()
        call, hooks = thread.running() if thread.call is not None else None, dispatch.hooks
        if dispatch.forbidden:
            dispatch.refuse()
        if call is not None:
            self._begin_edge(call, timed=timeout is not None or deadline is not None)
        began = dispatch.now()
        if hooks.wait_began:
            hooks.notify("wait_began", call, self, began)
        try:
            self._sleep(dispatch, None if timeout is None else began + int(timeout * NS), deadline)
        finally:
            at = dispatch.now()
            if call is not None:
                call.waited += at - began  # first: who looks in between must not take the wait for work
                dispatch.waits.end(call)
            if thread.recorded_by is not hooks.timings or not thread.room:
                hooks.make_room(thread)
            thread.room -= 1
            if thread.record is not None:
                thread.record(Waited(call.id if call is not None else 0, thread.lane, self.id, began, at))
            for method in hooks.wait_ended:
                try:
                    method(call, self, began, at)
                except ENDS as error:
                    hooks.failed(method, error)
        if self._state is PENDING:
            limit = f"within {timeout} s" if timeout is not None else "by its deadline"
            text = f"{self.name} #{self.id} did not end {limit}: {describe(self, dispatch.now())}"
            raise CallTimeout(text)

    def _begin_edge(self, call: Call, *, timed: bool) -> None:
        dispatch = self._dispatch
        try:
            cycle = dispatch.waits.begin(call, self, timed=timed)
        except DeadlockError as refused:
            self.cancel()  # nobody will wait for it
            dispatch.hooks.notify("deadlock", refused.cycle, str(refused), suspected=False)
            raise
        tell_suspicion(dispatch.hooks, cycle)

    def _sleep(self, dispatch: "Dispatch", until: int | None, deadline: int | None) -> None:
        """The first that sleeps for it is in the table of its bus, which costs less than a list of its own."""
        wakeup = dispatch.runtime.own_wakeup()
        first = dispatch.sleepers.setdefault(self.id, wakeup) is wakeup
        if not first:
            self.__dict__.setdefault("_sleepers", []).append(wakeup)
        self.watched = True
        if self._state is not PENDING:
            # Who ended it may have looked for sleepers before.
            self._give_up(dispatch, wakeup, first=first)
        elif until is None and deadline is None:
            while self._state is PENDING:
                wakeup.wait()
        else:
            while self._state is PENDING:
                left = self._left(until, deadline)
                if left <= 0:
                    self._give_up(dispatch, wakeup, first=first)
                    return
                wakeup.wait(left / NS)

    def _give_up(self, dispatch: "Dispatch", wakeup: Wakeup, *, first: bool) -> None:
        if first:
            dispatch.sleepers.pop(self.id, None)
        else:
            self.__dict__["_sleepers"].remove(wakeup)

    def _left(self, until: int | None, deadline: int | None) -> int:
        """Ns until the earlier of the two, each on its own clock."""
        dispatch = self._dispatch
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
