"""Session files that the console writes."""

import pytest
from msgspec import structs

from bus.attach.protocol import Batch
from bus.trace.records import Call, Output
from bus.trace.session import SessionReader
from console.recording import record
from console.target import TargetError, TargetInfo
from tests import synthetic

LIVE = Call(id=9_999, root=9_999, kind="command", name="scan.status", queued=synthetic.START)


def ending(batches):
    """A program that said all that and is gone."""
    target = synthetic.FakeTarget(batches, state="live")
    target.end("process 48213 ended")
    return target


def test_all_that_was_said_is_in_the_file(tmp_path, capsys):
    """Records in their order, and at the end the calls that had no end."""
    records = synthetic.session(200)
    batches = [*synthetic.batches(records), Batch(at=synthetic.START + 10**12, live=(LIVE,), in_flight=1, dropped=3)]
    assert record(ending(batches), tmp_path / "s.jsonl") == 0
    written = [each for chunk in SessionReader(tmp_path / "s.jsonl") for each in chunk]
    assert written == [synthetic.session_record(), *records, LIVE]
    said = capsys.readouterr().err
    number = sum(isinstance(each, Call) for each in records)
    assert f"{number} calls, 3 records lost, process 48213 ended" in said


def test_a_folder_gets_a_file_of_its_own(tmp_path, capsys):
    """Into a folder, the file gets the program's name."""
    record(ending([]), tmp_path)
    (path,) = tmp_path.glob("*.jsonl")
    assert path.name.startswith("sample-search-")
    assert path.name in capsys.readouterr().err


def test_output_is_passed_on(tmp_path, capsys):
    """What a child prints is printed, each stream on its own."""
    lines = tuple(Output(at=1, stream=stream, text=f"to {stream}") for stream in ("stdout", "stderr"))
    record(ending([Batch(at=1, records=lines)]), tmp_path / "s.jsonl")
    out, err = capsys.readouterr()
    assert out == "to stdout\n"
    assert "to stderr\n" in err


def test_a_file_that_cannot_be_written(tmp_path):
    """One sentence, before anything is recorded."""
    with pytest.raises(TargetError, match="cannot record to"):
        record(ending([]), tmp_path / "missing" / "s.jsonl")


def test_a_disk_that_is_full(capsys):
    """Recording stops with one sentence."""
    with pytest.raises(TargetError, match="No space left"):
        record(ending([*synthetic.batches(synthetic.session(50))]), "/dev/full")


def test_a_program_that_never_had_a_bus(tmp_path):
    """No file is made of nothing."""
    target = ending([])
    target.info = TargetInfo(structs.replace(target.info.session, session=""), "ended", can_act=False, reason="exit 1")
    with pytest.raises(TargetError, match="made no bus that could be recorded: exit 1"):
        record(target, tmp_path / "s.jsonl")
    assert not list(tmp_path.iterdir())
