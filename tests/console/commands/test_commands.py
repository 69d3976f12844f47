"""Lines carried out on a session."""

import csv
import threading
import time

import pytest
from msgspec import structs

from bus.attach.protocol import Batch, Reply
from bus.trace.records import Call, Entry, Error, Parameter
from console import commands
from console.commands import (
    CallList,
    CallShown,
    Description,
    Exported,
    Exporting,
    Help,
    Listing,
    Mistake,
    ProblemList,
    Quit,
    Started,
    TreeShown,
)
from console.export import FORMATS
from console.jobs import Job
from console.language.filters import ALL
from console.language.grammar import Execute, Fire
from console.language.tokens import LanguageError
from console.model.queries import FoundCalls
from console.session import Session
from tests import synthetic
from tests.support import wait_for


def session(state="live", calls=300, **kwargs):
    """A session with a made-up program, all of it taken in."""
    target = synthetic.FakeTarget(synthetic.batches(synthetic.session(calls)), state=state, **kwargs)
    made = Session(target)
    while made.pump():
        pass
    return made


@pytest.fixture
def live():
    return session()


def test_execute(live):
    """A bare name executes the command, with the values that were written."""
    started = commands.run(live, 'search.query "thread pool" limit=5')
    assert isinstance(started, Started)
    assert started.waits
    assert live.target.asked == [("execute", "search.query", ("thread pool",), {"limit": 5})]
    ended = commands.finish(live, started)
    assert ended.ok
    assert ended.reply.result == "ok"


def test_execute_without_waiting(live):
    """With & at the end nobody should wait."""
    assert not commands.run(live, "scan.status &").waits


def test_bare_words_become_text_where_text_is_wanted(live):
    """`search.query 5` searches for the text 5."""
    commands.run(live, "search.query 5 limit=5")
    assert live.target.asked[-1][2:] == (("5",), {"limit": 5})


def test_fire(live):
    """An event is fired, known or not: a program may listen later."""
    assert isinstance(commands.run(live, 'fire file.changed path="a.py"'), Started)
    assert isinstance(commands.run(live, "fire never.heard.of"), Started)
    assert live.target.asked == [
        ("fire", "file.changed", (), {"path": "a.py"}),
        ("fire", "never.heard.of", (), {}),
    ]


def test_a_failed_call_is_not_ok():
    """An error in the reply is a failure of the call."""
    live = session(answers={"trouble.fail": Reply(request=0, call=7, error=Error("ValueError", "no"), outcome="error")})
    ended = commands.finish(live, commands.run(live, "trouble.fail"))
    assert not ended.ok
    assert ended.reply.error.type == "ValueError"


def test_ls(live):
    """All names, or those that match a pattern or contain a word."""
    everything = commands.run(live, "ls")
    assert isinstance(everything, Listing)
    assert [row.name for row in everything.commands] == sorted(synthetic.COMMANDS)
    assert "file.found" in [row.name for row in everything.events]
    assert [row.name for row in commands.run(live, "ls search.*").commands] == ["search.query", "search.suggest"]
    assert [row.name for row in commands.run(live, "ls found").events] == ["file.found"]


def test_show(live):
    """A name's signature, figures and last calls."""
    shown = commands.run(live, "show search.query")
    assert isinstance(shown, Description)
    assert shown.command.entry.parameters[0].name == "text"
    assert len(shown.recent) == 5
    assert commands.run(live, "show file.found").event.fired > 0
    assert commands.run(live, "help search.query") == shown


def test_calls_and_call(live):
    """The last calls, and one of them by its number, with or without #."""
    listed = commands.run(live, "calls index.file")
    assert isinstance(listed, CallList)
    assert {call.name for call in listed.found.calls} == {"index.file"}
    assert len(listed.found.calls) == min(20, listed.found.total)
    number = listed.found.calls[0].id
    shown = commands.run(live, f"call {number}")
    assert isinstance(shown, CallShown)
    assert shown.detail.call.id == number
    assert commands.run(live, f"call #{number}") == shown


