"""The exports to OTLP, decoded by opentelemetry-proto and sent through a real collector."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bus.trace.records import Call
from console.export import export
from tests import collector, synthetic
from tests.console.export.sessions import (
    CALLS,
    LANES,
    OTHER_CALLS,
    OTHER_PID,
    PID,
    START,
    UNIX,
    recorded,
    two_processes,
)  # fmt: skip
from tests.support import wait_for

proto = pytest.importorskip(
    "opentelemetry.proto.trace.v1.trace_pb2", reason="the wheel opentelemetry-proto is not installed"
)

PRODUCER, CONSUMER, ERROR = 4, 5, 2
LAST = max(call.ended for call in CALLS)


def spans(path: Path) -> list[tuple[Any, Any]]:
    """The spans of a protobuf file with their resources."""
    groups = proto.TracesData.FromString(path.read_bytes()).resource_spans
    return [(group.resource, span) for group in groups for scope in group.scope_spans for span in scope.spans]


def values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


def unix(moment: int) -> int:
    return moment - START + UNIX


def wanted(call: Call) -> Iterator[tuple[Any, ...]]:
    """The spans of a call: kind, name, start, end, lane, ids, outcome, failure."""
    runs = call.started and call.kind != "event"
    failure = (call.error.message or call.error.type) if call.error else ""
    end = unix(call.ended or LAST)
    queue_end = unix(call.started) if runs else end
    ending = (call.outcome or "unended", failure)
    yield (PRODUCER, call.name, unix(call.queued), queue_end, call.caller, call.id, *(("", "") if runs else ending))
    if runs:
        yield (CONSUMER, call.name, unix(call.started), end, call.lane, call.id, *ending)


def found(span: Any) -> tuple[Any, ...]:
    said = values(span.attributes)
    times = (span.start_time_unix_nano, span.end_time_unix_nano)
    assert (span.status.code == ERROR) == bool(span.status.message)
    ending = (said.get("bus.outcome", ""), span.status.message)
    return (span.kind, span.name, *times, said.get("thread.id", 0), said["bus.call"], *ending)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, Any]]:
    """The spans of both processes."""
    return spans(two_processes(tmp_path_factory.mktemp("otlp"), "out.otlp"))


def of(both: list[tuple[Any, Any]], pid: int) -> list[Any]:
    return [span for resource, span in both if values(resource.attributes)["process.pid"] == pid]


@pytest.mark.parametrize(("pid", "calls"), [(PID, CALLS), (OTHER_PID, OTHER_CALLS)])
def test_every_call_is_there(both: list[tuple[Any, Any]], pid: int, calls: tuple[Call, ...]) -> None:
    """Each call has a span for its time in the queue and one for its run: times to the ns, lane, outcome, failure."""
    assert sorted(map(found, of(both, pid))) == sorted(span for call in calls for span in wanted(call))


def test_parents(both: list[tuple[Any, Any]]) -> None:
    """A run is below its time in the queue, that below the run of its cause; all of one root are one trace."""
    by_id = {(span.trace_id, span.span_id): span for _, span in both}
    assert len(by_id) == len(both), "two processes, and no id twice"
    calls = {call.id: call for call in CALLS}
    for span in of(both, PID):
        call = calls[values(span.attributes)["bus.call"]]
        parent = by_id.get((span.trace_id, span.parent_span_id))
        if span.kind == CONSUMER:
            assert parent is not None
            assert (parent.kind, values(parent.attributes)["bus.call"]) == (PRODUCER, call.id)
        elif call.parent:
            assert parent is not None
            assert values(parent.attributes)["bus.call"] == call.parent
            assert parent.kind == (PRODUCER if calls[call.parent].kind == "event" else CONSUMER)
        else:
            assert not span.parent_span_id
    roots = {(span.trace_id, calls[values(span.attributes)["bus.call"]].root) for span in of(both, PID)}
    assert len(roots) == len({call.root for call in CALLS}) == len({trace for trace, _ in roots})


def test_a_failure_is_an_exception_event(both: list[tuple[Any, Any]]) -> None:
    """A failed call's last span has an event with type, message and traceback, at its end."""
    events = {
        values(span.attributes)["bus.call"]: (event.name, event.time_unix_nano, values(event.attributes))
        for span in of(both, PID)
        for event in span.events
    }
    assert events == {
        call.id: ("exception", unix(call.ended), {
            "exception.type": call.error.type, "exception.message": call.error.message,
            "exception.stacktrace": call.error.traceback,
        })
        for call in CALLS if call.error
    }  # fmt: skip


