"""The export to Chrome trace JSON, loaded by the real trace processor and compared call by call."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from bus.trace.records import Call
from tests import synthetic
from tests.console.export.sessions import (
    CALLS,
    ERROR,
    LANES,
    OTHER_CALLS,
    OTHER_LANES,
    OTHER_PID,
    PID,
    RUNS,
    START,
    call,
    exported,
    session,
    two_processes,
)  # fmt: skip
from tests.perfetto import differences as slices
from tests.perfetto.processor import Trace, open_trace


def shown(text: str) -> str:
    """What the trace processor makes of a JSON string: it decodes escapes only in one that has a quote in it."""
    return text if '"' in text else json.dumps(text, ensure_ascii=False)[1:-1]


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trace]:
    """The fixture session, loaded."""
    path = exported(tmp_path_factory.mktemp("chrome"), session(*CALLS), "out.json")
    with open_trace(path) as loaded:
        yield loaded


def differences(trace: Trace, runs: Sequence[Call]) -> list[str]:
    """Where the runs in a trace are not those that were recorded; Chrome's times count from the first moment."""
    base = min(run.queued for run in runs)
    return slices.differences(trace, runs, LANES, PID, prefix="args", base=base, shown=shown)


def test_every_run_is_where_it_was(trace: Trace) -> None:
    """Start and length to the ns, name, kind, thread and process of every run are those of the session."""
    assert differences(trace, RUNS) == []


def test_two_processes_keep_apart(tmp_path: Path) -> None:
    """Of two processes in one file with the same lane keys and call ids each has its own runs, names and causes."""
    with open_trace(two_processes(tmp_path, "out.json")) as both:
        assert differences(both, RUNS) == []
        base = CALLS[0].queued
        assert slices.differences(both, OTHER_CALLS, OTHER_LANES, OTHER_PID, prefix="args", base=base) == []
        query = (
            "select count(*) as arrows, sum(a.ts > b.ts) as backwards, "
            "sum(extract_arg(a.arg_set_id, 'args.id') = extract_arg(b.arg_set_id, 'args.id')) as same "
            "from flow join slice a on a.id = slice_out join slice b on b.id = slice_in"
        )
        deliveries = sum(run.kind == "delivery" for run in RUNS)
        arrows = len(RUNS) + len(OTHER_CALLS)
        assert both.rows(query) == [{"arrows": arrows, "backwards": 0, "same": arrows - deliveries}]
        assert both.complaints() == {}


def test_nothing_is_wrong_or_lost(trace: Trace) -> None:
    """The trace processor has nothing to complain about."""
    assert trace.complaints() == {}


def test_every_wait_in_a_queue(trace: Trace) -> None:
    """Each call but an event has an async slice from its queueing to its start, or its end if it never ran."""
    rows = trace.rows(
        "select ts, dur, name, extract_arg(arg_set_id, 'args.id') as call from slice where category = 'queue'"
    )
    base = CALLS[0].queued
    wanted = {
        some.id: (some.queued - base, (some.started or some.ended or some.queued - 1) - some.queued, shown(some.name))
        for some in CALLS
        if some.kind != "event"
    }
    assert {row["call"]: (row["ts"], row["dur"], row["name"]) for row in rows} == wanted


def test_every_cause(trace: Trace) -> None:
    """Each run has one arrow: from the event that it is a delivery of, or from where and when it was executed."""
    rows = trace.rows(
        "select extract_arg(b.arg_set_id, 'args.id') as call, a.ts, a.category, t.tid, "
        "extract_arg(a.arg_set_id, 'args.id') as cause from flow "
        "join slice a on a.id = slice_out join slice b on b.id = slice_in "
        "join thread_track tt on a.track_id = tt.id join thread t using (utid)"
    )
    base, by_id = CALLS[0].queued, {some.id: some for some in CALLS}
    wanted = sorted(
        (run.id, by_id[run.parent].queued - base, "event", run.caller, run.parent)
        if run.kind == "delivery"
        else (run.id, run.queued - base, "execute", run.caller, run.id)
        for run in RUNS
    )
    assert sorted(tuple(row[key] for key in ("call", "ts", "category", "tid", "cause")) for row in rows) == wanted


def test_every_failure(trace: Trace) -> None:
    """A failed call has an instant in its last ns, on its thread or its caller's, with the error's type and message."""
    rows = trace.rows(
        "select s.ts, s.name, t.tid, extract_arg(s.arg_set_id, 'args.message') as message "
        "from slice s join thread_track tt on s.track_id = tt.id join thread t using (utid) where category = 'failure'"
    )
    base, failed = CALLS[0].queued, [some for some in CALLS if some.error]
    wanted = [
        (some.ended - 1 - base, f"failed: {error.type}", some.lane or some.caller, shown(error.message) or None)
        for some in failed
        if (error := some.error)
    ]
    found = [(row["ts"], row["name"], row["tid"], row["message"]) for row in rows]
    assert sorted(found, key=str) == sorted(wanted, key=str)


def test_text_arrives_as_it_was(trace: Trace) -> None:
    """Markup, unicode and escaped control characters in names and arguments are not changed."""
    query = "select string_value from args where flat_key in ('args.args', 'args.message', 'args.traceback')"
    expected = {"path='ä €'", "<b>x</b>", *ERROR.traceback.splitlines(), shown(ERROR.message)}
    assert {row["string_value"] for row in trace.rows(query)} >= expected


