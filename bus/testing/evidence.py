"""The records of one run, as the recorder would have written them, for the console."""

import platform
from fnmatch import fnmatchcase

from bus.core import Bus
from bus.lanes import LaneInfo
from bus.lanes import lanes as all_lanes
from bus.registry import EntryInfo
from bus.testing.controlled import UNIX_START, ControlledRuntime
from bus.testing.scheduler import START, Scheduler
from bus.trace.buffers import Buffers
from bus.trace.catalog import Catalog
from bus.trace.chunk import Chunk, unended_record
from bus.trace.records import AnyRecord, Call, Entry, Lane, Session, State, Wait
from bus.trace.taps import FullTap, PartsTap


class Evidence:
    """Watches one bus. The list is written by the thread that has the baton, and read when the run is over."""

    def __init__(self, bus: Bus, scheduler: Scheduler) -> None:
        self._bus = bus
        self._scheduler = scheduler
        self._notes: list[AnyRecord] = []
        runtime = ControlledRuntime(scheduler)
        catalog = Catalog(self._listeners)
        self._buffers = Buffers(runtime)
        for tap in (PartsTap(catalog, self._notes.append, runtime), FullTap(catalog, self._buffers, runtime)):
            bus.hooks.add(tap)  # not `add_hook`: taking the bus's lock may be a scheduling point

    def _listeners(self, event: str) -> list[EntryInfo]:
        """Who hears EVENT; not `Bus.receivers`, which remembers what it was asked, so that the run would be another."""
        scheduler = self._scheduler
        scheduler.locked += 1  # no scheduling points meanwhile
        try:
            return [entry for entry in self._bus.listeners() if fnmatchcase(event, entry.name)]
        finally:
            scheduler.locked -= 1

    def records(self) -> tuple[AnyRecord, ...]:
        """The session, its lanes, entries and states, and all calls and waits; calls in flight without an end."""
        items = self._buffers.take()
        records = (one for one in Chunk(self._scheduler.now, tuple(items)).records() if isinstance(one, Call | Wait))
        happened = sorted(records, key=lambda one: one.ended)
        live = tuple(unended_record(call) for call in self._bus.live_calls() if call.in_flight)
        keys = {one.lane for one in happened}
        keys |= {key for one in (*happened, *live) if isinstance(one, Call) for key in (one.lane, one.caller)}
        lanes = tuple(_lane(all_lanes[key]) for key in sorted(keys) if key in all_lanes)
        parts = tuple(one for one in self._notes if isinstance(one, Entry | State))
        return (self._session(), *lanes, *parts, *happened, *live)

    def _session(self) -> Session:
        return Session(
            session="schedule",
            pid=0,
            program=self._bus.name,
            python=platform.python_version(),
            start_monotonic=START,
            start_unix=UNIX_START + START,
            level="full",
        )


def _lane(info: LaneInfo) -> Lane:
    return Lane(key=info.key, name=info.name, service=info.service, worker=info.worker, native=info.native)