def test_calls_by_a_filter(live):
    """All calls, or those that the rest of the line asks for, which is read as it stands."""
    everything = commands.run(live, "calls")
    assert everything.found.total >= 300
    assert everything.filter == ""
    failed = commands.run(live, 'calls  outcome:failed  (search or arg:"value") took>0.01ms ')
    assert 0 < failed.found.total < everything.found.total
    assert all(call.outcome == "error" for call in failed.found.calls)
    assert failed.filter == "outcome:failed (search or arg:value) took>10us"
    assert commands.run(live, 'calls "(it\'s"').found.total == 0


def test_calls_of_a_name_that_was_never_called(live):
    """A known name without calls is no mistake."""
    assert commands.run(live, "calls watch.stop").found == FoundCalls()


def test_help_and_quit(live):
    """Help lists all that works, or one of it; quit and its alias end."""
    page = commands.run(live, "help")
    assert isinstance(page, Help)
    assert [verb.name for verb in page.verbs] == list(commands.VERBS)
    assert [verb.name for verb in commands.run(live, "help ?").verbs] == ["help"]
    assert [verb.name for verb in commands.run(live, "help fire").verbs] == ["fire"]
    assert commands.run(live, "help fire").text == ""
    assert "took>10ms" in commands.run(live, "help calls").text == commands.run(live, "help filter").text
    assert commands.run(live, "quit") == commands.run(live, "exit") == Quit()


def test_a_blank_line_is_nothing(live):
    """Enter on an empty line does nothing."""
    assert commands.run(live, "  ") is None


@pytest.mark.parametrize(
    ("line", "span", "advice"),
    [
        ("serch.query x", (0, 11), "did you mean search.query"), ("nope", (0, 4), "no command is called nope"),
        ("query x", (0, 5), "did you mean search.query"), ("hlep", (0, 4), "did you mean help"),
        ("search.query", (0, 12), "also needs text: str"), ("search.query x limt=5", (15, 19), "did you mean limit?"),
        ("search.query x 5 6", (17, 18), "takes 2 values"), ('search.query "x', (13, 15), "never ends"),
        ("show", (0, 4), "write show NAME"), ("show a b", (0, 8), "write show NAME"),
        ("quit now", (0, 8), "write quit"),
        ("show serch.query", (5, 16), "did you mean search.query"), ("ls nope.*", (3, 9), "nothing matches nope.*"),
        ("calls nope", (6, 10), "no command or event is called nope"),
        ("calls  took>1s servce:a", (15, 21), "did you mean service?"), ("calls (a ", (6, 7), "add )"),
        ("export x.csv outcome:eror", (21, 25), "did you mean error?"),
        ("export", (0, 6), "write export FILE [FILTER"), ("call x", (5, 6), "number of a call"),
        ("call 99999999", (5, 13), "there is no call #99999999"), ("call ²", (5, 6), "number of a call"),
        ("call " + "9" * 5000, (5, 5005), "number of a call"), ("help nope", (5, 9), "no command or event"),
    ],
)  # fmt: skip
def test_mistakes(live, line, span, advice):
    """Nothing is sent, and the sentence says what to do and which piece is meant."""
    wrong = commands.run(live, line)
    assert isinstance(wrong, Mistake)
    assert advice in wrong.message
    assert (wrong.line, wrong.span) == (line, span)
    assert live.target.asked == []


def test_a_recording_cannot_act():
    """In a recording, the target's own sentence is shown; looking around works."""
    recorded = session(state="recorded")
    wrong = commands.run(recorded, "scan.status")
    assert isinstance(wrong, Mistake)
    assert "recording" in wrong.message
    assert wrong.span is None
    assert isinstance(commands.run(recorded, "ls"), Listing)


