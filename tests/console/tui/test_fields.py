"""What was typed into a form as arguments."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from bus.trace.records import Definition, Parameter
from console.language.tokens import LanguageError
from console.tui.fields import as_line, as_texts, fill, hint


def parameter(
    name: str, annotation: str = "", default: str | None = None, kind: Any = "positional_or_keyword"
) -> Parameter:
    return Parameter(name=name, kind=kind, annotation=annotation, default=default)


TEXT, LIMIT = parameter("text", "str"), parameter("limit", "int", "20")


@pytest.mark.parametrize(
    ("texts", "kwargs"),
    [
        ({"text": "thread pool"}, {"text": "thread pool"}),
        ({"text": "5", "limit": "5"}, {"text": "5", "limit": 5}),
        ({"text": '""'}, {"text": ""}),
        ({"text": '"a b"', "limit": "0x10"}, {"text": "a b", "limit": 16}),
        ({"text": "it's"}, {"text": "it's"}),
    ],
)
def test_text_needs_no_quotes_and_other_values_are_read(texts: dict[str, str], kwargs: dict[str, Any]) -> None:
    """A field of type str takes what is typed; the others take values of the language; empty is the default."""
    filled = fill([TEXT, LIMIT], texts)
    assert (filled.args, filled.kwargs, filled.errors) == ([], kwargs, {})


def test_what_is_missing_or_wrong_is_said_by_field() -> None:
    """Each error belongs to its parameter."""
    filled = fill([TEXT, parameter("names", "list[str]")], {"names": "[1,"})
    assert set(filled.errors) == {"text", "names"}
    assert fill([TEXT, LIMIT], {"text": "a", "limit": "many"}).errors == {"limit": "write a whole number"}
    assert fill([parameter("when", "datetime")], {}).errors == {"when": "required: datetime"}
    assert fill([parameter("more", "int", kind="var_keyword")], {"more": "a=x"}).errors == {
        "more": "write a whole number"
    }


def test_positional_and_variable_parameters_keep_their_places() -> None:
    """What follows by position makes what stands before it positional too."""
    several, named = parameter("rest", kind="var_positional"), parameter("more", kind="var_keyword")
    only = parameter("first", "int", kind="positional_only")
    filled = fill([only, TEXT, several, named], {"first": "1", "text": "a", "rest": "2 x", "more": "k=3"})
    assert (filled.args, filled.kwargs) == ([1, "a", 2, "x"], {"k": 3})
    assert fill([only, TEXT, several], {"first": "1", "rest": "2"}).errors == {
        "text": 'required; write "" for empty text'
    }
    assert "limit" in fill([LIMIT, several], {"rest": "2"}).errors


def test_hints_say_type_and_default() -> None:
    """What stands beside a field."""
    assert hint(TEXT) == "str, required"
    assert hint(LIMIT) == "int = 20"
    assert hint(parameter("x")) == "required"
    assert hint(parameter("x", "int", kind="var_positional")) == "several, int"
    assert hint(parameter("x", "Literal['a', 'b c']", "'a'")) == "a | \"b c\" = 'a'"
    colour = Definition(name="Colour", choices=("RED", "GREEN"))
    assert hint(structs.replace(parameter("x", "Colour"), definitions=(colour,))) == "RED | GREEN, required"


ONLY, SEVERAL, NAMED = (
    parameter("first", "int", kind="positional_only"),
    parameter("rest", kind="var_positional"),
    parameter("more", kind="var_keyword"),
)


@given(st.text(st.characters(exclude_categories=("Cs",))), st.text(st.characters(exclude_categories=("Cs",))))
@example("(:)", "=")
@example("(1 2)", "[a")
@example('"\'"', "'")
def test_fields_become_a_line_and_fields_again(text: str, limit: str) -> None:
    """Whatever was typed stands in the same field as before, and means the same.

    Only what is wrong in a field, a quote that does not end, becomes a text that is right: a line has no other form.
    """
    texts = {name: typed.strip() for name, typed in (("text", text), ("limit", limit)) if typed.strip()}
    again = as_texts([TEXT, LIMIT], as_line([TEXT, LIMIT], texts))
    before, after = fill([TEXT], texts), fill([TEXT], again)
    assert after.kwargs.get("text") == before.kwargs.get("text", after.kwargs.get("text"))
    assert after.kwargs or not before.kwargs
    assert as_line([TEXT, LIMIT], again) == as_line([TEXT, LIMIT], texts)


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ('"thread pool" 5', {"text": "thread pool", "limit": "5"}),
        ("limit=5 text=a", {"text": "a", "limit": "5"}),
        ('text="5"', {"text": '"5"'}),
        ('text=""', {"text": '""'}),
        ("", {}),
    ],
)
def test_a_line_fills_the_fields(line: str, texts: dict[str, str]) -> None:
    """By place and by name; quotes that only keep a text together are not shown in its field."""
    assert as_texts([TEXT, LIMIT], line) == texts


def test_several_values_stay_together() -> None:
    """What follows by place and by name goes into the fields for that, and comes back."""
    parameters = [ONLY, SEVERAL, NAMED]
    texts = {"first": "1", "rest": "2 'a b'", "more": "k=3"}
    assert as_line(parameters, texts) == "1 2 'a b' k=3"
    assert as_texts(parameters, as_line(parameters, texts)) == texts


@pytest.mark.parametrize("line", ["nosuch=1", "1 2 3", "[1", "text=a text=b"])
def test_a_line_that_does_not_fit_is_refused(line: str) -> None:
    """It stays a line, and says why."""
    with pytest.raises(LanguageError):
        as_texts([TEXT, LIMIT], line)
