"""Watch lines, the busiest commands, settings: as text, in any width."""

import io

import pytest
from msgspec import structs
from rich.console import Console

from bus.attach.protocol import Batch
from bus.trace.records import Call, Error
from console import commands
from console.render import going_on, results
from console.session import Session
from tests import synthetic

CALL = Call(
    id=18342, root=18342, kind="command", name="search.query", queued=synthetic.START, started=synthetic.START,
    ended=synthetic.START + 3_100_000, outcome="ok", args="text='x'", result="42",
)  # fmt: skip


def printed(renderable, width=100):
    file = io.StringIO()
    Console(file=file, width=width, highlight=False, markup=False).print(renderable)
    return file.getvalue()


def line(call, width=100):
    return going_on.line(call, synthetic.session_record(), width)


def test_a_watch_line():
    """When, which, how long, how it ended, with what and to what."""
    assert line(CALL).plain[8:].split() == [".003", "#18342", "search.query", "3.1", "ms", "ok", "text='x'", "→", "42"]
    failed = structs.replace(CALL, outcome="error", error=Error("ValueError", "no\x1b[2J"), result="")
    assert "✗ error text='x' ValueError: no\\x1b[2J" in line(failed).plain
    assert "delivery of search.query" in line(structs.replace(CALL, kind="delivery")).plain


@pytest.mark.parametrize("width", [20, 40, 80, 160])
def test_a_watch_line_is_never_wider(width):
    """What does not fit is cut, and that can be seen."""
    cut = line(structs.replace(CALL, args="x" * 500, result="宽" * 100), width)
    assert cut.cell_len <= width
    assert cut.plain.endswith("…")


def shown(text, width=100, calls=200):
    session = Session(synthetic.FakeTarget(synthetic.batches(synthetic.session(calls)), state="live"))
    session.pump()
    return printed(results.outcome(commands.run(session, text)), width), session


def test_watching_in_a_pane():
    """What is watched, and the last calls of it."""
    session = shown("ls")[1]
    watching = commands.run(session, "watch name:search.*")
    assert printed(results.outcome(watching)) == "watching calls with name:search.*; stop ends it\n"
    session.target.add(Batch(at=CALL.ended, records=(CALL,)))
    session.pump()
    text = printed(results.outcome(watching))
    assert "#18342" in text
    assert "1 call so far" in text


def test_left_out():
    """How many, and how to see them."""
    assert going_on.left_out(1_204).plain == "… 1,204 more calls not shown: set watched N shows more"


def test_top():
    """The figures of all, then the busiest commands."""
    text = shown("top")[0]
    assert "in flight" in text.splitlines()[0]
    assert "index.file" in text
    assert shown("top", calls=0)[0].endswith("no command was called yet\n")


def test_settings():
    """Name, value, what it is, what it usually is."""
    level = shown("set")[0].splitlines()[0].rstrip()
    assert level.split()[:2] == ["level", "full"]
    assert level.endswith("off times full")


@pytest.mark.parametrize("width", [40, 80, 160])
@pytest.mark.parametrize("text", ["top", "set", "ls", "calls", "services", "help", "show search.query"])
def test_tables_keep_to_the_width(text, width):
    """No line is longer than the terminal is wide."""
    assert all(len(each) <= width for each in shown(text, width)[0].splitlines())
