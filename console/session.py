"""The one object that both front ends talk to: a target, the model of what it said, and the verbs that act.

Not thread-safe: everything but `Pending` belongs to the thread of the front end.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from bus.attach.protocol import Batch, Reply
from bus.trace.records import AnyRecord, Call, Entry, Lane, Level, State
from console.clock import ProgramClock
from console.cost import Cost
from console.hearing import Hearing
from console.jobs import Jobs
from console.language.filters import Filter
from console.language.past import Past
from console.merging import PAST_RECORDS, RECORDS, next_batches
from console.model import calls, ranges, snapshot, timeline
from console.model.alerts import Alert, Alerts
from console.model.catalog import Catalog
from console.model.filters import of_call
from console.model.histogram import Distribution
from console.model.lineage import Lineage, below, lineage
from console.model.output_rows import OutputRows
from console.model.problems import ProblemReport, Problems, Settings
from console.model.queries import FoundCalls, Order, Queries
from console.model.ranges import RangeSummary
from console.model.services import Services
from console.model.slices import Sliced, whole
from console.model.stats import Stats
from console.model.store import Store
from console.model.timeline import Keep, Pick
from console.model.tree import CallTree, tree
from console.model.views import (
    CallDetail,
    CommandRow,
    EventRow,
    Header,
    KnownNames,
    ReceiverRow,
    ServiceRow,
    TimelineView,
)  # fmt: skip
from console.model.watch import Watch
from console.pending import Pending, requested
from console.preferences import Preferences
from console.recording import Recording
from console.target import Target, TargetError, TargetInfo

_PUMP_NS: Final = 50_000_000
"""After so long the screen has its turn, even if there is more to take in."""
_LOOK_NS: Final = 500_000_000
"""The rules look for problems twice a second."""


class Session:
    """A target and its model."""

    def __init__(
        self, target: Target, *, retain: int = 0, monotonic: Callable[[], int] = time.monotonic_ns,
        settings: Settings = Settings(), preferences: Preferences = Preferences(),  # noqa: B008  they are frozen
    ) -> None:  # fmt: skip
        """Take over TARGET, which `close` closes; MONOTONIC is the console's own clock (ns), SETTINGS the rules'.

        RETAIN: calls that are kept, if not as PREFERENCES say; the figures count all.
        """
        self.target = target
        self.preferences = preferences
        self._store = Store(retain=retain or preferences.retain, began=target.info.session.start_monotonic)
        self._stats = Stats()
        self._catalog = Catalog(self._store, self._stats)
        self._queries = Queries(self._store)
        self._services = Services(self._store)
        self._problems = Problems(self._store, self._stats, settings)
        self._alerts = Alerts(self._store, self._problems)
        self._look_at, self._unlooked = 0, False
        self._monotonic = monotonic
        self._clock = ProgramClock(monotonic)
        self._waiting: deque[Batch] = deque()
        self._cost = Cost()
        self._state, self._complete = target.info.state, False
        self.past = Past()
        """What was entered, for completion."""
        self.last_reply: Reply | None = None
        """What the last command that was executed by hand returned."""
        self.jobs = Jobs()
        """What is done on threads of their own, for as long as this session lasts."""
        self.watch: Watch | None = None
        """What shows calls as they end, see `watch_calls`."""
        self.recording: Recording | None = None
        """The session file that is written, see `start_recording`."""
        self.level = target.info.session.level
        self._wanted = preferences.level
        self._hearing = Hearing(monotonic)

    @property
    def silence(self) -> int:
        """Ns since a live program was last heard, once it was heard regularly: twenty times a second, if it runs."""
        return self._hearing.silence if self._is_live() else 0

    @property
    def info(self) -> TargetInfo:
        """The target, as of now."""
        return self.target.info

    @property
    def complete(self) -> bool:
        """Whether all that the target had at the start has come in: a program's snapshot, or the whole recording."""
        return self._complete

    @property
    def caught_up(self) -> bool:
        """Whether all that the target has said up to now is taken in."""
        return self._complete and not self._waiting

    def pump(self) -> bool:
        """Take in what the target has; True when anything changed. Front ends call it 10 times a second.

        It takes 50 ms or a little more at most; of a long recording the rest is left for the next times.
        """
        return whole(self.pumping())

    def pumping(self) -> Sliced[bool]:
        """The same in slices; only one at a time may be under way."""
        if not self._waiting:  # what is left over stays with the target, which may stop reading when it has too much
            came = self.target.drain()
            self._cost.take(came)
            self._waiting.extend(came)
        changed = bool(self._waiting)
        if changed:
            self._hearing.note()
        deadline = self._monotonic() + _PUMP_NS
        while self._waiting:
            most = RECORDS if self._complete else PAST_RECORDS if self._store.size else 0
            yield from self._taking(next_batches(self._waiting, most))
            yield
            if self._monotonic() > deadline and (self._store.size or self._complete):  # a first picture has some calls
                break
        if self._wanted is not None and self._complete and self._is_live():
            self._want_level(self._wanted)
        self._unlooked = self._unlooked or changed
        yield from self._look_for_problems()
        state, self._state = self._state, self.target.info.state
        return changed or state != self._state

    def now(self) -> int:
        """The program's monotonic ns: running on while it is live, the last thing known when it is not."""
        return max(self._store.last, self._clock.now()) if self._is_live() else self._store.last

    def header(self) -> Header:
        """The figures that every screen shows."""
        info, live = self.target.info, self._is_live()
        return Header(
            program=info.session.program, pid=info.session.pid, state=info.state.upper(), reason=info.reason,
            calls_per_second=self._stats.total_rate(self.now()), failed=self._stats.failed,
            in_flight=len(self._store.live) + self._store.unlisted, dropped=self._store.lost.dropped,
            cost=self._cost.share if live else 0.0, problems=self._problems.count(),
        )  # fmt: skip

    def commands(self) -> list[CommandRow]:
        """All commands, sorted by name."""
        return self._catalog.commands(self.now())

    def gathering_commands(self) -> Sliced[list[CommandRow]]:
        """The same in slices."""
        return self._catalog.gathering_commands(self.now())

    def events(self) -> list[EventRow]:
        """All events that were fired or have a listener with an exact name, sorted by name."""
        return self._catalog.events(self.now())

    def gathering_events(self) -> Sliced[list[EventRow]]:
        """The same in slices."""
        return self._catalog.gathering_events(self.now())

    def services(self) -> list[ServiceRow]:
        """All services, sorted by name, and the threads outside of them."""
        return self._services.rows(self.now())

    def alerts(self) -> Mapping[int, tuple[Alert, ...]]:
        """When problems were seen to happen that are not allowed, by lane."""
        return self._alerts.by_lane()

    def output(self) -> OutputRows:
        """A new view of what the program printed and logged; `update` it to see what came since."""
        return OutputRows(self._store.outputs, self._store.lane_name)

    def lane(self, key: int) -> Lane | None:
        """What is known of a lane."""
        return self._store.lanes.get(key)

    def problems(self) -> ProblemReport:
        """What the rules have found, up to the last look: they look twice a second."""
        return self._problems.report()

    def allow(self, rule: str, pattern: str) -> None:
        """Do not count what RULE finds about names that match PATTERN, as long as this session lasts."""
        self._problems.allow(rule, pattern)

    def receivers(self, event: str, most: int) -> list[ReceiverRow]:
        """The first MOST listeners that EVENT would be delivered to now, in order (exact names and globs)."""
        there = self._catalog.receivers(event)[:most]
        return [ReceiverRow(entry, calls.listener_p99(self._store, entry)) for entry in there]

    def timeline(self, start: int, end: int, width: int, keep: Keep = None, pick: Pick = None) -> TimelineView:
        """The lanes over [start, end) ns in WIDTH cells, as `timeline.view`."""
        return timeline.view(self._store, start, end, width, self.now(), keep=keep, pick=pick)

    def distributions(self, command: str, columns: int) -> tuple[Distribution, Distribution]:
        """How queue wait and run time of a command are spread, over one logarithmic scale in so many columns."""
        return self._stats.distributions("command", self._store.codec.names.find(command), columns)

    def range(self, begin: int, end: int) -> RangeSummary:
        """What happened in [begin, end) ns, in all lanes together."""
        return ranges.summary(self._store, begin, end, self.now())

    def bounds(self) -> tuple[int, int]:
        """First and last ns of all that is kept; while the program is live the last one is now."""
        return timeline.bounds(self._store, self.now())

    def call(self, call_id: int) -> CallDetail | None:
        """A call with its neighbours in the causal tree; None if it is not kept."""
        return calls.detail(self._store, call_id, self.now())

    @property
    def in_flight(self) -> Mapping[int, Call]:
        """The calls that are queued or running, by id, as far as the program lists them."""
        return MappingProxyType(self._store.live)

    def record(self, call_id: int) -> Call | None:
        """A call by itself; None if it is not kept."""
        return self._store.call(call_id)

    def threads(self) -> list[Lane]:
        """All threads that are known, those that have ended, too."""
        return list(self._store.lanes.values())

    def lane_name(self, key: int) -> str:
        """The name of a thread; "" for 0, which is none."""
        return self._store.lane_name(key)

    def tree(self, call_id: int, unfold: Collection[int] = ()) -> CallTree | None:
        """The causal tree that a call is part of, with its critical path; None if it is not kept."""
        return tree(self._store, call_id, self.now(), unfold)

    def lineage(self, call_id: int) -> Lineage | None:
        """What led to a call, its siblings and attempts, its critical path by name; None if it is not kept."""
        call = self._store.call(call_id)
        return None if call is None else lineage(self._store, call, self.now())

    def below(self, call_id: int) -> list[Call]:
        """A call and what it led to, the first to be queued first, 200 at most; [] if it is not kept."""
        call = self._store.call(call_id)
        return [] if call is None else below(self._store, call)

    def recent(self, name: str, limit: int = 20) -> list[Call]:
        """The last calls of a command, event or listener name, newest first (running ones before ended ones)."""
        return calls.recent(self._store, name, limit)

    def find_calls(self, what: Filter, *, limit: int = 200, order: Order = "newest") -> FoundCalls:
        """The calls that are what a filter asks for, those in flight first; `parse` makes the filter of a text."""
        return self._queries.find(what, self.now(), limit=limit, order=order)

    def names(self) -> KnownNames:
        """What can be named now; cheap to ask for."""
        return self._catalog.names()

    def lanes(self) -> list[str]:
        """The names of all threads that are known, the oldest first."""
        return list(dict.fromkeys(lane.name for lane in self._store.lanes.values()))

    def neighbour(self, call_id: int, step: int) -> int:
        """The next (+1) or previous (-1) call in the same lane; 0 when there is none."""
        return calls.neighbour(self._store, call_id, step)

    def records(self) -> Iterator[list[AnyRecord]]:
        """All that is kept, as records, in lists."""
        return snapshot.records(self._store)

    def execute(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Pending:
        """Execute a command in the program.

        Raises:
            TargetError: The target cannot act, or a value is not JSON-like.
        """
        return requested(self.target.execute, name, args, kwargs)

    def fire(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Pending:
        """Fire an event in the program; raises as `execute`."""
        return requested(self.target.fire, name, args, kwargs)

    def stacks(self, lanes: Sequence[int] = (), calls: Sequence[int] = ()) -> Pending:
        """Ask what these lanes, and those that run these calls, are doing now; all of them, if none is given.

        Raises:
            TargetError: Nothing is live there, or the program's bus is too old.
        """
        return requested(self.target.stacks, lanes, calls)

    def dead_letters(self) -> Pending:
        """Ask what nobody could receive; raises as `stacks`."""
        return requested(self.target.dead_letters)

    def set_level(self, level: Level) -> Pending:
        """Ask the program to record more, or less, from now on; raises as `execute`."""
        return requested(self.target.set_level, level)

    def _want_level(self, level: Level) -> None:
        self._wanted = None
        try:
            self.set_level(level)
        except TargetError:  # attached for reading only: it stays as it is
            return
        self.level = level

    @property
    def retain(self) -> int:
        """How many calls are kept."""
        return self._store.retain

    @retain.setter
    def retain(self, calls: int) -> None:
        self._store.retain = calls

    def watch_calls(self, what: Filter) -> Watch:
        """From now on show the calls that WHAT asks for as they end, instead of those that were shown before."""
        self.watch = Watch(what, of_call(what, self._store.lane_name, lambda call: call.ended))
        return self.watch

    def start_recording(self, path: Path) -> Recording:
        """Write what comes from now on to the session file PATH, until `stop_recording` or `close`.

        Raises:
            TargetError: the file cannot be written.
        """
        first = next(self.records(), [])
        opening = [each for each in first if isinstance(each, Lane | Entry | State)]
        self.recording = Recording(path, self.info.session, opening, self._store.labels)
        return self.recording

    def stop_recording(self) -> str:
        """Close the session file, and say what is in it; "" if none is written."""
        recording, self.recording = self.recording, None
        return recording.close() if recording is not None else ""

    def cancel(self, pending: Pending) -> None:
        """Ask to cancel the call of an `execute`; its reply still comes."""
        self.target.cancel(pending.request)

    @property
    def size(self) -> int:
        """How many calls are kept that have ended."""
        return self._store.size

    def frozen(self) -> Callable[[], Iterator[list[AnyRecord]]]:
        """What gives all records that are kept now, again and again, on any thread."""
        return snapshot.frozen(self._store)

    def close(self) -> None:
        """Let go of the target, and of the program if the target started it."""
        self.jobs.stop()
        self.stop_recording()
        self.target.close()

    def _taking(self, batch: Batch) -> Sliced[None]:
        fresh = yield from self._store.taking(batch)
        yield
        if self.watch is not None and self._complete:  # what is told of the past does not end now
            self.watch.take(self._store.labels.records(batch))
        if self.recording is not None:
            self.recording.take(batch)
        if fresh is not None:
            yield from self._stats.taking(fresh)
            self._services.take(fresh)
            yield
        self._problems.take(batch.records, fresh)
        if self._problems.pressing:
            yield from self._problems.looking()
        self._clock.set(batch.at)
        self._complete = self._complete or batch.snapshot_done

    def _look_for_problems(self) -> Sliced[None]:
        """Twice a second, and when a recording is read to its end."""
        now = self._monotonic()
        if self._is_live() and not (self._complete and now >= self._look_at):
            return  # while it comes in, what a program did before is no news
        if self._unlooked:
            self._look_at, self._unlooked = now + _LOOK_NS, False
            yield from self._problems.looking()

    def _is_live(self) -> bool:
        return self.target.info.state == "live"
