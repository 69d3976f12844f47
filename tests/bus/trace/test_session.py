import os
import signal
import stat
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.trace.records import Call, Depth, Error, Lane, Output, Problem, Session, Wait
from bus.trace.session import SessionError, SessionReader, SessionWriter, session_path

SESSION = Session(
    session="s1", pid=42, program="my shop", python="3.11", start_monotonic=5, start_unix=1_700_000_000_123_456_789
)
RECORDS = (
    Lane(key=1, name="a-0", service="a", native=77),
    Call(id=1, root=1, kind="command", name="x", queued=1, started=2, ended=3, outcome="ok", args="'é', 1"),
    Call(id=2, parent=1, root=1, kind="delivery", name="y", queued=1, ended=3, outcome="error", error=Error("E", "m")),
    Wait(call=1, lane=1, target=2, began=4, ended=5),
    Depth(service="a", at=6, depth=3),
    Output(at=7, stream="stderr", text="oh"),
    Problem(rule="r", at=8, text="t", calls=(1, 2)),
)


def written(path, records=RECORDS):
    writer = SessionWriter(path, SESSION)
    writer.write(records)
    writer.close()
    return writer.path


def read(path, chunk=1 << 20):
    reader = SessionReader(path, chunk)
    return [record for block in reader for record in block], reader


def test_what_was_written_is_read_back(tmp_path):
    """All kinds of records, in their order, the session first."""
    records, reader = read(written(tmp_path / "s.jsonl"))
    assert records == [SESSION, *RECORDS]
    assert (reader.session, reader.damaged) == (SESSION, 0)
    assert reader.position == reader.size


@settings(max_examples=50)
@given(st.integers(1, 400))
def test_the_size_of_a_read_makes_no_difference(tmp_path_factory, chunk):
    """Lines that are cut by the end of a read are put together."""
    path = written(tmp_path_factory.mktemp("s") / "s.jsonl")
    assert read(path, chunk)[0] == [SESSION, *RECORDS]


def test_a_directory_gets_a_file_named_after_program_start_and_process(tmp_path):
    """NAME-<start>-<pid>.jsonl; what does not belong into a file's name is replaced."""
    assert written(tmp_path).name == "my_shop-1700000000-42.jsonl"
    assert session_path(tmp_path / "x.jsonl", SESSION) == tmp_path / "x.jsonl"


def test_the_file_is_readable_for_its_owner_only(tmp_path):
    """A recording may hold what is nobody else's business."""
    assert stat.S_IMODE(written(tmp_path).stat().st_mode) == 0o600


def test_an_old_file_is_replaced(tmp_path):
    """Nothing of the former recording is left."""
    path = tmp_path / "s.jsonl"
    written(path, RECORDS * 5)
    written(path, ())
    assert read(path)[0] == [SESSION]


def test_a_file_that_is_being_written_is_left_alone(tmp_path):
    """Two buses with the same BUS_TRACE_FILE write two files."""
    first = SessionWriter(tmp_path / "s.jsonl", SESSION)
    second = SessionWriter(tmp_path / "s.jsonl", SESSION)
    first.write(RECORDS)
    second.write(RECORDS)
    first.close()
    second.close()
    assert second.path.name == "s-2.jsonl"
    assert read(first.path)[0] == read(second.path)[0] == [SESSION, *RECORDS]


def test_every_truncation_opens(tmp_path):
    """Whole lines are kept, a cut one is left out and counted."""
    path = written(tmp_path / "s.jsonl")
    data = path.read_bytes()
    everything = [SESSION, *RECORDS]
    for size in range(len(data) + 1):
        path.write_bytes(data[:size])
        records, reader = read(path)
        whole = data[:size].count(b"\n")
        assert records[:whole] == everything[:whole]
        cut = size > 0 and data[size - 1 : size] != b"\n" and len(records) == whole
        assert reader.damaged == int(cut)


def test_every_damaged_byte_costs_at_most_two_lines(tmp_path):
    """Whatever it becomes, the file opens, and all other lines are there."""
    path = written(tmp_path / "s.jsonl")
    data = path.read_bytes()
    everything = [SESSION, *RECORDS]
    for position in range(len(data)):
        for byte in (0x0A, 0xFF, data[position] ^ 0x10):
            damaged = bytearray(data)
            damaged[position] = byte
            path.write_bytes(damaged)
            records, reader = read(path)
            assert sum(record in records for record in everything) >= len(everything) - 2
            assert len(records) + reader.damaged >= len(everything) - 1


def test_a_line_without_end_is_left_out(tmp_path):
    """The reader does not gather a gigabyte to find out."""
    path = written(tmp_path / "s.jsonl")
    data = path.read_bytes()
    path.write_bytes(data + b'{"x' * 3_000_000 + b"\n" + data.splitlines(keepends=True)[1])
    records, reader = read(path)
    assert records == [SESSION, *RECORDS, RECORDS[0]]
    assert reader.damaged == 1


def test_a_newer_format_is_refused(tmp_path):
    """The message says what to do."""
    path = tmp_path / "s.jsonl"
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(SESSION, version=99)) + b"\n")
    with pytest.raises(SessionError, match=r"newer bus-console .* upgrade"):
        SessionReader(path)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" * 50, b"hello\nworld\n", b'{"a": 1}\n' * 9, b"\x00" * 4_000])
def test_a_file_that_is_no_session_is_refused(tmp_path, content):
    """Not shown as an empty one."""
    path = tmp_path / "s.jsonl"
    path.write_bytes(content)
    with pytest.raises(SessionError, match="not a session file"):
        SessionReader(path)


def test_numbers_that_fit_no_column_are_damage(tmp_path):
    """What is read has been checked: the console computes with it."""
    path = written(tmp_path / "s.jsonl")
    line = b'{"type":"depth","service":"a","at":%d,"depth":-1}\n{"type":"depth","service":"a","at":%d,"depth":1}\n'
    path.write_bytes(path.read_bytes() + line % (1, 1 << 64))
    records, reader = read(path)
    assert (records[-1], reader.damaged) == (RECORDS[-1], 2)


def test_a_missing_file_and_a_directory_are_told_apart(tmp_path):
    """With the system's own words."""
    with pytest.raises(SessionError, match="No such file"):
        SessionReader(tmp_path / "none")
    with pytest.raises(SessionError, match="directory"):
        SessionReader(tmp_path)


def test_a_file_that_cannot_be_made_is_told():
    """A missing directory, a full disk."""
    with pytest.raises(SessionError, match="cannot record to /nowhere/at/all: No such file"):
        SessionWriter("/nowhere/at/all", SESSION)
    with pytest.raises(SessionError, match="No space left"):
        SessionWriter("/dev/full", SESSION)


KILLED = """
import os, sys
from bus.trace.session import SessionWriter
from bus.trace.records import Session, Depth
session = Session(session="s", pid=1, program="p", python="", start_monotonic=0, start_unix=0)
writer = SessionWriter(sys.argv[1], session)
for number in range(1_000_000):
    writer.write([Depth(service="a", at=number, depth=number)] * 20)
    if number == 50:
        print("go", flush=True)
"""


def test_a_kill_loses_nothing_that_was_written(tmp_path):
    """`kill -9` at any moment: every write is there whole."""
    path = tmp_path / "s.jsonl"
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
    records, reader = read(path)
    assert reader.damaged == 0
    assert len(records) > 1_000
    assert len(records) % 20 == 1
