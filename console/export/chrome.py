"""Chrome trace JSON: what ui.perfetto.dev, chrome://tracing, the Firefox Profiler and speedscope open.

The array form, which loads as far as it goes even when it is cut short. Times are µs with the ns as decimals, counted
from the first moment in the session: as epoch µs they would not fit a double. What each record becomes:

* a run: `X` on the thread of its lane; one that never ended: `B` without `E`
* its time in the queue: an async slice (`b`, `e`) of category `queue`, with the call's id as local id
* its cause: an instant where it was executed or fired, and a flow (`s`, `f`) from there to the run, its id as flow id
* a failure: an instant in its last ns, besides the arguments of the run; at its end it would catch the next run's flow
* depth of a mailbox, losses: counters; problems: instants of the process
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO, Any, Final

import msgspec

from bus.trace.records import AnyRecord, Call, Depth, Dropped, Problem, Session
from console.export.survey import Survey
from console.model.blocks import FAILED
from console.model.lanes import order

Event = dict[str, Any]

_FIRST_EXTRA: Final = 1_000_000_000
"""The tids of extra tracks, out of the way of lane keys."""


def write(session: Session, survey: Survey, chunks: Iterable[Iterable[AnyRecord]], file: IO[bytes]) -> int:
    """Write a session as Chrome trace JSON and return the number of its calls.

    Args:
        session: Its first record.
        survey: What a first pass over the same records found.
        chunks: All records, in any order; a call that comes twice is written once.
        file: Written to as it goes.
    """
    trace = _Trace(session, survey)
    writer = _ArrayWriter(file)
    writer.write(trace.heading())
    for records in chunks:
        for record in records:
            writer.write(trace.events(record))
    for call in survey.unended.values():
        writer.write(trace.unended(call))
    writer.write(trace.extra_tracks())
    writer.close()
    return trace.calls


class _ArrayWriter:
    """A JSON array with one element a line, written in pieces."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._encode = msgspec.json.Encoder().encode
        self._separator = b"[\n"

    def write(self, events: Iterable[Event]) -> None:
        for event in events:
            self._file.write(self._separator + self._encode(event))
            self._separator = b",\n"

    def close(self) -> None:
        self._file.write(b"\n]\n")


