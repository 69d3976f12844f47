import os
import stat
import threading
from pathlib import Path

import pytest

from bus import Bus, Service, command
from bus.runtime import REAL
from bus.trace import dump as dumping
from bus.trace.chunk import Chunk
from bus.trace.dump import Dumps, dump_of, said, write_dump
from bus.trace.recorder import Recorder
from bus.trace.records import Call, Dropped, Dump, Entry, Lane, Session, State
from bus.trace.ring import Ring
from bus.trace.session import SessionError, SessionReader
from tests.support import wait_for

SESSION = Session(session="s", pid=7, program="shop", python="", start_monotonic=100, start_unix=1_700_000_000 * 10**9)


class Shop(Service):
    def __init__(self):
        super().__init__("shop")
        self.entered, self.leave = threading.Event(), threading.Event()

    @command("sell")
    def sell(self, item: str) -> str:
        return item

    @command("hold")
    def hold(self) -> None:
        self.entered.set()
        self.leave.wait(10)


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def bus(shop):
    with Bus("shop", trace="full") as bus:
        bus.add(shop)
        yield bus
        shop.leave.set()


def read(path):
    return [record for block in SessionReader(path) for record in block]


def of(kind, records):
    return [record for record in records if isinstance(record, kind)]


def test_a_dump_is_a_session_file_with_what_happened_before(bus, shop, tmp_path):
    """Session, then why and which window, then lanes and entries before their first use, then the calls."""
    for number in range(20):
        bus.execute_command("sell", str(number)).result()
    path = bus.dump_trace(tmp_path / "d.jsonl")
    records = read(path)
    assert path == tmp_path / "d.jsonl"
    assert isinstance(records[0], Session)
    dump = records[1]
    assert (dump.trigger, dump.dropped) == ("asked for by the program", 0)
    calls = of(Call, records)
    assert [call.args for call in calls] == [f"'{number}'" for number in range(20)]
    assert all(dump.begin <= call.queued <= call.ended <= dump.end for call in calls)
    first = records.index(calls[0])
    assert {calls[0].lane, calls[0].caller} <= {lane.key for lane in of(Lane, records[:first])}
    assert {"sell", "hold"} <= {entry.name for entry in of(Entry, records[:first])}
    assert of(State, records[:first])


def test_calls_in_flight_are_in_the_dump_however_old_they_are(shop, tmp_path):
    """Eviction takes what has ended; what still runs is told by the bus itself."""
    with Bus("shop") as bus:
        bus.add(shop)
        recorder = Recorder(bus, "times", Ring(max_age=1))
        bus.execute_command("hold")
        assert shop.entered.wait(5)
        for _ in range(50):
            bus.execute_command("hold").cancel()
        assert recorder.flush()
        assert recorder.flush()
        records = read(Dumps(recorder, REAL.lock()).write(tmp_path))
        shop.leave.set()
        recorder.close()
    assert [(call.name, call.outcome, bool(call.started)) for call in of(Call, records)] == [("hold", None, True)]
    assert records[1].begin > records[0].start_monotonic


def test_what_there_was_no_room_for_is_counted(bus, tmp_path):
    """Records that the limit of bytes pushed out before their time, and those that the recorder itself lost."""
    recorder = Recorder(bus, "full", Ring(max_bytes=20_000))
    for number in range(300):
        bus.execute_command("sell", str(number)).result()
        assert number % 10 or recorder.flush()
    recorder.note(Dropped(at=1, count=1_000, kind="record", where="recorder"))
    recorder.note(Dropped(at=1, count=9, kind="event", where="shop"))
    assert recorder.flush()
    records = read(Dumps(recorder, REAL.lock()).write(tmp_path))
    recorder.close()
    calls = of(Call, records)
    assert 0 < len(calls) < 300
    assert records[1].dropped >= 1_000 + 300 - len(calls)
    assert records[1].begin > records[0].start_monotonic


