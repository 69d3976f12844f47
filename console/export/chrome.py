"""Chrome trace JSON: what ui.perfetto.dev, chrome://tracing, the Firefox Profiler and speedscope open.

The array form, which loads as far as it goes even when it is cut short. Times are µs with the ns as decimals, counted
from the first moment in the session: as epoch µs they would not fit a double. What each record becomes:

* a run: `X` on the thread of its lane; one that never ended: `B` without `E`
* its time in the queue: an async slice (`b`, `e`) of category `queue`, with the call's id as local id
* its cause: an instant where it was executed or fired, and a flow (`s`, `f`) from there to the run, a number of its own
* a failure: an instant in its last ns, besides the arguments of the run; at its end it would catch the next run's flow
* depth of a mailbox, losses: counters; problems: instants of the process
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from bus.trace.records import AnyRecord, Call, Depth, Dropped, Problem
from console.export.arguments import arguments, failure_name
from console.export.source import Source
from console.model.codes import FAILED
from console.model.lanes import order

Event = dict[str, Any]

_FIRST_EXTRA: Final = 1_000_000_000
"""The tids of extra tracks, out of the way of lane keys."""


def write(sources: Sequence[Source], path: Path) -> int:
    """Write sessions as Chrome trace JSON to PATH and return the number of their calls."""
    base = min(source.survey.base for source in sources)
    flows = count(1)
    with path.open("wb") as file:
        writer = _ArrayWriter(file)
        traces = [_Trace(source, base, flows) for source in sources]
        for trace in traces:
            writer.write(trace.heading())
            for record in trace.source:
                writer.write(trace.events(record))
            writer.write(trace.extra_tracks())
        writer.close()
    return sum(trace.calls for trace in traces)


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
    """Turns the records of a session into events. FLOWS numbers the arrows of the whole file."""

    def __init__(self, source: Source, base: int, flows: Iterator[int]) -> None:
        self.source = source
        self.calls = 0
        self._lanes = source.survey.lanes
        self._base = base
        self._flows = flows
        self._busy: dict[int, int] = {}
        self._extra: dict[tuple[int, int], int] = {}
        self._dropped: Counter[tuple[str, str]] = Counter()

    def heading(self) -> Iterator[Event]:
        """The names of process and threads, in the order of the console's timeline."""
        yield self._name("process_name", 0, {"name": self.source.session.program})
        for position, key in enumerate(sorted(self._lanes, key=order(self._lanes))):
            yield from self._thread(key, self._lanes[key].name, position)

    def extra_tracks(self) -> Iterator[Event]:
        """The names of the tracks that were needed for calls that overlap others of their lane."""
        for (lane, _), tid in self._extra.items():
            yield from self._thread(tid, f"{self.source.lane_name(lane)} (overlapping)", tid)

    def events(self, record: AnyRecord) -> Iterator[Event]:
        """What becomes of a record."""
        match record:
            case Call():
                self.calls += 1
                yield from self._call(record) if record.outcome else self._unended(record)
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

    def _unended(self, call: Call) -> Iterator[Event]:
        """A call that was queued or running when the session ended."""
        yield from self._queue(call)
        if not call.started:
            return
        tid = self._tid(call.lane)
        if self.source.survey.still_running(call):
            yield self._run_event("B", call, tid)
        else:
            yield self._run_event("i", call, tid, s="t")
        yield from self._arrow(call, tid)

    def _call(self, call: Call) -> Iterator[Event]:
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
            moment = max(call.started or call.queued, call.ended - 1)
            yield self._event("i", failure_name(call), moment, tid=tid, cat="failure", s="t", args=arguments(call))

    def _queue(self, call: Call) -> Iterator[Event]:
        common = {"cat": "queue", "tid": self._tid(call.caller or call.lane), "id2": {"local": hex(call.id)}}
        yield self._event("b", call.name, call.queued, **common, args=arguments(call))
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
        fired = self.source.fired(call) if call.kind == "delivery" else None
        if fired is None:
            name = f"execute {call.name}"
            yield self._event("i", name, call.queued, tid=cause, cat="execute", s="t", args={"id": call.id})
        at, flow = call.queued if fired is None else fired, next(self._flows)
        yield self._event("s", "cause", at, tid=cause, cat="cause", id=flow)
        yield self._event("f", "cause", call.started, tid=tid, cat="cause", id=flow, bp="e")

    def _run_event(self, phase: str, call: Call, tid: int, **more: Any) -> Event:
        moment = call.started or call.queued
        return self._event(phase, call.name, moment, tid=tid, cat=call.kind, args=arguments(call), **more)

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

    def _thread(self, tid: int, name: str, position: int) -> Iterator[Event]:
        yield self._name("thread_name", tid, {"name": name})
        yield self._name("thread_sort_index", tid, {"sort_index": position})

    def _name(self, name: str, tid: int, args: Event) -> Event:
        event = {"ph": "M", "name": name, "pid": self.source.pid, "args": args}
        return {**event, "tid": tid} if tid else event

    def _event(self, phase: str, name: str, moment: int, **more: Any) -> Event:
        return {"ph": phase, "name": name, "pid": self.source.pid, "ts": _us(moment - self._base), **more}


def _us(duration: int) -> float:
    return duration / 1_000
