"""A command's schema: what it checks, what it converts, how it reads."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import BadArguments
from bus.signature import convert_for_any, describe, schema_of


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: int = 0


def plain(a: int, b: str = "x") -> None: ...
def keyword(a: int, *, flag: bool) -> None: ...
def gather(a: int, *rest: int, **extra: str) -> None: ...
def positional(a: int, /, b: int = 0) -> None: ...
def nothing() -> None: ...


SHAPES: list[Callable[..., None]] = [plain, keyword, gather, positional, nothing]


@given(
    shape=st.sampled_from(SHAPES),
    args=st.lists(st.integers(), max_size=4),
    kwargs=st.dictionaries(st.sampled_from(["a", "b", "flag", "other"]), st.integers(), max_size=3),
)
def test_check_agrees_with_the_interpreter(shape: Callable[..., None], args: list[int], kwargs: dict[str, int]) -> None:
    """A call passes the check exactly when Python would bind it."""
    try:
        inspect.signature(shape).bind(*args, **kwargs)
        binds = True
    except TypeError:
        binds = False
    try:
        schema_of(shape).check("shape", args, kwargs)
        passes = True
    except BadArguments:
        passes = False
    assert passes == binds


@pytest.mark.parametrize(
    ("callback", "args", "kwargs", "message"),
    [
        (plain, (), {}, r"f\(a: int, b: str = 'x'\): a is missing"),
        (plain, (1, 2, 3), {}, "takes 2 positional arguments, got 3"),
        (plain, (1,), {"c": 1}, "c is unexpected"),
        (plain, (1,), {"a": 1}, "a is given twice"),
        (keyword, (1,), {}, "flag is missing"),
    ],
)
def test_message_names_what_is_wrong(
    callback: Callable[..., None], args: tuple[int, ...], kwargs: dict[str, int], message: str
) -> None:
    """BadArguments shows the signature and names what is missing or unexpected."""
    with pytest.raises(BadArguments, match=message):
        schema_of(callback).check("f", args, kwargs)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (int, "5", 5),
        (float, 2, 2.0),
        (bool, "true", True),
        (str, 5, "5"),
        (str | None, None, None),
        (Path, "a/b", Path("a/b")),
        (datetime, "2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5)),  # noqa: DTZ001  as it was given
        (Colour, "red", Colour.RED),
        (Point, {"x": 1}, Point(1)),
        (list[int], ["1", 2], [1, 2]),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (Literal["a", "b"], "b", "b"),
        (object, "anything", "anything"),
        (Any, [1], [1]),
    ],
)
def test_values_become_what_the_annotation_says(annotation: Any, value: object, expected: object) -> None:
    """Values that came as text or from the wire are converted by the annotation."""

    def take(value: object) -> None: ...

    take.__annotations__["value"] = annotation
    assert schema_of(take).convert("take", [value], {})[0] == (expected,)
    assert schema_of(take).convert("take", [], {"value": value})[1] == {"value": expected}


@pytest.mark.parametrize(("annotation", "value"), [(int, "five"), (Colour, "blue"), (Point, {"y": 1}), (Path, 5)])
def test_value_that_does_not_fit_is_named(annotation: Any, value: object) -> None:
    """BadArguments says which parameter, which value, and what was wanted."""

    def take(value: object) -> None: ...

    take.__annotations__["value"] = annotation
    with pytest.raises(BadArguments, match=r"take: value=.* is not "):
        schema_of(take).convert("take", [value], {})


def test_rest_and_extra_are_converted_too() -> None:
    """*args and **kwargs convert each value by their annotation."""
    assert schema_of(gather).convert("f", ["1", "2", "3"], {"k": 4}) == ((1, 2, 3), {"k": "4"})


def test_event_is_converted_for_the_first_listener_that_it_fits() -> None:
    """An event's values become what the first fitting listener wants, and stay as they are when none fits."""
    schemas = [schema_of(nothing), schema_of(plain)]
    assert convert_for_any(schemas, "e", ["1"], {}) == ((1,), {})
    assert convert_for_any(schemas, "e", ["one"], {}) == (("one",), {})


def test_description_reads_like_the_source() -> None:
    """Names, annotations, defaults, first docstring line and place are those of the source."""

    def documented(path: Path, limit: int | None = None, *names: str) -> list[str]:
        """Do it.

        At length.
        """
        return []

    schema = schema_of(documented)
    assert [describe(p) for p in schema.parameters] == ["path: Path", "limit: int | None = None", "*names: str"]
    assert (schema.returns, schema.doc) == ("list[str]", "Do it.")
    assert schema.where.rpartition(":")[0] == __file__


def test_annotations_are_shown_without_their_modules() -> None:
    """A class inside a generic annotation is shown by its name, as at its own."""

    def take(paths: list[Path], when: dict[str, datetime] | None = None) -> list[Point]: ...

    schema = schema_of(take)
    assert [p.annotation for p in schema.parameters] == ["list[Path]", "dict[str, datetime] | None"]
    assert schema.returns == "list[Point]"


def test_secret_defaults_are_not_shown() -> None:
    """The default of a parameter with a secret's name is redacted."""

    def login(user: str, api_token: str = "hunter2") -> None: ...

    parameter = schema_of(login).parameters[1]
    assert parameter.secret
    assert "hunter2" not in describe(parameter)


def test_callbacks_that_are_no_functions() -> None:
    """Partials, built-ins and annotations that cannot be resolved are taken as they are."""

    def unresolved(value: "Nowhere") -> None: ...  # noqa: F821  the point of it

    assert schema_of(partial(plain, 1)).parameters[0].name == "b"
    schema_of(dict.get).check("get", (1, 2), {})
    assert schema_of(unresolved).convert("f", ["x"], {}) == (("x",), {})


def test_hostile_default_does_not_prevent_a_registration() -> None:
    """A default whose repr raises is described by its type."""

    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError

    def take(value: object = Hostile()) -> None: ...

    assert "Hostile" in describe(schema_of(take).parameters[0])
