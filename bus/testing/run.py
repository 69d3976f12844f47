"""One run of a scenario on a fresh bus, under one strategy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from bus import lanes
from bus.core import Bus
from bus.errors import DeadlockError
from bus.testing.carriers import Carriers
from bus.testing.controlled import ControlledRuntime
from bus.testing.errors import ScheduleError, TooManySteps, UncontrolledBlocking
from bus.testing.evidence import Evidence
from bus.testing.points import Points, ScheduledBus
from bus.testing.scheduler import Crowd, Scheduler, Stop, Strategy, Task
from bus.testing.where import where
from bus.trace.records import AnyRecord

Scenario = Callable[[Bus], None]
Kind = Literal["assertion", "deadlock", "error"]
ListenerErrors = Literal["fail", "ignore"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a scenario is run. `patience`: real seconds that a thread may stay away before it counts as blocked."""

    listener_errors: ListenerErrors = "fail"
    max_steps: int = 20_000
    patience: float = 5.0
    fine: bool = False


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a run: its choices, among whom each was, how many steps, and why it failed, if it did."""

    picks: Sequence[int]
    crowds: Sequence[Crowd]
    steps: int
    failure: BaseException | None
    trace: tuple[AnyRecord, ...] = ()

    @property
    def kind(self) -> Kind | None:
        """What kind of failure."""
        return kind_of(self.failure)


class Runs:
    """Runs a scenario as often as asked, on the same threads; a context manager that ends them."""

    def __init__(self, scenario: Scenario, settings: Settings) -> None:
        self._scenario = scenario
        self._settings = settings
        self._carriers = Carriers()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._carriers.end()

    def run(self, strategy: Strategy, *, trace: bool = False) -> Ran:
        """Run it once; with TRACE, keep the records.

        Raises:
            ScheduleError: a thread blocks outside the bus, or uses it from outside.
        """
        scheduler = Scheduler(self._carriers, strategy, self._settings.max_steps)
        kept: list[Evidence] = []
        before = len(lanes.lanes)
        try:
            blocked = scheduler.run(lambda: self._main(scheduler, kept if trace else None), self._settings.patience)
        except BaseException:  # ^C, most likely: no thread may run on without a scheduler
            scheduler.unwind(None)
            raise
        # Where threads stand and what is in flight can be seen only before they are unwound.
        records = kept[0].records() if kept and blocked is None else ()
        error = _blocking(blocked, self._settings.patience) if blocked is not None else None
        self._carriers.restore(scheduler.unwind(blocked))
        _forget_lanes(before, {task.carrier.ident for task in scheduler.tasks})
        failure = error or scheduler.failure
        if isinstance(failure, ScheduleError) and not isinstance(failure, TooManySteps):
            failure.schedule = list(scheduler.picks)
            raise failure
        return Ran(scheduler.picks, scheduler.crowds, scheduler.steps, failure, records)

    def _main(self, scheduler: Scheduler, kept: list[Evidence] | None) -> None:
        lanes.enter_lane("scenario")
        points = Points(scheduler, ignore_listener_errors=self._settings.listener_errors == "ignore")
        bus = ScheduledBus(ControlledRuntime(scheduler, fine=self._settings.fine), points)
        if kept is not None:
            kept.append(Evidence(bus, scheduler))
        bus.add_hook(points)  # last: a failure ends the run here, and has to be in the records by then
        try:
            self._scenario(bus)
        except Stop:
            raise
        except BaseException as error:  # noqa: BLE001  the thread's edge: whatever it is, it is the run's failure
            scheduler.fail(error)
        bus.close()


def kind_of(failure: BaseException | None) -> Kind | None:
    """What kind of failure this is."""
    if failure is None:
        return None
    if isinstance(failure, DeadlockError):
        return "deadlock"
    # pytest.fail raises an exception of its own, which is as good as an assertion.
    assertion = isinstance(failure, AssertionError) or type(failure).__module__.startswith("_pytest.outcomes")
    return "assertion" if assertion else "error"


def _blocking(task: Task, patience: float) -> UncontrolledBlocking:
    return UncontrolledBlocking(
        f"{task.name} is away from the bus for {patience} s, at {where(task.carrier.ident) or 'no known line'}: "
        "a lock, a queue or a sleep there is not the bus's, so nobody else can go on; use commands and events, and "
        "timeouts of the bus, or raise the patience if it computes"
    )


def _forget_lanes(before: int, idents: set[int]) -> None:
    """Nobody asks for the lanes of a run that is over, and thousands of runs would keep thousands of them."""
    for key, lane in list(lanes.lanes.copy().items())[before:]:
        if lane.ident in idents:
            lanes.lanes.pop(key, None)
