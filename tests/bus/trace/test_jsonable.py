import json
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bus.trace.jsonable import VALUE_LIMIT, json_text

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(categories=("L", "N", "P"))),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text("abcxyz", max_size=5), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(plain)
def test_plain_data_comes_back_as_it_was(value):
    """JSON-like values that are small and printable lose nothing."""
    assert json.loads(json_text(value)) == value


@dataclass
class Hit:
    path: Path
    token: str


def test_objects_with_fields_become_objects_without_their_secrets():
    """A list of dataclasses is a table for the console."""
    assert json.loads(json_text([Hit(Path("/a"), "hunter2")])) == [{"path": "/a", "token": "‹redacted›"}]


def test_text_is_escaped_but_keeps_its_lines():
    """What a terminal would act on is gone; line breaks are harmless in JSON."""
    assert json.loads(json_text("a\nb\tc\x1b\u202e")) == "a\nb\tc\\x1b\\u202e"


def test_long_values_are_cut_and_say_so():
    """A list of a million ints stays small."""
    assert json.loads(json_text(list(range(1_000_000))))[-1] == "… +999000"


def test_what_does_not_fit_has_no_value():
    """Its text is all there is then."""
    assert json_text(["x" * 16_000] * 100) == ""
    assert len(json_text(["x" * 1_000] * 200).encode()) <= VALUE_LIMIT


def test_values_that_json_cannot_carry_become_text():
    """Numbers too long or not finite, sets, bytes, keys that are no text, depth without end."""
    endless: list[object] = []
    endless.append(endless)
    for value in (10**400, float("nan"), {1, 2}, b"x", {(1, 2): 3}, endless, object(), lambda: None):
        json.loads(json_text(value))


def test_a_hostile_object_is_named():
    """Nothing leaves the function but text."""

    class Hostile:
        def __repr__(self):
            raise SystemExit

    assert json.loads(json_text({"x": Hostile()})) == {"x": "<unreadable Hostile>"}
