"""What --json prints."""

import json

from msgspec import structs

from bus.attach.protocol import Reply
from bus.trace.records import Call, Error
from console.cli import json_fields, json_lines
from console.session import Session
from tests import synthetic

HEAD = synthetic.session_record()
CALL = Call(
    id=7, parent=3, root=1, kind="command", name="search.query", queued=synthetic.START,
    started=synthetic.START + 1_000_000, ended=synthetic.START + 4_000_000, outcome="ok", waited=2_000_000,
    cpu=500_000, service="search", caller=1, lane=8, args="'x'", result="42",
)  # fmt: skip


def lane(key):
    return {0: "", 1: "MainThread", 8: "search-0"}[key]


def test_a_call():
    """All fields, in their documented order; times of day in seconds since 1970, lengths in ms."""
    said = json_lines.call(CALL, HEAD, lane, 0)
    assert list(said) == list(json_fields.CALL)
    assert said["queued_at"] == HEAD.start_unix / 1e9
    assert (said["took_ms"], said["queued_ms"], said["computing_ms"], said["waiting_ms"], said["elsewhere_ms"]) == (
        4.0, 1.0, 0.5, 2.0, 0.5,
    )  # fmt: skip
    assert (said["caller"], said["lane"], said["outcome"]) == ("MainThread", "search-0", "ok")


def test_what_is_not_known_is_null():
    """A call in flight has no outcome, one without CPU time two parts less; the first cause has no parent."""
    running = structs.replace(CALL, outcome=None, ended=0, cpu=None, parent=0, caller=0)
    said = json_lines.call(running, HEAD, lane, synthetic.START + 9_000_000)
    assert said["took_ms"] == 9.0
    assert said["outcome"] is said["computing_ms"] is said["elsewhere_ms"] is said["parent"] is said["caller"] is None


def test_a_failure():
    """Type, message and traceback."""
    failed = structs.replace(CALL, outcome="error", error=Error("ValueError", "no"))
    said = json_lines.call(failed, HEAD, lane, 0)
    assert said["error"] == {"type": "ValueError", "message": "no", "traceback": None}


def test_replies():
    """A result in its JSON form where it has one, always as text."""
    said = json_lines.reply("x", Reply(request=1, call=5, result="{1}", value="[1]"), 2_000_000)
    assert list(said) == list(json_fields.REPLY)
    assert (said["call"], said["result"], said["text"], said["took_ms"]) == (5, [1], "{1}", 2.0)
    assert json_lines.reply("x", Reply(request=1, result="<x>"), None)["result"] is None
    fired = json_lines.fired("e", Reply(request=1, call=5, receivers=("a",)))
    assert list(fired) == list(json_fields.FIRE)
    assert fired["receivers"] == ["a"]


def test_rows_have_the_documented_fields():
    """Commands, services and problems too."""
    session = Session(synthetic.FakeTarget(synthetic.batches(synthetic.session(2_000)), state="live"))
    session.pump()
    assert {tuple(json_lines.top(row)) for row in session.commands()} == {tuple(json_fields.TOP)}
    assert {tuple(json_lines.service(row)) for row in session.services()} == {tuple(json_fields.SERVICE)}
    found = session.problems().problems
    assert found
    assert {tuple(json_lines.problem(each, HEAD)) for each in found} == {tuple(json_fields.PROBLEM)}


def test_a_line_is_ascii():
    """No text of a program reaches a terminal as it is, and one object is one line."""
    text = json_lines.line({"args": "a\nb\x1b[2J\u202e\x9b宽"})
    assert text.isascii()
    assert text.count("\n") == 1
    assert json.loads(text)["args"] == "a\nb\x1b[2J\u202e\x9b宽"


def test_the_table_for_help():
    """One line a field."""
    first = json_fields.text(json_fields.REPLY).splitlines()[1]
    assert first.split() == ["call", *json_fields.REPLY["call"].split()]
