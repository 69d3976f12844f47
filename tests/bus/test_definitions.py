"""What is told of a program's own types, and members of Enums by their names."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, NamedTuple, TypedDict

import msgspec
import pytest

from bus import BadArguments
from bus.definitions import MOST, definitions
from bus.secret import Secret
from bus.signature import annotation_text, schema_of
from bus.trace.records import Definition


class Colour(Enum):
    RED = 1
    GREEN = 2


class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"


@dataclass
class Point:
    x: int
    colour: Colour = Colour.RED
    tags: list[str] = field(default_factory=list)


@dataclass
class Login:
    user: str
    key: Secret[str] = "hunter2"


class Pair(NamedTuple):
    left: int
    right: int = 0


class Options(TypedDict, total=False):
    deep: bool


class Size(msgspec.Struct):
    width: int
    height: int = 1


@dataclass
class Node:
    children: "list[Node]"


def told(annotation: Any) -> tuple[Definition, ...]:
    return definitions(annotation, annotation_text, repr)


@pytest.mark.parametrize("annotation", [Colour, Colour | None, list[Colour], dict[str, list[Colour]]])
def test_the_members_of_an_enum_are_told(annotation: Any) -> None:
    """By name, wherever in the annotation it stands."""
    assert told(annotation) == (Definition(name="Colour", choices=("RED", "GREEN")),)


def test_the_fields_of_a_class_are_told_with_the_types_that_they_name() -> None:
    """Names, types, defaults, and the Enum that a field has."""
    point, colour = told(list[Point])
    assert [(each.name, each.annotation, each.default) for each in point.fields] == [
        ("x", "int", None), ("colour", "Colour", repr(Colour.RED)), ("tags", "list[str]", "list()"),
    ]  # fmt: skip
    assert colour.choices == ("RED", "GREEN")


@pytest.mark.parametrize(
    ("kind", "required", "optional"),
    [(Pair, ["left"], ["right"]), (Options, [], ["deep"]), (Size, ["width"], ["height"])],
)
def test_other_classes_with_fields(kind: type, required: list[str], optional: list[str]) -> None:
    """Named tuples, TypedDicts and Structs are as good as dataclasses."""
    (only,) = told(kind)
    assert [each.name for each in only.fields if each.required] == required
    assert [each.name for each in only.fields if not each.required] == optional


def test_the_default_of_a_secret_field_is_not_told() -> None:
    """A field that is marked is told as such, without its default."""
    key = told(Login)[0].fields[1]
    assert key.secret
    assert "hunter2" not in str(key)


def test_a_type_within_itself_ends() -> None:
    """A tree of nodes is told once; however many types there are, only so many are told."""
    assert [each.name for each in told(Node)] == ["Node"]
    many = [Enum(f"E{number}", ["A"]) for number in range(2 * MOST)]
    assert len(told(tuple[tuple(many)])) == MOST  # type: ignore[misc]  # made at run time


@pytest.mark.parametrize("annotation", [int, "Unknown", Annotated[str, "x"], None, Any, list])
def test_of_other_types_nothing_is_told(annotation: Any) -> None:
    """Plain types, those that cannot be resolved, and none at all."""
    assert told(annotation) == ()


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (Colour, "GREEN", Colour.GREEN),
        (Colour, 2, Colour.GREEN),
        (Mode, "SLOW", Mode.SLOW),
        (Mode, "slow", Mode.SLOW),
        (Colour | None, "RED", Colour.RED),
        (list[Colour], ["RED", 2], [Colour.RED, Colour.GREEN]),
        (dict[str, Mode], {"a": "FAST"}, {"a": Mode.FAST}),
        (tuple[int, Mode], [1, "FAST"], (1, Mode.FAST)),
        (Point, {"x": 1, "colour": "GREEN"}, Point(1, Colour.GREEN)),
        (list[Point], [{"x": 1, "colour": "GREEN"}], [Point(1, Colour.GREEN)]),
        (Point | None, {"x": 1, "colour": "GREEN"}, Point(1, Colour.GREEN)),
    ],
)
def test_members_can_be_given_by_name(annotation: Any, value: object, expected: object) -> None:
    """As well as by value, at any depth."""

    def take(value: object) -> None: ...

    take.__annotations__["value"] = annotation
    assert schema_of(take).convert("take", [value], {})[0] == (expected,)


def test_a_name_that_is_no_member_is_refused() -> None:
    """The message says what was wanted."""

    def take(value: Colour) -> None: ...

    with pytest.raises(BadArguments, match="is not Colour"):
        schema_of(take).convert("take", ["BLUE"], {})
