"""What is known of the recorded process: its calls by lane, and everything else that the records said."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter

import numpy as np
from msgspec import Struct, structs

from bus.attach.protocol import Batch
from bus.trace.records import (
    AnyRecord,
    Call,
    Depth,
    Dropped,
    Entry,
    Lane,
    Output,
    Problem,
    Session,
    State,
    Wait,
)  # fmt: skip
from console.model.blocks import Codec
from console.model.codes import KINDS
from console.model.columns import Block, Ints, narrowed, steps
from console.model.density import Density
from console.model.ends import failures
from console.model.lane import Calls, Runs
from console.model.mailboxes import Mailboxes
from console.model.outputs import KEPT, Outputs
from console.model.packing import Packer, Portion, plausible
from console.model.slices import Sliced, whole
from console.model.timings import Labels

_COMMAND, _EVENT = KINDS.index("command"), KINDS.index("event")
_SIDE_RECORDS = 10_000
_NEVER = 1 << 62
_SLICE = 20
"""Lanes of one slice of work: 5 ms or so, whatever there is for each."""
_EVICT_PART = 16
"""Eviction takes one part of so many at once, because it copies the columns."""


class Counters(Struct):
    """Losses: what mailboxes dropped, what sinks lost, what this console was too slow for."""

    events: int = 0
    records: int = 0
    client: int = 0

    @property
    def dropped(self) -> int:
        """Everything that cannot be seen here because it was lost."""
        return self.events + self.records + self.client


class Place(Struct, frozen=True):
    """Where an ended call is kept."""

    lane: int
    calls: Calls
    position: int


class Store:
    """All records so far, bounded. Owned by the front end's thread.

    Calls that ran are in `runs` by lane; events and calls that ended without running are in `instants` by the lane
    they came from.
    """

    def __init__(self, *, retain: int = 1_000_000, began: int = 0) -> None:
        self.retain = max(retain, 1)
        """Calls that are kept; a smaller number counts from the next batch on."""
        self.began = began
        """When the recording began (monotonic ns), as far as that is known."""
        self._recently_ended: deque[Ints] = deque(maxlen=2)
        self._kept_failures = 0
        self._packer = Packer()
        self.labels = Labels()
        """Of the timings that came last."""
        self.codec = Codec()
        self.runs: dict[int, Runs] = {}
        self.instants: dict[int, Calls] = {}
        self.live: dict[int, Call] = {}
        self.unlisted = 0
        """Calls that are queued, too, but were not listed, because there are so many."""
        self.lanes: dict[int, Lane] = {}
        self.entries: dict[int, Entry] = {}
        self.states: dict[str, State] = {}
        self.depths: dict[str, Depth] = {}
        self.mailboxes = Mailboxes()
        self.problems: deque[Problem] = deque(maxlen=_SIDE_RECORDS)
        self.outputs = Outputs(KEPT)
        self.last_args: dict[str, str] = {}
        """Of each event that was fired."""
        self.services: dict[str, str] = {}
        """The service that last ran each name; for names whose registration was never seen."""
        self._served = np.zeros(0, np.int64)
        """The same by the numbers of the codec's names, -1 for none: most calls say nothing new."""
        self.density = Density()
        self.origins: Mapping[str, tuple[int, str]] = {}
        """See `Portion`."""
        self.lost = Counters()
        self.size = 0
        self.lanes_version = self.entries_version = 0
        """They count changes of `lanes` and of `entries`."""
        self.first, self.last = 0, began
        """The time of the earliest call that is kept, and the latest moment of which anything is known."""

    def take(self, batch: Batch) -> Block | None:
        """Take in a batch and return the ended calls that are new, as columns; None when there are none."""
        return whole(self.taking(batch))

    def taking(self, batch: Batch) -> Sliced[Block | None]:
        """The same in slices. What is asked between two of them is answered, from some of the new calls.

        The unended calls of the last batch are those in flight, so the loss of a record never leaves one for ever.
        """
        self.lost.client = max(self.lost.client, batch.dropped)
        self._seen(batch.at)
        if isinstance(batch, Portion):
            others: Sequence[AnyRecord] = batch.records
            packed, self.origins = batch.packed, batch.origins
        else:
            others = self._packer.add(batch.records)
            self.labels.take(batch)
            if batch.timings:
                self._packer.add_timings(batch.timings, self.labels)
            packed = self._packer.take()
        for record in others:
            self._take_other(record)
        self._take_waits(packed.waits)
        self._recently_ended.append(np.zeros(0, np.int64))
        yield
        fresh = yield from self._take_ended(self.codec.take(packed))
        self.live.clear()
        self._take_unended((*packed.unended, *batch.live))
        self.unlisted = max(0, batch.in_flight - len(batch.live))
        self._evict()
        return fresh

    def find(self, call: int) -> Place | None:
        """Where an ended call is kept."""
        for lane, calls in self._places():
            position = calls.find(call)
            if position >= 0:
                return Place(lane, calls, position)
        return None

    def call(self, call: int) -> Call | None:
        """A call in flight or ended; None if it is not kept."""
        if call in self.live:
            return self.live[call]
        place = self.find(call)
        return self.at(place) if place else None

    def at(self, place: Place) -> Call:
        """The call at a place."""
        return self.codec.unpack(place.calls, place.position)

    def matching(self, column: str, value: int, limit: int, *, newest: bool) -> tuple[list[Call], int]:
        """Ended calls with this value in a column, and how many there are.

        Args:
            column: A name in `lane.CALL`.
            value: What is searched for, in one pass over the column.
            limit: How many calls are returned at most.
            newest: The last to end come first; otherwise the first to be queued.
        """
        by = "ended" if newest else "queued"
        found: list[tuple[int, Calls, int]] = []
        total = 0
        for _, calls in self._places():
            positions = np.flatnonzero(calls[column] == value)
            total += len(positions)
            some = positions[-limit:] if newest else positions[:limit]
            found += zip(calls[by][some].tolist(), [calls] * len(some), some.tolist(), strict=True)
        found.sort(key=itemgetter(0), reverse=newest)
        return [self.codec.unpack(calls, at) for _, calls, at in found[:limit]], total

    def lane_name(self, key: int) -> str:
        """The name of a lane, made up if no record named it; "" for lane 0, which is none."""
        if not key:
            return ""
        lane = self.lanes.get(key)
        return lane.name if lane else f"lane-{key}"

    def _places(self) -> Iterator[tuple[int, Calls]]:
        yield from self.runs.items()
        yield from self.instants.items()

    def _seen(self, moment: int) -> None:
        self.last = max(self.last, moment)

    def _take_other(self, record: AnyRecord) -> None:
        match record:
            case Lane():
                self._take_lane(record)
            case Entry():
                self._take_entry(record)
            case State():
                self.states[record.service] = record
            case Depth():
                self.depths[record.service] = record
                self.mailboxes.take(record)
            case Problem():
                self.problems.append(record)
            case Output():
                self.outputs.add(record)
            case Dropped(kind="event"):
                self.lost.events += record.count
                self.mailboxes.take_dropped(record)
            case Dropped():
                self.lost.records += record.count
            case Session() | Call() | Wait():
                return
        self._seen(getattr(record, "at", 0))

    def _take_lane(self, lane: Lane) -> None:
        """What is said of the past again, as from the ring, does not make a thread alive that has ended."""
        known = self.lanes.get(lane.key)
        if known is None or not known.ended or lane.ended:
            self.lanes[lane.key] = lane
            self.lanes_version += 1

    def _take_entry(self, entry: Entry) -> None:
        known = self.entries.get(entry.entry)
        if not entry.added and known is not None:
            entry = structs.replace(known, added=False)
        self.entries[entry.entry] = entry
        self.entries_version += 1

    def _take_waits(self, waits: Block) -> None:
        table = np.stack([waits[name] for name in ("lane", "began", "ended")], axis=1)
        lanes, began, ended = table[(table >= 0).all(axis=1) & (table < _NEVER).all(axis=1)].T
        for lane in np.unique(lanes).tolist():
            chosen = lanes == lane
            self._runs_of(lane).add_waits(began[chosen], ended[chosen])
            self._seen(int(ended[chosen].max()))

    def _take_ended(self, block: Block) -> Sliced[Block | None]:
        if not len(block["id"]):
            return None
        self._recently_ended[-1] = block["id"]
        self._seen(int(block["ended"].max()))
        self._note_names(block)
        ran = (block["started"] > 0) & (block["kind"] != _EVENT)
        home = 2 * np.where(block["lane"] > 0, block["lane"], block["caller"]) + ran
        order = np.argsort(home, kind="stable")
        sorted_home, sorted_block = home[order], {name: narrowed(values)[order] for name, values in block.items()}
        borders = [0, *(1 + np.flatnonzero(steps(sorted_home))).tolist(), len(order)]
        fresh = np.zeros(len(order), np.bool_)
        for number, (first, after) in enumerate(pairwise(borders), 1):
            lane, is_run = divmod(int(sorted_home[first]), 2)
            part = {name: values[first:after] for name, values in sorted_block.items()}
            fresh[order[first:after]] = self._place(lane, is_run=bool(is_run)).add(part)
            if number % _SLICE == 0:
                yield
        return self._count(block if fresh.all() else {name: values[fresh] for name, values in block.items()})

    def _place(self, lane: int, *, is_run: bool) -> Calls:
        if is_run:
            return self._runs_of(lane)
        if lane not in self.instants:
            self.instants[lane] = Calls("ended")
        return self.instants[lane]

    def _runs_of(self, lane: int) -> Runs:
        if lane not in self.runs:
            self.runs[lane] = Runs()
        return self.runs[lane]

    def _count(self, fresh: Block) -> Block | None:
        if not len(fresh["id"]):
            return None
        self.size += len(fresh["id"])
        self.density.add(fresh["started"][(fresh["started"] > 0) & (fresh["kind"] != _EVENT)])
        earliest = int(fresh["queued"].min())
        self.first = min(self.first, earliest) if self.first else earliest
        return fresh

    def _note_names(self, block: Block) -> None:
        """Look at the last call of each name and kind; of a command only where it tells of another service."""
        names, kinds = block["name"].astype(np.int64), block["kind"]
        sorts = names * len(KINDS) + kinds
        last = np.full(int(sorts.max()) + 1, -1, np.int64)
        last[sorts] = np.arange(len(sorts))  # of those with one index the last stays
        last = last[last >= 0]
        for position in last[kinds[last] == _EVENT].tolist():
            arguments = self.codec.arguments(block["id"][position].item(), block["text"][position].item())
            self.last_args[self.codec.names[names[position]]] = arguments
        commands = last[kinds[last] == _COMMAND]
        unknown = np.full(max(0, int(names.max()) + 1 - len(self._served)), -1, np.int64)
        self._served = np.concatenate((self._served, unknown))
        moved = commands[self._served[names[commands]] != block["service"][commands]]
        self._served[names[moved]] = block["service"][moved]
        for position in moved.tolist():
            self.services[self.codec.names[names[position]]] = self.codec.names[block["service"][position]]

    def _take_unended(self, calls: Iterable[Call]) -> None:
        """Note calls in flight, but not those that a lane has left for another call, or whose end came already."""
        calls = list(calls)
        ended = set(np.concatenate(self._recently_ended).tolist()) if calls else ()
        for call in calls:
            if call.id not in ended and plausible(call) and not self._left(call):
                self.live[call.id] = call
                self._seen(max(call.queued, call.started))

    def _left(self, call: Call) -> bool:
        runs = self.runs.get(call.lane)
        return bool(call.started and runs is not None and len(runs) and runs["started"][-1] > call.started)

    def _evict(self) -> None:
        """Let go of the oldest calls when there are too many; failed ones stay while the codec keeps them whole."""
        if self.size - self._kept_failures <= self.retain + self.retain // _EVICT_PART:
            return
        ended = np.concatenate([calls["ended"] for _, calls in self._places()])
        excess = self.size - self.retain
        cutoff = int(np.partition(ended, excess - 1)[excess - 1])
        self._kept_failures = sum(self._evict_from(calls, cutoff) for _, calls in self._places())
        self.size = sum(len(calls) for _, calls in self._places())
        self.first = cutoff
        self.codec.heap.release(self._oldest_text())

    def _evict_from(self, calls: Calls, cutoff: int) -> int:
        """Let go of what ended up to CUTOFF; returns how many failed calls of that time were kept."""
        keep = calls["ended"] > cutoff
        old_failures = np.flatnonzero(~keep & failures(calls["kind"], calls["outcome"]))
        keep[old_failures] = [call in self.codec.failed for call in calls["id"][old_failures].tolist()]
        if isinstance(calls, Runs):
            calls.forget_waits(cutoff)
        if not keep.all():
            calls.keep(keep)
        return int(keep[old_failures].sum())

    def _oldest_text(self) -> int:
        texts = (calls["text"] for _, calls in self._places())
        return min((int(some[some > 0].min()) for some in texts if (some > 0).any()), default=_NEVER)
