"""Results as text; nothing that a program says can move the reader's cursor."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bus.attach.protocol import Reply
from bus.trace.records import Call, Entry, Error, Output, Parameter, Step
from console import commands
from console.commands import CallList, CallShown, Description, Ended, Listing, Mistake, ProblemList, Started, TreeShown
from console.language.grammar import Execute, Fire
from console.language.tokens import Span
from console.model.problems import HealthyRule, ProblemReport, ProblemView, Proof
from console.model.queries import FoundCalls
from console.model.split import CallParts
from console.model.tree import CallTree, TreeLine
from console.model.views import CallDetail, CommandRow, EventRow
from console.pending import Pending
from console.render import results
from tests.hostile import TEXTS

MS = 1_000_000
HOSTILE = "".join(TEXTS[name] for name in ("clear", "C1", "bidi", "OSC 52", "action", "markup"))


def text(result, width=120):
    """What a plain console prints for RESULT."""
    shown = io.StringIO()
    Console(file=shown, width=width, highlight=False, markup=False, emoji=False).print(results.outcome(result))
    return shown.getvalue()


def a_call(**changed):
    given = {
        "id": 18342, "root": 18342, "kind": "command", "name": "search.query", "service": "search", "queued": 1 * MS,
        "started": 2 * MS, "ended": 5 * MS, "outcome": "ok", "args": "'x'", "result": "42",
    }  # fmt: skip
    return Call(**(given | changed))


def a_detail(call=None, **changed):
    parts = CallParts(queued=100_000, computing=2_400_000, waiting=0, elsewhere=600_000)
    given = {"call": call or a_call(), "parts": parts, "lane": "search-0", "caller_lane": "main", "cause": None}
    return CallDetail(**(given | {"effects": ()} | changed))


def a_row(name="search.query", **changed):
    given = {
        "name": name, "service": "search", "calls": 1200, "rate": 4.0, "running": 1, "queued": 2, "wait_p50": 1,
        "wait_p99": 2, "run_p50": 3_100_000, "run_p99": None, "errors": 3, "last": 0, "last_failed": False,
        "removed": False, "entry": None,
    }  # fmt: skip
    return CommandRow(**(given | changed))


def an_ended(request=None, **reply):
    return Ended(
        request or Execute("search.query"), Reply(request=1, **reply), a_detail() if reply.get("call") else None
    )


def test_the_result_line():
    """Number, outcome, time and its four parts, as the design says; then the result as a tree."""
    shown = text(an_ended(call=18342, result="[1]", value='[1, {"a": null}]'))
    assert shown.splitlines() == [
        "#18342 ok 3.1 ms (queued 0.1 · computing 2.4 · waiting 0 · elsewhere 0.6)",
        "[1, {'a': None}]",
    ]


def test_a_call_shows_what_it_said():
    """Where it printed it, or how bad it called it; harmless."""
    said = (
        Output(at=1, stream="stdout", text="half\x1b[2J done"),
        Output(at=2, stream="log", text="root: [red]careful", level="WARNING"),
    )
    lines = text(CallShown(a_detail(output=said))).splitlines()
    assert lines[-2:] == ["stdout: half\\x1b[2J done", "WARNING: root: [red]careful"]


def test_a_result_without_a_json_form():
    """The program's own text of it is shown, on as many lines as it has."""
    assert text(an_ended(call=1, result="<Hit 1>\n<Hit 2>")).splitlines()[1:] == ["<Hit 1>", "<Hit 2>"]
    assert text(an_ended(call=1, result="x", value="{broken")).splitlines()[1:] == ["x"]
    assert text(an_ended(call=1)).splitlines()[1:] == ["None"]


def test_an_error_with_a_traceback_says_its_message_once():
    """The line of the traceback that names the error is enough."""
    error = Error("bus.errors.BadThing", "no", "Traceback …\n  line 1\nBadThing: no\nin command a.b")
    shown = text(an_ended(call=1, outcome="error", error=error))
    assert shown.count("BadThing: no") == 1
    assert "✗ error" in shown


def test_an_error_without_a_traceback():
    """Type and message."""
    shown = text(an_ended(outcome="rejected", error=Error("BadArguments", "limit is missing")))
    assert shown.splitlines() == ["✗ rejected", "BadArguments: limit is missing"]


