"""Recorded arguments as values again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.trace.records import Call, Parameter
from bus.trace.redact import arguments_text
from console.language import captured
from console.language.grammar import Execute, Fire
from console.language.tokens import Span
from console.language.values import read
from tests.hostile import TEXTS

keys = st.text(st.sampled_from("abcdef"), min_size=1, max_size=4)
plain = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
small = st.recursive(
    plain | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)


def call(args: str, **more: Any) -> Call:
    return Call(**{"id": 1, "root": 1, "kind": "command", "name": "a.b", "queued": 1, "args": args, **more})


def a_parameter(name: str, kind: str = "positional_or_keyword") -> Parameter:
    return Parameter(name=name, kind=kind)  # type: ignore[arg-type]


@given(st.lists(small, max_size=4), st.dictionaries(keys, small, max_size=4))
def test_what_was_recorded_whole_comes_back(args: list[Any], kwargs: dict[str, Any]) -> None:
    """Every plain value, whatever is in its text; the only law that matters for running a call again."""
    request = captured.again(call(arguments_text(args, kwargs)))
    if any(not each.known for each in captured.arguments(arguments_text(args, kwargs))):
        assert len(arguments_text(args, kwargs)) > 200  # only what was cut
        return
    assert request == Execute("a.b", tuple(args), kwargs)


@pytest.mark.parametrize(
    "value", ["x" * 5_000, list(range(100)), {"a": [[[[[[[[1]]]]]]]]}, object(), 1 << 5_000, float("inf"), b"x", 1j]
)
def test_what_was_cut_or_is_no_plain_value_is_never_made_up(value: object) -> None:
    """The call is not made again with something else; the other arguments are still known."""
    found = captured.arguments(arguments_text([1, value], {"limit": 5}))
    assert [each.known for each in found] == [True, False, True]
    assert captured.again(call(arguments_text([1, value], {"limit": 5}))) is None


def test_secrets_do_not_come_back() -> None:
    """They were never recorded."""
    text = arguments_text([], {"user": "a", "password": "b"})
    assert [(each.name, each.known) for each in captured.arguments(text)] == [("user", True), ("password", False)]


@given(st.lists(st.text(max_size=60), min_size=1, max_size=8), st.integers(1, 200))
def test_a_text_that_was_cut_anywhere_is_not_taken_for_whole(args: list[str], limit: int) -> None:
    """Wherever the end of the room fell, all that comes back is what was there."""
    text = arguments_text(args, {}, limit=limit)
    request = captured.again(call(text))
    assert request is None or request.args == tuple(args)


def test_very_many_arguments_are_not_all_recorded() -> None:
    """Nothing says how many there were, so the call is not made again."""
    assert captured.again(call(arguments_text(range(60), {}))) is None


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text_is_only_text(name: str) -> None:
    """It comes back as it was, or not at all."""
    text = arguments_text([TEXTS[name]], {})
    for each in captured.arguments(text):
        assert not each.known or each.value == TEXTS[name]


@pytest.mark.parametrize(
    "text", ["'", "(", "]", ",", ",,", "a=", "=", "x=(1", "\\", "'\\", "f(x)", "__import__('os')", "[" * 5_000]
)
def test_what_nobody_wrote_is_not_known(text: str) -> None:
    """Damaged or forged text raises nothing, and is not run."""
    assert not any(each.known for each in captured.arguments(text))


def test_events_are_fired_again_and_deliveries_are_not() -> None:
    """A delivery is made by its event only."""
    assert captured.again(call("path='a'", kind="event")) == Fire("a.b", (), {"path": "a"})
    assert captured.again(call("path='a'", kind="delivery")) is None


def test_the_fields_of_a_form() -> None:
    """By the names of the parameters; what is not known is left empty."""
    parameters = [a_parameter("text"), a_parameter("limit"), a_parameter("more", "var_positional")]
    found = captured.arguments("'thread pool', 5, 'a b', 7")
    assert captured.texts(found, parameters) == {"text": '"thread pool"', "limit": "5", "more": '"a b" 7'}
    named = [a_parameter("text"), a_parameter("password"), a_parameter("rest", "var_keyword")]
    found = captured.arguments("text='x', password=‹redacted›, size=4, deep=…")
    assert captured.texts(found, named) == {"text": "x", "rest": "size=4"}
    assert captured.texts(captured.arguments("1, 2, zzz=3"), [a_parameter("a")]) == {"a": "1"}


@given(st.lists(small, min_size=1, max_size=3))
def test_what_stands_in_a_field_is_read_back(args: list[Any]) -> None:
    """As the value that it was."""
    parameters = [a_parameter(f"p{n}") for n in range(len(args))]
    for name, text in captured.texts(captured.arguments(arguments_text(args, {})), parameters).items():
        assert read(text, Span(0, len(text))) == args[int(name[1:])]
