import itertools

import pytest

from bus.trace.records import Call, Dump, Lane, Output, Session, State
from bus.trace.session import SessionWriter
from console.model import snapshot
from console.model.store import Store
from console.target import TargetError, recorded
from console.target.recorded import RecordedTarget
from tests.support import wait_for

SESSION = Session(session="s", pid=9, program="shop", python="3.11", start_monotonic=5, start_unix=6)


def call(number, **fields):
    return Call(id=number, root=number, kind="command", name="x", queued=number, **fields)


def write(path, records):
    writer = SessionWriter(path, SESSION)
    writer.write(records)
    writer.close()
    return path


def read(path):
    target = RecordedTarget(path)
    batches = []
    wait_for(lambda: (batches.extend(target.drain()), batches and batches[-1].snapshot_done)[1])
    target.close()
    return target, batches


def records_of(batches):
    """Everything but waits: what is no call, as it came, and then the calls by their end."""
    store = Store()
    for batch in batches:
        store.take(batch)
    _, *calls, _ = snapshot.records(store)
    others = [record for batch in batches for record in batch.records]
    return [*others, *itertools.chain.from_iterable(calls)]


def test_a_recording_comes_as_batches_that_end_with_the_snapshot(tmp_path):
    """All records, in their order but for the calls; the last moment that is known with each batch."""
    records = [
        Lane(key=1, name="a"),
        call(1, started=2, ended=30, outcome="ok"),
        State(service="a", state="stopped", at=40),
    ]
    target, batches = read(write(tmp_path / "s.jsonl", records))
    assert records_of(batches) == [SESSION, records[0], records[2], records[1]]
    assert batches[-1].at == 40
    assert (target.info.state, target.info.can_act, target.info.damaged) == ("recorded", False, 0)
    assert target.info.session == SESSION
    assert target.info.progress == 1.0


def test_calls_without_an_end_are_in_flight_at_the_end(tmp_path):
    """Unless their end follows; the oldest first."""
    ended = call(2, ended=50, outcome="ok")
    path = write(tmp_path / "s.jsonl", [call(3), call(2), call(1, started=2), ended])
    _, batches = read(path)
    assert [one.id for one in batches[-1].live] == [1, 3]
    assert batches[-1].in_flight == 2
    assert [one for one in records_of(batches) if isinstance(one, Call)] == [ended]


def test_damage_is_counted_and_the_rest_is_shown(tmp_path):
    """A file that was cut in the middle of a line."""
    path = write(tmp_path / "s.jsonl", [call(n, ended=n, outcome="ok") for n in range(1, 100)])
    path.write_bytes(path.read_bytes()[:-10])
    target, batches = read(path)
    assert target.info.damaged == 1
    assert len(records_of(batches)) == 99


def test_a_dump_says_why_it_was_made(tmp_path):
    """Where a person looks first; what the program supplied is escaped."""
    target, _ = read(write(tmp_path / "s.jsonl", [Dump(trigger="\x1b[1m", begin=0, end=2 * 10**9, dropped=3)]))
    assert target.info.reason == "a dump of the last 2.0 s: \\x1b[1m, 3 records are missing"


def test_a_long_recording_can_be_looked_at_while_it_is_read(tmp_path):
    """Progress goes up, batches come before the end."""
    path = write(tmp_path / "s.jsonl", [call(n, ended=n, outcome="ok") for n in range(1, 60_000)])
    target = RecordedTarget(path)
    seen = []
    while not (seen and seen[-1].snapshot_done):
        before = target.info.progress
        seen += target.drain()
        assert before <= target.info.progress <= 1.0
    assert len(seen) > 3
    assert len(records_of(seen)) == 60_000
    target.close()


def test_nothing_can_be_sent_to_a_recording(tmp_path):
    """The message says why."""
    target, _ = read(write(tmp_path / "s.jsonl", []))
    for act in (target.execute, target.fire):
        with pytest.raises(TargetError, match="this is a recording"):
            act("x", [], {}, print)
    with pytest.raises(TargetError, match="a recording has no live stacks"):
        target.stacks([], [], print)
    with pytest.raises(TargetError, match="a recording has no dead letters"):
        target.dead_letters(print)
    target.cancel(1)


def test_closing_while_reading_ends_the_thread(tmp_path):
    """Nobody has to wait for a long file."""
    target = RecordedTarget(write(tmp_path / "s.jsonl", [call(n, ended=n, outcome="ok") for n in range(1, 60_000)]))
    target.close()
    assert not target._thread.is_alive()


@pytest.mark.parametrize(("content", "message"), [(None, "No such file"), (b"GIF89a" * 100, "not a session file")])
def test_what_cannot_be_opened_is_explained(tmp_path, content, message):
    """In one sentence."""
    path = tmp_path / "s.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TargetError, match=message):
        RecordedTarget(path)


def test_a_long_recording_is_not_read_far_ahead(tmp_path, monkeypatch):
    """The reader waits until somebody takes what it has read; nothing is lost by that, and closing does not hang."""
    monkeypatch.setattr(recorded, "_AHEAD", 4)
    outputs = [Output(at=number, stream="stdout", text="x" * 1_000) for number in range(12_000)]
    path = write(tmp_path / "s.jsonl", outputs)
    target = RecordedTarget(path)
    wait_for(lambda: target._room._value == 0)
    assert len(target._batches) <= 8
    target.close()
    assert not target._thread.is_alive()
    _, batches = read(path)
    assert len(records_of(batches)) == 1 + len(outputs)
