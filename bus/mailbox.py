"""A service's bounded mailbox: first in, first out, from any thread to the service's workers."""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Literal

from bus.context import Call, Delivery, as_call
from bus.runtime import NS, Runtime, Wakeup

Overflow = Literal["drop_newest", "drop_oldest", "block"]
Item = Call | Delivery


class Full(Exception):
    """There is no room."""


class Closed(Exception):
    """Nothing is accepted any more."""


class Mailbox:
    """What is on the way of every call takes no lock: an operation of a deque or a list is atomic, the rest is order.

    A sender appends, then looks whether the mailbox was closed and whether somebody sleeps; `close` sets its flag, then
    the queue is emptied; a worker lists itself as asleep, then looks whether there is something after all. So of two
    that race at least one sees the other, and no call is accepted and then forgotten, or slept through.

    Each worker has a token for this alone, which is woken exactly by those who took it from the list of sleepers: one
    call wakes one worker, and a system call is made only when somebody sleeps. Senders at the same moment may together
    exceed the capacity, by one each. `lock` guards what is said to be under it elsewhere.
    """

    __slots__ = (
        "_now", "_own_wakeup", "_watcher", "blocked", "calls", "capacity", "closed", "lock", "popleft", "sleepers",
    )  # fmt: skip

    def __init__(self, runtime: Runtime, capacity: int) -> None:
        self.lock = runtime.lock()
        self.capacity = capacity
        self.calls: deque[Item] = deque()
        """What is queued; for workers to look whether there is something, which costs less than to try."""
        self.popleft = self.calls.popleft
        """Takes the next call or raises IndexError."""
        self.sleepers: list[Wakeup] = []
        """Workers that found nothing to do."""
        self.blocked: deque[Wakeup] = deque()
        """Senders who wait for room."""
        self.closed = False
        """Whether it takes no more."""
        self._watcher: Wakeup | None = None
        self._now = runtime.now
        self._own_wakeup = runtime.own_wakeup

    def __len__(self) -> int:
        return len(self.calls)

    def put(self, item: Item) -> None:
        """Append ITEM and wake one sleeping worker.

        Raises:
            Full: the mailbox holds `capacity` calls.
            Closed: it takes no more.
        """
        if len(self.calls) >= self.capacity and not self.closed:
            raise Full
        self.calls.append(item)
        if self.closed or self.sleepers:
            self.appended(item)

    def appended(self, item: Item) -> None:
        """ITEM is in `calls`, and there were `sleepers`, or it is `closed`; who appends it looks at them afterwards.

        Raises:
            Closed: the mailbox takes no more, and nobody will take ITEM.
        """
        if self.closed and self.withdraw(item):
            raise Closed
        try:
            sleeper = self.sleepers.pop()
        except IndexError:
            return
        sleeper.wake()

    def put_all(self, items: Sequence[Item]) -> Sequence[Item]:
        """Append ITEMS in one step and wake as many workers; those that were not taken, because it is closed.

        Raises:
            Full: there is not room for all, and none was appended.
        """
        calls = self.calls
        if len(calls) + len(items) > self.capacity and not self.closed:
            raise Full
        calls.extend(items)
        if self.closed:
            return [item for item in items if self.withdraw(item)]
        for _ in items:
            if not self.sleepers:
                break
            self.wake_one()
        return ()

    def put_dropping_oldest(self, item: Item) -> Item | None:
        """Append ITEM; the delivery that had to make room, or None. A command never makes room: then ITEM itself."""
        try:
            self.put(item)
        except Full:
            oldest = next((queued for queued in self.queued() if as_call(queued).kind == "delivery"), None)
            if oldest is None:
                return item
            if not self.withdraw(oldest):  # a worker took it, so there is room
                return self.put_dropping_oldest(item)
            return self.put_dropping_oldest(item) or oldest
        return None

    def put_waiting(self, item: Item, until: int) -> None:
        """Append ITEM, waiting for room until this monotonic ns at most.

        Raises:
            Full: there was no room in time.
            Closed: it takes no more.
        """
        wakeup = self._own_wakeup()
        while True:
            try:
                return self.put(item)
            except Full:
                left = until - self._now()
                if left <= 0:
                    self.let_one_in()  # a wake that came too late for this one is for the next
                    raise
                self._wait_for_room(wakeup, left / NS)

    def sleep(self, wakeup: Wakeup) -> bool:
        """Sleep on WAKEUP, used for nothing else, until there may be a call; False when it is closed and empty."""
        self.sleepers.append(wakeup)
        if self.calls or self.closed:
            self._stay_awake(wakeup)
            return bool(self.calls) or not self.closed
        if self._watcher is not None:
            self._watcher.wake()
        wakeup.wait()
        return True

    def let_one_in(self) -> None:
        """There is room for one more: wake a sender who waits for it."""
        try:
            wakeup = self.blocked.popleft()
        except IndexError:
            return
        wakeup.wake()

    def withdraw(self, item: Item) -> bool:
        """Take ITEM out again; False when somebody else has it."""
        try:
            self.calls.remove(item)
        except ValueError:
            return False
        return True

    def position(self, call: Call) -> int:
        """How many calls are in front of CALL, -1 when it is not queued."""
        try:
            return self.calls.copy().index(call)
        except ValueError:
            return -1

    def queued(self, limit: int | None = None) -> list[Item]:
        """What is queued, the next one first; the first LIMIT of it."""
        return list(islice(self.calls.copy(), limit))

    def idle(self, workers: int) -> bool:
        """Whether nothing is queued and all WORKERS sleep."""
        return len(self.sleepers) >= workers and not self.calls

    def watch(self, watcher: Wakeup) -> None:
        """Wake WATCHER from now on whenever a worker finds nothing to do."""
        self._watcher = watcher

    def close(self) -> None:
        """Take no more; workers get what is queued, then None."""
        self.closed = True
        self.wake_all()
        for _ in range(len(self.blocked)):
            self.let_one_in()

    def abandon(self) -> None:
        """In a forked child: take no more and hold nothing. Wakes nobody: the tokens are the parent's threads' too."""
        self.closed = True
        self.calls.clear()

    def empty(self) -> list[Item]:
        """Take out all that is queued."""
        calls: list[Item] = []
        while self.calls:
            try:
                calls.append(self.popleft())
            except IndexError:
                break
        return calls

    def wake_one(self) -> None:
        """Wake a worker that sleeps, if one does."""
        try:
            sleeper = self.sleepers.pop()
        except IndexError:
            return
        sleeper.wake()

    def wake_all(self) -> None:
        """Let every worker that sleeps look around; one that goes back to sleep at once is not woken again."""
        sleepers: list[Wakeup] = []
        while self.sleepers:
            try:
                sleepers.append(self.sleepers.pop())
            except IndexError:
                break
        for sleeper in sleepers:
            sleeper.wake()

    def _stay_awake(self, wakeup: Wakeup) -> None:
        try:
            self.sleepers.remove(wakeup)
        except ValueError:
            # A sender chose this worker, which is going to take some other call: its wake is for the next sleeper.
            wakeup.wait()
            self.wake_one()

    def _wait_for_room(self, wakeup: Wakeup, timeout: float) -> None:
        self.blocked.append(wakeup)
        if not self.closed and len(self.calls) >= self.capacity:
            wakeup.wait(timeout)
        try:
            self.blocked.remove(wakeup)
        except ValueError:
            return  # it was woken
