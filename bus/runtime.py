"""The only place in `bus` that makes threads, locks, waits and clocks.

A bus takes all of them from one `Runtime`, so that a test can give it another one, which runs one thread at a time.
The objects handed out are the plain fast ones: there is no indirection on the way of a call.
"""

import atexit
import logging
import os
import select
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from traceback import FrameSummary, format_list
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple, Protocol

Local = threading.local
NS = 1_000_000_000
"""Nanoseconds in a second."""
_log = logging.getLogger("bus")
_MAX_FRAMES = 1_000
_LOOK_AGAIN = 1.0
_PIPE_BYTES = 1 << 16


class Lock(Protocol):
    """A mutual exclusion lock, used as a context manager; held for a few instructions only."""

    def __enter__(self) -> bool: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None, /
    ) -> None: ...


class Wakeup(Protocol):
    """A token that one thread sleeps on: a `wake` before the `wait` makes the wait return at once."""

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until woken, TIMEOUT seconds at most; False when nobody woke it. May wake without a cause."""

    def wake(self) -> None:
        """Let the sleeper go on; from any thread, any number of times."""


class EventfdWakeup:
    """A wake through an eventfd: on one CPU 2.4 times faster than a lock, because the GIL is let go around it."""

    __slots__ = ("_fd", "wake")

    wake: Callable[[], None]
    """See `Wakeup`. Not a method: a call of Python less on the way of every call."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_CLOEXEC)
        self.wake = partial(os.eventfd_write, self._fd, 1)

    def wait(self, timeout: float | None = None) -> bool:
        """See `Wakeup`."""
        if timeout is not None and not _readable(self._fd, timeout):
            return False
        while True:
            try:
                os.eventfd_read(self._fd)
            except InterruptedError:  # a signal, whose handler has returned: unlike `os.read` this does not go on alone
                continue
            return True

    def __del__(self) -> None:
        fd = getattr(self, "_fd", -1)  # ^C may have come before there was one
        if fd >= 0:
            os.close(fd)


class PipeWakeup:
    """The same through a pipe, where there is no eventfd: nearly as fast, for two file descriptors."""

    __slots__ = ("_end", "_fd")

    def __init__(self) -> None:
        self._fd, self._end = os.pipe()
        os.set_blocking(self._end, False)

    def wait(self, timeout: float | None = None) -> bool:
        """See `Wakeup`."""
        if timeout is not None and not _readable(self._fd, timeout):
            return False
        os.read(self._fd, _PIPE_BYTES)
        return True

    def wake(self) -> None:
        """See `Wakeup`."""
        try:
            os.write(self._end, b"!")
        except BlockingIOError:
            pass  # full: woken so many times that it makes no difference

    def __del__(self) -> None:
        for fd in (getattr(self, "_fd", -1), getattr(self, "_end", -1)):
            if fd >= 0:
                os.close(fd)


def _readable(fd: int, timeout: float) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(max(0.0, timeout) * 1000))


class LockWakeup:
    """A wake through a lock that the sleeper cannot get: works everywhere."""

    __slots__ = ("_gate",)

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._gate.acquire()

    def wait(self, timeout: float | None = None) -> bool:
        """See `Wakeup`."""
        if timeout is None:
            return self._gate.acquire()
        return self._gate.acquire(timeout=max(0.0, timeout))

    def wake(self) -> None:
        """See `Wakeup`."""
        try:
            self._gate.release()
        except RuntimeError:
            pass  # woken already, and not asleep again yet


