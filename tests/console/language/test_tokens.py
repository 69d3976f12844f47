"""Lines cut into words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.language.tokens import MAX_DEPTH, words


def texts(line):
    return [word.text for word in words(line)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []), ("   ", []), ("ls", ["ls"]), ("  a \t b\n c ", ["a", "b", "c"]),
        ('search.query "thread pool" limit=5', ["search.query", '"thread pool"', "limit=5"]),
        ("a key='x y' b", ["a", "key='x y'", "b"]), ('x {"a": [1, 2]} y', ["x", '{"a": [1, 2]}', "y"]),
        ("x don't do it's", ["x", "don't", "do", "it's"]), ("x a[0] b(1", ["x", "a[0]", "b(1"]),
        (r'x "a \" b" c', ["x", r'"a \" b"', "c"]), ("x [']', 1] y", ["x", "[']', 1]", "y"]),
        ("x don''t y", ["x", "don''t", "y"]), ("http://h?a=b c", ["http://h?a=b", "c"]),
        ('x "a""b c" d', ["x", '"a""b c"', "d"]),
    ],
)  # fmt: skip
def test_words(line, expected):
    """Words end at a space that is not within quotes or brackets, which open at a value's start only."""
    assert texts(line) == expected


def test_key_and_value_have_places():
    """A keyed word knows where its value is."""
    word = words("x limit=5")[1]
    assert (word.key, word.span, word.value) == ("limit", (2, 9), (8, 9))


@pytest.mark.parametrize(
    ("line", "span", "advice"),
    [
        ('x "abc', (2, 6), 'close it with "'), ("x k='abc", (4, 8), "close it with '"),
        ("x [1, (2]", (8, 9), "write ) first"),
        ("x [1, 2", (2, 7), "add ]"), ("x {'a", (3, 5), "close it with '"), ("x [[1]", (2, 6), "add ]"),
        ("x " + "[" * (MAX_DEPTH + 1), (2 + MAX_DEPTH, 3 + MAX_DEPTH), "brackets"),
    ],
)  # fmt: skip
def test_unfinished_words(line, span, advice):
    """A word that is not finished says what closes it, and where it was opened."""
    problem = words(line)[-1].problem
    assert problem is not None
    assert problem.span == span
    assert advice in problem.message


@given(st.text(st.sampled_from("ab \"'[]{}()=\\\n") | st.characters()))
def test_words_cover_the_line(line):
    """Words never overlap, and what lies between them is space."""
    at = 0
    for word in words(line):
        assert line[at : word.span.start].strip() == ""
        assert line[slice(*word.span)] == word.text != ""
        assert at <= word.span.start < word.span.end <= len(line)
        at = word.span.end
    assert line[at:].strip() == ""