def test_a_removed_command():
    """A command that is gone says so."""
    gone = Entry(entry=1, kind="command", name="scan.folder", service="scanner", added=False)
    live = session()
    live.target.add(Batch(at=synthetic.START + 10**12, records=(gone,)))
    live.pump()
    wrong = commands.run(live, "scan.folder .")
    assert "was removed" in wrong.message
    assert "scan.folder" not in [row.name for row in commands.run(live, "ls").commands]


def test_a_name_that_is_a_verb_too():
    """The console's own commands win; `execute` reaches the program's."""
    live = session()
    entry = Entry(entry=900, kind="command", name="ls", service="x")
    live.target.add(Batch(at=synthetic.START + 10**12, records=(entry,)))
    live.pump()
    assert isinstance(commands.run(live, "ls"), Listing)
    assert isinstance(commands.run(live, "execute ls"), Started)


def test_unknown_names_are_marked(live):
    """A front end can tell a name that is not registered yet from other mistakes."""
    assert commands.run(live, "nope").unknown_name
    assert not commands.run(live, "search.query").unknown_name


def test_send_takes_requests_that_no_line_said(live):
    """A form makes its request itself, and gets the same checks."""
    assert commands.send(live, Execute("search.query", ("x",))).waits
    assert commands.send(live, Fire("file.changed", ("x",))).waits
    with pytest.raises(LanguageError, match="also needs text"):
        commands.send(live, Execute("search.query"))


def test_candidates(live):
    """Completion knows the program's names, parameters, and the console's own."""
    assert [each.text for each in commands.candidates(live, "search.q", 8)] == ["search.query"]
    assert [each.text for each in commands.candidates(live, "search.query ", 13)] == ["text=", "limit="]
    assert [each.text for each in commands.candidates(live, "fire file.f", 11)] == ["file.found"]
    assert "quit" in [each.text for each in commands.candidates(live, "", 0)]
    assert [each.text for each in commands.candidates(live, "calls service:ind", 17)] == ["indexer"]
    assert "indexer-0" in [each.text for each in commands.candidates(live, "calls lane:index", 16)]
    assert [each.text for each in commands.candidates(live, "export a.csv outcome:fa", 23)] == ["failed"]


def test_all_that_is_offered_works(live, tmp_path):
    """No verb is listed that is not there: each carries its own usage, and takes what it says."""
    examples = {
        "execute": "execute scan.status", "fire": "fire x", "ls": "ls", "show": "show scan.status",
        "calls": "calls scan.status", "call": "call 1", "tree": "tree 1",
        "services": "services", "threads": "threads", "stack": "stack 1", "waits": "waits", "dead": "dead",
        "problems": "problems", "top": "top", "watch": "watch took>1s", "record": f"record {tmp_path}", "stop": "stop",
        "dump": f"dump {tmp_path}", "export": f"export {tmp_path}/a.csv", "set": "set level full", "_": "_",
        "help": "help", "quit": "quit",
    }  # fmt: skip
    assert list(examples) == list(commands.VERBS)
    commands.finish(live, commands.run(live, "scan.status"))
    for line in examples.values():
        assert not isinstance(commands.run(live, line), Mistake), line


def test_what_history_may_keep():
    """Neither a secret nor a line that cannot be understood gets into a file."""
    live = session()
    secret = Parameter(name="password", kind="positional_or_keyword", annotation="str", secret=True)
    entry = Entry(entry=900, kind="command", name="login", service="x", parameters=(secret,))
    live.target.add(Batch(at=synthetic.START + 10**12, records=(entry,)))
    live.pump()
    for line in ("scan.status", "ls", "nope 1", "fire x 1", "login", ""):
        assert commands.may_be_kept(live, line), line
    for line in ("login hunter2", "login password=hunter2", 'login "hunter2', "login password=hunter2 &"):
        assert not commands.may_be_kept(live, line), line


def test_detail_of_a_call(live):
    """When the call's record has come, the end of a call has it."""
    live.target.add(
        Batch(
            at=synthetic.START + 10**12,
            records=(
                Call(
                    id=900_001, root=900_001, kind="command", name="scan.status", service="scanner",
                    queued=synthetic.START, started=synthetic.START + 1, ended=synthetic.START + 5, outcome="ok",
                ),
            ),
        )
    )  # fmt: skip
    started = commands.run(live, "scan.status")
    live.pump()
    assert commands.finish(live, started).detail.call.id == 900_001