def test_a_traceback_that_does_not_name_the_error():
    """Then type and message are added."""
    shown = text(an_ended(call=1, outcome="error", error=Error("BadThing", "no", "Traceback …")))
    assert shown.splitlines()[-1] == "BadThing: no"


@pytest.mark.parametrize(
    ("names", "said"),
    [((), "nobody listens"), (("a on s",), "1 listener: a on s"), (("a", "b"), "2 listeners: a, b")],
)
def test_a_fired_event(names, said):
    """Who it was delivered to."""
    assert said in text(an_ended(Fire("file.changed"), call=1, receivers=names))


def test_a_mistake_is_underlined():
    """The carets stand below the piece that is meant, also after wide and escaped characters."""
    shown = text(Mistake("no", "日本\x1b x=1", Span(4, 5)))
    assert shown.splitlines() == ["  日本\\x1b x=1", " " * 11 + "^", "no"]
    assert text(Mistake("no", "x")) == "no\n"
    assert "^" in text(Mistake("no", "x", Span(1, 1)))


def test_listing():
    """Figures of commands and events."""
    event = EventRow(
        "file.found", 50_112, 12.0, 24.0, 0, 0, "", (Entry(entry=1, kind="listener", name="*", service="m"),)
    )
    shown = text(Listing("", (a_row(),), (event,)))
    assert "1,200" in shown
    assert "3.1" in shown
    assert "50,112" in shown
    assert text(Listing("", (), ())) == "there are no commands and no events yet\n"


def test_description():
    """Signature, doc, place, figures and last calls."""
    parameter = Parameter(name="limit", kind="keyword_only", annotation="int", default="20")
    entry = Entry(
        entry=1, kind="command", name="search.query", service="search", parameters=(parameter,), returns="int",
        doc="Find it.", where="search.py:12",
    )  # fmt: skip
    shown = text(Description("search.query", a_row(entry=entry), None, (a_call(),)))
    assert shown.splitlines()[:3] == ["search.query(limit: int = 20) → int", "Find it.", "search · search.py:12"]
    assert "#18342" in shown


def test_a_call():
    """Times, lanes, arguments, result, error, cause and effects."""
    detail = a_detail(
        a_call(outcome="error", error=Error("ValueError", "no")),
        cause=a_call(id=7, name="a"),
        effects=(a_call(id=8, name="b"),),
    )
    shown = text(CallShown(detail))
    for said in ("on search-0, called from main", "arguments: 'x'", "ValueError: no", "caused by #7 a", "caused #8 b"):
        assert said in shown


def test_a_tree_fits_into_any_width():
    """The names are cut where there is no room, the times never; what is on the critical path is marked."""
    top, inner = a_call(id=7, name="scan.folder", args="x" * 300), a_call(id=8, name="store.put")
    lines = (
        TreeLine((), top, on_path=True, own=3_000_000), TreeLine((True,), inner), TreeLine((False,), folded=4_812),
    )  # fmt: skip
    shown = TreeShown(CallTree(call=7, lines=lines, total=4_814, above=0, complete=True, length=4_000_000), now=0)
    for width in (120, 80, 40):
        rows = text(shown, width).splitlines()
        assert max(map(len, rows)) <= width
        assert rows[-3].startswith("●  #7 scan.fold")
        assert rows[-3].split()[-5:] == ["4.0", "ms", "ok", "3.0", "ms"]
        assert rows[-2].startswith("   ├─ #8 store")
        assert rows[-1].startswith("   └─ … 4,812")


def a_list(*calls, total=None, asked=""):
    return CallList(asked, FoundCalls(calls, len(calls) if total is None else total, 0), now=90_000_000)


def test_calls_in_flight():
    """What is queued or running says so, and took until now."""
    shown = text(a_list(a_call(outcome=None, ended=0, queued=50_000_000), a_call(outcome=None, ended=0, started=0)))
    assert "running" in shown
    assert "queued" in shown
    assert "40 ms" in shown


