"""The line that is typed: its colours, and where it ends."""

import pytest
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import fragment_list_to_text

from console.language.tokens import is_open
from console.repl.current import Current
from console.repl.line import STYLES, LineLexer
from console.session import Session
from tests import synthetic


@pytest.fixture
def lexer():
    session = Session(synthetic.FakeTarget(synthetic.batches(synthetic.session(20)), state="live"))
    session.pump()
    return LineLexer(Current(session))


def coloured(lexer, text):
    line = lexer.lex_document(Document(text))
    return [[part for part in line(number) if part[1]] for number in range(text.count("\n") + 1)]


def test_colours(lexer):
    """Each piece has the style of what it is."""
    (line,) = coloured(lexer, 'search.query "a" limit=5')
    assert (STYLES["command"], "search.query") in line
    assert (STYLES["text"], '"a"') in line
    assert (STYLES["number"], "5") in line


def test_what_is_being_typed_is_no_mistake_yet(lexer):
    """A name is red only when one went on behind it."""
    assert coloured(lexer, "serch") == [[("", "serch")]]
    assert coloured(lexer, "serch x")[0][0] == (STYLES["unknown"], "serch")


def test_several_lines(lexer):
    """A bracket that goes on over lines keeps its colour, and no character is lost."""
    text = 'search.query {"a":\n  1}\n'
    line = lexer.lex_document(Document(text))
    assert "\n".join(fragment_list_to_text(line(number)) for number in range(3)) == text
    assert coloured(lexer, text)[1] == [(STYLES["structure"], "  1}")]
    assert line(7) == []


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [
        ("x [1,", True), ('x {"a": (1', True), ("x k=[", True), ("x [1]", False), ('x "a', False), ('x ["a', False),
        ("x [1)", False), ("", False), ("x [1 ", True),
    ],
)  # fmt: skip
def test_where_a_line_goes_on(text, goes_on):
    """Only within brackets: a quote that is not closed is a mistake."""
    assert is_open(text) is goes_on
