"""watch, record, stop, dump and top; and _ alone."""

from pathlib import Path

import pytest

from bus.attach.protocol import Batch, Reply
from bus.trace.records import Call, Dump, Entry, Lane
from bus.trace.session import SessionReader
from console import commands
from console.commands import LastShown, Mistake, Said, Top, Watching
from console.jobs import Job
from console.session import Session
from tests import synthetic
from tests.support import wait_for

RECORDS = synthetic.session(300)
CALLS = [each for each in RECORDS if isinstance(each, Call)]
LATER = synthetic.START + 10**12


def session(state="live", **more):
    target = synthetic.FakeTarget(synthetic.batches(RECORDS), state=state, **more)
    made = Session(target)
    while made.pump():
        pass
    return made


@pytest.fixture
def live():
    return session()


def happens(session_, *records, **more):
    session_.target.add(Batch(at=LATER, records=records, **more))
    session_.pump()


def call(number, name="search.query", **more):
    return Call(
        id=number, root=number, kind="command", name=name, queued=LATER - 3, started=LATER - 2, ended=LATER - 1,
        outcome="ok", lane=1, **more,
    )  # fmt: skip


def written(path):
    return [each for some in SessionReader(path) for each in some]


def test_watch_shows_what_ends_from_now_on(live):
    """Only calls of the filter, and none of before; the last watch counts."""
    commands.run(live, "watch")
    shown = commands.run(live, "watch name:search.* took<1s")
    assert isinstance(shown, Watching)
    assert shown.filter == "name:search.* took<1s"
    happens(live, call(9_001), call(9_002, "scan.status"))
    assert [each.id for each in shown.watch.new(10)[0]] == [9_001]
    assert live.watch is shown.watch
    assert commands.run(live, "stop").text == "watched 1 calls"
    assert live.watch is None


def test_a_wrong_filter_is_underlined(live):
    """As for `calls`: the characters that are meant."""
    wrong = commands.run(live, "watch tok>1s")
    assert wrong.line[slice(*wrong.span)] == "tok"


@pytest.mark.parametrize(
    ("line", "advice"),
    [("watch", "calls lists what is kept"), ("record x.jsonl", "dump writes what is kept"), ("set level full", "")],
)
def test_a_recording_stands_still(line, advice):
    """What needs a running program says so, and what to do instead."""
    wrong = commands.run(session("recorded"), line)
    assert isinstance(wrong, Mistake)
    assert advice in wrong.message


def test_record_and_stop(live, tmp_path):
    """The file has what explains the calls, then the calls from now on, and can be opened."""
    path = tmp_path / "now.jsonl"
    assert isinstance(commands.run(live, f"record {path}"), Said)
    happens(live, call(9_001), live=(call(9_002),))
    assert "already recording" in commands.run(live, f"record {path}").message
    assert commands.run(live, "stop").text == f"{path}: 1 call"
    records = written(path)
    assert [each.id for each in records if isinstance(each, Call)] == [9_001, 9_002]
    assert any(isinstance(each, Entry) for each in records)
    assert any(isinstance(each, Lane) for each in records)
    assert "nothing is recorded or watched" in commands.run(live, "stop").message


def test_closing_ends_the_recording(live, tmp_path):
    """Who leaves loses nothing."""
    commands.run(live, f"record {tmp_path}")
    happens(live, call(9_001))
    live.close()
    (path,) = tmp_path.glob("*.jsonl")
    assert [each.id for each in written(path) if isinstance(each, Call)] == [9_001]


def test_a_disk_that_is_full(live):
    """It stops, says why when it is ended, and the session goes on."""
    live.start_recording(Path("/dev/null"))._writer.close()  # from here on each write is an OSError
    happens(live, call(9_001))
    assert live.call(9_001)
    assert "stopped: " in commands.run(live, "stop").text


@pytest.mark.parametrize("verb", ["record", "dump"])
def test_a_file_that_is_there_is_left_alone(live, tmp_path, verb):
    """It may be the evidence itself; the name is underlined."""
    there = tmp_path / "there.jsonl"
    there.write_text("mine")
    wrong = commands.run(live, f"{verb} {there}")
    assert "there is a file" in wrong.message
    assert wrong.line[slice(*wrong.span)] == str(there)
    assert there.read_text() == "mine"


@pytest.mark.parametrize("verb", ["record", "dump"])
def test_a_name_that_cannot_be(live, verb):
    """One sentence, nothing raised."""
    assert commands.run(live, f"{verb} /nope/x.jsonl").message == "there is no folder /nope"
    assert "no NUL" in commands.run(live, f'{verb} "a\\u0000b"').message


def test_dump(live, tmp_path):
    """All that is kept, as a session file that says that it is a dump."""
    path = tmp_path / "all.jsonl"
    exporting = commands.run(live, f"dump {path}")
    assert isinstance(exporting.job, Job)
    wait_for(lambda: exporting.job.done)
    assert commands.export_ended(exporting).calls == len(CALLS)
    records = written(path)
    assert {each.id for each in records if isinstance(each, Call)} == {each.id for each in CALLS}
    assert isinstance(records[1], Dump)


def test_top(live):
    """The busiest first, as many as are wanted, of all that were called."""
    happens(live, *(call(9_000 + number, "store.stats") for number in range(50)))
    shown = commands.run(live, "top")
    assert isinstance(shown, Top)
    assert shown.rows[0].name == "store.stats"
    assert shown.total == len({each.name for each in CALLS if each.kind == "command"} | {"store.stats"})
    commands.run(live, "set listed 2")
    shown = commands.run(live, "top")
    assert len(shown.rows) == 2 < shown.total


def test_the_last_result_alone():
    """`_` shows it again, and says so when there is none."""
    live = session(answers={"scan.status": Reply(request=0, call=7, value="[1, 2]")})
    assert "no last result" in commands.run(live, "_").message
    commands.finish(live, commands.run(live, "scan.status"))
    shown = commands.run(live, "_")
    assert isinstance(shown, LastShown)
    assert shown.reply.value == "[1, 2]"
