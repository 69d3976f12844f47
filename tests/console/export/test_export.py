"""Exporting by the ending of the file, and what is said when that cannot be done."""

import json
from pathlib import Path

import pytest

from bus.trace.session import SessionWriter
from console.export import ExportError, export
from tests import synthetic


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A session file."""
    writer = SessionWriter(tmp_path / "session.jsonl", synthetic.session_record())
    writer.write(synthetic.session(50))
    writer.close()
    return writer.path


def test_says_what_was_written(recorded: Path, tmp_path: Path) -> None:
    """The number of calls, and none damaged; the file is whole JSON."""
    done = export(recorded, tmp_path / "out.JSON")
    assert (done.path, done.damaged) == (tmp_path / "out.JSON", 0)
    assert done.calls >= 50
    assert json.loads(done.path.read_bytes())


def test_a_cut_session_is_exported_as_far_as_it_goes(recorded: Path, tmp_path: Path) -> None:
    """A line that was cut is left out, and counted."""
    recorded.write_bytes(recorded.read_bytes()[:-20])
    assert export(recorded, tmp_path / "out.json").damaged == 1


@pytest.mark.parametrize("name", ["out.foo", "out", "out.jsonl"])
def test_an_unknown_ending_is_explained(recorded: Path, tmp_path: Path, name: str) -> None:
    """The message names the ending that works."""
    with pytest.raises(ExportError, match=r"\.json \(Chrome trace JSON"):
        export(recorded, tmp_path / name)
    assert not (tmp_path / name).exists()


def test_never_writes_over_the_session(recorded: Path) -> None:
    """A session that is called .json is not replaced by its own export."""
    session = recorded.rename(recorded.with_suffix(".json"))
    with pytest.raises(ExportError, match="another name"):
        export(session, session)


@pytest.mark.parametrize(("source", "reason"), [("missing.jsonl", "cannot open"), ("notes.txt", "not a session file")])
def test_what_is_no_session_is_refused(tmp_path: Path, source: str, reason: str) -> None:
    """A missing file and one of another kind are named, and nothing is left behind."""
    (tmp_path / "notes.txt").write_text("no records in here\n" * 3)
    with pytest.raises(ExportError, match=reason):
        export(tmp_path / source, tmp_path / "out.json")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_place_that_cannot_be_written_to(recorded: Path, tmp_path: Path) -> None:
    """The message names the file and the reason."""
    with pytest.raises(ExportError, match=r"cannot write .*out\.json: No such file or directory"):
        export(recorded, tmp_path / "missing" / "out.json")
