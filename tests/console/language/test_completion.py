"""What could stand at the cursor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.trace.records import Entry, Parameter
from console.language.candidates import LIMIT, matching
from console.language.completion import Catalogue, VerbInfo, complete, describe, signature
from console.language.value_completion import choices


def parameter(name, annotation="", default=None, kind="positional_or_keyword"):
    return Parameter(name=name, kind=kind, annotation=annotation, default=default)


def entry(name, *parameters, kind="command", returns="", doc=""):
    return Entry(entry=1, kind=kind, name=name, service="s", parameters=parameters, returns=returns, doc=doc)


QUERY = entry("search.query", parameter("text", "str"), parameter("limit", "int", "20"), returns="list[Hit]")
CATALOGUE = Catalogue(
    commands={
        "search.query": QUERY,
        "search.suggest": entry("search.suggest", parameter("prefix", "str"), doc="Words that begin so."),
        "trouble.fail": entry(
            "trouble.fail", parameter("kind", "Literal['value', 'two words']"), parameter("hard", "bool")
        ),
        "say hello": entry("say hello"),
    },
    events={"file.changed": entry("file.changed", parameter("path", "Path"), kind="listener"), "file.lost": None},
    verbs={
        "execute": VerbInfo("execute", "execute NAME", "execute a command", "commands"),
        "fire": VerbInfo("fire", "fire NAME", "fire an event", "events"),
        "help": VerbInfo("help", "help [NAME]", "help", "topics"),
        "call": VerbInfo("call", "call ID", "a call"),
        "calls": VerbInfo("calls", "calls [FILTER]", "calls", filter_at=0),
        "export": VerbInfo("export", "export FILE [FILTER]", "export", filter_at=1),
    },
    services=("indexer", "search"),
    lanes=("MainThread", "indexer-0"),
)


def texts(line, cursor=None):
    return [each.text for each in complete(line, len(line) if cursor is None else cursor, CATALOGUE)]


def test_the_first_word():
    """Commands first, then verbs; also by a part after a dot."""
    assert texts("sea") == ["search.query", "search.suggest"]
    assert texts("sugg") == ["search.suggest"]
    assert texts("hel") == ["say hello".join('""'), "help"]
    assert set(texts("")) >= {"search.query", "fire", "help"}


def test_after_fire():
    """Events, and only events, come after fire."""
    assert texts("fire f") == ["file.changed", "file.lost"]
    assert texts("fire file.changed ") == ["path="]
    assert texts("fire file.lost ") == []


def test_after_execute():
    """Commands, and only commands, come after execute."""
    assert texts("execute f") == ["trouble.fail"]
    assert texts("execute search.query ") == ["text=", "limit="]


def test_parameters():
    """Names of parameters that are not given yet, with type and default."""
    assert texts("search.query ") == ["text=", "limit="]
    assert texts('search.query "a b" ') == ["limit="]
    assert texts("search.query text=a ") == ["limit="]
    assert texts("search.query a li") == ["limit="]
    notes = [each.note for each in complete("search.query ", 13, CATALOGUE)]
    assert notes == ["str, required", "int = 20"]


def test_values_that_a_type_names():
    """The members of a Literal, and true and false, by place and by name."""
    assert texts("trouble.fail ") == ["value", '"two words"', "kind=", "hard="]
    assert texts("trouble.fail kind=v") == ["value"]
    assert texts("trouble.fail value t") == ["true"]


def test_after_a_verb():
    """What a verb takes is offered, and nothing where it takes a number."""
    assert texts("help fi") == ["file.changed", "file.lost", "fire"]
    assert texts("call 1") == []


def test_filters():
    """Behind a verb that takes a filter its fields, values and the program's names are offered, and nothing before."""
    assert texts("calls service:") == ["indexer", "search"]
    assert texts("calls not (name:x or lane:M") == ["MainThread"]
    assert texts("calls sugg") == ["search.suggest"]
    assert texts("export out.csv took") == ["took>"]
    assert texts("export serv") == []
    assert texts("calls")[0] == "calls"
    assert texts("calls ")[:2] == ["name:", "service:"]
    (candidate,) = complete("calls took>1s  caller:ind", 25, CATALOGUE)
    assert (candidate.text, candidate.start, candidate.end) == ("indexer-0", 22, 25)


def test_places():
    """A candidate replaces the piece before the cursor; what is right of it stays."""
    (candidate,) = complete("fire file.c path=1", 11, CATALOGUE)
    assert (candidate.text, candidate.start, candidate.end) == ("file.changed", 5, 11)
    (candidate,) = complete("trouble.fail kind=v", 19, CATALOGUE)
    assert (candidate.start, candidate.end) == (18, 19)


@pytest.mark.parametrize(
    "line", ['search.query "a', "search.query [1", "nothing.here ", "search.query x &", 'b"x', '"ab"x ']
)
def test_nothing_to_offer(line):
    """Within open quotes or brackets, after an unknown name, after an &: nothing."""
    assert texts(line + " " if line.endswith("&") else line) == []


@given(st.text(st.sampled_from("fires earch.quy \"'[{(=&\\") | st.characters()), st.integers(-5, 40))
def test_completion_never_raises(line, cursor):
    """Whatever the line, completion gives candidates whose places lie left of the cursor."""
    for candidate in complete(line, cursor, CATALOGUE):
        assert 0 <= candidate.start <= candidate.end <= max(0, cursor)


@given(st.sampled_from([*CATALOGUE.commands]), st.integers(0, 14))
def test_a_name_is_offered_for_each_of_its_beginnings(name, length):
    """Typing a name, one never loses it."""
    assert name in [each.label for each in complete(name[:length].split()[0] if length else "", length, CATALOGUE)]


def test_many_names():
    """Of ten thousand names no more are given than anybody reads."""
    many = Catalogue(commands={f"ns.name{number}": entry(f"ns.name{number}") for number in range(10_000)})
    assert len(complete("name", 4, many)) == LIMIT


def test_matching_order():
    """The beginning counts most, then a part after a dot, then anywhere."""
    assert matching(["xbc", "a.bc", "bc.d", "A.BC"], "bc") == ["bc.d", "A.BC", "a.bc", "xbc"]


def test_signature_text():
    """A signature reads as Python writes it."""
    assert signature(QUERY) == "(text: str, limit: int = 20) → list[Hit]"
    assert describe(parameter("rest", kind="var_positional")) == "*rest"
    assert describe(parameter("more", "int", kind="var_keyword")) == "**more: int"
    assert describe(parameter("n", default="1")) == "n=1"


@pytest.mark.parametrize(
    "annotation", ["int", "Literal[", "Literal[x]", "Literal[open('/')]", "Literal[" + "(" * 9000 + "]"]
)
def test_no_choices(annotation):
    """A type that names no values, or is not well formed, offers none."""
    assert choices(parameter("x", annotation)) == ()