def test_the_file_has_the_text_itself(tmp_path: Path) -> None:
    """What a JSON reader finds are the recorded names and messages, whatever the trace processor shows of them."""
    events = json.loads(exported(tmp_path, session(*CALLS), "out.json").read_bytes())
    runs = {event["args"]["id"]: event for event in events if event["ph"] in "XB"}
    assert {number: event["name"] for number, event in runs.items()} == {run.id: run.name for run in RUNS}
    assert runs[7]["args"]["message"] == ERROR.message


def test_threads_in_the_order_of_the_timeline(trace: Trace) -> None:
    """The process and all threads have their names, and the viewer is told their order."""
    assert trace.rows(f"select name from process where pid = {PID}") == [{"name": "fixture"}]
    rows = trace.rows("select tid, name from thread where name is not null and tid < 10 order by tid")
    assert {row["tid"]: row["name"] for row in rows} == LANES


def test_depth_and_losses_are_counters(trace: Trace) -> None:
    """The depth of a mailbox is drawn as it was; losses add up."""
    query = "select t.name, c.ts, c.value from counter c join counter_track t on c.track_id = t.id order by c.ts"
    base = CALLS[0].queued - START
    assert [(row["name"], row["ts"] + base, row["value"]) for row in trace.rows(query)] == [
        ("mailbox store depth", 5_005, 3), ("dropped store event", 6_007, 2), ("dropped store event", 7_007, 5),
    ]  # fmt: skip


def test_overlapping_runs_of_one_lane_keep_their_times(tmp_path: Path) -> None:
    """Runs that claim the same time on one thread, as in a damaged file, are on a track of their own."""
    overlapping = [call(1, "a", 1, 1_001, 5_001, lane=2), call(2, "b", 1, 3_001, 9_001, lane=2)]
    with open_trace(exported(tmp_path, session(*overlapping), "out.json")) as trace:
        rows = trace.rows("select name, ts, dur from slice where category = 'command' order by ts")
        assert [(row["name"], row["ts"], row["dur"]) for row in rows] == [("a", 1_000, 4_000), ("b", 3_000, 6_000)]
        assert trace.complaints() == {}


def test_a_call_whose_end_was_lost_does_not_run_for_ever(tmp_path: Path) -> None:
    """Of an unended call on a lane that ran another one since, only the start is drawn."""
    lost, later = call(1, "lost", 1, 1_001, lane=2), call(2, "later", 1, 3_001, 9_001, lane=2)
    with open_trace(exported(tmp_path, session(lost, later), "out.json")) as trace:
        rows = trace.rows("select name, dur, depth from slice where category = 'command' order by ts")
        assert rows == [{"name": "lost", "dur": 0, "depth": 0}, {"name": "later", "dur": 6_000, "depth": 0}]


@pytest.mark.parametrize("calls", [CALLS[:2], (CALLS[0], CALLS[0], CALLS[6])], ids=["cause before effect", "twice"])
def test_a_call_is_written_once(tmp_path: Path, calls: tuple[Call, ...]) -> None:
    """A call that comes twice, as a snapshot may repeat one, is one run."""
    with open_trace(exported(tmp_path, session(*calls), "out.json")) as trace:
        assert differences(trace, list(dict.fromkeys(calls))) == []
        assert trace.complaints() == {}


def test_a_made_up_session(tmp_path: Path) -> None:
    """A session of a thousand calls on fourteen threads loads without a complaint, a run for each call that ran."""
    records = synthetic.session(1_000)
    with open_trace(exported(tmp_path, records, "out.json")) as trace:
        ran = [some for some in records if isinstance(some, Call) and some.kind != "event"]
        query = "select count(*) as runs, sum(dur) as dur from slice where category in ('command', 'delivery')"
        assert trace.rows(query) == [{"runs": len(ran), "dur": sum(some.ended - some.started for some in ran)}]
        assert trace.complaints() == {}


def _shift(event: dict[str, Any]) -> None:
    if event["ph"] == "X" and event["args"]["id"] == 7:
        event["ts"] += 0.001


def _move(event: dict[str, Any]) -> None:
    if event["ph"] == "X" and event["args"]["id"] == 2:
        event["tid"] = 3


def _overlap(event: dict[str, Any]) -> None:
    if event["ph"] == "X" and event["args"]["id"] == 1:
        event["dur"] += 400


def _one_key(event: dict[str, Any]) -> None:
    if event.get("tid") == 3:
        event["tid"] = 2


@pytest.mark.parametrize("harm", [_shift, _move, _overlap, _one_key])
def test_the_comparison_catches_a_wrong_file(tmp_path: Path, harm: Any) -> None:
    """The checks above notice a run that is 1 ns late, on another thread, or in the way, and two lanes with one key."""
    path = exported(tmp_path, session(*CALLS), "out.json")
    events = json.loads(path.read_bytes())
    for event in events:
        harm(event)
    path.write_text(json.dumps(events))
    with open_trace(path) as trace:
        assert differences(trace, RUNS)


def test_a_file_cut_short_still_loads(tmp_path: Path) -> None:
    """Of an export that was not copied to its end the trace processor shows what is there."""
    path = exported(tmp_path, session(*CALLS), "out.json")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b'"id":12')])
    with open_trace(path) as trace:
        names = {row["name"] for row in trace.rows("select name from slice where category = 'command'")}
        assert {"index.file", "store.put"} <= names


def test_a_shifted_call_is_not_in_the_session(tmp_path: Path) -> None:
    """The comparison also works the other way: a session that differs by 1 ns is not what was exported."""
    changed = [structs.replace(some, ended=some.ended + 1) if some.id == 2 else some for some in RUNS]
    with open_trace(exported(tmp_path, session(*CALLS), "out.json")) as trace:
        assert [line[0] for line in differences(trace, changed)] == ["2"]
