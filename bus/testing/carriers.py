"""The real threads that the tasks of a run are carried on; they are kept from one run to the next."""

from collections.abc import Callable
from contextvars import Context

from bus import lanes
from bus.runtime import REAL, Thread


class Carrier:
    """A thread that sleeps until it is given the baton. `job` is set by whoever hands it over, before `gate.wake`."""

    def __init__(self, number: int) -> None:
        self.gate = REAL.wakeup()
        self.job: Callable[[], None] | None = None
        self._ended = False
        self._thread: Thread = REAL.spawn(f"schedule-{number}", self._run)

    @property
    def ident(self) -> int:
        """The interpreter's id of the thread."""
        return self._thread.ident

    def end(self) -> None:
        """Let the thread end when it has nothing to carry."""
        self._ended = True
        self.gate.wake()

    def _run(self) -> None:
        while not self._ended:
            self.gate.wait()
            job, self.job = self.job, None
            if job is not None:
                # What the last job left on this thread must not be seen by this one.
                lanes.leave_lane()
                Context().run(job)
                del job


class Carriers:
    """Lends carriers to one run at a time. Only the thread with the baton is in here, or the controller."""

    def __init__(self) -> None:
        self._all: list[Carrier] = []
        self._free: list[Carrier] = []

    def lend(self) -> Carrier:
        """A carrier that is free; within a run none is lent twice, so that thread ids tell its tasks apart."""
        if self._free:
            return self._free.pop()
        carrier = Carrier(len(self._all))
        self._all.append(carrier)
        return carrier

    def restore(self, lost: list[Carrier]) -> None:
        """A run is over: all are free again but those that are LOST in code that does not come back."""
        for carrier in lost:
            carrier.end()
        self._all = [carrier for carrier in self._all if carrier not in lost]
        self._free = self._all[::-1]

    def end(self) -> None:
        """End all threads."""
        for carrier in self._all:
            carrier.end()
        self._all, self._free = [], []
