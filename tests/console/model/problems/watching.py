"""A model that watches a real bus in this process, or takes made-up records; and what its rules find."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from bus import Bus
from bus.attach.protocol import Batch
from bus.trace.chunk import Chunk
from bus.trace.recorder import Recorder
from bus.trace.records import AnyRecord, Call, Level
from console.model.problems import ProblemReport, Problems, ProblemView, Settings
from console.model.stats import Stats
from console.model.store import Store
from tests.support import wait_for

SECOND = 1_000_000_000
START = 1_000 * SECOND


class Model:
    """Store, figures and rules, as a session has them."""

    def __init__(self, settings: Settings = Settings()) -> None:  # noqa: B008  it is frozen
        self.store, self.stats = Store(), Stats()
        self.problems = Problems(self.store, self.stats, settings)

    def take(self, *batches: Batch) -> None:
        for batch in batches:
            fresh = self.store.take(batch)
            if fresh is not None:
                self.stats.take(fresh)
            self.problems.take(batch.records, fresh)

    def look(self, *records: AnyRecord, at: int = 0, live: Sequence[Call] = (), dropped: int = 0) -> ProblemReport:
        """Take in RECORDS and look, AT this moment."""
        self.take(Batch(at=at, records=records, live=tuple(live), dropped=dropped))
        self.problems.look()
        return self.problems.report()


class Watched(Model):
    """A sink of the recorder of a real bus; nothing is sent over a wire."""

    cpu, alive = 0, True

    def __init__(self, bus: Bus, level: Level = "full", settings: Settings = Settings()) -> None:  # noqa: B008
        super().__init__(settings)
        self._batches: deque[Batch] = deque()
        self.recorder = Recorder(bus, level)
        self.recorder.add(self)
        assert self.recorder.flush()

    def join(self, opening: tuple[AnyRecord, ...], history: tuple[Chunk, ...]) -> None:
        self._batches.append(Batch(at=0, records=opening))

    def offer(self, chunk: Chunk) -> None:
        self._batches.append(Batch(at=chunk.at, records=chunk.records(), live=chunk.unended(500)))

    def leave(self, chunk: Chunk) -> None:
        self.offer(chunk)

    def flush(self, timeout: float) -> bool:
        return True

    def watch(self) -> ProblemReport:
        """What the rules say of all that has happened until now."""
        assert self.recorder.flush()
        self.take(*(self._batches.popleft() for _ in range(len(self._batches))))
        self.problems.look()
        return self.problems.report()

    def later(self, seconds: float) -> ProblemReport:
        """The same, if nothing happened for SECONDS but that time went by."""
        self.watch()
        return self.look(at=self.store.last + int(seconds * SECOND), live=list(self.store.live.values()))

    def until_found(self, rule: str) -> ProblemView:
        """Watch until the rule finds something."""
        return wait_for(lambda: found(self.watch(), rule), timeout=30)


Watch = Callable[..., Watched]


def found(report: ProblemReport, rule: str) -> ProblemView | None:
    """The first problem by this rule."""
    return next((problem for problem in report.problems if problem.rule == rule), None)


def rules(report: ProblemReport) -> set[str]:
    """By which rules something is wrong."""
    return {problem.rule for problem in report.problems}


def call(number: int, queued: int = START, wait: int = 0, run: int = 1_000, **more: object) -> Call:
    """A command that ran on lane 1 from QUEUED + WAIT on, for RUN ns; in flight where `outcome` is None."""
    values = {"kind": "command", "name": "n", "service": "s", "lane": 1, "root": number, "outcome": "ok"} | more
    started = queued + wait
    return Call(
        id=number, queued=queued, started=started, ended=started + run if values["outcome"] else 0,
        **values,  # type: ignore[arg-type]
    )  # fmt: skip


def event(number: int, name: str, at: int, **more: object) -> Call:
    """An event that was fired."""
    values = {"root": number, "caller": 1} | more
    return Call(
        id=number, kind="event", name=name, queued=at, started=at, ended=at, outcome="ok", **values,  # type: ignore[arg-type]
    )  # fmt: skip


def calls(count: int, make: Callable[[int], Call]) -> list[Call]:
    return [make(number) for number in range(1, count + 1)]


def batches(records: Iterable[AnyRecord], size: int) -> list[Batch]:
    """RECORDS in parts, as a recording is read."""
    many = list(records)
    return [Batch(at=0, records=tuple(many[first : first + size])) for first in range(0, len(many), size)]
