"""OTLP, for any OpenTelemetry collector, Jaeger, Tempo: protobuf, or JSON as collectors write it to files.

A call is two spans: a PRODUCER, as long as it was queued, below the run that executed it; and a CONSUMER, the run,
below the first. An event is a PRODUCER without length, its deliveries are below it. Calls with one root are one trace.

Both forms are written in batches. Protobuf messages in a row are one message with all their spans; of JSON each line is
a message, so a session of up to 4,096 spans is one JSON document.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from bus.trace.records import Call
from console.export.arguments import measured
from console.export.source import Source
from console.model.codes import FAILED

_BATCH: Final = 4_096
_PRODUCER, _CONSUMER = 4, 5
_ERROR: Final = 2
_SCOPE: Final = "bus-console"
_SPAN_IDS: Final = 1 << 64


class _Span(Struct, frozen=True):
    """Ids are bytes, times ns of the wall clock; `failure` is the text of an error status, None if there is none."""

    trace: bytes
    id: bytes
    parent: bytes
    name: str
    kind: int
    start: int
    end: int
    attributes: Mapping[str, str | int]
    failure: str | None = None
    exception: Mapping[str, str | int] | None = None


def write_protobuf(sources: Sequence[Source], path: Path) -> int:
    """Write sessions as one OTLP message, `TracesData`, and return the number of their calls."""
    from opentelemetry.proto.trace.v1 import trace_pb2 as proto

    with path.open("wb") as file:
        traces = [_Trace(source) for source in sources]
        for trace in traces:
            for batch in trace.batches():
                file.write(_message(proto, trace.resource(), batch).SerializeToString())
    return sum(trace.calls for trace in traces)


def write_json(sources: Sequence[Source], path: Path) -> int:
    """Write sessions as lines of OTLP JSON and return the number of their calls."""
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as file:
        traces = [_Trace(source) for source in sources]
        for trace in traces:
            for batch in trace.batches():
                file.write(encode(_document(trace.resource(), batch)) + b"\n")
    return sum(trace.calls for trace in traces)


class _Trace:
    """Turns the calls of a session into spans."""

    def __init__(self, source: Source) -> None:
        self.calls = 0
        self._source = source
        session = source.session
        name = f"{session.session} {session.pid} {session.start_monotonic}"
        self._session_id = hashlib.blake2b(name.encode(), digest_size=8).digest()

    def resource(self) -> dict[str, str | int]:
        """What all spans have in common: the process."""
        session = self._source.session
        said: dict[str, str | int] = {
            "service.name": session.program or "bus", "service.instance.id": session.session,
            "process.pid": self._source.pid, "process.runtime.version": session.python,
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}

    def batches(self) -> Iterator[list[_Span]]:
        """All spans."""
        spans = (span for call in self._source.calls() for span in self._spans(call))
        while batch := list(islice(spans, _BATCH)):
            yield batch

    def _spans(self, call: Call) -> Iterator[_Span]:
        self.calls += 1
        yield self._queue(call)
        if call.started and call.kind != "event":
            yield self._run(call)

    def _queue(self, call: Call) -> _Span:
        is_all = call.kind == "event" or not call.started
        end = self._source.end_of(call) if is_all else max(call.started, call.queued)
        return self._span(
            call, _PRODUCER, _run_id(call.parent) if call.parent else b"", (call.queued, end), call.caller, ends=is_all
        )

    def _run(self, call: Call) -> _Span:
        times = (call.started, self._source.end_of(call))
        return self._span(call, _CONSUMER, _queue_id(call.id), times, call.lane, ends=True)

    def _span(
        self, call: Call, kind: int, parent: bytes, times: tuple[int, int], lane: int, *, ends: bool
    ) -> _Span:  # fmt: skip
        """One of a call's spans; the one that ENDS it says how."""
        failed = ends and call.outcome in FAILED
        error = call.error if failed else None
        is_run = kind == _CONSUMER or call.kind == "event"  # what others may have as their parent
        return _Span(
            trace=self._session_id + call.root.to_bytes(8, "big"),
            id=_run_id(call.id) if is_run else _queue_id(call.id), parent=parent, name=call.name, kind=kind,
            start=self._source.unix(times[0]), end=self._source.unix(max(times)),
            attributes=self._attributes(call, lane, ends=ends),
            failure=(error.message or error.type if error else call.outcome) if failed else None,
            exception={
                "exception.type": error.type, "exception.message": error.message,
                "exception.stacktrace": error.traceback,
            } if error else None,
        )  # fmt: skip

    def _attributes(self, call: Call, lane: int, *, ends: bool) -> dict[str, str | int]:
        said: dict[str, str | int | None] = {
            "bus.call": call.id, "bus.kind": call.kind, "bus.service": call.service, "thread.id": lane,
            "thread.name": self._source.lane_name(lane) if lane else "",
        }  # fmt: skip
        if ends:
            said |= {
                "bus.outcome": call.outcome or "unended", "bus.args": call.args, "bus.result": call.result,
                "bus.waited_ns": call.waited, "bus.origin": call.by, "bus.client": call.client,
                **{f"bus.{name}": ns for name, ns in measured(call).items()},
            }  # fmt: skip
        return {name: value for name, value in said.items() if value}


