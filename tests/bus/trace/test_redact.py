import enum
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.trace.redact import REDACTED, TEXT_LIMIT, arguments_text, bounded, escape, is_secret, scrub, value_text

texts = st.text(st.characters(codec=None))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(texts, inner) | st.sets(st.integers()),
    max_leaves=60,
)


@given(texts)
def test_escaped_text_is_printable_and_escaping_it_again_changes_nothing(text):
    """Nothing that a terminal could act on survives, and sinks and widgets may both escape."""
    shown = escape(text)
    assert shown.isprintable()
    assert escape(shown) == shown


def test_escapes_are_the_ones_of_python_literals():
    """ESC, C1, bidi marks, line breaks, lone surrogates and what is beyond the BMP."""
    assert escape("\x1b]52;c\x07 \x9b \u202e \n \udc80 \U000e0001") == (
        "\\x1b]52;c\\x07 \\x9b \\u202e \\x0a \\udc80 \\U000e0001"
    )


def test_what_is_to_be_kept_is_not_escaped():
    """A traceback keeps its lines."""
    assert escape("a\nb\x1b", keep="\n") == "a\nb\\x1b"


@given(texts, st.integers(8, 100))
def test_bounded_text_fits_its_bytes(text, limit):
    """The limit is of bytes of UTF-8, escapes and the mark of the cut included."""
    assert len(bounded(text, limit).encode()) <= limit


@given(values)
def test_the_text_of_any_value_is_printable_and_bounded(value):
    """Whatever is nested in whatever."""
    shown = value_text(value)
    assert shown.isprintable()
    assert len(shown.encode()) <= TEXT_LIMIT


@given(
    st.integers() | st.booleans() | st.none() | st.floats() | st.text(max_size=50) | st.lists(st.integers(), max_size=9)
)
def test_small_plain_values_look_as_in_python(value):
    """The text is the one of `repr`, where that is short."""
    assert value_text(value) == escape(repr(value))


def test_all_arguments_together_are_bounded():
    """Fifty long ones take no more room than one."""
    assert len(arguments_text(["x" * 1_000] * 50, {f"k{n}": "é" * 1_000 for n in range(50)}).encode()) <= TEXT_LIMIT


@pytest.mark.parametrize(
    "value",
    [
        list(range(3_000_000)),
        "x" * 50_000_000,
        b"x" * 50_000_000,
        dict.fromkeys(range(2_000_000)),
        deque(range(2_000_000)),
        dict.fromkeys(range(2_000_000)).keys(),
        10 ** (1 << 20),
        [["deep"] * 1_000] * 1_000,
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_cost_does_not_grow_with_the_value(value):
    """Huge values take well under a millisecond, where `repr` takes from ten to thousands of them."""
    best = min(_seconds(value) for _ in range(5))
    assert best < 0.001


def _seconds(value):
    began = time.perf_counter()
    value_text(value)
    return time.perf_counter() - began


@pytest.mark.parametrize(
    "name",
    ["password", "db_passwd", "ClientSecret", "TOKEN", "api_key", "X-Api-Key", "apiKey", "Authorization", "cookies",
     "session_id", "AWS_CREDENTIALS", "private_key", b"password", "x" * 500 + "token"],
)  # fmt: skip
def test_names_of_secrets_are_known(name):
    """Any case, anywhere in the name."""
    assert is_secret(name)


@pytest.mark.parametrize("name", ["text", "limit", "path", "key", "", 7, None, ("password",)])
def test_other_names_are_not_secret(name):
    """Neither are keys that are no text."""
    assert not is_secret(name)


class Point(NamedTuple):
    x: int
    secret: str


@dataclass
class Account:
    user: str
    password: str


class Login(msgspec.Struct):
    user: str
    token: str


@pytest.mark.parametrize(
    "value",
    [
        {"password": "hunter2"},
        {"a": [{"b": ({"Api-Key": "hunter2"},)}]},
        {b"cookie": "hunter2"},
        OrderedDict(session=["hunter2"]),
        Account("bob", "hunter2"),
        [Account("bob", "hunter2")],
        Login("bob", "hunter2"),
        Point(1, "hunter2"),
    ],
)
def test_secrets_are_left_out_at_any_depth(value):
    """In dicts, dataclasses, structs and named tuples; the rest of them stays."""
    assert "hunter2" not in value_text(value)
    assert REDACTED in value_text(value)


def test_secret_parameters_are_left_out():
    """By keyword, by position, and when they are declared so."""
    shown = arguments_text(("bob", "hunter2"), {"pin": "hunter2", "token": "hunter2"}, ("user", "password"), {"pin"})
    assert shown == f"'bob', {REDACTED}, pin={REDACTED}, token={REDACTED}"


@pytest.mark.parametrize(
    "text",
    [
        "password='hunter2'",
        'token: "hunter2"',
        "Authorization: Bearer hunter2",
        "passwd=hunter2&x=1",
        "{'api_key': 'hunter2'}",
        "PA\u017f\u017fWORD=hunter2",
    ],
)
def test_assignments_in_error_texts_are_scrubbed(text):
    """What looks like `password=…` in a message loses its value."""
    assert "hunter2" not in scrub(text)


def test_signatures_are_not_scrubbed():
    """The annotation of a parameter is no secret."""
    assert scrub("login(user: str, password: str)") == "login(user: str, password: str)"


def test_scrubbing_hostile_text_takes_no_quadratic_time():
    """Long runs of word characters are what makes such expressions slow."""
    began = time.perf_counter()
    scrub("token" * 2_000 + "=" * 2_000 + "password-" * 2_000)
    assert time.perf_counter() - began < 0.5


def _raising(error):
    def method(self, *_):
        raise error

    return method


@pytest.mark.parametrize(
    "error", [ValueError("x"), SystemExit(), KeyboardInterrupt(), RecursionError(), GeneratorExit()]
)
def test_a_repr_that_raises_breaks_nothing(error):
    """Whatever it raises."""
    hostile = type("Hostile", (), {"__repr__": _raising(error)})()
    assert value_text([1, hostile]) == "[1, <unreadable Hostile>]"


def test_a_repr_that_returns_nonsense_breaks_nothing():
    """No text, endless text, text that moves the cursor."""
    for said in (None, 7, "x" * 1_000_000, "\x1b[2J"):
        shown = value_text(type("Odd", (), {"__repr__": lambda self, said=said: said})())
        assert shown.isprintable()
        assert len(shown) < 500


@pytest.mark.parametrize("base", [list, dict, str, int, tuple, set, bytes])
def test_what_a_derived_container_overrides_does_not_run(base):
    """It is read through its base's own methods."""
    bad = _raising(ValueError("ran"))
    overridden = (
        "__repr__",
        "__str__",
        "__len__",
        "__iter__",
        "items",
        "__getitem__",
        "__class__",
        "bit_length",
        "__format__",
    )
    value = type("Derived", (base,), dict.fromkeys(overridden, bad))()
    assert "unreadable" not in value_text(value)


def test_a_value_that_contains_itself_comes_to_an_end():
    """Lists, dicts, and two that contain each other."""
    one: list[object] = []
    two = {"one": one}
    one += [one, two]
    assert "…" in value_text(one)


class Colour(enum.Enum):
    RED = 1


def test_other_values_show_what_their_repr_says():
    """Enum members by name, paths as their text."""
    assert value_text([Colour.RED, Path("/a")]) == "[Colour.RED, '/a']"