class _Trace:
    """Turns records into events."""

    def __init__(self, session: Session, survey: Survey) -> None:
        self._survey = survey
        self._program = session.program
        self._pid = session.pid or 1  # 0, the made-up one of a damaged session, would be taken for the idle process
        self._written: set[int] = set()
        self._busy: dict[int, int] = {}
        self._extra: dict[tuple[int, int], int] = {}
        self._dropped: Counter[tuple[str, str]] = Counter()

    @property
    def calls(self) -> int:
        """How many calls were turned into events."""
        return len(self._written)

    def heading(self) -> Iterator[Event]:
        """The names of process and threads, in the order of the console's timeline."""
        yield self._name("process_name", 0, {"name": self._program})
        for position, key in enumerate(sorted(self._survey.lanes, key=order(self._survey.lanes))):
            yield from self._thread(key, self._survey.lanes[key].name, position)

    def extra_tracks(self) -> Iterator[Event]:
        """The names of the tracks that were needed for calls that overlap others of their lane."""
        for (lane, _), tid in self._extra.items():
            yield from self._thread(tid, f"{self._lane_name(lane)} (overlapping)", tid)

    def events(self, record: AnyRecord) -> Iterator[Event]:
        """What becomes of a record; nothing of an unended call, see `unended`."""
        match record:
            case Call():
                yield from self._call(record)
            case Depth():
                yield self._event("C", f"mailbox {record.service}", record.at, args={"depth": record.depth})
            case Dropped():
                self._dropped[record.kind, record.where] += record.count
                total = self._dropped[record.kind, record.where]
                yield self._event("C", f"dropped {record.where}", record.at, args={record.kind: total})
            case Problem():
                args = {"text": record.text, "calls": record.calls}
                yield self._event("i", f"problem: {record.rule}", record.at, cat="problem", s="p", args=args)
            case _:
                return

    def unended(self, call: Call) -> Iterator[Event]:
        """A call that was queued or running when the session ended."""
        if not self._first_time(call):
            return
        yield from self._queue(call)
        if not call.started:
            return
        tid = self._tid(call.lane)
        if self._survey.still_running(call):
            yield self._run_event("B", call, tid)
        else:
            yield self._run_event("i", call, tid, s="t")
        yield from self._arrow(call, tid)

    def _call(self, call: Call) -> Iterator[Event]:
        if call.outcome is None or not self._first_time(call):
            return
        if call.kind == "event":
            yield self._run_event("i", call, self._tid(call.lane or call.caller), s="t")
            return
        yield from self._queue(call)
        tid = self._tid(call.lane or call.caller)
        if call.started:
            tid = self._free_track(call)
            yield self._run_event("X", call, tid, dur=_us(max(0, call.ended - call.started)))
            yield from self._arrow(call, tid)
        if call.outcome in FAILED:
            name = f"failed: {call.error.type if call.error else call.outcome}"
            moment = max(call.started or call.queued, call.ended - 1)
            yield self._event("i", name, moment, tid=tid, cat="failure", s="t", args=_arguments(call))

    def _queue(self, call: Call) -> Iterator[Event]:
        common = {"cat": "queue", "tid": self._tid(call.caller or call.lane), "id2": {"local": hex(call.id)}}
        yield self._event("b", call.name, call.queued, **common, args=_arguments(call))
        end = call.started or call.ended
        if end:
            yield self._event("e", call.name, max(end, call.queued), **common)

    def _arrow(self, call: Call, tid: int) -> Iterator[Event]:
        """From where the call was executed, or its event fired, to its run.

        A flow starts in the slice that was begun last on its track, so an instant comes just before it: not every call
        is made inside another one. `bp` "e": it ends in the slice around it, not in the next one.
        """
        if not call.caller:
            return
        cause = self._tid(call.caller)
        fired = self._survey.fired.get(call.parent) if call.kind == "delivery" else None
        if fired is None:
            name = f"execute {call.name}"
            yield self._event("i", name, call.queued, tid=cause, cat="execute", s="t", args={"id": call.id})
        at = call.queued if fired is None else fired
        yield self._event("s", "cause", at, tid=cause, cat="cause", id=call.id)
        yield self._event("f", "cause", call.started, tid=tid, cat="cause", id=call.id, bp="e")

    def _run_event(self, phase: str, call: Call, tid: int, **more: Any) -> Event:
        moment = call.started or call.queued
        return self._event(phase, call.name, moment, tid=tid, cat=call.kind, args=_arguments(call), **more)

    def _free_track(self, call: Call) -> int:
        """The lane's own track, or an extra one: consumers drop or bend runs that overlap on one track."""
        level = 0
        while self._busy.get(tid := self._track(call.lane, level), 0) > call.started:
            level += 1
        self._busy[tid] = max(call.ended, call.started)
        return tid

    def _track(self, lane: int, level: int) -> int:
        if not level:
            return self._tid(lane)
        return self._extra.setdefault((lane, level), _FIRST_EXTRA + len(self._extra))

    def _tid(self, lane: int) -> int:
        """Lane keys are from 1; a call that has none was made outside of all known threads."""
        return lane or self._extra.setdefault((0, 0), _FIRST_EXTRA + len(self._extra))

    def _lane_name(self, lane: int) -> str:
        known = self._survey.lanes.get(lane)
        return known.name if known else f"lane-{lane}" if lane else "unknown thread"

    def _first_time(self, call: Call) -> bool:
        known = call.id in self._written
        self._written.add(call.id)
        return not known

    def _thread(self, tid: int, name: str, position: int) -> Iterator[Event]:
        yield self._name("thread_name", tid, {"name": name})
        yield self._name("thread_sort_index", tid, {"sort_index": position})

    def _name(self, name: str, tid: int, args: Event) -> Event:
        event = {"ph": "M", "name": name, "pid": self._pid, "args": args}
        return {**event, "tid": tid} if tid else event

    def _event(self, phase: str, name: str, moment: int, **more: Any) -> Event:
        return {"ph": phase, "name": name, "pid": self._pid, "ts": _us(moment - self._survey.base), **more}


def _us(duration: int) -> float:
    return duration / 1_000


def _arguments(call: Call) -> Event:
    """What a person who selects the run wants to read; what is empty is left out."""
    error = call.error
    all_of_them = {
        "id": call.id, "parent": call.parent, "root": call.root, "service": call.service,
        "outcome": call.outcome or "unended", "args": call.args, "result": call.result,
        "waited_ns": call.waited, "by": call.by if call.by != "code" else "", "client": call.client,
        "error": error.type if error else "", "message": error.message if error else "",
        "traceback": error.traceback.splitlines() if error else [],
    }  # fmt: skip
    shown = {name: value for name, value in all_of_them.items() if value}
    return shown if call.cpu is None else {**shown, "cpu_ns": call.cpu}