def _run_id(call: int) -> bytes:
    return (2 * call % _SPAN_IDS).to_bytes(8, "big")


def _queue_id(call: int) -> bytes:
    return ((2 * call + 1) % _SPAN_IDS).to_bytes(8, "big")


# ---- protobuf


def _message(proto: Any, resource: Mapping[str, str | int], spans: Sequence[_Span]) -> Any:
    message = proto.TracesData()
    group = message.resource_spans.add()
    _set_attributes(group.resource.attributes, resource)
    scope = group.scope_spans.add()
    scope.scope.name = _SCOPE
    for span in spans:
        _fill(scope.spans.add(), span)
    return message


def _fill(target: Any, span: _Span) -> None:
    target.trace_id, target.span_id, target.parent_span_id = span.trace, span.id, span.parent
    target.name, target.kind = span.name, span.kind
    target.start_time_unix_nano, target.end_time_unix_nano = span.start, span.end
    _set_attributes(target.attributes, span.attributes)
    if span.failure is not None:
        target.status.code, target.status.message = _ERROR, span.failure
    if span.exception is not None:
        event = target.events.add(name="exception", time_unix_nano=span.end)
        _set_attributes(event.attributes, span.exception)


def _set_attributes(target: Any, attributes: Mapping[str, str | int]) -> None:
    for name, value in attributes.items():
        attribute = target.add()
        attribute.key = name
        if isinstance(value, str):
            attribute.value.string_value = value
        else:
            attribute.value.int_value = value


# ---- JSON: ids in hex, 64-bit numbers as text. (protobuf's own JSON has base64 ids, which collectors refuse.)


def _document(resource: Mapping[str, str | int], spans: Sequence[_Span]) -> dict[str, Any]:
    scope = {"scope": {"name": _SCOPE}, "spans": [_json_span(span) for span in spans]}
    return {"resourceSpans": [{"resource": {"attributes": _json_attributes(resource)}, "scopeSpans": [scope]}]}


def _json_span(span: _Span) -> dict[str, Any]:
    said: dict[str, Any] = {
        "traceId": span.trace.hex(), "spanId": span.id.hex(), "name": span.name, "kind": span.kind,
        "startTimeUnixNano": str(span.start), "endTimeUnixNano": str(span.end),
        "attributes": _json_attributes(span.attributes),
    }  # fmt: skip
    if span.parent:
        said["parentSpanId"] = span.parent.hex()
    if span.failure is not None:
        said["status"] = {"code": _ERROR, "message": span.failure}
    if span.exception is not None:
        attributes = _json_attributes(span.exception)
        said["events"] = [{"name": "exception", "timeUnixNano": str(span.end), "attributes": attributes}]
    return said


def _json_attributes(attributes: Mapping[str, str | int]) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}
        for name, value in attributes.items()
    ]