def test_threads_and_process(both: list[tuple[Any, Any]]) -> None:
    """Spans say their thread's name; resources the program and its pid."""
    names = {(values(s.attributes).get("thread.id", 0), values(s.attributes).get("thread.name")) for s in of(both, PID)}
    assert names == set(LANES.items())
    resources = [values(resource.attributes) for resource, _ in both]
    assert {(one["service.name"], one["process.pid"]) for one in resources} == {
        ("fixture", PID),
        ("fixture", OTHER_PID),
    }


def test_json_is_the_same(tmp_path: Path, both: list[tuple[Any, Any]]) -> None:
    """The JSON has hex ids and numbers as text, as OTLP wants it, and the same spans."""
    lines = two_processes(tmp_path, "out.otlp.json").read_text().splitlines()
    said = [
        span
        for line in lines
        for group in json.loads(line)["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope["spans"]
    ]
    assert {(span["traceId"], span["spanId"], span.get("parentSpanId", "")) for span in said} == {
        (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()) for _, span in both
    }
    numbers = [each["value"]["intValue"] for span in said for each in span["attributes"] if "intValue" in each["value"]]
    assert numbers
    assert all(isinstance(number, str) for number in numbers)
    assert {(span["startTimeUnixNano"], span["endTimeUnixNano"]) for span in said} == {
        (str(span.start_time_unix_nano), str(span.end_time_unix_nano)) for _, span in both
    }


@pytest.mark.parametrize(
    ("ending", "kind"),
    [(".otlp", "application/x-protobuf"), (".otlp.json", "application/json")],
    ids=["protobuf", "json"],
)
def test_through_a_collector(tmp_path: Path, both: list[tuple[Any, Any]], ending: str, kind: str) -> None:
    """What a collector takes in and hands on are the same spans of the same processes, to the last byte."""
    path = two_processes(tmp_path, f"out{ending}")
    with collector.running(tmp_path) as running:
        bodies = path.read_bytes().splitlines() if kind.endswith("json") else [path.read_bytes()]
        for body in bodies:
            running.send(body, kind)
        wait_for(lambda: len(running.spans()) >= len(both))
        assert canonical(running.spans()) == canonical(both)


def test_the_comparison_catches_a_wrong_file(tmp_path: Path, both: list[tuple[Any, Any]]) -> None:
    """The checks above notice a span that is 1 ns late."""
    other = spans(two_processes(tmp_path, "out.otlp"))
    assert canonical(other) == canonical(both)
    other[3][1].end_time_unix_nano += 1
    assert canonical(other) != canonical(both)
    assert sorted(map(found, of(other, PID))) != sorted(span for call in CALLS for span in wanted(call))


def canonical(some: list[tuple[Any, Any]]) -> list[tuple[bytes, bytes]]:
    return sorted(
        (resource.SerializeToString(deterministic=True), span.SerializeToString(deterministic=True))
        for resource, span in some
    )


def test_a_large_session_in_batches(tmp_path: Path) -> None:
    """Protobuf of several batches is one message; of JSON each line is one."""
    records = synthetic.session(5_000)
    calls = [record for record in records if isinstance(record, Call)]
    count = sum(2 if call.kind != "event" else 1 for call in calls)
    path = recorded(tmp_path, records)
    assert len(spans(export(path, tmp_path / "out.otlp").path)) == count
    lines = export(path, tmp_path / "out.otlp.json").path.read_bytes().splitlines()
    assert len(lines) == -(-count // 4_096)
    assert sum(len(json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]) for line in lines) == count
