"""`explore` looks for a schedule under which a scenario fails; `replay` runs one again."""

import gc
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bus.testing.errors import ScheduleDiverged
from bus.testing.run import Kind, ListenerErrors, Ran, Runs, Scenario, Settings
from bus.testing.scheduler import Crowd
from bus.testing.shrink import shrunk
from bus.testing.strategies import DepthFirst, Name, Priorities, RandomWalk, Written
from bus.trace.records import AnyRecord, Session
from bus.trace.session import SessionWriter

_COLLECT_EVERY = 64
_SHOWN = 200


class Schedule(list[int]):
    """A list of choices that also knows which threads could go on at each; as a plain list it replays as well."""

    def __init__(self, picks: Sequence[int], crowds: Sequence[Crowd]) -> None:
        super().__init__(picks)
        self.crowds = tuple(crowds)


@dataclass(frozen=True, slots=True)
class Report:
    """What `explore` found.

    `failure` is the exception that left the scenario, or a listener; `kind` says which sort it is. `schedule` leads to
    it and is as short as could be found. `schedules` were tried, with `steps` scheduling points in all. `exhausted`:
    there are no more schedules of this depth (only by "dfs"). `trace`: the records of the failing run.
    """

    failure: BaseException | None
    kind: Kind | None
    schedule: list[int]
    schedules: int
    steps: int
    exhausted: bool = False
    trace: tuple[AnyRecord, ...] = field(default=(), repr=False)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write `trace` as a session file, which `bus-console open` shows; where it became.

        Raises:
            ValueError: nothing failed, so there is nothing to show.
            SessionError: the file cannot be written.
        """
        if not self.trace or not isinstance(session := self.trace[0], Session):
            raise ValueError("no schedule failed, so there is no trace to save")
        writer = SessionWriter(path, session)
        writer.write(self.trace[1:])
        writer.close()
        return writer.path

    def __str__(self) -> str:
        tried = f"{self.schedules} schedules, {self.steps} steps"
        if self.failure is None:
            return f"no failure in {tried}{' (there are no others)' if self.exhausted else ''}"
        shown = f"{list(self.schedule)}" if len(self.schedule) <= _SHOWN else f"of {len(self.schedule)} choices"
        return f"{self.kind} after {tried}, schedule {shown}: {self.failure!r}"


def explore(
    scenario: Scenario,
    *,
    schedules: int = 1_000,
    strategy: Name = "pct",
    depth: int = 3,
    seed: int = 0,
    listener_errors: ListenerErrors = "fail",
    max_steps: int = 20_000,
    patience: float = 5.0,
    fine: bool = False,
) -> Report:
    """Run SCENARIO, each time on a fresh bus and under another schedule, until it fails or SCHEDULES were tried.

    It runs on threads of its own, one at a time, with a clock on which waiting takes no time; the bus is closed after
    it. It fails when an exception leaves it, when a listener raises (unless LISTENER_ERRORS is "ignore", which a
    `DeadlockError` is not), or when no thread can go on. STRATEGY is "pct" (priorities that change DEPTH - 1 times a
    run), "random" (a walk), or "dfs" (all schedules with at most DEPTH - 1 deviations from the first). The same SEED
    tries the same schedules. MAX_STEPS bounds one run; PATIENCE is how many real seconds a thread may stay away from
    the bus. FINE makes every lock of the bus a scheduling point too, for the tests of the bus itself.

    What it sees are hand-offs of the bus: not races between them, not the program's own locks or I/O.

    Raises:
        UncontrolledBlocking: a thread blocks on something that is not the bus's.
        UncontrolledThread: a thread that the scenario started itself uses the bus.
        ScheduleDiverged: the same choices led elsewhere; the scenario depends on something else too.
        ValueError: STRATEGY is none of the three.
    """
    settings = Settings(listener_errors, max_steps, patience, fine)
    with Runs(scenario, settings) as runs, _quiet() as between:
        tried = _Tried(runs, between)
        first = tried.run(Written(()))
        tried.check(first)
        failed = (
            first
            if first.failure is not None
            else _search(tried, strategy, schedules=schedules, depth=depth, seed=seed, first=first)
        )
        if failed is None:
            return Report(None, None, [], tried.schedules, tried.steps, exhausted=tried.exhausted)
        schedules_tried, steps = tried.schedules, tried.steps
        schedule = shrunk(failed, tried.run)
        shown = tried.run(Written(schedule))
        again = tried.check(shown, trace=True)
        return Report(
            again.failure, again.kind, Schedule(schedule, shown.crowds), schedules_tried, steps, trace=again.trace
        )


def replay(
    scenario: Scenario,
    schedule: Sequence[int],
    *,
    listener_errors: ListenerErrors = "fail",
    max_steps: int = 20_000,
    patience: float = 5.0,
    fine: bool = False,
) -> None:
    """Run SCENARIO once under SCHEDULE, and raise its failure, if it still fails. The settings are those of `explore`.

    A schedule belongs to one version of a scenario. One that `explore` returned is compared choice by choice; one that
    was written out as a plain list only has to fit.

    Raises:
        ScheduleDiverged: it led elsewhere.
        BaseException: the failure.
    """
    crowds = schedule.crowds if isinstance(schedule, Schedule) else None
    written = Written(schedule, crowds, strict=True)
    with Runs(scenario, Settings(listener_errors, max_steps, patience, fine)) as runs, _quiet():
        ran = runs.run(written)
    written.finished()
    if written.diverged is not None:
        raise written.diverged
    if ran.failure is not None:
        raise ran.failure


class _Tried:
    """Counts what was run. Owned by the thread that explores."""

    def __init__(self, runs: Runs, between: Callable[[], None]) -> None:
        self._runs = runs
        self._between = between
        self.schedules = 0
        self.steps = 0
        self.exhausted = False

    def run(self, strategy: Written | RandomWalk | Priorities, *, trace: bool = False) -> Ran:
        self.schedules += 1
        if self.schedules % _COLLECT_EVERY == 0:
            self._between()
        ran = self._runs.run(strategy, trace=trace)
        self.steps += ran.steps
        return ran

    def check(self, ran: Ran, *, trace: bool = False) -> Ran:
        """Run it again: the same choices have to lead to the same place."""
        written = Written(ran.picks, ran.crowds)
        again = self._runs.run(written, trace=trace)
        written.finished()
        if written.diverged is not None:
            raise written.diverged
        if type(again.failure) is not type(ran.failure):
            raise ScheduleDiverged(
                f"under the same schedule the scenario once ended with {ran.failure!r} and once with {again.failure!r}",
                tuple(ran.picks),
            )
        return again


def _search(tried: _Tried, strategy: Name, *, schedules: int, depth: int, seed: int, first: Ran) -> Ran | None:
    if strategy == "dfs":
        return _depth_first(tried, schedules, depth)
    if strategy not in {"pct", "random"}:
        raise ValueError(f'strategy={strategy!r}: use "pct", "random" or "dfs"')
    length = len(first.picks)
    for number in range(tried.schedules, schedules):
        random = Random(f"{seed}/{number}")  # noqa: S311  it has to be repeatable, nothing is secret
        ran = tried.run(RandomWalk(random) if strategy == "random" else Priorities(random, depth, length))
        length = max(length, len(ran.picks))
        if ran.failure is not None:
            return ran
    return None


def _depth_first(tried: _Tried, schedules: int, depth: int) -> Ran | None:
    search = DepthFirst(max(0, depth - 1))
    for schedule in search.schedules():
        if tried.schedules >= schedules:
            return None
        ran = tried.run(Written(schedule))
        if ran.failure is not None:
            return ran
        search.ran(ran.crowds)
    tried.exhausted = True
    return None


class _Once(logging.Filter):
    """What the bus logs in a thousand runs is logged once."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter`."""
        known = record.msg in self._said
        self._said.add(record.msg)
        return not known


@contextmanager
def _quiet() -> Iterator[Callable[[], None]]:
    """Garbage is collected between runs only, by what this yields: in one, finalizers would run by chance.

    And the log is not flooded.
    """
    enabled, once, log = gc.isenabled(), _Once(), logging.getLogger("bus")
    gc.disable()
    log.addFilter(once)
    try:
        yield lambda: _collect(enabled=enabled)
    finally:
        log.removeFilter(once)
        if enabled:
            gc.enable()


def _collect(*, enabled: bool) -> None:
    if enabled:
        gc.collect(0)
