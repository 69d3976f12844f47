"""Who goes on at each choice: by chance, by priorities, by depth-first search, or as written down."""

from collections import deque
from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal

from bus.testing.errors import ScheduleDiverged
from bus.testing.scheduler import Crowd, Task

Name = Literal["pct", "random", "dfs"]


class RandomWalk:
    """Every choice is as likely as any other."""

    def __init__(self, random: Random) -> None:
        self._random = random.random

    def choose(self, current: Task | None, ready: list[Task]) -> int:
        """See `Strategy`."""
        return int(self._random() * (len(ready) + (current is not None)))


class Priorities:
    """PCT: the ready task with the highest priority goes on; at DEPTH - 1 random choices the current one's falls.

    A bug that needs DEPTH events in a certain order, among n tasks and k choices, is found with a probability of at
    least 1 / (n k^(DEPTH - 1)) per run (Burckhardt et al., "A randomized scheduler with probabilistic guarantees of
    finding bugs", 2010).
    """

    def __init__(self, random: Random, depth: int, length: int) -> None:
        """LENGTH: about how many choices a run has."""
        self._random = random.random
        self._changes = sorted(int(self._random() * max(1, length)) for _ in range(depth - 1))
        self._priorities: dict[int, float] = {}
        self._choice = 0

    def choose(self, current: Task | None, ready: list[Task]) -> int:
        """See `Strategy`."""
        among = [current, *ready] if current is not None else ready
        priorities = [self._priority(task) for task in among]
        best = priorities.index(max(priorities))
        while self._changes and self._choice >= self._changes[0]:
            self._changes.pop(0)
            # Below all that were there from the start, and below those that fell before.
            self._priorities[among[best].id] = priorities[best] = -1.0 - self._choice
            best = priorities.index(max(priorities))
        self._choice += 1
        return best

    def _priority(self, task: Task) -> float:
        priority = self._priorities.get(task.id)
        if priority is None:
            priority = self._priorities[task.id] = self._random()
        return priority


class Written:
    """As SCHEDULE says, then 0. What does not fit there is the last of what does, or with CROWDS: diverged."""

    def __init__(self, schedule: Sequence[int], crowds: Sequence[Crowd] | None = None, *, strict: bool = False) -> None:
        self._schedule = schedule
        self._crowds = crowds
        self._strict = strict or crowds is not None
        self._choice = 0
        self.diverged: ScheduleDiverged | None = None

    def choose(self, current: Task | None, ready: list[Task]) -> int:
        """See `Strategy`."""
        choice, self._choice = self._choice, self._choice + 1
        if self._crowds is not None:
            self._compare(choice, current, ready)
        if choice >= len(self._schedule):
            return 0
        pick, most = self._schedule[choice], len(ready) - (current is None)
        if pick > most:
            self._differ(f"choice {choice} is {pick}, and only 0 to {most} can be chosen there")
            return most
        return pick

    def finished(self) -> None:
        """The run is over: whether there were as many choices as written down."""
        left = len(self._schedule) - self._choice
        if left > 0:
            self._differ(f"the run ended {left} choices before the schedule did")

    def _compare(self, choice: int, current: Task | None, ready: list[Task]) -> None:
        crowds = self._crowds or ()
        crowd = (current.id if current is not None else 0, *[task.id for task in ready])
        if choice < len(crowds) and crowds[choice] != crowd:
            names = ", ".join(task.name for task in ([current] if current is not None else []) + ready)
            self._differ(f"at choice {choice} other threads could go on than the first time (now: {names})")

    def _differ(self, what: str) -> None:
        if self._strict and self.diverged is None:
            self.diverged = ScheduleDiverged(
                f"the schedule led elsewhere this time: {what}. The scenario has changed, or depends on something "
                "beside the schedule: the time, random numbers, a global, the order of a set",
                tuple(self._schedule),
            )


class DepthFirst:
    """All schedules with at most DEVIATIONS choices other than 0, those with the fewest first."""

    def __init__(self, deviations: int) -> None:
        self._deviations = deviations
        self._queue: deque[tuple[tuple[int, int], ...]] = deque([()])

    def schedules(self) -> Iterator[list[int]]:
        """The next one to run; `ran` has to be told how that went before the one after it."""
        while self._queue:
            self._taken = self._queue.popleft()
            yield _spread(self._taken)

    def ran(self, crowds: Sequence[Crowd]) -> None:
        """The last schedule had these choices."""
        if len(self._taken) == self._deviations:
            return
        first = self._taken[-1][0] + 1 if self._taken else 0
        for position in range(first, len(crowds)):
            options = len(crowds[position]) - (crowds[position][0] == 0)
            self._queue.extend((*self._taken, (position, pick)) for pick in range(1, options))


def _spread(deviations: tuple[tuple[int, int], ...]) -> list[int]:
    schedule = [0] * (deviations[-1][0] + 1) if deviations else []
    for position, pick in deviations:
        schedule[position] = pick
    return schedule