def test_a_dump_has_its_name_when_it_is_complete(tmp_path):
    """Until then there is only a temporary file, and after a failure nothing; a former dump stays."""
    path, dump = tmp_path / "d.jsonl", Dump(trigger="t", begin=100, end=200)
    write_dump(path, SESSION, dump, [])
    before = path.read_bytes()
    seen = []

    def full_disk():
        yield [Lane(key=1, name="a")] * 100
        seen.append((path.read_bytes() == before, len(list(tmp_path.iterdir()))))
        raise OSError(28, "No space left on device")

    with pytest.raises(SessionError, match=r"cannot dump to .*d\.jsonl: No space left on device"):
        write_dump(path, SESSION, dump, full_disk())
    assert seen == [(True, 2)]
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_called_as_it_was_named(tmp_path):
    """The error names the file that was wanted, not the one that would have become it."""
    with pytest.raises(SessionError, match=r"^cannot dump to .*/missing/d\.jsonl: No such file or directory$"):
        write_dump(tmp_path / "missing" / "d.jsonl", SESSION, Dump(trigger="t", begin=100, end=200), [])


def test_a_directory_gets_a_new_file_for_each_dump(bus, tmp_path):
    """Named after the program, its start and its process; nothing is overwritten, and it is its owner's."""
    paths = [bus.dump_trace(tmp_path) for _ in range(3)]
    assert len(set(paths)) == 3
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert all(path.name.startswith("shop-") and f"-{os.getpid()}-dump-" in path.name for path in paths)
    assert stat.S_IMODE(paths[0].stat().st_mode) == 0o600


def test_a_device_is_not_renamed_over():
    """`dump_trace("/dev/full")` must not remove the device."""
    dump = Dump(trigger="t", begin=100, end=200)
    with pytest.raises(SessionError, match="neither a file nor a directory"):
        write_dump("/dev/full", SESSION, dump, [])
    assert Path("/dev/full").is_char_device()


def test_without_a_recorder_there_is_nothing_to_dump(tmp_path):
    """A bus that records nothing pays nothing; the message says what to do."""
    with Bus("plain") as bus, pytest.raises(SessionError, match=r'make it with trace="times"'):
        bus.dump_trace(tmp_path)
    with Bus("traced", trace="times") as bus:
        pass
    with pytest.raises(SessionError, match="nothing is recorded"):
        bus.dump_trace(tmp_path)


def test_dumps_are_written_one_at_a_time(bus, tmp_path):
    """Four threads that ask at once get four whole files."""
    paths = []
    for number in range(100):
        bus.execute_command("sell", str(number)).result()
    threads = [threading.Thread(target=lambda: paths.append(bus.dump_trace(tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(set(paths)) == 4
    assert all(len(of(Call, read(path))) == 100 for path in paths)


def test_a_dump_leaves_the_ring_as_small_as_it_was(bus, tmp_path):
    """The records that it made are not kept there."""
    recorder = Recorder(bus, "full")
    bus.execute_command("sell", "tea").result()
    assert recorder.flush()
    Dumps(recorder, REAL.lock()).write(tmp_path)
    wait_for(lambda: len(recorder._sinks) == 0)
    assert all(chunk._records is None for chunk in recorder.ring.snapshot())
    recorder.close()


def test_the_window_of_what_came_through_the_door_begins_with_its_oldest_call():
    """States and entries may be older than that; drops are added up."""
    call = Call(id=1, root=1, kind="command", name="x", queued=500, ended=600)
    records = [State(service="s", state="running", at=101), call, Dropped(at=700, count=4, kind="record", where="r")]
    assert dump_of(records, SESSION, 900, 3, "t") == Dump(trigger="t", begin=600, end=900, dropped=7)
    assert dump_of([], SESSION, 900, 0, "t") == Dump(trigger="t", begin=900, end=900)


def test_what_is_said_of_a_dump():
    """Its length, why, and what is missing."""
    assert (
        said(Dump(trigger="signal SIGUSR1", begin=0, end=2_500_000_000)) == "a dump of the last 2.5 s: signal SIGUSR1"
    )
    assert said(Dump(trigger="t", begin=0, end=0, dropped=1_234)).endswith("1,234 records are missing")


def test_chunks_of_a_snapshot_are_not_the_rings_own():
    """Only what it needs of them."""
    ring = Ring()
    snapshot = dumping.Snapshot(ring)
    ring.add(Chunk(5, [Dropped(at=1, count=2, kind="record", where="r")]))
    snapshot.join((), ring.snapshot())
    snapshot.offer(Chunk(6, ()))
    assert not snapshot.alive
    assert snapshot.lost() == 2
    assert [len(some) for some in snapshot.records()] == [0, 1, 0]
