"""The export to Chrome trace JSON, loaded by the real trace processor and compared call by call."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from bus.trace.records import AnyRecord, Call, Depth, Dropped, Error, Lane, Problem, Session
from bus.trace.session import SessionWriter
from console.export import export
from tests import synthetic
from tests.perfetto.processor import Trace, open_trace

START = 7_000_000_123_456_789
PID = 4711
LANES = {1: "MainThread", 2: "indexer-0", 3: "indexer-1", 4: "store-0"}
ERROR = Error("ValueError", "bad <b>bold</b> \\x1b[31m", "Traceback …\nValueError: bad")


def shown(text: str) -> str:
    """What the trace processor makes of a JSON string: it decodes escapes only in one that has a quote in it."""
    return text if '"' in text else json.dumps(text, ensure_ascii=False)[1:-1]


def call(number: int, name: str, queued: int, started: int = 0, ended: int = 0, **more: Any) -> Call:
    """A call with times in ns after the start of the session."""
    defaults = {
        "root": number,
        "kind": "command",
        "service": "indexer",
        "caller": 1,
        "outcome": "ok" if ended else None,
    }
    times = {"queued": START + queued, "started": started and START + started, "ended": ended and START + ended}
    return Call(id=number, name=name, **{**defaults, **times, **more})


CALLS = (
    call(1, "index.file", 1_001, 2_003, 900_007, lane=2, cpu=500_001, waited=90_000, args="path='ä €'"),
    call(2, "store.put", 10_011, 11_013, 60_017, lane=4, caller=2, parent=1, root=1, args="<b>x</b>"),
    call(3, "file.found", 70_019, 70_019, 70_019, kind="event", service="", lane=2, caller=2, parent=1, root=1),
    call(4, "file.found", 70_021, 71_023, 80_027, kind="delivery", lane=3, caller=2, parent=3, root=1),
    call(5, "file.found", 70_021, 80_027, 90_031, kind="delivery", lane=3, caller=2, parent=3, root=1),
    call(6, "file.found", 70_022, 71_033, 950_037, kind="delivery", lane=4, caller=2, parent=3, root=1),
    call(7, "index.file \\x1b[31m ☃", 1_000_001, 1_000_003, 1_500_009, lane=2, outcome="error", error=ERROR),
    call(8, "index.file", 1_000_002, 1_500_009, 1_600_011, lane=2, outcome="expired", error=Error("CallTimeout")),
    call(9, "index.file", 1_000_004, 0, 1_200_013, outcome="cancelled"),
    call(10, "store.put", 1_000_005, 0, 1_000_017, caller=2, outcome="rejected", error=Error("MailboxFull")),
    call(11, "parent.short", 2_000_001, 2_000_103, 2_000_207, lane=3),
    call(12, "child.outlives", 2_000_105, 2_000_301, 2_900_307, lane=4, caller=3, parent=11, root=11),
    call(13, "still.running", 2_100_001, 2_100_103, lane=2),
    call(14, "still.queued", 2_200_001),
    call(15, "long.ago", 3_600_000_000_001, 3_600_000_000_123, 3_600_000_000_457, lane=3),
)
RUNS = [some for some in CALLS if some.started and some.kind != "event"]


def session(*calls: Call) -> list[AnyRecord]:
    """The fixture session with these calls: lanes first, then the calls by their end, as a recorder writes them."""
    lanes = [Lane(key=key, name=name, service=name.partition("-")[0], worker=key) for key, name in LANES.items()]
    ended = sorted((some for some in calls if some.outcome), key=lambda some: some.ended)
    unended = [some for some in calls if not some.outcome]
    others = [
        Depth(service="store", at=START + 5_005, depth=3), Problem(rule="stuck", at=START + 8_009, text="…"),
        Dropped(at=START + 6_007, count=2, kind="event", where="store"),
        Dropped(at=START + 7_007, count=3, kind="event", where="store"),
    ]  # fmt: skip
    return [*lanes, *unended, *ended, *others]


def exported(folder: Path, records: list[AnyRecord]) -> Path:
    """Where the records were exported to."""
    first = Session(session="s", pid=PID, program="fixture", python="", start_monotonic=START, start_unix=1)
    writer = SessionWriter(folder / "session.jsonl", first)
    writer.write(records)
    writer.close()
    return export(folder / "session.jsonl", folder / "out.json").path


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trace]:
    """The fixture session, loaded."""
    path = exported(tmp_path_factory.mktemp("chrome"), session(*CALLS))
    with open_trace(path) as loaded:
        yield loaded


def differences(trace: Trace, runs: list[Call]) -> list[str]:
    """Where the runs in a trace are not those that were recorded: id, time, length, name, kind, thread, process."""
    found = {
        row["call"]: tuple(row[key] for key in ("ts", "dur", "name", "category", "tid", "thread", "pid", "depth"))
        for row in trace.rows(
            "select s.ts, s.dur, s.name, s.category, s.depth, t.tid, t.name as thread, p.pid, "
            "extract_arg(s.arg_set_id, 'args.id') as call from slice s join thread_track tt on s.track_id = tt.id "
            "join thread t using (utid) left join process p using (upid) "
            "where s.category in ('command', 'delivery')"
        )
    }
    base = min(run.queued for run in runs)
    wanted = {
        run.id: (
            run.started - base, run.ended - run.started if run.outcome else -1, shown(run.name), run.kind,
            run.lane, LANES[run.lane], PID, 0,
        )
        for run in runs
    }  # fmt: skip
    both = found.keys() | wanted.keys()
    return [f"{key}: {found.get(key)} ≠ {wanted.get(key)}" for key in sorted(both) if found.get(key) != wanted.get(key)]


def test_every_run_is_where_it_was(trace: Trace) -> None:
    """Start and length to the ns, name, kind, thread and process of every run are those of the session."""
    assert differences(trace, RUNS) == []


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
    events = json.loads(exported(tmp_path, session(*CALLS)).read_bytes())
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
    with open_trace(exported(tmp_path, session(*overlapping))) as trace:
        rows = trace.rows("select name, ts, dur from slice where category = 'command' order by ts")
        assert [(row["name"], row["ts"], row["dur"]) for row in rows] == [("a", 1_000, 4_000), ("b", 3_000, 6_000)]
        assert trace.complaints() == {}


def test_a_call_whose_end_was_lost_does_not_run_for_ever(tmp_path: Path) -> None:
    """Of an unended call on a lane that ran another one since, only the start is drawn."""
    lost, later = call(1, "lost", 1, 1_001, lane=2), call(2, "later", 1, 3_001, 9_001, lane=2)
    with open_trace(exported(tmp_path, session(lost, later))) as trace:
        rows = trace.rows("select name, dur, depth from slice where category = 'command' order by ts")
        assert rows == [{"name": "lost", "dur": 0, "depth": 0}, {"name": "later", "dur": 6_000, "depth": 0}]


@pytest.mark.parametrize("calls", [CALLS[:2], (CALLS[0], CALLS[0], CALLS[6])], ids=["cause before effect", "twice"])
def test_a_call_is_written_once(tmp_path: Path, calls: tuple[Call, ...]) -> None:
    """A call that comes twice, as a snapshot may repeat one, is one run."""
    with open_trace(exported(tmp_path, session(*calls))) as trace:
        assert differences(trace, list(dict.fromkeys(calls))) == []
        assert trace.complaints() == {}


def test_a_made_up_session(tmp_path: Path) -> None:
    """A session of a thousand calls on fourteen threads loads without a complaint, a run for each call that ran."""
    records = synthetic.session(1_000)
    with open_trace(exported(tmp_path, records)) as trace:
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


@pytest.mark.parametrize("harm", [_shift, _move, _overlap])
def test_the_comparison_catches_a_wrong_file(tmp_path: Path, harm: Any) -> None:
    """The checks above notice a run that is 1 ns late, on another thread, or in the way of the next one."""
    path = exported(tmp_path, session(*CALLS))
    events = json.loads(path.read_bytes())
    for event in events:
        harm(event)
    path.write_text(json.dumps(events))
    with open_trace(path) as trace:
        assert differences(trace, RUNS)


def test_a_file_cut_short_still_loads(tmp_path: Path) -> None:
    """Of an export that was not copied to its end the trace processor shows what is there."""
    path = exported(tmp_path, session(*CALLS))
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b'"id":12')])
    with open_trace(path) as trace:
        names = {row["name"] for row in trace.rows("select name from slice where category = 'command'")}
        assert {"index.file", "store.put"} <= names


def test_a_shifted_call_is_not_in_the_session(tmp_path: Path) -> None:
    """The comparison also works the other way: a session that differs by 1 ns is not what was exported."""
    changed = [structs.replace(some, ended=some.ended + 1) if some.id == 2 else some for some in RUNS]
    with open_trace(exported(tmp_path, session(*CALLS))) as trace:
        assert [line[0] for line in differences(trace, changed)] == ["2"]
