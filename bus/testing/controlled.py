"""The runtime that a scheduled bus takes its threads, waits and clock from; the same interface as `bus.runtime`."""

from collections.abc import Callable
from types import TracebackType
from typing import Any

from bus.runtime import NS, Lock, Runtime, Thread, Wakeup
from bus.testing.errors import ScheduleError
from bus.testing.scheduler import Scheduler, Task

UNIX_START = 1_700_000_000_000_000_000
"""What the wall clock of every run begins at, in unix ns."""


class ControlledLock:
    """Needs no lock: one thread runs at a time, and none stops at a scheduling point while it holds one.

    That this is so is checked: a wait under a lock fails the run. With `fine`, taking a lock is a scheduling point.
    """

    __slots__ = ("_fine", "_scheduler")

    def __init__(self, scheduler: Scheduler, *, fine: bool) -> None:
        self._scheduler = scheduler
        self._fine = fine

    def __enter__(self) -> bool:
        scheduler = self._scheduler
        if self._fine and scheduler.inside():
            scheduler.point()
        scheduler.locked += 1
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None, /
    ) -> None:
        self._scheduler.locked -= 1


class ControlledWakeup:
    """A token that one task sleeps on."""

    __slots__ = ("_scheduler", "_set", "_sleeper", "_why")

    def __init__(self, scheduler: Scheduler, why: str) -> None:
        self._scheduler = scheduler
        self._why = why
        self._set = False
        self._sleeper: Task | None = None

    def wait(self, timeout: float | None = None) -> bool:
        """See `Wakeup`."""
        scheduler = self._scheduler
        if not scheduler.inside():
            return pass_time(scheduler, timeout)
        if not self._set:
            self._sleeper = scheduler.current
            scheduler.sleep(self._why, timeout)
            self._sleeper = None
        was_set, self._set = self._set, False
        return was_set

    def wake(self) -> None:
        """See `Wakeup`."""
        self._set = True
        if self._sleeper is not None and self._sleeper.sleeping and self._scheduler.inside():
            self._scheduler.wake(self._sleeper)
            self._scheduler.offer()


class ControlledLatch:
    """As `runtime.Latch`."""

    __slots__ = ("_scheduler", "_set", "_sleepers")

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._set = False
        self._sleepers: list[Task] = []

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._set

    def set(self) -> None:
        """Let all that wait go on."""
        self._set = True
        if self._sleepers and self._scheduler.inside():
            sleepers, self._sleepers = self._sleepers, []
            for task in sleepers:
                self._scheduler.wake(task)
            self._scheduler.offer()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, TIMEOUT virtual seconds at most; whether it was."""
        if self._set:
            return True
        scheduler = self._scheduler
        if not scheduler.inside():
            return pass_time(scheduler, timeout)
        task = scheduler.current
        self._sleepers.append(task)
        scheduler.sleep("an event", timeout)
        if task in self._sleepers:
            self._sleepers.remove(task)
        return self._set


class ControlledThread(Thread):
    """A task, as the handle that `spawn` returns."""

    def __init__(self, scheduler: Scheduler, task: Task) -> None:
        self.name = task.name
        self._scheduler = scheduler
        self._task = task

    @property
    def ident(self) -> int:
        """The interpreter's id of the thread that carries it."""
        return self._task.carrier.ident

    @property
    def alive(self) -> bool:
        """Whether its target is still running."""
        return not self._task.done

    def join(self, timeout: float | None = None) -> bool:
        """Wait, TIMEOUT virtual seconds at most; whether it has ended."""
        task, scheduler = self._task, self._scheduler
        if not task.done:
            if not scheduler.inside():
                return pass_time(scheduler, timeout)
            task.joiners.append(scheduler.current)
            scheduler.sleep(f"the end of the thread {task.name}", timeout)
            if not task.done:
                task.joiners.remove(scheduler.current)
        return task.done


class ControlledRuntime(Runtime):
    """Threads that run one at a time as SCHEDULER says, and its virtual clock; see `bus.runtime.Runtime`.

    With `fine`, every lock that is taken is a scheduling point too: for the tests of the bus itself.
    """

    real = False

    def __init__(self, scheduler: Scheduler, *, fine: bool = False) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._fine = fine

    def now(self) -> int:
        """Virtual monotonic ns."""
        return self._scheduler.now

    def cpu(self) -> int:
        """No CPU time passes: it would be another one in every run."""
        return 0

    def wall(self) -> int:
        """Virtual unix ns."""
        return UNIX_START + self._scheduler.now

    def lock(self) -> Lock:  # type: ignore[override]  # the standard library's class there
        """A lock that checks that nobody waits under it."""
        return ControlledLock(self._scheduler, fine=self._fine)

    def latch(self) -> Any:
        """A latch that tasks wait for."""
        return ControlledLatch(self._scheduler)

    def wakeup(self) -> Wakeup:
        """See `Runtime`."""
        return ControlledWakeup(self._scheduler, "a wake-up")

    def quiet_wakeup(self) -> Wakeup:
        """See `Runtime`."""
        return self.wakeup()

    def own_wakeup(self) -> Wakeup:
        """See `Runtime`."""
        if not self._scheduler.inside():
            return ControlledWakeup(self._scheduler, "")
        task = self._scheduler.current
        if task.token is None:
            task.token = ControlledWakeup(self._scheduler, "")
        return task.token

    def spawn(self, name: str, target: Callable[..., None], *args: Any) -> Thread:
        """A new task; it begins when it is its turn."""
        return ControlledThread(self._scheduler, self._scheduler.spawn(name, lambda: target(*args)))


def pass_time(scheduler: Scheduler, timeout: float | None) -> bool:
    """For a thread that is not ours, after the run: nobody will wake it, so its time passes at once."""
    if timeout is None:
        raise ScheduleError("the run of this bus is over, and nobody is there to end this wait")
    scheduler.now += int(timeout * NS)
    return False