class Latch:
    """An event that happens once.

    ^C in `wait` leaves it as it is, where one in `threading.Event` may fail with "release unlocked lock". Who waits
    looks again now and then, for ^C may have stopped another one that was to pass it on.
    """

    __slots__ = ("_gate", "_set")

    def __init__(self) -> None:
        self._set = False
        self._gate = threading.Lock()
        self._gate.acquire()

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._set

    def set(self) -> None:
        """Let all that wait go on."""
        self._set = True
        self._open()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait, TIMEOUT seconds at most; whether it has happened."""
        give_up = time.monotonic() + (timeout if timeout is not None else threading.TIMEOUT_MAX)
        while not self._set and (left := give_up - time.monotonic()) > 0:
            if self._gate.acquire(timeout=min(left, _LOOK_AGAIN)):
                self._open()
        return self._set

    def _open(self) -> None:
        try:
            self._gate.release()
        except RuntimeError:
            pass  # it is open


class Thread:
    """A running thread. Ended is what its target said, not what `threading` believes (cpython#90882: ^C in a join)."""

    def __init__(self, name: str, target: Callable[[], None]) -> None:
        self.name = name
        self._ended = Latch()
        self._target = target
        # Daemon: an interpreter that ends must not wait for a stuck handler; `close` runs at exit and drains.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def ident(self) -> int:
        """The interpreter's id of the thread, as `stack` takes it."""
        return self._thread.ident or 0

    @property
    def alive(self) -> bool:
        """Whether its target is still running."""
        return not self._ended.is_set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait, TIMEOUT seconds at most; whether it has ended."""
        return self._ended.wait(timeout)

    def _run(self) -> None:
        try:
            self._target()
        finally:
            self._ended.set()


class Runtime:
    """Real threads and real time."""

    real: bool = True
    """Whether a bus on it may open what the environment asks for: files and sockets."""

    now = staticmethod(time.monotonic_ns)
    """Monotonic ns."""
    cpu = staticmethod(time.thread_time_ns)
    """CPU ns that the current thread has used."""
    wall = staticmethod(time.time_ns)
    """Unix ns."""
    lock = staticmethod(threading.Lock)
    latch = staticmethod(Latch)

    def __init__(self, wakeup: Callable[[], Wakeup] | None = None) -> None:
        self._make_wakeup = wakeup or _best_wakeup()
        self._own = _OwnWakeup()
        _runtimes.add(self)

    def wakeup(self) -> Wakeup:
        """A new token to sleep on."""
        try:
            return self._make_wakeup()
        except OSError:  # no more file descriptors: slower is better than not at all
            return LockWakeup()

    def quiet_wakeup(self) -> Wakeup:
        """A new token whose `wake` leaves the GIL where it is: for those who are woken many at a time."""
        return LockWakeup()

    def own_wakeup(self) -> Wakeup:
        """The current thread's own token; waits on it must bear being woken without a cause."""
        token = self._own.token
        if token is None:
            token = self._own.token = self.wakeup()
        return token

    def spawn(self, name: str, target: Callable[..., None], *args: Any) -> Thread:
        """Start a thread that runs TARGET."""
        return Thread(name, lambda: target(*args))

    def forget_tokens(self) -> None:
        """In a forked child: an eventfd is shared with the parent, and a wait on it would steal the parent's wakes."""
        self._own = _OwnWakeup()


class _OwnWakeup(threading.local):
    token: Wakeup | None = None


def _best_wakeup() -> Callable[[], Wakeup]:
    if hasattr(os, "eventfd"):
        return EventfdWakeup
    # Elsewhere than on Unix nothing waits for a pipe with a timeout.
    return PipeWakeup if hasattr(select, "poll") else LockWakeup


_runtimes: "weakref.WeakSet[Runtime]" = weakref.WeakSet()
REAL = Runtime()
"""What a bus uses unless it is given another one."""


Condition = threading.Condition
"""For those who wait with the standard library's own functions."""


def at_exit(callback: Callable[[], None]) -> None:
    """Call it when the interpreter ends, while daemon threads still run."""
    atexit.register(callback)


def die_of_second_interrupt() -> None:
    """From now on the first ^C raises KeyboardInterrupt as ever, and the second ends the process at once.

    A program that handles ^C itself goes on doing so.
    """
    if not on_main_thread():
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _last_interrupt)


def _last_interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise KeyboardInterrupt


def interrupts_bus() -> bool:
    """Whether the bus's caller was called by code that the bus is in the middle of: most likely a signal's handler.

    Only the main thread runs those.
    """
    if not on_main_thread():
        return False
    frame: FrameType | None = sys._getframe()  # noqa: SLF001  the documented way, in spite of its name
    while frame is not None and _is_ours(frame):
        frame = frame.f_back
    while frame is not None and not _is_ours(frame):
        frame = frame.f_back
    return frame is not None


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == "bus"


def in_forked_child(callback: Callable[[], None]) -> None:
    """Call it in every process that is forked off this one."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=callback)


def _forget_tokens() -> None:
    for runtime in list(_runtimes):
        runtime.forget_tokens()


in_forked_child(_forget_tokens)


def on_main_thread() -> bool:
    """Whether this is the thread on which the handlers of signals run."""
    return threading.current_thread() is threading.main_thread()


def thread_name() -> str:
    """The name of the current thread."""
    return threading.current_thread().name


def thread_ident() -> int:
    """The interpreter's id of the current thread."""
    return threading.get_ident()


def native_id() -> int:
    """The operating system's id of the current thread."""
    return threading.get_native_id()


def living() -> dict[int, int]:
    """The threads that there are now: by the interpreter's ids, which are used again, those of the system."""
    return {thread.ident: thread.native_id or 0 for thread in threading.enumerate() if thread.ident is not None}


def main_ident() -> int:
    """The interpreter's id of the main thread."""
    return threading.main_thread().ident or 0


class Place(NamedTuple):
    """Where a frame stands: its code, the line, and the name of the module."""

    code: CodeType
    line: int
    module: str


def stack(ident: int) -> list[Place]:
    """What the thread with the interpreter's id IDENT is executing, the innermost frame first; [] when it has ended.

    The frames are left alone as soon as possible: to walk from frame to frame of a running thread with other work in
    between crashes Python 3.11 now and then.
    """
    frame = sys._current_frames().get(ident)  # noqa: SLF001  the documented way, in spite of its name
    places: list[Place] = []
    while frame is not None and len(places) < _MAX_FRAMES:
        places.append(Place(frame.f_code, frame.f_lineno, frame.f_globals.get("__name__", "")))
        frame = frame.f_back
    return places


def log_stacks(doing: str, threads: list[Thread]) -> None:
    """Log where THREADS are, which should have ended."""
    for thread in threads:
        places = reversed(stack(thread.ident))
        summaries = [FrameSummary(place.code.co_filename, place.line, place.code.co_name) for place in places]
        text = "".join(format_list(summaries)) or "  (it has just ended)\n"
        _log.warning("%s: %s is still running, and is left behind:\n%s", doing, thread.name, text)
