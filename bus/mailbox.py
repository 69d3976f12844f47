"""A service's bounded mailbox: first in, first out, from any thread to the service's workers."""

from collections import deque
from typing import Literal

from bus.context import Call
from bus.runtime import NS, Runtime, Wakeup

Overflow = Literal["drop_newest", "drop_oldest", "block"]


class Full(Exception):
    """There is no room."""


class Closed(Exception):
    """Nothing is accepted any more."""


class Mailbox:
    """Check and append are one step under `lock`, so no call is accepted after `close` and then forgotten.

    `lock` guards everything here, and the state of the promises whose calls go through this mailbox. The one thing done
    without it is `popleft`, which is atomic. Workers sleep on a token of their own, so one call wakes one worker, and
    the wake is a system call only when somebody sleeps.
    """

    __slots__ = (
        "_blocked",
        "_calls",
        "_closed",
        "_now",
        "_own_wakeup",
        "_sleepers",
        "_watcher",
        "accepted",
        "capacity",
        "lock",
    )

    def __init__(self, runtime: Runtime, capacity: int) -> None:
        self.lock = runtime.lock()
        self.capacity = capacity
        self.accepted = 0
        self._calls: deque[Call] = deque()
        self._sleepers: list[Wakeup] = []
        self._blocked: deque[Wakeup] = deque()
        self._closed = False
        self._watcher: Wakeup | None = None
        self._now = runtime.now
        self._own_wakeup = runtime.own_wakeup

    def __len__(self) -> int:
        return len(self._calls)

    def put(self, call: Call) -> None:
        """Append CALL and wake one sleeping worker.

        Raises:
            Full: the mailbox holds `capacity` calls.
            Closed: it takes no more.
        """
        with self.lock:
            if self._closed:
                raise Closed
            if len(self._calls) >= self.capacity:
                raise Full
            self._calls.append(call)
            self.accepted += 1
            sleeper = self._sleepers.pop() if self._sleepers else None
        if sleeper is not None:
            sleeper.wake()

    def put_dropping_oldest(self, call: Call) -> Call | None:
        """Append CALL; the delivery that had to make room, or None. A command never makes room: then CALL itself."""
        try:
            self.put(call)
        except Full:
            with self.lock:
                oldest = next((queued for queued in self._calls if queued.kind == "delivery"), None)
                if oldest is None:
                    return call
                self._calls.remove(oldest)
            return self.put_dropping_oldest(call) or oldest
        return None

    def put_waiting(self, call: Call, timeout: float) -> None:
        """Append CALL, waiting for room TIMEOUT seconds at most.

        Raises:
            Full: there was no room in time.
            Closed: it takes no more.
        """
        give_up = self._now() + int(timeout * NS)
        wakeup = self._own_wakeup()
        while True:
            try:
                return self.put(call)
            except Full:
                left = give_up - self._now()
                if left <= 0:
                    raise
                self._wait_for_room(wakeup, left / NS)

    def get(self, wakeup: Wakeup) -> Call | None:
        """The next call, waiting for it on WAKEUP; None when the mailbox is closed and empty."""
        calls = self._calls
        while True:
            try:
                call = calls.popleft()
            except IndexError:
                if self._sleep(wakeup):
                    continue
                return None
            if self._blocked:
                self._let_one_in()
            return call

    def withdraw(self, call: Call) -> bool:
        """Take CALL out again; False when a worker has it already. The caller holds `lock`."""
        try:
            self._calls.remove(call)
        except ValueError:
            return False
        return True

    def position(self, call: Call) -> int:
        """How many calls are in front of CALL, -1 when it is not queued."""
        try:
            return self._calls.copy().index(call)
        except ValueError:
            return -1

    def queued(self) -> list[Call]:
        """The queued calls, the next one first."""
        return list(self._calls.copy())

    def idle(self, workers: int) -> bool:
        """Whether nothing is queued and all WORKERS sleep."""
        with self.lock:
            return not self._calls and len(self._sleepers) >= workers

    def watch(self, watcher: Wakeup) -> None:
        """Wake WATCHER from now on whenever a worker finds nothing to do."""
        with self.lock:
            self._watcher = watcher

    def close(self) -> None:
        """Take no more; workers get what is queued, then None."""
        with self.lock:
            self._closed = True
            sleepers, self._sleepers = self._sleepers, []
        for wakeup in (*sleepers, *self._blocked):
            wakeup.wake()

    def empty(self) -> list[Call]:
        """Take out all that is queued."""
        with self.lock:
            calls = list(self._calls)
            self._calls.clear()
        return calls

    def _sleep(self, wakeup: Wakeup) -> bool:
        with self.lock:
            if self._calls:
                return True
            if self._closed:
                return False
            self._sleepers.append(wakeup)
            watcher = self._watcher
        if watcher is not None:
            watcher.wake()
        wakeup.wait()
        return True

    def _wait_for_room(self, wakeup: Wakeup, timeout: float) -> None:
        with self.lock:
            if self._closed or len(self._calls) < self.capacity:
                return
            self._blocked.append(wakeup)
        try:
            wakeup.wait(timeout)
        finally:
            with self.lock:
                if wakeup in self._blocked:
                    self._blocked.remove(wakeup)

    def _let_one_in(self) -> None:
        with self.lock:
            wakeup = self._blocked.popleft() if self._blocked else None
        if wakeup is not None:
            wakeup.wake()
