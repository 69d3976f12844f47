"""What can go wrong with a schedule, as opposed to with the program that it runs."""

from bus.errors import BusError, DeadlockError


class ScheduleError(BusError):
    """A scenario cannot be scheduled as asked; the message says why. `schedule` is what led there."""

    def __init__(self, message: str, schedule: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.schedule = list(schedule)


class ScheduleDiverged(ScheduleError):
    """The same choices led elsewhere: the scenario depends on something else too (time, random numbers, a global)."""


class UncontrolledBlocking(ScheduleError):
    """A thread blocks on something that the bus does not know: a lock, a queue, a sleep, a socket."""


class UncontrolledThread(ScheduleError):
    """A thread that the scenario started itself uses the bus; only the bus's own threads can be scheduled."""


class TooManySteps(ScheduleError):
    """A run took more steps than allowed: events that fire each other, or threads that wait while a timer repeats."""


class Stuck(DeadlockError):
    """No thread can go on and no timer is pending; the message names who waits for whom."""