def test_a_reply_that_overtakes_its_record_has_no_record_yet(live):
    """A call that is still listed as running when its reply is here is not taken for what became of it."""
    started = commands.run(live, "scan.status")
    running = Call(id=900_001, root=900_001, kind="command", name="scan.status", queued=live.now(), started=live.now())
    live.target.add(Batch(at=live.now(), live=(running,), in_flight=1))
    live.pump()
    assert live.call(900_001).call.outcome is None
    assert commands.finish(live, started).detail is None
    ended = Call(
        id=900_001, root=900_001, kind="command", name="scan.status", outcome="ok",
        queued=running.queued, started=running.started, ended=running.started + 1_000,
    )  # fmt: skip
    live.target.add(Batch(at=live.now(), records=(ended,)))
    live.pump()
    assert commands.finish(live, started).detail.call.outcome == "ok"


def exported(session, line):
    """What came of an export, which goes on on a thread of its own."""
    exporting = commands.run(session, line)
    assert isinstance(exporting, Exporting)
    wait_for(lambda: exporting.job.done)
    return commands.export_ended(exporting)


def test_export(live, tmp_path):
    """What is kept goes to a file, whole or by name, in the format of its ending."""
    done = exported(live, f"export {tmp_path}/all.csv")
    calls = [record for record in synthetic.session(300) if isinstance(record, Call)]
    assert done == Exported(f"{tmp_path}/all.csv", len(calls))
    some = exported(live, f"export {tmp_path}/some.json search.*")
    assert some.calls == sum(call.name.startswith("search.") for call in calls)
    with (tmp_path / "all.csv").open(newline="") as file:
        assert {int(row["id"]) for row in csv.DictReader(file)} == {call.id for call in calls}


def test_export_of_one_call(live, tmp_path):
    """A number names the call of a sequence diagram."""
    caused = next(record for record in synthetic.session(300) if isinstance(record, Call) and record.parent)
    assert exported(live, f"export {tmp_path}/tree.txt #{caused.root}").calls > 1
    assert (tmp_path / "tree.txt").read_text().startswith(f"#{caused.root} ")


@pytest.mark.parametrize(
    ("line", "said"),
    [("export", "write export FILE"), ("export out.foo", ".pftrace"), ("export {}/no/out.csv", "cannot write"),
     ("export {}/out.csv nothing.here", "no call was selected"), ("export {}/out.txt #99999999", "there is no call")],
)  # fmt: skip
def test_an_export_that_cannot_be_made_is_explained(live, tmp_path, line, said):
    """A mistake says what to write instead, and leaves no file."""
    wrong = commands.run(live, line.format(tmp_path))
    if isinstance(wrong, Exporting):  # what is known only when the calls are looked at
        wait_for(lambda: wrong.job.done)
        wrong = commands.export_ended(wrong)
    assert isinstance(wrong, Mistake)
    assert said in wrong.message
    assert list(tmp_path.iterdir()) == []


def test_an_export_has_what_there_was_when_it_was_asked_for(tmp_path):
    """Calls that come, and calls that are let go, while it is written make no difference."""
    calls = [record for record in synthetic.session(2_000) if isinstance(record, Call)]
    session = Session(synthetic.FakeTarget(synthetic.batches(synthetic.session(2_000))), retain=2_000)
    session.pump()
    read = session.frozen()
    expected = [one for some in read() for one in some]
    later = [structs.replace(call, id=call.id + 9_000, ended=call.ended + 10**12) for call in calls]
    session.target.add(Batch(at=10**15, records=tuple(later)))
    session.pump()
    assert session.call(calls[0].id) is None
    assert [one for some in read() for one in some] == expected
    assert {one.id for one in expected if isinstance(one, Call)} == {call.id for call in calls}


