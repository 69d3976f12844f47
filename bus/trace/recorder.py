"""The recorder: collects what the hooks leave, 25 times a second, and hands it to the ring and to the sinks."""

import logging
import os
import platform
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import structs

from bus import lanes
from bus.hooks import Hook
from bus.runtime import Runtime
from bus.trace import live
from bus.trace.buffers import Buffers
from bus.trace.catalog import Catalog
from bus.trace.chunk import Chunk, Item
from bus.trace.records import VERSION, AnyRecord, Depth, Dropped, Lane, Level, Session
from bus.trace.redact import bounded
from bus.trace.ring import Ring
from bus.trace.taps import FullTap, PartsTap, TimesTap, state_record
from bus.trace.timings import NAME_LIMIT

if TYPE_CHECKING:
    from bus.registry import EntryInfo, Registration
    from bus.service import ServiceInfo

PERIOD = 0.04
"""Seconds between two batches: with what it takes to write one, a kill loses nothing older than 50 ms."""
_SAMPLED = 4
"""Turns of the pump for one look at all mailboxes, which of hundreds takes longer than all else that a turn does."""
MAX_CHUNK = 2_000
"""Records in one chunk."""
_log = logging.getLogger("bus")
Source = Callable[[], Sequence[AnyRecord]]
"""Gives the records that a part has collected since it was last asked."""


class Program(live.Program, Protocol):
    """What the recorder needs of a bus."""

    name: str
    runtime: Runtime

    def add_hook(self, hook: object, *, instead_of: object = None) -> "Registration":
        """See `Bus`."""

    def commands(self) -> Sequence["EntryInfo"]:
        """See `Bus`."""

    def listeners(self) -> Sequence["EntryInfo"]:
        """See `Bus`."""

    def receivers(self, event: str, /) -> Sequence["EntryInfo"]:
        """See `Bus`."""

    def services(self) -> Sequence["ServiceInfo"]:
        """See `Bus`."""


class Sink(Protocol):
    """Takes chunks. All methods are called by the pump and must return at once; a sink does its work elsewhere."""

    @property
    def cpu(self) -> int:
        """CPU ns that it has used so far."""

    @property
    def alive(self) -> bool:
        """False: take it out."""

    def join(self, opening: tuple[AnyRecord, ...], history: tuple[Chunk, ...]) -> None:
        """First of all: session, lanes, entries and states, and what the ring holds."""

    def offer(self, chunk: Chunk) -> None:
        """What happened since, without a gap."""

    def leave(self, chunk: Chunk) -> None:
        """The last chunk for this sink."""

    def flush(self, timeout: float) -> bool:
        """Whether all that was offered has left, within TIMEOUT seconds; on the thread that asks."""


