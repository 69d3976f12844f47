import os
import stat
import subprocess
import sys

import pytest

from bus.runtime import REAL
from bus.trace.chunk import Chunk
from bus.trace.parts import compress, compressed_path
from bus.trace.recording import Recording
from bus.trace.records import Depth, Entry, Lane, Session, State
from bus.trace.session import SessionError, SessionReader, SessionWriter

SESSION = Session(session="s1", pid=42, program="shop", python="3.11", start_monotonic=5, start_unix=6)
LANE = Lane(key=1, name="a-0")
ENTRY = Entry(entry=1, kind="command", name="sell", service="shop")
GONE = Entry(entry=2, kind="command", name="gone", service="shop")
STATE = State(service="shop", state="running", at=7)


def depths(*numbers):
    return [Depth(service="shop", at=number, depth=number) for number in numbers]


def keep(part):
    """Leave a part as it is."""


def write(path, *, closed=keep, session=SESSION, count=60):
    """A session in parts of about 1,000 bytes."""
    writer = SessionWriter(path, session, 1_000, closed)
    writer.write([LANE, ENTRY, GONE, STATE, Entry(entry=2, kind="command", name="gone", service="shop", added=False)])
    for number in range(1, count + 1):
        writer.write(depths(number))
    writer.close()
    return path


def read(path, chunk=1 << 20):
    reader = SessionReader(path, chunk)
    return [record for block in reader for record in block], reader


def numbers(records):
    return [record.at for record in records if isinstance(record, Depth)]


@pytest.mark.parametrize("closed", [keep, compress])
def test_a_long_recording_has_parts_and_is_read_as_one(tmp_path, closed):
    """Under the name that it was given; each thing once, compressed or not, whatever the size of a read."""
    path = write(tmp_path / "s.jsonl", closed=closed)
    assert len(list(tmp_path.iterdir())) > 3
    assert all(found.name.endswith(".zst") == (closed is compress and found != path) for found in tmp_path.iterdir())
    for chunk in (1 << 20, 100, 7):
        records, reader = read(path, chunk)
        assert [type(record) for record in records[:5]] == [Session, Lane, Entry, Entry, State]
        assert sum(not isinstance(record, Depth) for record in records) == 6
        assert numbers(records) == list(range(1, 61))
        assert (reader.damaged, reader.session) == (0, SESSION)
        assert reader.position == reader.size


def test_each_part_can_be_read_alone(tmp_path):
    """It says again what there is: the threads, the commands that are registered, the states."""
    write(tmp_path / "s.jsonl")
    records, reader = read(tmp_path / "s.2.jsonl")
    assert (reader.session.session, reader.session.part, reader.session.repeats) == ("s1", 2, 3)
    assert records[1:4] == [LANE, ENTRY, STATE]
    assert numbers(records)
    assert read(tmp_path / "s.jsonl")[0][-1] == depths(60)[0]


def test_a_directory_with_one_session_is_that_session(tmp_path):
    """Its parts are none of their own; with two of them, or none, the message says so."""
    with pytest.raises(SessionError, match="a directory without a session file"):
        SessionReader(tmp_path)
    write(tmp_path / "s.jsonl", closed=compress)
    assert numbers(read(tmp_path)[0]) == list(range(1, 61))
    write(tmp_path / "t.jsonl")
    with pytest.raises(SessionError, match=r"several sessions, name one: s\.jsonl, t\.jsonl"):
        SessionReader(tmp_path)


def test_parts_that_another_recording_left_are_not_ours(tmp_path):
    """A shorter one of the same name does not continue in the old one's parts."""
    write(tmp_path / "s.jsonl", closed=compress)
    other = Session(session="s2", pid=1, program="shop", python="", start_monotonic=5, start_unix=6)
    write(tmp_path / "s.jsonl", session=other, count=25)
    records, _ = read(tmp_path / "s.jsonl")
    assert numbers(records) == list(range(1, 26))


def test_the_first_parts_may_be_deleted(tmp_path):
    """To save room; what is left opens."""
    path = write(tmp_path / "s.jsonl")
    (tmp_path / "s.1.jsonl").unlink()
    records, _ = read(path)
    assert LANE in records
    assert numbers(records)[-1] == 60
    assert numbers(records) == list(range(numbers(records)[0], 61))


