"""Perfetto protobuf, for ui.perfetto.dev and its trace processor: exact to the ns, on the wall clock too.

Times are those of the monotonic clock, which a snapshot ties to the wall clock. What each record becomes:

* a run: a slice on the track of its lane's thread; one that never ended has a beginning only
* its time in the queue: a slice on a track "queue SERVICE"
* its cause: an instant where it was executed, or its event fired, and a flow from there to the run
* a failure: an instant in its last ns, besides the annotations of the run
* depth of a mailbox, losses: counters; problems: instants of the process

Slices that overlap on one track get wrong lengths without a complaint, so one that would is put on a child track.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from heapq import heappop, heappush
from pathlib import Path
from typing import IO, Any, Final

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as proto

from bus.trace.records import AnyRecord, Call, Depth, Dropped, Problem
from console.export.arguments import arguments, failure_name
from console.export.source import Source
from console.model.codes import FAILED
from console.model.lanes import order

_BATCH: Final = 4_096
"""Packets in one message. A message is never used again: what `Clear` leaves behind made it slower and slower."""
_IDS: Final = 1 << 64
_NEVER: Final = 1 << 63
_QUEUE_ARGUMENTS: Final[tuple[str, ...]] = ("id", "service", "outcome")
_BEGIN, _END, _INSTANT, _COUNTER = (
    proto.TrackEvent.TYPE_SLICE_BEGIN, proto.TrackEvent.TYPE_SLICE_END,
    proto.TrackEvent.TYPE_INSTANT, proto.TrackEvent.TYPE_COUNTER,
)  # fmt: skip


def write(sources: Sequence[Source], path: Path) -> int:
    """Write sessions as a Perfetto trace to PATH and return the number of their calls."""
    calls = 0
    with path.open("wb") as file:
        for number, source in enumerate(sources):
            writer = _Writer(file, source)
            if not number:
                writer.clock(source)
            trace = _Trace(source, writer)
            for record in source:
                trace.take(record)
            writer.flush()
            calls += trace.calls
    return calls


class _Writer:
    """Packets of one process, written in batches. Its ids begin at a number that no other process has."""

    def __init__(self, file: IO[bytes], source: Source) -> None:
        session = source.session
        name = f"{session.session} {session.pid} {session.start_monotonic}".encode("utf-8", "replace")
        self.first_id = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")
        self._sequence = self.first_id % (1 << 31) + 1
        self._file = file
        self._batch = proto.Trace()
        self._size = 0
        first = self.packet()
        first.sequence_flags = proto.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
        first.trace_packet_defaults.timestamp_clock_id = proto.BUILTIN_CLOCK_MONOTONIC

    def packet(self, moment: int = 0) -> Any:
        """A new packet, to be filled in before the next one."""
        if self._size == _BATCH:
            self.flush()
        self._size += 1
        packet = self._batch.packet.add()
        packet.trusted_packet_sequence_id = self._sequence
        if moment:
            packet.timestamp = moment
        return packet

    def clock(self, source: Source) -> None:
        """The pair of times that ties the monotonic clock to the wall clock."""
        snapshot = self.packet().clock_snapshot
        snapshot.primary_trace_clock = proto.BUILTIN_CLOCK_MONOTONIC
        moments = {
            proto.BUILTIN_CLOCK_MONOTONIC: source.session.start_monotonic,
            proto.BUILTIN_CLOCK_REALTIME: source.session.start_unix,
        }
        for clock, moment in moments.items():
            snapshot.clocks.add(clock_id=clock, timestamp=moment)

    def flush(self) -> None:
        """Write what was gathered."""
        self._file.write(self._batch.SerializeToString())
        self._batch = proto.Trace()
        self._size = 0


class _Tracks:
    """The tracks of one process, each described when it is first used."""

    def __init__(self, source: Source, writer: _Writer) -> None:
        self._source = source
        self._writer = writer
        self._known: dict[tuple[str, Any], int] = {}
        lanes = source.survey.lanes
        self._rank = {key: rank for rank, key in enumerate(sorted(lanes, key=order(lanes)))}
        self.process, track = self._new(("process", 0))
        track.process.pid = source.pid
        track.process.process_name = source.session.program
        track.child_ordering = proto.TrackDescriptor.EXPLICIT
        for key in self._rank:
            self.thread(key)

    def thread(self, lane: int) -> int:
        """The track of a lane; 0 stands for all threads that are not known."""
        if known := self._known.get(("thread", lane)):
            return known
        track_id, track = self._new(("thread", lane))
        track.sibling_order_rank = self._rank.get(lane, len(self._rank) + lane)
        if lane:
            track.thread.pid = self._source.pid
            track.thread.tid = lane
            track.thread.thread_name = self._source.lane_name(lane)
        else:
            track.parent_uuid = self.process
            track.name = self._source.lane_name(lane)
        return track_id

    def queue(self, service: str) -> int:
        """The track of the calls that were queued for a service."""
        return self._child("queue", f"queue {service}", self.process)

    def overflow(self, parent: int, name: str, level: int) -> int:
        """The track for slices that overlap others of its parent, or of its overflow before."""
        return self._child("overflow", f"{name} ({level + 1})", parent)

    def counter(self, name: str, unit: str) -> int:
        """A track of numbers."""
        if known := self._known.get(("counter", name)):
            return known
        track_id, track = self._new(("counter", name))
        track.parent_uuid, track.name = self.process, name
        track.counter.unit_name = unit
        return track_id

    def _child(self, kind: str, name: str, parent: int) -> int:
        if known := self._known.get((kind, (parent, name))):
            return known
        track_id, track = self._new((kind, (parent, name)))
        track.parent_uuid, track.name = parent, name
        track.sibling_order_rank = len(self._rank) + len(self._known)
        return track_id

    def _new(self, key: tuple[str, Any]) -> tuple[int, Any]:
        track_id = self._known[key] = (self._writer.first_id + len(self._known) + 1) % _IDS
        track = self._writer.packet().track_descriptor
        track.uuid = track_id
        return track_id, track


class _Trace:
    """Turns the records of a session into packets."""

    def __init__(self, source: Source, writer: _Writer) -> None:
        self.calls = 0
        self._source = source
        self._writer = writer
        self._tracks = _Tracks(source, writer)
        self._free: dict[int, list[tuple[int, int]]] = {}
        """For each track when it and its overflow tracks are free again, as a heap of (moment, level)."""
        self._dropped: Counter[tuple[str, str]] = Counter()

    def take(self, record: AnyRecord) -> None:
        """Write what becomes of a record."""
        match record:
            case Call():
                self.calls += 1
                self._call(record)
            case Depth():
                self._count(f"mailbox {record.service}", "calls", record.at, record.depth)
            case Dropped():
                self._dropped[record.kind, record.where] += record.count
                total = self._dropped[record.kind, record.where]
                self._count(f"dropped {record.where}", f"{record.kind}s", record.at, total)
            case Problem():
                event = self._event(_INSTANT, record.at, self._tracks.process, f"problem: {record.rule}", "problem")
                _annotate(event, {"text": record.text, "calls": list(record.calls)})

    def _call(self, call: Call) -> None:
        if call.kind == "event":
            track = self._tracks.thread(call.lane or call.caller)
            _annotate(self._event(_INSTANT, call.queued, track, call.name, "event"), arguments(call))
            return
        self._queue(call)
        track = self._run(call) if call.started else self._tracks.thread(call.caller)
        if call.outcome in FAILED:
            moment = max(call.started or call.queued, call.ended - 1)
            _annotate(self._event(_INSTANT, moment, track, failure_name(call), "failure"), arguments(call))

    def _queue(self, call: Call) -> None:
        end = call.started or call.ended
        base = self._tracks.queue(call.service)
        track = self._free_track(base, f"queue {call.service}", call.queued, end or _NEVER)
        said = arguments(call)
        shown = {name: said[name] for name in _QUEUE_ARGUMENTS if name in said} if call.started else said
        _annotate(self._event(_BEGIN, call.queued, track, call.name, "queue"), shown)
        if end:
            self._event(_END, max(end, call.queued), track)

    def _run(self, call: Call) -> int:
        """The run of a call, and the arrow to it from where it was executed; the track that it is on."""
        lane = self._tracks.thread(call.lane)
        end, open_end = self._source.end_of(call), self._source.survey.still_running(call) and not call.outcome
        busy = _NEVER if open_end else end
        track = self._free_track(lane, f"{self._source.lane_name(call.lane)} overlapping", call.started, busy)
        kind = _BEGIN if call.outcome or open_end else _INSTANT
        run = self._event(kind, call.started, track, call.name, call.kind)
        _annotate(run, arguments(call))
        self._arrow(call, run)
        if call.outcome:
            self._event(_END, max(call.ended, call.started), track)
        return track

    def _arrow(self, call: Call, run: Any) -> None:
        """One flow for each run: of several that share one, only one arrow would be left."""
        if not call.caller:
            return
        flow = (self._writer.first_id + call.id) % _IDS
        run.terminating_flow_ids.append(flow)
        name = f"{'deliver' if call.kind == 'delivery' else 'execute'} {call.name}"
        cause = self._event(_INSTANT, call.queued, self._tracks.thread(call.caller), name, "execute")
        cause.flow_ids.append(flow)
        _annotate(cause, {"id": call.id})

    def _free_track(self, track: int, name: str, begin: int, end: int) -> int:
        """TRACK, or one below it when something on it is in the way of [begin, end)."""
        free = self._free.setdefault(track, [(0, 0)])
        moment, level = free[0]
        if moment <= begin:
            heappop(free)
        else:
            level = len(free)
        heappush(free, (max(begin, end), level))
        return self._tracks.overflow(track, name, level) if level else track

    def _count(self, name: str, unit: str, moment: int, value: int) -> None:
        self._event(_COUNTER, moment, self._tracks.counter(name, unit)).counter_value = value

    def _event(self, kind: int, moment: int, track: int, name: str = "", category: str = "") -> Any:
        event = self._writer.packet(moment).track_event
        event.type, event.track_uuid = kind, track
        if name:
            event.name = name
            event.categories.append(category)
        return event


def _annotate(event: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        annotation = event.debug_annotations.add()
        annotation.name = name
        if isinstance(value, str):
            annotation.string_value = value
        elif isinstance(value, int):
            annotation.uint_value = value
        else:
            annotation.string_value = "\n".join(map(str, value))
