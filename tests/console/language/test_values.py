"""Words as values and values as words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.language.tokens import LanguageError, Span
from console.language.values import read, write

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
NUMBERS = st.integers(min_value=-(2**80), max_value=2**80) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def value_of(text):
    return read(text, Span(0, len(text)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5), ("-5", -5), ("1_000", 1000), ("0x1f", 31), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5),
        ("true", True), ("True", True), ("null", None), ("None", None), ("false", False),
        ("thread", "thread"), ("*.py", "*.py"), ("don't", "don't"), ("007", "007"), ("1.2.3", "1.2.3"),
        ("2024-10-10", "2024-10-10"), ("10:30", "10:30"), ("inf", "inf"), ("a,b", "a,b"), ("-", "-"), ("+x", "+x"),
        ('"a b"', "a b"), ("'a b'", "a b"), (r'"a\nb"', "a\nb"), (r'"\x41"', "A"), (r"r'\d'", r"\d"), (r"'\d'", r"\d"),
        (r'"\/"', "/"), (r'"\ud83d\ude00"', "\U0001f600"), ('""', ""), ("'''a b'''", "a b"), ('"a""b"', "ab"),
        ('{"a": [1, true, null]}', {"a": [1, True, None]}), ("{'a': [1, True, None,]}", {"a": [1, True, None]}),
        ("{'a': true}", {"a": True}), ("(1, 2)", [1, 2]), ("()", []), ("{1: 2}", {"1": 2}), ("[]", []), ("{}", {}),
        ("1" * 5000, "1" * 5000),
    ],
)  # fmt: skip
def test_read(text, value):
    """Python literals and JSON are values; all else is text, as it stands."""
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("b'x'", "bytes cannot be sent"), ("1e999", "infinity"), ("[NaN]", "infinity"),
        ("[1j]", "complex cannot be sent"),
        ("[a]", "needs quotes"), ("[1+1]", "needs quotes"), ("{None: 1}", "keys"), ("[1 2]", "Python or JSON"),
        ('"a"b', "put a space"), ('"a","b"', "put a space"), ('"\\ud800"', "surrogate"), ("=5", "without spaces"),
        ("[{[]}]", "keys"), ("{[]: 1}", "keys"), ("[" + "-" * 5000 + "1]", "nested"),
        ("[ab]*.py", "for text write"),
    ],
)  # fmt: skip
def test_read_refuses(text, advice):
    """What cannot be sent is refused with a sentence that says what to do."""
    with pytest.raises(LanguageError) as caught:
        value_of(text)
    assert advice in caught.value.message
    assert caught.value.span == (0, len(text))


@given(JSON)
def test_write_is_the_inverse_of_read(value):
    """Every JSON-like value survives being written and read."""
    assert value_of(write(value)) == value


@given(JSON)
def test_write_is_printable(value):
    """No control character gets into a written value, whatever is in it."""
    assert write(value).isprintable()