@pytest.mark.parametrize("name", ["new name only", "both names"])
def test_a_kill_while_a_part_is_closed_loses_nothing(tmp_path, name):
    """The file has its new name already, or both; it is read once."""
    path = write(tmp_path / "s.jsonl", count=5)
    (tmp_path / "s.1.jsonl").hardlink_to(path)
    if name == "new name only":
        path.unlink()
    assert numbers(read(path)[0]) == [1, 2, 3, 4, 5]


def test_damage_of_a_compressed_part_leaves_the_others(tmp_path):
    """The reader says that something is missing."""
    path = write(tmp_path / "s.jsonl", closed=compress)
    second = tmp_path / "s.2.jsonl.zst"
    data = bytearray(second.read_bytes())
    for position in range(len(data)):
        data[position] ^= 0xFF
        second.write_bytes(data)
        records, reader = read(path)
        assert {1, 60} <= set(numbers(records))
        assert reader.damaged or numbers(records) == list(range(1, 61))
        data[position] ^= 0xFF


def test_a_part_is_its_owners_and_its_name_stays_taken(tmp_path):
    """Nobody gets the name of a recording that goes on, however many parts it has closed."""
    writer = SessionWriter(tmp_path / "s.jsonl", SESSION, 500, compress)
    for number in range(30):
        writer.write(depths(number))
    other = SessionWriter(tmp_path / "s.jsonl", SESSION)
    assert other.path.name == "s-2.jsonl"
    assert all(stat.S_IMODE(found.stat().st_mode) == 0o600 for found in tmp_path.iterdir())
    writer.close()
    other.close()


def test_without_the_library_parts_stay_as_they_are(tmp_path, monkeypatch, caplog):
    """The message says what to install; so it does when a compressed one is opened."""
    path = write(tmp_path / "s.jsonl", closed=compress)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(SessionError, match=r"pip install 'bus-console\[zstd\]'"):
        SessionReader(path)
    plain = tmp_path / "t.jsonl"
    plain.write_bytes(b"x")
    compress(plain)
    assert plain.exists()
    assert not compressed_path(plain).exists()
    assert "pip install 'bus-console[zstd]'" in caplog.text


def test_a_recording_of_the_bus_compresses_on_another_thread(tmp_path):
    """When it is closed, all of its parts are."""
    recording = Recording(tmp_path / "s.jsonl", SESSION, REAL, print, part_bytes=1_000)
    for number in range(1, 61):
        recording.offer(Chunk(number, depths(number)))
    recording.leave(Chunk(61, ()))
    assert recording.wait_closed(10)
    assert numbers(read(tmp_path / "s.jsonl")[0]) == list(range(1, 61))
    assert [found.name for found in tmp_path.iterdir() if not found.name.endswith(".zst")] == ["s.jsonl"]


FORKED = """
import os, sys
from bus import Bus, Service
def use(bus, word):
    bus.add(Service(word))
    bus.register_command(word, lambda: None, service=word)
    bus.execute_command(word).result()
bus = Bus("shop")
use(bus, "parent")
child = os.fork()
if child == 0:
    with Bus("shop") as second:
        use(second, "child")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
bus.execute_command("parent").result()
bus.close()
"""


def test_a_forked_child_records_to_a_file_of_its_own(tmp_path):
    """It lets go of the parent's, which goes on."""
    env = {**os.environ, "BUS_TRACE_FILE": str(tmp_path / "s.jsonl")}
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], env=env, check=True, timeout=30)
    names = {
        path.name: [record.name for record in read(path)[0] if record.__class__.__name__ == "Call"]
        for path in tmp_path.iterdir()
    }
    assert names == {"s.jsonl": ["parent", "parent"], "s-2.jsonl": ["child"]}


def test_a_forked_child_does_not_keep_the_file_locked(tmp_path):
    """A daemon that outlives its parent would otherwise keep the name taken."""
    writer = SessionWriter(tmp_path / "s.jsonl", SESSION)
    fd = writer._fd
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.fstat(fd)
            os.write(writing, b"open")
        except OSError:
            os.write(writing, b"closed")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"closed"
    os.close(reading)
    os.close(writing)
    writer.close()
