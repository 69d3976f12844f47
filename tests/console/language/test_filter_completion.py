"""What is offered while a filter is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.language.candidates import LIMIT
from console.language.filter_completion import complete_filter
from console.language.filter_fields import CALLS, COMMANDS, EVENTS, OUTPUT
from console.language.filter_parser import parse
from console.language.tokens import LanguageError

KNOWN = {
    "name": ("index.file", "index.rebuild", "file.found", "say hello", "order", "a*b", "notify", "not"),
    "service": ("indexer", "store", ""), "lane": ("indexer-0", "Thread 1"), "caller": ("MainThread",),
}  # fmt: skip


def texts(line, fields=CALLS):
    return [each.text for each in complete_filter(line, KNOWN, fields)]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("ser", ["service:"]),
        ("tO", ["took>"]),
        ("ind", ["index.file", "index.rebuild"]),
        ("fou", ["file.found"]),
        ("say", ['name="say hello"']),
        ("a*", ['name="a*b"']),
        ("an", ["and"]),
        ("not", ["name=not", "notify", "not"]),
        ("service:", ["indexer", "store"]),
        ("service=st", ["store"]),
        ("index service!=", ["indexer", "store"]),
        ("lane:t", ['"Thread 1"']),
        ("caller:", ["MainThread"]),
        ("outcome:re", ["rejected"]),
        ("kind:", ["command", "event", "delivery"]),
        ("took>", ["1ms", "10ms", "100ms", "1s"]),
        ("took > ", ["1ms", "10ms", "100ms", "1s"]),
        ("took>25", ["25ms", "25s", "25us", "25min", "25ns"]),
        ("wait<1.5", ["1.5ms", "1.5s", "1.5us", "1.5min", "1.5ns"]),
        ("arg:", []),
        ("id>", []),
        ("service>", []),
        ("took:", []),
        ("nothing:", []),
        ("service:x nope:y ser", []),
        ("a or or ser", []),
        (") ser", []),
        ('"ser', []),
        ('service:"ind', []),
        ("(ser", ["service:"]),
        ("not (a or ser", ["service:"]),
    ],
)
def test_offered(line, offered):
    """Fields, values of fields, names, and the words between; nothing where nothing would help."""
    assert texts(line) == offered


def test_nothing_written_yet():
    """All fields, then names."""
    offered = texts("")
    assert offered[: len(list(CALLS))] == [field.name + (">" if field.kind == "time" else ":") for field in CALLS]
    assert "index.file" in offered
    assert "and" not in offered


def test_the_fields_of_a_list():
    """What is offered is about the rows that are filtered."""
    assert texts("f", COMMANDS)[0] == "failed:"
    assert texts("f", EVENTS)[:2] == ["fired:", "failed:"]
    assert texts("stream:s", OUTPUT) == ["stdout", "stderr"]


def test_places():
    """A candidate replaces what was begun, behind the start of the filter."""
    (candidate,) = complete_filter("calls service:ind", KNOWN, start=6)
    assert (candidate.start, candidate.end, candidate.label, candidate.note) == (14, 17, "indexer", "service")
    assert complete_filter("calls  ", KNOWN, start=6)[0].start == 7


def test_of_many_names_only_so_many():
    """Nobody reads more."""
    assert len(complete_filter("n", {"name": [f"name{number}" for number in range(10_000)]})) == LIMIT


PIECES = st.sampled_from(
    ["and ", "or ", "not ", "(", ")", "name:", "name=", "took>", "took:", "5", "5ms ", "outcome:", "ok ", "id=", '"',
     "'", "\\", " ", "!=", "..", "*", "ind", "a ", "service:", "no", "f"]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=2), max_size=8).map("".join), st.sampled_from([CALLS, COMMANDS, OUTPUT]))
def test_every_candidate_goes_on(line, fields):
    """Completion never raises; a line with a candidate in it can be finished, if only with a value and brackets."""
    for candidate in complete_filter(line, KNOWN, fields):
        assert 0 <= candidate.start <= candidate.end == len(line)
        whole = line[: candidate.start] + candidate.text
        assert any(is_filter(whole + end, fields) for end in ends(line)), whole


def ends(line):
    """A value that some field takes, and brackets."""
    values = ("", "x", "1", "1s", "ok", "command", "code", "stdout")
    return [value + ")" * close for value in values for close in range(line.count("(") + 1)]


def is_filter(line, fields):
    try:
        parse(line, fields)
    except LanguageError:
        return False
    return True
