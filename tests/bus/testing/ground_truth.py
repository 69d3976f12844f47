"""Whether the deadlock rule is right, judged by what becomes of the same run without it.

A wait is *stuck for good* when the run without the rule comes to where no thread can go on and no timer is pending, and
that wait has not ended. The k-th alarm of a run is *false* if the same schedule, with the rule on for the k - 1 alarms
before it and off from then on, and continued by chance, ends that wait after all. (Who is in a true deadlock stays in
it whatever the others do: nothing in these programs cancels, adds workers or removes a service.) A *miss* is a run with
the rule on that gets stuck.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest.mock import patch

from bus import Bus, DeadlockError
from bus.testing import Stuck
from bus.testing.run import Ran, Runs, Settings
from bus.testing.scheduler import Task
from bus.testing.search import _quiet
from bus.waits import Waits
from tests.bus.testing.programs import Play, Program, Wait, make

Begin = Callable[..., Any]
_COLLECT_EVERY = 100


class Continued:
    """The choices of a former run, then a random walk."""

    def __init__(self, seed: str, former: list[int]) -> None:
        self._random = Random(seed).random
        self._former = former
        self.choices = 0

    def choose(self, current: Task | None, ready: list[Task]) -> int:
        """See `bus.testing.scheduler.Strategy`."""
        choice, self.choices = self.choices, self.choices + 1
        if choice < len(self._former):
            return self._former[choice]
        return int(self._random() * (len(ready) + (current is not None)))


class Rule:
    """The deadlock rule of all buses while `installed`; off as soon as `left` alarms were given (None: never)."""

    def __init__(self, begin: Begin) -> None:
        self.left: int | None = None
        self._begin = begin
        self.on_alarm: Callable[[], None] = lambda: None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """The one place that knows where the rule is."""

        def begin(waits: Waits, *args: Any, **kwargs: Any) -> Any:
            if self.left == 0:
                return ()
            try:
                return self._begin(waits, *args, **kwargs)
            except DeadlockError:
                self.left = None if self.left is None else self.left - 1
                self.on_alarm()
                raise

        with patch.object(Waits, "begin", begin):
            yield


@dataclass
class Verdicts:
    """What became of many programs; `false` and `missed` name the seeds that show it again."""

    programs: int = 0
    runs: int = 0
    steps: int = 0
    alarmed: int = 0
    alarms: Counter[str] = field(default_factory=Counter)
    false: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count:,} {name}" for name, count in sorted(self.alarms.items()))
        return (
            f"{self.programs:,} random programs: {self.alarmed:,} with an alarm ({kinds}), "
            f"{self.programs - self.alarmed:,} without; {len(self.false)} false alarms, {len(self.missed)} misses; "
            f"{self.runs:,} runs, {self.steps:,} steps"
        )


class Judge:
    """Runs random programs with and without the rule BEGIN, which is the bus's own unless a test breaks it.

    From each alarm on, the run without the rule is continued in so many CONTINUATIONS.
    """

    def __init__(self, begin: Begin = Waits.begin, *, continuations: int = 1) -> None:
        self._continuations = continuations
        self.verdicts = Verdicts()
        self._rule = Rule(begin)
        self._program: Program
        self._play: Play

    def judge(self, programs: int, seed: int = 0) -> Verdicts:
        """Judge so many PROGRAMS."""
        settings = Settings(listener_errors="fail")
        with self._rule.installed(), Runs(self._scenario, settings) as runs, _quiet() as collect:
            for number in range(programs):
                self._judge(runs, f"{seed}/{number}")
                if number % _COLLECT_EVERY == 0:
                    collect()
        return self.verdicts

    def _scenario(self, bus: Bus) -> None:
        self._play = Play(self._program, bus)
        self._play.run()

    def _judge(self, runs: Runs, name: str) -> None:
        verdicts = self.verdicts
        verdicts.programs += 1
        self._program = make(Random(name))
        strategy = Continued(name, [])
        alarms: list[tuple[Wait, int]] = []
        self._rule.on_alarm = lambda: alarms.append((self._play.this_wait(), strategy.choices))
        ran = self._run(runs, strategy, alarms=None)
        self._rule.on_alarm = lambda: None
        verdicts.alarms.update(self._play.alarms)
        verdicts.alarmed += bool(alarms)
        if _stuck(ran):
            verdicts.missed.append(name)
        elif not alarms:
            # The rule had nothing to say, so without it the run is the same.
            without = self._run(runs, Continued(name, []), alarms=0)
            assert list(without.picks) == list(ran.picks), f"the rule changes a run without alarms: {name}"
        for number, (wait, choices) in enumerate(alarms):
            if not self._stays(runs, wait, number, f"{name}/{number}", list(ran.picks[:choices])):
                verdicts.false.append(name)

    def _stays(self, runs: Runs, wait: Wait, alarms: int, seed: str, former: list[int]) -> bool:
        """Whether WAIT never ends when the rule is off after so many ALARMS, however the FORMER choices go on."""
        for again in range(self._continuations):
            ran = self._run(runs, Continued(f"{seed}/{again}", former), alarms)
            if not _stuck(ran) or wait not in self._play.waiting:
                return False
        return True

    def _run(self, runs: Runs, strategy: Continued, alarms: int | None) -> Ran:
        self._rule.left = alarms
        ran = runs.run(strategy)
        self.verdicts.runs += 1
        self.verdicts.steps += ran.steps
        if ran.failure is not None and not _stuck(ran):
            raise ran.failure
        return ran


def _stuck(ran: Ran) -> bool:
    return isinstance(ran.failure, Stuck)