def test_call_lists():
    """Names are shown, and of how many calls these are the first; an empty list says what was asked for."""
    shown = text(a_list(a_call(name="a.b"), a_call(name="c.d"), total=1_204))
    assert "a.b" in shown
    assert "c.d" in shown
    assert shown.endswith("2 of 1,204 calls\n")
    assert "of" not in text(a_list(a_call(name="x"))).splitlines()[-1]
    assert text(a_list(asked="took>1s")) == "no call with took>1s\n"
    assert text(a_list()) == "there are no calls yet\n"


hostile = st.text(max_size=30) | st.just(HOSTILE)


@given(hostile, hostile, hostile)
def test_nothing_of_the_program_reaches_the_terminal_raw(one, two, three):
    """Names, texts and errors come out printable, and no markup in them is obeyed."""
    parameter = Parameter(name=one, kind="keyword_only", annotation=two, default=three)
    entry = Entry(
        entry=1,
        kind="command",
        name=one,
        service=two,
        parameters=(parameter,),
        returns=three,
        doc=two,
        where=three,
        callback=one,
    )
    call = a_call(name=one, args=two, result=three, error=Error(one, two, three), outcome="error")
    event = EventRow(one, 1, 1.0, 1.0, 1, 1, two, (entry,))
    results = [
        an_ended(call=1, result=one), an_ended(call=1, error=Error(one, two, three), outcome="error"),
        an_ended(Fire(one), call=1, receivers=(two, three)), Started(Execute(one), Pending()),
        Listing(one, (a_row(one, service=two),), (event,)), a_list(call, asked=two), a_list(asked=three),
        Mistake(one, two, Span(0, len(two))),
        Description(one, a_row(one, entry=entry), event, (call,)),
        TreeShown(CallTree(1, (TreeLine((), call, attempt=2),), 1, 0, complete=True, length=1), 0),
        CallShown(a_detail(call, lane=one, caller_lane=two, cause=call, effects=(call,))),
    ]  # fmt: skip
    for result in results:
        assert all(char.isprintable() or char == "\n" for char in text(result))


def test_markup_is_text():
    """[red] is shown as it is."""
    assert "[red]" in text(an_ended(call=1, result="[red]x[/nope]"))


def test_every_outcome_has_a_form():
    """Whatever `run` can give can be printed."""
    assert set(results._RENDERERS) == set(commands.Outcome.__args__)


def a_problem(word="stuck", **changed):
    step = Step(call=7, name=word, service=word, lane=1, thread=word, where=f"{word}:3", waits_for=word)
    proof = Proof(calls=(7, 8), cycle=(step,), lines=(f"proof of {word}",))
    given = {
        "id": word, "rule": "deadlock", "severity": "error", "name": word, "subject": word, "text": f"text of {word}",
        "advice": f"advice for {word}", "since": 0, "last": 1_000 * MS, "count": 3, "proof": proof,
    }  # fmt: skip
    return ProblemView(**(given | changed))


def test_problems_with_proof_and_advice():
    """What, how often, when; the cycle, the figures and the calls; what to do; then the healthy rules."""
    one = a_problem("trouble", uncertain=True)
    report = ProblemReport((one,), (), (HealthyRule("loop", 0), HealthyRule("storm", 0)), 0, 5)
    assert text(ProblemList(report, (one,), 3_000 * MS)).splitlines() == [
        "deadlock trouble  3× · 2 s ago  uncertain", "  text of trouble",
        "  trouble runs trouble #7, waits at trouble:3 for trouble", "  proof of trouble", "  calls #7 #8",
        "  → advice for trouble", "healthy: loop, storm · 5 dropped",
    ]  # fmt: skip


def test_no_problems():
    """For how long nothing was wrong; what is over does not count."""
    report = ProblemReport((a_problem(over=True),), (), (HealthyRule("loop", 0),), 60_000 * MS, 0)
    shown = text(ProblemList(report, report.problems, 90_000 * MS))
    assert "deadlock stuck  3× · 1 min 29 s ago  over" in shown
    assert "nothing wrong for 30 s (0 dropped)" in shown


def test_hostile_problems_are_harmless():
    """Names, places and texts of a program."""
    report = ProblemReport((a_problem(HOSTILE),), (), (), 0, 0)
    shown = text(ProblemList(report, report.problems, 0))
    assert shown.replace("\n", "").isprintable()
