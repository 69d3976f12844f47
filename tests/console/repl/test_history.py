"""The lines of earlier sessions."""

from prompt_toolkit.history import InMemoryHistory

from console import commands
from console.repl.current import Current
from console.repl.history import default_path, open_history, recall
from console.session import Session
from tests import synthetic


def session():
    made = Session(synthetic.FakeTarget(synthetic.batches(synthetic.session(20)), state="live"))
    made.pump()
    return made


def test_only_the_owner_reads_it(tmp_path):
    """Also where an older file was open to others."""
    path = tmp_path / "bus-console" / "history"
    history = open_history(Current(session()), path)
    history.append_string("scan.status")
    assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0
    path.chmod(0o644)
    open_history(Current(session()), path)
    assert path.stat().st_mode & 0o077 == 0


def test_values_of_earlier_sessions_are_offered(tmp_path):
    """The last line's first; a file that is damaged does no harm."""
    path = tmp_path / "history"
    first = open_history(Current(session()), path)
    for line in ("search.query one", 'search.query {"a":\n1}', "search.query two"):
        first.append_string(line)
    path.write_bytes(path.read_bytes() + b'\n+search.query \xff\n+"\n')
    later = session()
    recall(later, open_history(Current(later), path))
    offered = [each.text for each in commands.candidates(later, "search.query ", 13)]
    assert [text for text in offered if text in ("one", "two")] == ["two", "one"]


def test_without_a_home(tmp_path):
    """Lines are then forgotten at the end."""
    (tmp_path / "file").touch()
    assert isinstance(open_history(Current(session()), tmp_path / "file" / "history"), InMemoryHistory)


def test_the_place(monkeypatch, tmp_path):
    """As the platform has it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_path() == tmp_path / "bus-console" / "history"
