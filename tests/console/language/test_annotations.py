"""Annotations' text as kinds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.language.annotations import Kind, read_annotation

INT, NONE = Kind("int"), Kind("None")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("int", INT), ("pathlib.Path", Kind("Path")), ("None", NONE), ('"int"', INT),
        ("int | None", Kind("Union", (INT, NONE))), ("Optional[int]", Kind("Union", (INT, NONE))),
        ("typing.Union[int, str, None]", Kind("Union", (INT, Kind("str"), NONE))),
        ("int | int", INT), ("list[int]", Kind("list", (INT,))), ("tuple[int, ...]", Kind("tuple", (INT,))),
        ("dict[str, list[int]]", Kind("dict", (Kind("str"), Kind("list", (INT,))))),
        ("Literal['a', 1, None]", Kind("Literal", choices=("a", 1, None))),
        ("Secret[int]", INT), ("Annotated[int, 5]", INT), ("list", Kind("list")),
    ],
)  # fmt: skip
def test_what_an_annotation_wants(text: str, kind: Kind) -> None:
    """Names without modules, unions flat, what only marks a type left out."""
    assert read_annotation(text) == kind


@pytest.mark.parametrize("text", ["", "  ", "a b", "lambda: 1", "list[", "f(x)", "Literal[f()]", "[" * 500])
def test_what_cannot_be_understood_is_anything(text: str) -> None:
    """Nothing is refused for an annotation that is not one."""
    assert read_annotation(text) == Kind("Any")


@given(st.text())
def test_no_text_raises(text: str) -> None:
    """Annotations come from the program that is looked at."""
    read_annotation(text)
