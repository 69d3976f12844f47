"""Errors that nobody ever asked for: said once, when their promise is collected (as asyncio does)."""

from collections import deque
from collections.abc import Callable

from bus.context import Call
from bus.foreign import log_error
from bus.runtime import Runtime, Thread, Wakeup


class Unretrieved:
    """The error of a call, kept by its promise. `disarm` it when somebody asks; else it is reported when it goes.

    The collector may run it anywhere, also in the middle of the bus's own code: it only appends to a deque and wakes a
    thread, which takes no lock.
    """

    __slots__ = ("_report", "call", "error")

    def __init__(self, call: Call, error: BaseException, report: Callable[["Unretrieved"], None]) -> None:
        self.call = call
        self.error = error
        self._report: Callable[[Unretrieved], None] | None = report

    def disarm(self) -> None:
        """Somebody has the error."""
        self._report = None

    def __del__(self) -> None:
        report = self._report
        if report is not None:
            self._report = None
            report(self)


class Reports:
    """A thread, started for the first failed call, that tells what was never retrieved. Owns nothing but its queue."""

    def __init__(self, runtime: Runtime, name: str, tell: Callable[[Call, BaseException], None]) -> None:
        self._runtime = runtime
        self._name = name
        self._tell = tell
        self._lock = runtime.lock()
        # Under `_lock`.
        self._thread: Thread | None = None
        self._closed = False
        self._wakeup: Wakeup = runtime.wakeup()
        self._queue: deque[Unretrieved] = deque()

    def watch(self, call: Call, error: BaseException) -> Unretrieved:
        """To be kept by the promise of CALL, which must not be the promise itself: that would keep it alive."""
        if self._thread is None:
            self._start()
        return Unretrieved(call, error, self._put)

    def close(self, timeout: float = 1.0) -> None:
        """Tell what is queued and end the thread."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            self._wakeup.wake()
            thread.join(timeout)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = self._runtime.spawn(f"{self._name}-unretrieved", self._run)

    def _put(self, lost: Unretrieved) -> None:
        if self._closed:  # nobody listens, and if all this goes at once, the token may have gone before
            return
        self._queue.append(lost)
        self._wakeup.wake()

    def _try_to_tell(self, lost: Unretrieved) -> None:
        try:
            self._tell(lost.call, lost.error)
        except BaseException as error:  # noqa: BLE001  the thread's edge: it tells of the others, too
            log_error(f"telling that the error of {lost.call.name} was never retrieved raised", error)

    def _run(self) -> None:
        while True:
            self._wakeup.wait()
            while self._queue:
                lost = self._queue.popleft()
                self._try_to_tell(lost)
                del lost
            if self._closed:
                return