def test_an_export_that_is_stopped_leaves_nothing(live, tmp_path, monkeypatch):
    """Neither the file nor half of it; the next one is written."""
    reached, go_on = threading.Event(), threading.Event()

    def slow(self, doing, part):
        reached.set()
        go_on.wait(10)
        step(self, doing, part)

    step = Job.step
    monkeypatch.setattr(Job, "step", slow)
    exporting = commands.run(live, f"export {tmp_path}/all.json")
    assert reached.wait(10)
    exporting.job.stop()
    go_on.set()
    wait_for(lambda: exporting.job.done)
    said = f"the export to {tmp_path}/all.json was stopped; nothing was written"
    assert commands.export_ended(exporting).message == said
    assert list(tmp_path.iterdir()) == []
    assert exported(live, f"export {tmp_path}/all.json").calls > 100


def test_closing_the_session_ends_its_exports(live, tmp_path, monkeypatch):
    """Whoever quits meanwhile leaves no half file."""
    writing, step = threading.Event(), Job.step

    def slow(self, doing, part):
        while doing == "writing" and not self._stopping.is_set():
            writing.set()
            self._stopping.wait(10)
        step(self, doing, part)

    monkeypatch.setattr(Job, "step", slow)
    exporting = commands.run(live, f"export {tmp_path}/all.json")
    assert writing.wait(10)
    assert [path.name for path in tmp_path.iterdir()] == ["all.json.part"]
    live.close()
    assert exporting.job.done
    assert list(tmp_path.iterdir()) == []


def test_help_lists_the_formats(live):
    """The endings are those of the one table of formats."""
    (info,) = commands.run(live, "help export").verbs
    assert all(form.endings[0] in info.help for form in FORMATS)


def test_a_tree_by_the_number_of_any_call_in_it(live):
    """With or without #; the same refusals as for a call."""
    child = next(call for call in live.recent("store.put"))
    shown = commands.run(live, f"tree #{child.id}")
    assert isinstance(shown, TreeShown)
    assert [line.call.id for line in shown.tree.lines] == [child.root, child.id]
    assert shown.tree.length == child.ended - child.queued
    assert "write the number of a call, as in tree 18342" in commands.run(live, "tree x").message
    assert "there is no call #99999999" in commands.run(live, "tree 99999999").message


def test_candidates_of_ten_thousand_commands(record_property):
    """All of them are known, and found without making their rows; how long that takes is in the tests' report."""
    live = session(calls=0)
    many = [Entry(entry=n, kind="command", name=f"ns{n % 100}.do{n}", service=f"s{n % 200}") for n in range(1, 10_001)]
    live.target.add(Batch(at=synthetic.START, records=tuple(many)))
    live.pump()
    for line, best in (("ns77.do", "ns77.do77"), ("calls ns99.do9999", "ns99.do9999"), ("calls service:s19", "s19")):
        began = time.thread_time_ns()
        found = commands.candidates(live, line, len(line))
        record_property(f"ns for {line}", time.thread_time_ns() - began)
        assert best in [each.text for each in found]
    assert commands.catalogue(live).commands is commands.catalogue(live).commands


def executed(live, line):
    """Carry out a line to its end."""
    return commands.finish(live, commands.run(live, line))


def answering(**values):
    """A session whose commands return these values, as JSON."""
    return session(
        answers={name.replace("_", "."): Reply(request=0, call=7, value=json) for name, json in values.items()}
    )


def test_the_last_result_is_a_value():
    """`_` stands for what the last command returned, by place and by name, in commands and events."""
    live = answering(scan_status='"thread pool"', store_stats="7")
    executed(live, "scan.status")
    executed(live, "search.query _ 5")
    assert live.target.asked[-1][2:] == (("thread pool", 5), {})
    executed(live, "store.stats")
    commands.run(live, "search.query x limit=_")
    assert live.target.asked[-1][2:] == (("x",), {"limit": 7})
    commands.run(live, "fire file.changed _ path=_")
    assert live.target.asked[-1][2:] == ((7,), {"path": 7})
    commands.run(live, 'search.query "_"')
    assert live.target.asked[-1][2] == ("_",)


