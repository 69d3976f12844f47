"""Lines as requests and requests as lines."""

import keyword

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.language.grammar import Execute, Fire, Verb, format_request, parse
from console.language.tokens import LanguageError

VERBS = ("ls", "help", "quit", "?", "calls", "export")
RESTS = {"calls": 0, "export": 1}
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
NAMES = TEXT | st.sampled_from(["search.query", "ls", "fire", "execute", "&", "", "5", "true", "a b", "a=b", '"', "'x"])
NUMBERS = st.integers(min_value=-(2**80), max_value=2**80) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
KEYS = st.from_regex(r"[^\W\d]\w*", fullmatch=True)
ARGUMENTS = {"args": st.lists(VALUES, max_size=4).map(tuple), "kwargs": st.dictionaries(KEYS, VALUES, max_size=3)}
REST = (TEXT | st.sampled_from(['"', "(a", "a  b", "'it"])).map(str.strip).filter(bool)
REQUESTS = (
    st.builds(Execute, name=NAMES, wait=st.booleans(), **ARGUMENTS)
    | st.builds(Fire, name=NAMES, **ARGUMENTS)
    | st.builds(Verb, name=st.sampled_from(VERBS[:4]), args=st.lists(NAMES, max_size=3).map(tuple))
    | st.builds(Verb, name=st.just("calls"), args=st.tuples(REST) | st.just(()))
    | st.builds(Verb, name=st.just("export"), args=st.tuples(NAMES, REST) | st.tuples(NAMES))
)


@given(REQUESTS)
@example(Execute("ls", ("&",), {"limit": "&"}, wait=False))
def test_parse_is_the_inverse_of_format(request_):
    """Every request survives being written as a line and read again."""
    assert parse(format_request(request_, VERBS, RESTS), VERBS, RESTS) == request_


@given(st.text(st.sampled_from("ab \"'[]{}()=&\\\n.5") | st.characters()))
def test_any_line_is_a_request_or_a_language_error(line):
    """Nothing else than a LanguageError comes out of a bad line, and its span lies in the line."""
    problem = None
    try:
        parse(line, VERBS, RESTS)
    except LanguageError as error:
        problem = error
    if problem:
        assert 0 <= problem.span.start <= problem.span.end <= len(line)
        assert problem.message


def test_the_rest_of_a_line():
    """Some verbs take it as it stands; what comes before is words."""
    assert parse("calls  a  'b (c ", VERBS, RESTS) == Verb("calls", ("a  'b (c",))
    request = parse('export "a b.csv" took>1s "x" ', VERBS, RESTS)
    assert request == Verb("export", ("a b.csv", 'took>1s "x"'))
    assert request.source.args == ((7, 16), (17, 28))
    with pytest.raises(LanguageError, match="never ends"):
        parse('export "a b', VERBS, RESTS)


def test_execute():
    """The example of the design: a command, a value, a named value."""
    request = parse('search.query "thread pool" limit=5')
    assert request == Execute("search.query", ("thread pool",), {"limit": 5})
    assert request.source.name == (0, 12)
    assert request.source.args == ((13, 26),)
    assert request.source.keys == {"limit": (27, 32)}
    assert request.source.kwargs == {"limit": (33, 34)}


def test_no_wait():
    """An & at the end means: do not wait. Between quotes it is text."""
    assert parse("scan.folder . &") == Execute("scan.folder", (".",), wait=False)
    assert parse('scan.folder . "&"') == Execute("scan.folder", (".", "&"))


def test_fire_and_verbs():
    """`fire` and the console's own commands are told apart from the program's."""
    assert parse('fire file.changed path="a.py"') == Fire("file.changed", kwargs={"path": "a.py"})
    assert parse("ls file.*", VERBS) == Verb("ls", ("file.*",))
    assert parse("ls file.*") == Execute("ls", ("file.*",))
    assert parse("execute ls 1", VERBS) == Execute("ls", (1,))


def test_verbs_take_words_as_they_stand():
    """A verb's 5 is text."""
    assert parse("help 5 'a b'", VERBS) == Verb("help", ("5", "a b"))


@pytest.mark.parametrize("line", ["", "  ", "\n\t"])
def test_blank(line):
    """A blank line asks for nothing."""
    assert parse(line) is None


@pytest.mark.parametrize(
    ("line", "span", "advice"),
    [
        ("fire", (0, 4), "name of the event"), ("execute", (0, 7), "name of the command"),
        ("&", (0, 1), "before the &"),
        ("fire a &", (7, 8), "leave out the &"), ("x a=1 a=2", (6, 9), "given twice"),
        ("x a= 5", (2, 4), "right after a="),
        ("x a = 5", (4, 5), "without spaces"), ('"x"y 1', (0, 4), "put a space"), ("x k=[1", (4, 6), "add ]"),
    ],
)  # fmt: skip
def test_mistakes(line, span, advice):
    """A mistake is placed and explained."""
    with pytest.raises(LanguageError) as caught:
        parse(line, VERBS)
    assert caught.value.span == span
    assert advice in caught.value.message


def test_python_keywords_are_keys_too():
    """A parameter collected by **kwargs may be called `class`."""
    assert keyword.iskeyword("class")
    assert parse("x class=1") == Execute("x", kwargs={"class": 1})
