"""The export to Perfetto, loaded by the real trace processor and compared call by call, to the ns."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bus.trace.records import Call, Session
from bus.trace.session import SessionWriter
from console.export import export
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
    UNIX,
    call,
    exported,
    session,
    two_processes,
)  # fmt: skip
from tests.perfetto.differences import differences
from tests.perfetto.processor import Trace, open_trace

proto = pytest.importorskip(
    "perfetto.protos.perfetto.trace.perfetto_trace_pb2", reason="the wheel perfetto is not installed"
)


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trace]:
    """The fixture sessions of both processes, loaded."""
    with open_trace(two_processes(tmp_path_factory.mktemp("perfetto"), "out.pftrace")) as loaded:
        yield loaded


def test_every_run_is_where_it_was(trace: Trace) -> None:
    """Start and length to the ns, name, kind, outcome, thread and process of every run are those of the sessions."""
    assert differences(trace, RUNS, LANES, PID) == []
    assert differences(trace, OTHER_CALLS, OTHER_LANES, OTHER_PID) == []


def test_nothing_is_wrong_or_lost(trace: Trace) -> None:
    """The trace processor has nothing to complain about."""
    assert trace.complaints() == {}


def test_every_wait_in_a_queue(trace: Trace) -> None:
    """Each call but an event has a slice, on a track of its service's queue, from its queueing to its start or end."""
    rows = trace.rows(
        "select s.ts, s.dur, s.name, extract_arg(s.arg_set_id, 'debug.id') as call, t.name as track "
        "from slice s join track t on s.track_id = t.id where s.category = 'queue' and track like 'queue indexer%'"
    )
    wanted = {
        some.id: (some.queued, (some.started or some.ended or some.queued - 1) - some.queued, some.name)
        for some in CALLS
        if some.kind != "event"
    }
    assert {row["call"]: (row["ts"], row["dur"], row["name"]) for row in rows} == wanted
    assert len({row["track"] for row in rows}) > 1, "they overlap, and one track cannot hold them"


def test_every_cause(trace: Trace) -> None:
    """Each run has one arrow, from where and when it was executed; three deliveries of one event have three."""
    rows = trace.rows(
        "select extract_arg(b.arg_set_id, 'debug.id') as call, extract_arg(a.arg_set_id, 'debug.id') as cause, "
        "a.ts, a.name, t.tid, p.pid from flow join slice a on a.id = slice_out join slice b on b.id = slice_in "
        "join thread_track tt on a.track_id = tt.id join thread t using (utid) join process p using (upid)"
    )
    wanted = [
        (
            run.id,
            run.id,
            run.queued,
            f"{'deliver' if run.kind == 'delivery' else 'execute'} {run.name}",
            run.caller,
            pid,
        )
        for runs, pid in ((RUNS, PID), (OTHER_CALLS, OTHER_PID))
        for run in runs
    ]
    columns = ("call", "cause", "ts", "name", "tid", "pid")
    assert sorted(tuple(row[key] for key in columns) for row in rows) == sorted(wanted)


def test_every_failure(trace: Trace) -> None:
    """A failed call has an instant in its last ns, on its thread or its caller's, with type, message and traceback."""
    rows = trace.rows(
        "select s.ts, s.name, t.tid, extract_arg(s.arg_set_id, 'debug.message') as message, "
        "extract_arg(s.arg_set_id, 'debug.traceback') as traceback "
        "from slice s join thread_track tt on s.track_id = tt.id join thread t using (utid) where category = 'failure'"
    )
    wanted = [
        (some.ended - 1, f"failed: {error.type}", some.lane or some.caller, error.message or None,
         error.traceback or None)
        for some in CALLS
        if (error := some.error)
    ]  # fmt: skip
    found = [(row["ts"], row["name"], row["tid"], row["message"], row["traceback"]) for row in rows]
    assert sorted(found, key=str) == sorted(wanted, key=str)


def test_text_arrives_as_it_was(trace: Trace) -> None:
    """Markup, unicode and escaped control characters in names and arguments are not changed."""
    found = {row["string_value"] for row in trace.rows("select string_value from args where string_value is not null")}
    assert found >= {"path='ä €'", "<b>x</b>", ERROR.message, ERROR.traceback}
    assert {"name": "index.file \\x1b[31m ☃"} in trace.rows("select name from slice where category = 'command'")


def test_threads_in_the_order_of_the_timeline(trace: Trace) -> None:
    """Both processes and all threads have their names, equal keys or not, and the viewer is told their order."""
    rows = trace.rows(
        "select p.pid, t.tid, t.name, extract_arg(tt.source_arg_set_id, 'sibling_order_rank') as rank from thread t "
        "join process p using (upid) left join thread_track tt using (utid) where t.name is not null and t.tid > 0"
    )
    wanted = {(PID, key): name for key, name in LANES.items()} | {(OTHER_PID, k): n for k, n in OTHER_LANES.items()}
    assert {(row["pid"], row["tid"]): row["name"] for row in rows} == wanted