class Recorder:
    """Watches one bus from when it is made until `close`.

    The pump thread owns `ring`, sinks, depths and the counters of cost. Other threads talk to it through deques,
    where appending is atomic, and wait for its next turn. `_lock` guards the level and its hooks.
    """

    def __init__(self, program: Program, level: Level, ring: Ring | None = None) -> None:
        """Record PROGRAM at LEVEL."""
        self._program = program
        self._runtime = runtime = program.runtime
        self._lock = runtime.lock()
        self._level: Level = "off"
        self._session = _session(program)
        self._buffers = Buffers(runtime)
        self.catalog = Catalog(program.receivers)
        self._notes: deque[AnyRecord] = deque()
        self._parts = PartsTap(self.catalog, self.note, runtime)
        self._taps: dict[Level, Hook] = {
            "off": Hook(),
            "times": TimesTap(self.catalog, self._buffers, runtime),
            "full": FullTap(self.catalog, self._buffers, runtime),
        }
        self._tap = self._taps["off"]
        self._hook = program.add_hook(self._tap)
        self.ring = ring or Ring()
        self._sinks: tuple[Sink, ...] = ()
        self._depths: dict[str, Depth] = {}
        self._turns = 0
        self._live = live.LiveCalls(program, runtime)
        self._figures: dict[str, tuple[int, ...]] = {}
        self._lanes: dict[int, Lane] = {}
        self._last_end: tuple[int, int] | None = None
        self._meters: list[Callable[[], int]] = []
        self._sources: list[Source] = []
        self._retired_cpu = self._last_cpu = 0
        self._last_at = runtime.now()
        self._jobs: deque[Callable[[Chunk], None]] = deque()
        self._closing = False
        self._watch_parts()
        self.set_level(level)
        self._wakeup = runtime.quiet_wakeup()
        self._pump = runtime.spawn("bus-trace-pump", self._run)

    # ---- from any thread

    @property
    def session(self) -> Session:
        """The first record of any file or connection."""
        return structs.replace(self._session, level=self._level)

    @property
    def level(self) -> Level:
        """How much is recorded now."""
        return self._level

    def set_level(self, level: Level) -> None:
        """Record more or less from now on. Calls that are under way get what the new level can still see of them."""
        with self._lock:
            if level == self._level:
                return
            self._level = level
            former, self._tap = self._tap, self._taps[level]
            self._hook = self._program.add_hook(self._tap, instead_of=former)

    def note(self, record: AnyRecord) -> None:
        """Add a record that is not a call."""
        self._notes.append(record)

    def add_meter(self, cpu: Callable[[], int]) -> None:
        """Count the CPU ns that this tells, in all, among the cost of recording."""
        self._meters.append(cpu)

    def add_source(self, source: Source) -> None:
        """Ask SOURCE at each of the pump's turns what happened since; it answers at once, and bounds what it holds."""
        self._sources.append(source)

    def remove_source(self, source: Source) -> None:
        """Ask SOURCE once more, and then no more. Waits for no sink: a stopped console would hold up an ending."""
        self._turned(1.0)
        self._sources.remove(source)

    def add(self, sink: Sink, timeout: float = 0.0) -> bool:
        """Let SINK join at the pump's next turn: what happened before is in its snapshot, all else comes in chunks.

        Whether it had joined within TIMEOUT seconds.
        """
        done = self._runtime.latch()

        def join(chunk: Chunk) -> None:
            self._join(sink, chunk)
            done.set()

        self._jobs.append(join)
        self._wakeup.wake()
        return timeout > 0 and done.wait(timeout)

    def remove(self, sink: Sink, timeout: float = 2.0) -> bool:
        """Let SINK leave, with all that happened until now; whether it had within TIMEOUT seconds."""
        done = self._runtime.latch()

        def leave(chunk: Chunk) -> None:
            self._leave(sink, chunk)
            done.set()

        self._jobs.append(leave)
        self._wakeup.wake()
        return self._pump.alive and done.wait(timeout)

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all sinks have what happened before this; whether they had within TIMEOUT seconds (each)."""
        flushed = self._turned(timeout)
        for sink in self._sinks:
            flushed = sink.flush(timeout) and flushed
        return flushed

    def _turned(self, timeout: float) -> bool:
        """Wait for a turn of the pump that begins after this; whether it was over within TIMEOUT seconds."""
        done = self._runtime.latch()
        self._jobs.append(lambda _: done.set())
        self._wakeup.wake()
        return self._pump.alive and done.wait(timeout)

    def close(self, timeout: float = 2.0) -> bool:
        """Let all sinks leave and end the pump; whether it had ended within TIMEOUT seconds."""
        self._closing = True
        self._wakeup.wake()
        ended = self._pump.join(timeout)
        self.set_level("off")
        self._parts_hook.dispose()
        self._hook.dispose()
        return ended

    # ---- on the pump's thread

    def _run(self) -> None:
        try:
            while not self._closing:
                self._wakeup.wait(PERIOD)
                self._turn()
            last = self._turn()
        except Exception:  # noqa: BLE001  the thread's edge: the program goes on without a recorder
            _log.exception("the recorder of the bus %r failed and stops recording", self._program.name)
            self.set_level("off")
            last = Chunk(self._runtime.now(), ())
        for sink in self._sinks:
            sink.leave(last)

    def _turn(self) -> Chunk:
        """One batch to everybody, then what was asked for; returns an empty chunk of the same moment."""
        jobs = [self._jobs.popleft() for _ in range(len(self._jobs))]
        asked = bool(jobs) or self._closing
        # Before the buffers are emptied: a call that ends meanwhile is in either or both, never in none.
        calls, unlisted = self._live.look(asked=asked) if self._sinks or jobs else ([], 0)
        at = self._runtime.now()
        happened = self._buffers.take()
        # All in one, cut where it is too much: a chunk costs each sink a system call, and the calls in flight again.
        happened[:0] = self._extra(at, asked=asked)
        taken = [happened[first : first + MAX_CHUNK] for first in range(0, len(happened), MAX_CHUNK)] or [[]]
        cost = self._cost(at)
        calls = live.still(calls, taken)
        for items in taken:
            self._publish(Chunk(at, items, calls, cost, unlisted))
        now = Chunk(at, (), calls, cost, unlisted)
        for job in jobs:
            job(now)
        return now

    def _publish(self, chunk: Chunk) -> None:
        self.ring.add(chunk)
        for sink in self._sinks:
            if sink.alive:
                sink.offer(chunk)
            else:
                self._forget(sink)

    def _extra(self, at: int, *, asked: bool) -> list[Item]:
        """What is not a call. Taken after the calls and put before them: what they refer to comes first.

        ASKED: somebody waits for how things are now.
        """
        lost = self._buffers.take_lost()
        notes: list[Item] = [self._notes.popleft() for _ in range(len(self._notes))]
        for source in list(self._sources):
            notes += source()
        notes[:0] = self._changed_lanes()
        notes += self._parts.take_dropped()
        self._turns += 1
        if asked or self._turns % _SAMPLED == 0:
            notes += self._new_depths(at)
        if lost:
            notes.append(Dropped(at=at, count=lost, kind="record", where="recorder"))
        return notes

    def _changed_lanes(self) -> list[Lane]:
        """New ones, and those whose threads have ended."""
        ended = lanes.ends_since(self._last_end)  # before the lanes: who has ended by then is among them
        # Not by the highest key so far: who was first to draw one may be the second to appear.
        changed = {key: _lane(info) for key, info in lanes.lanes.copy().items() if key not in self._lanes}
        for key, at in ended:
            lane = changed.get(key) or self._lanes.get(key)
            if lane is not None and not lane.ended:
                changed[key] = structs.replace(lane, ended=at)
        self._last_end = ended[0] if ended else self._last_end
        self._lanes.update(changed)
        return list(changed.values())

    def _known_lanes(self) -> tuple[Lane, ...]:
        """Those of threads that there are, or were until lately."""
        self._lanes = {key: lane for key, lane in self._lanes.items() if key in lanes.lanes}
        return tuple(self._lanes.values())

    def _new_depths(self, at: int) -> list[Depth]:
        changed: list[Depth] = []
        for info in self._program.services():
            figures = info.depth, info.capacity, info.dropped, info.restarts, info.stuck
            if self._figures.get(info.name) != figures:
                self._figures[info.name] = figures
                depth, capacity, dropped, restarts, stuck = figures
                self._depths[info.name] = Depth(
                    service=bounded(info.name, NAME_LIMIT), at=at, depth=depth, capacity=capacity, dropped=dropped,
                    restarts=restarts, stuck=stuck,
                )  # fmt: skip
                changed.append(self._depths[info.name])
        return changed

    def _cost(self, at: int) -> float:
        cpu = self._runtime.cpu() + self._retired_cpu
        cpu += sum(sink.cpu for sink in self._sinks) + sum(meter() for meter in self._meters)
        used, passed = cpu - self._last_cpu, max(1, at - self._last_at)
        self._last_cpu, self._last_at = cpu, at
        return min(1.0, max(0.0, used / passed))

    def _join(self, sink: Sink, chunk: Chunk) -> None:
        opening: tuple[AnyRecord, ...] = (
            *self._known_lanes(),
            *self.catalog.entries(),
            *self.catalog.states(),
            *self._depths.values(),
        )
        sink.join(opening, self.ring.snapshot())
        sink.offer(chunk)
        self._sinks = (*self._sinks, sink)

    def _leave(self, sink: Sink, chunk: Chunk) -> None:
        if sink in self._sinks:
            sink.leave(chunk)
            self._forget(sink)

    def _forget(self, sink: Sink) -> None:
        self._sinks = tuple(other for other in self._sinks if other is not sink)
        self._retired_cpu += sink.cpu

    # ---- at the start

    def _watch_parts(self) -> None:
        """Hook first, then look: what is registered meanwhile is seen twice, never missed."""
        self._parts_hook = self._program.add_hook(self._parts)
        at = self._runtime.now()
        for entry in (*self._program.commands(), *self._program.listeners()):
            self.catalog.add(entry, at)
        for service in self._program.services():
            self.catalog.state(state_record(service.name, service.state, at, service.workers, service.error))


def _session(program: Program) -> Session:
    runtime = program.runtime
    return Session(
        version=VERSION,
        session=os.urandom(8).hex(),
        pid=os.getpid(),
        program=bounded(program.name, NAME_LIMIT),
        python=platform.python_version(),
        start_monotonic=runtime.now(),
        start_unix=runtime.wall(),
    )


def _lane(info: lanes.LaneInfo) -> Lane:
    return Lane(
        key=info.key,
        name=bounded(info.name, NAME_LIMIT),
        service=bounded(info.service, NAME_LIMIT),
        worker=info.worker,
        native=info.native,
        began=info.began,
    )
