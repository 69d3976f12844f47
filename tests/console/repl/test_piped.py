"""Lines from a pipe."""

import io

import pytest

from bus.attach.protocol import Batch, Reply
from bus.trace.records import Call, Error
from console import waiting
from console.repl.piped import run_lines
from console.session import Session
from tests import synthetic

FAILED = Reply(
    request=0, call=7, error=Error("ValueError", "bad \x1b[2J", "Traceback …\n  line\x07 2"), outcome="error"
)


@pytest.fixture
def run(capsys):
    """Run lines on a made-up program; gives the exit code, stdout, stderr."""

    def lines(text, state="live", **answers):
        session = Session(synthetic.FakeTarget(synthetic.batches(synthetic.session(50)), state=state, answers=answers))
        session.pump()
        code = run_lines(session, io.StringIO(text))
        return code, *capsys.readouterr()

    return lines


def test_all_went_well(run):
    """Results on stdout, one after the other, exit code 0."""
    code, out, err = run("ls scan.*\n\nsearch.query x\n")
    assert code == 0
    assert out.index("scan.folder") < out.index("ok")
    assert err == ""


def test_no_colours(run):
    """Nothing but text goes into a pipe."""
    code, out, _ = run("ls\nshow search.query\nhelp\nsearch.query x\ncall 1\ncalls index.file\nfire file.found 1\n")
    assert code == 0
    assert "\x1b" not in out


def test_a_failed_call(run):
    """Exit code 1; the traceback is shown, escaped."""
    code, out, _ = run("trouble.fail\nscan.status\n", **{"trouble.fail": FAILED})
    assert code == 1
    assert "ValueError: bad \\x1b[2J" in out
    assert "line\\x07 2" in out
    assert "\x1b" not in out
    assert "ok" in out.splitlines()[-1]


def test_a_call_that_could_not_be_made(run):
    """Exit code 2; the piece of the line is underlined on stderr; the lines after it are still carried out."""
    code, out, err = run("search.query x limt=5\nscan.status\n")
    assert code == 2
    assert err.splitlines() == [
        "  search.query x limt=5",
        "                 ^^^^",
        "search.query has no parameter limt: did you mean limit?",
    ]
    assert "ok" in out


def test_refused_before_it_got_onto_the_bus(run):
    """A reply without a call's number means that it was not made: exit code 2."""
    refused = Reply(request=0, error=Error("BadArguments", "limit: not a number"), outcome="error")
    assert run("search.query x limit=y\n", **{"search.query": refused})[0] == 2


def test_a_recording(run):
    """In a recording nothing can be executed: the target's sentence on stderr, exit code 2."""
    code, _, err = run("scan.status\n", state="recorded")
    assert code == 2
    assert "recording" in err


def test_background_calls_are_awaited_at_the_end(run):
    """What was begun with & counts too."""
    code, out, _ = run("trouble.fail &\nls scan.*\n", **{"trouble.fail": FAILED})
    assert code == 1
    assert out.index("scan.folder") < out.index("ValueError")


def test_quit_ends(run):
    """Lines after quit are not carried out."""
    assert run("quit\nnope\n")[:2] == (0, "")


def test_a_name_that_is_registered_a_moment_later(capsys):
    """While a program is just starting, a line waits for the name that is missing."""
    records = synthetic.preamble()
    early, late = records[:14], records[14:]
    target = synthetic.FakeTarget(
        [Batch(at=synthetic.START, records=tuple(early)), Batch(at=synthetic.START + 1, records=tuple(late))],
        state="live", stepwise=True,
    )  # fmt: skip
    session = Session(target)
    session.pump()
    assert session.commands() == []
    assert run_lines(session, ["scan.status"]) == 0
    assert "ok" in capsys.readouterr().out


def test_long_lines_are_not_broken(run):
    """A result line stays one line, for grep."""
    long = Reply(request=0, call=7, result="x" * 500)
    assert "x" * 500 in run("scan.status\n", **{"scan.status": long})[1]


def test_what_the_program_is_asked_is_awaited(run):
    """An answer is a result like any other; what cannot be asked is a mistake."""
    code, out, err = run("services\nthreads\nwaits\ndead\n")
    assert (code, err) == (0, "")
    assert "indexer" in out
    assert "nobody waits for anybody" in out
    assert "no dead letters" in out
    code, _, err = run("waits\n", state="recorded")
    assert (code, "recording" in err) == (2, True)


def test_a_program_that_does_not_answer_is_given_up(monkeypatch, capsys):
    """One that was stopped, say."""

    class Stopped(synthetic.FakeTarget):
        def stacks(self, lanes, calls, on_reply):
            return 1

    monkeypatch.setattr(waiting, "_ANSWER_SECONDS", 0.05)
    assert run_lines(Session(Stopped(state="live")), io.StringIO("waits\n")) == 2
    assert "does not answer; is it stopped?" in capsys.readouterr().err


def test_watched_calls_come_between_the_lines(capsys):
    """What ended while a line was carried out is shown behind it."""
    target = synthetic.FakeTarget(synthetic.batches(synthetic.session(50)), state="live")
    session = Session(target)
    session.pump()
    call = Call(
        id=77_001, root=77_001, kind="command", name="scan.status", queued=synthetic.START, started=synthetic.START,
        ended=synthetic.START + 5_000_000, outcome="ok",
    )  # fmt: skip

    def lines():
        yield "watch scan.*"
        target.add(Batch(at=synthetic.START + 10**12, records=(call,)))
        yield "ls scan.status"

    assert run_lines(session, lines()) == 0
    out = capsys.readouterr().out
    assert out.index("watching") < out.index("scan.status") < out.index("#77001")
