"""What is typed for a parameter, and what is sent for it; what is refused, and why."""

import contextlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.signature import Schema, schema_of
from bus.trace.records import Parameter
from console.language.fitting import choices, fit_text, takes_text
from console.language.tokens import LanguageError


class Colour(Enum):
    RED = 1
    GREEN = 2


@dataclass
class Point:
    x: int
    colour: Colour = Colour.RED


def schema(annotation: Any) -> Schema:
    def take(value: object) -> None: ...

    take.__annotations__["value"] = annotation
    return schema_of(take)


def parameter(annotation: Any) -> Parameter:
    return schema(annotation).parameters[0]


@pytest.mark.parametrize(
    ("annotation", "text", "sent", "received"),
    [
        (int, "5", 5, 5),
        (int, "0x1f", 31, 31),
        (float, "5", 5.0, 5.0),
        (bool, "true", True, True),
        (str, "5", "5", "5"),
        (str, "[1, 2]", "[1, 2]", "[1, 2]"),
        (str, '"5"', "5", "5"),
        (Path, "a b/c.py", "a b/c.py", Path("a b/c.py")),
        (datetime, "2026-01-31 12:00", "2026-01-31T12:00:00", datetime(2026, 1, 31, 12)),  # noqa: DTZ001  as it was given
        (date, "2026-01-31", "2026-01-31", date(2026, 1, 31)),
        (UUID, "12345678" * 4, str(UUID("12345678" * 4)), UUID("12345678" * 4)),
        (Decimal, "1.50", "1.50", Decimal("1.50")),
        (Colour, "GREEN", "GREEN", Colour.GREEN),
        (Colour, "green", "GREEN", Colour.GREEN),
        (Colour | None, "None", None, None),
        (int | None, "None", None, None),
        (int | None, "7", 7, 7),
        (int | str, "7", 7, 7),
        (int | str, "seven", "seven", "seven"),
        (str | None, "null", None, None),
        (list[int], "[1, 2]", [1, 2], [1, 2]),
        (list[int], "1, 2", [1, 2], [1, 2]),
        (list[str], "a, b", ["a", "b"], ["a", "b"]),
        (list[int] | None, "1,2", [1, 2], [1, 2]),
        (list[Colour], "RED, GREEN", ["RED", "GREEN"], [Colour.RED, Colour.GREEN]),
        (tuple[int, str], '[1, "a"]', [1, "a"], (1, "a")),
        (set[int], "[1, 1]", [1, 1], {1}),
        (dict[str, int], '{"a": 1}', {"a": 1}, {"a": 1}),
        (Point, '{"x": 1, "colour": "GREEN"}', {"x": 1, "colour": "GREEN"}, Point(1, Colour.GREEN)),
        (list[Point], '[{"x": 1}]', [{"x": 1}], [Point(1)]),
        (Literal["a", "b"], "b", "b", "b"),
        (Literal[1, "x"], "1", 1, 1),
        (Any, "5", 5, 5),
        (object, "word", "word", "word"),
    ],
)
def test_what_fits_is_what_the_program_gets(annotation: Any, text: str, sent: Any, received: Any) -> None:
    """The value that is sent, and what the program makes of it by the real type."""
    made = fit_text(parameter(annotation), text)
    assert (made, type(made)) == (sent, type(sent))
    assert schema(annotation).convert("take", [made], {})[0] == (received,)


@pytest.mark.parametrize(
    ("annotation", "text", "said"),
    [
        (int, "five", "write a whole number"),
        (int, "5.5", "write a whole number"),
        (int, "true", "write a whole number"),
        (int, "None", "write a whole number"),
        (float, "x", "write a number"),
        (float, "1" * 400, "not so large"),
        (bool, "5", "write true or false"),
        (datetime, "yesterday", "as in 2026-01-31T12:00"),
        (date, "31.1.2026", "as in 2026-01-31"),
        (UUID, "x", "write a UUID"),
        (Decimal, "x", "write a number"),
        (Colour, "BLUE", "write one of RED, GREEN"),
        (Literal["a", "b"], "c", "write one of a, b"),
        (int | None, "x", "write a whole number"),
        (int | bool, "x", "write int or bool"),
        (list[int], "[1, x]", "needs quotes"),
        (list[int], '[1, "x"]', "value 2: write a whole number"),
        (list[int], "1, x", "value 2: write a whole number"),
        (list[int], '{"a": 1}', "a list, as in [1, 2]"),
        (tuple[int, str], "[1]", "2 values are wanted"),
        (dict[str, int], "a=1", 'as in {"name": …}'),
        (dict[str, int], '{"a": "x"}', "a: write a whole number"),
        (Point, "1", 'as in {"x": …, "colour": …}'),
        (Point, '{"y": 1}', "Point has no y: it has x, colour"),
        (Point, "{}", "Point also needs x"),
        (Point, '{"x": "a"}', "x: write a whole number"),
        (Point, '{"x": 1, "colour": "BLUE"}', "colour: write one of RED, GREEN"),
        (str, '"a', "closing quote"),
    ],
)
def test_what_does_not_fit_says_what_would(annotation: Any, text: str, said: str) -> None:
    """One sentence, about the place that is wrong."""
    with pytest.raises(LanguageError) as caught:
        fit_text(parameter(annotation), text)
    assert said in caught.value.message


def test_a_secret_is_not_repeated() -> None:
    """What is wrong with a secret value is said without it."""
    secret = Parameter(name="key", kind="keyword_only", annotation="list[int]", secret=True)
    with pytest.raises(LanguageError) as caught:
        fit_text(secret, "[hunter2")
    assert "hunter2" not in caught.value.message


@given(st.sampled_from(["int", "float", "str | None", "list[int]", "dict[str, int] | list[str]", "", "Nonsense", "bool"]), st.text())  # fmt: skip # noqa: E501
def test_whatever_is_typed_fits_or_is_refused(annotation: str, text: str) -> None:
    """No text raises anything but the language's own error."""
    with contextlib.suppress(LanguageError):
        fit_text(Parameter(name="x", kind="keyword_only", annotation=annotation), text)


def test_choices_and_text() -> None:
    """What can be told of a parameter's values."""
    assert choices(parameter(bool)) == (True, False)
    assert choices(parameter(Colour | None)) == ("RED", "GREEN")
    assert choices(parameter(Literal["a"] | int)) == ()
    assert takes_text(parameter(str | None))
    assert not takes_text(parameter(list[str]))
