"""What each piece of a line is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.trace.records import Entry
from console.language.completion import Catalogue, VerbInfo
from console.language.highlighting import pieces

CATALOGUE = Catalogue(
    commands={"search.query": Entry(entry=1, kind="command", name="search.query", service="s")},
    verbs={
        **{name: VerbInfo(name, name, name) for name in ("execute", "fire", "ls")},
        "calls": VerbInfo("calls", "calls [FILTER]", "calls", filter_at=0),
    },
)


def told(line):
    return [(line[slice(*span)], meaning) for span, meaning in pieces(line, CATALOGUE)]


@pytest.mark.parametrize(
    ("line", "meanings"),
    [
        (
            'search.query "a b" limit=5 &',
            [("search.query", "command"), ('"a b"', "text"), ("limit=", "key"), ("5", "number"), ("&", "sign")],
        ),
        ("serch.query x", [("serch.query", "unknown"), ("x", "word")]),
        ("fire a.b on=true", [("fire", "verb"), ("a.b", "event"), ("on=", "key"), ("true", "constant")]),
        ("execute search.query _", [("execute", "verb"), ("search.query", "command"), ("_", "constant")]),
        ("ls file.*", [("ls", "verb"), ("file.*", "word")]),
        ('x [1, "', [("x", "unknown"), ('[1, "', "problem")]),
        ('x {"a": 1}', [("x", "unknown"), ('{"a": 1}', "structure")]),
        (
            'calls (took>10ms or nope:1) "t',
            [
                ("calls", "verb"), ("(", "sign"), ("took>", "key"), ("10ms", "word"), ("or", "sign"),
                ("nope:", "unknown"), ("1", "word"), (")", "sign"), ('"t', "problem"),
            ],
        ),
        ("", []), ("  ", []), ("fire", [("fire", "verb")]), ("x k=", [("x", "unknown"), ("k=", "key")]),
    ],
)  # fmt: skip
def test_meanings(line, meanings):
    """Names, keys, values, signs and what is wrong are told apart."""
    assert told(line) == meanings


@given(st.text(st.sampled_from("calls fire search.quy \"'[{()=&\\>:") | st.characters(), max_size=40))
def test_any_line(line):
    """Whatever the line, the pieces follow each other within it and none is empty."""
    end = 0
    for span, _ in pieces(line, CATALOGUE):
        assert end <= span.start < span.end <= len(line)
        end = span.end