def test_the_order_of_the_threads_is_in_the_file(tmp_path: Path) -> None:
    """Tracks are ordered explicitly, the threads as the console's timeline has them."""
    loaded = read(exported(tmp_path, session(*CALLS), "out.pftrace"))
    tracks = [packet.track_descriptor for packet in loaded.packet if packet.HasField("track_descriptor")]
    assert tracks[0].child_ordering == proto.TrackDescriptor.EXPLICIT
    ranks = {track.thread.thread_name: track.sibling_order_rank for track in tracks if track.HasField("thread")}
    assert sorted(ranks, key=lambda name: ranks[name]) == ["MainThread", "indexer-0", "indexer-1", "store-0"]


def test_depth_and_losses_are_counters(trace: Trace) -> None:
    """The depth of a mailbox is drawn as it was; losses add up."""
    query = (
        "select t.name, c.ts, c.value from counter c join process_counter_track t on c.track_id = t.id "
        f"join process p using (upid) where pid = {PID} order by c.ts"
    )
    assert [(row["name"], row["ts"] - START, row["value"]) for row in trace.rows(query)] == [
        ("mailbox store", 5_005, 3), ("dropped store", 6_007, 2), ("dropped store", 7_007, 5),
    ]  # fmt: skip


def test_the_wall_clock_is_known(trace: Trace) -> None:
    """A moment of the monotonic clock can be told in wall clock time."""
    rows = trace.rows("select clock_name, clock_value from clock_snapshot")
    assert {row["clock_name"]: row["clock_value"] for row in rows} == {"MONOTONIC": START, "REALTIME": UNIX}


def test_overlapping_runs_of_one_lane_keep_their_times(tmp_path: Path) -> None:
    """Runs that claim the same time on one thread, as in a damaged file, are on a track below it."""
    overlapping = [
        call(1, "a", 1, 1_001, 5_001, lane=2), call(2, "b", 1, 3_001, 9_001, lane=2),
        call(3, "c", 1, 4_001, 9_501, lane=2), call(4, "d", 1, 9_501, 9_601, lane=2),
    ]  # fmt: skip
    with open_trace(exported(tmp_path, session(*overlapping), "out.pftrace")) as trace:
        rows = trace.rows("select name, ts, dur, depth from slice where category = 'command' order by ts")
        wanted = [(some.name, some.started, some.ended - some.started, 0) for some in overlapping]
        assert [(row["name"], row["ts"], row["dur"], row["depth"]) for row in rows] == wanted
        assert trace.complaints() == {}


def test_a_call_whose_end_was_lost_does_not_run_for_ever(tmp_path: Path) -> None:
    """Of an unended call on a lane that ran another one since, only the start is drawn."""
    lost, later = call(1, "lost", 1, 1_001, lane=2), call(2, "later", 1, 3_001, 9_001, lane=2)
    with open_trace(exported(tmp_path, session(lost, later), "out.pftrace")) as trace:
        rows = trace.rows("select name, dur, depth from slice where category = 'command' order by ts")
        assert rows == [{"name": "lost", "dur": 0, "depth": 0}, {"name": "later", "dur": 6_000, "depth": 0}]


def test_a_session_without_its_first_line(tmp_path: Path) -> None:
    """Process id and start are unknown then; the calls are where they were."""
    writer = SessionWriter(
        tmp_path / "damaged.jsonl", Session(session="", pid=0, program="", python="", start_monotonic=0, start_unix=0)
    )
    writer.write(session(*CALLS))
    writer.close()
    with open_trace(export(writer.path, tmp_path / "out.pftrace").path) as trace:
        assert differences(trace, RUNS, LANES, 1) == []
        assert trace.complaints() == {}


def test_a_made_up_session(tmp_path: Path) -> None:
    """A session of two thousand calls on fourteen threads, more than fit one batch, loads without a complaint."""
    records = synthetic.session(2_000)
    with open_trace(exported(tmp_path, records, "out.pftrace")) as trace:
        ran = [some for some in records if isinstance(some, Call) and some.kind != "event"]
        names = {key: name for key, (name, _, _) in enumerate(synthetic.LANES, 1)}
        assert differences(trace, ran, names, PID) == []
        assert trace.complaints() == {}


def read(path: Path) -> Any:
    """The file as a message."""
    loaded = proto.Trace()
    loaded.ParseFromString(path.read_bytes())
    return loaded


def _shift(event: Any, packet: Any) -> None:
    if event.name == "store.put" and event.type == proto.TrackEvent.TYPE_SLICE_BEGIN and "command" in event.categories:
        packet.timestamp += 1


def _overlap(event: Any, packet: Any) -> None:
    if event.name == "index.file" and "command" in event.categories:
        packet.timestamp -= 600_000


def _one_key(event: Any, packet: Any) -> None:
    if packet.HasField("track_descriptor") and packet.track_descriptor.thread.tid == 3:
        packet.track_descriptor.thread.tid = 2


@pytest.mark.parametrize("harm", [_shift, _overlap, _one_key])
def test_the_comparison_catches_a_wrong_file(tmp_path: Path, harm: Callable[[Any, Any], None]) -> None:
    """The checks above notice a run that is 1 ns late, one in the way of another, and two lanes with one key."""
    path = exported(tmp_path, session(*CALLS), "out.pftrace")
    loaded = read(path)
    for packet in loaded.packet:
        harm(packet.track_event, packet)
    path.write_bytes(loaded.SerializeToString())
    with open_trace(path) as trace:
        assert differences(trace, RUNS, LANES, PID)