def test_the_last_result_where_it_does_not_do():
    """Where there is none, it does not fit, or has no form that can be sent, the _ is underlined."""
    live = session(
        answers={
            "scan.status": Reply(request=0, call=7, result="<object>"),
            "store.stats": Reply(request=0, call=8, value="[1]"),
        }
    )
    assert "no last result" in commands.run(live, "search.query _").message
    assert "no last result" in commands.run(live, "fire x _").message
    executed(live, "scan.status")
    wrong = commands.run(live, "search.query _")
    assert "no form that can be sent: <object>" in wrong.message
    assert wrong.span == (13, 14)
    executed(live, "store.stats")
    wrong = commands.run(live, "search.query x limit=_")
    assert "does not fit: write a whole number, not [1]" in wrong.message
    assert wrong.span == (21, 22)


def test_what_was_written_is_offered_again():
    """Also what an earlier session wrote; a secret never is."""
    live = session()
    commands.run(live, 'search.query "thread pool"')
    commands.remember(live, "search.query earlier")
    commands.remember(live, 'search.query "')
    assert [each.text for each in commands.candidates(live, "search.query ", 13)][:2] == ["earlier", '"thread pool"']
    secret = Parameter(name="password", kind="positional_or_keyword", annotation="str", secret=True)
    live.target.add(
        Batch(
            at=synthetic.START,
            records=(Entry(entry=901, kind="command", name="login", service="x", parameters=(secret,)),),
        )
    )
    live.pump()
    commands.run(live, "login hunter2")
    commands.remember(live, "login hunter3")
    assert "hunter" not in str(commands.candidates(live, "login ", 6))


def test_numbers_of_calls_and_files_are_offered(tmp_path, monkeypatch):
    """`call` offers the calls in flight and the last ones; `export` files of this folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.csv").touch()
    live = session()
    offered = [each.text for each in commands.candidates(live, "call ", 5)]
    assert offered == [str(call.id) for call in live.find_calls(ALL, limit=50).calls]
    assert offered[0] in [each.text for each in commands.candidates(live, f"tree #{offered[0][:2]}", 8)]
    assert [each.text for each in commands.candidates(live, "export o", 8)] == ["old.csv"]


def test_problems(live):
    """All of them, or those that contain a text; a text that none contains is a mistake."""
    listed = commands.run(live, "problems")
    assert isinstance(listed, ProblemList)
    assert listed.problems == listed.report.problems == ()
    failing = [
        structs.replace(call, id=90_000 + number, outcome="error", error=Error("KeyError", "x"))
        for number, call in enumerate([next(c for c in synthetic.session(50) if isinstance(c, Call))] * 5)
    ]
    live.target.add(Batch(at=live.now(), records=tuple(failing)))
    wait_for(lambda: (live.target.add(Batch(at=live.now())), live.pump(), live.problems().problems)[-1])
    (one,) = commands.run(live, "problems keyerror").problems
    assert one.rule == "failing"
    mistake = commands.run(live, "problems nonsense")
    assert isinstance(mistake, Mistake)
    assert mistake.message == "no problem contains nonsense: problems without a text lists all"


def test_behind_execute_no_verb_is_meant(live):
    """What is close to a verb of the console is not taken for it there."""
    assert "services" in commands.run(live, "servces").message
    assert "services" not in commands.run(live, "execute servces").message


def test_what_was_meant(live):
    """A name that is nearly it comes first, then names with a part that is nearly it, then what is like it."""
    assert commands.run(live, "serch.query").message.endswith("did you mean search.query?")
    assert commands.run(live, "serch").message.endswith("did you mean search.query or search.suggest or store.search?")
    assert commands.run(live, "nothing.like.it").message.endswith("ls lists them")
