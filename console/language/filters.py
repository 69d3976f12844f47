"""What a filter says, as frozen values, and as text again: `parse(format_filter(filter)) == filter`."""

import re
from typing import Final, Literal

from msgspec import Struct

from console.language import durations
from console.language.filter_fields import CALLS, Fields
from console.language.filter_tokens import is_value, is_word
from console.language.patterns import is_glob
from console.language.values import quote

_PLAIN: Final = re.compile(r"[\w./@+%,~#$-]+")
Order = Literal["=", ">", ">=", "<", "<="]


class Word(Struct, frozen=True):
    """A bare word: the name contains it, or matches it when it has a wildcard."""

    text: str

    def __post_init__(self) -> None:
        if not is_word(self.text):
            raise ValueError(f"{self.text!r} is not one bare word: use Phrase or Match")


class Phrase(Struct, frozen=True):
    """A "text" that is anywhere in what a thing says."""

    text: str


class Match(Struct, frozen=True):
    """What a field says contains a text, is it exactly, or matches a pattern (one bare word)."""

    field: str
    text: str
    how: Literal["contains", "is", "pattern"] = "contains"

    def __post_init__(self) -> None:
        if self.how == "pattern" and not (is_glob(self.text) and is_value(self.text)):
            raise ValueError(f"{self.text!r} is no pattern: one word with * ? or [ ], no ( )")


class Is(Struct, frozen=True):
    """A field is one of its choices."""

    field: str
    choice: str


class Compare(Struct, frozen=True):
    """A time (ns) or number (with six decimals at most) compared; what is not known compares as false."""

    field: str
    op: Order
    value: float


class Between(Struct, frozen=True):
    """A time or number from LEAST to MOST, both included."""

    field: str
    least: float
    most: float


class Not(Struct, frozen=True):
    """The opposite."""

    of: "Filter"


class And(Struct, frozen=True):
    """All of them, which are two or more; `ALL` has none and is true of everything."""

    of: tuple["Filter", ...]


class Or(Struct, frozen=True):
    """Any of them, which are two or more."""

    of: tuple["Filter", ...]


Filter = Word | Phrase | Match | Is | Compare | Between | Not | And | Or
ALL: Final = And(())
"""The filter of an empty line."""


def format_filter(what: Filter, fields: Fields = CALLS) -> str:
    """The text that `parse` turns into WHAT again."""
    match what:
        case Not(of):
            return f"not {_inner(of, fields, And, Or)}"
        case And(of):
            return " ".join(_inner(each, fields, And, Or) for each in of)
        case Or(of):
            return " or ".join(_inner(each, fields, Or) for each in of)
        case _:
            return _term(what, fields)


def _inner(what: Filter, fields: Fields, *bracketed: type) -> str:
    text = format_filter(what, fields)
    return f"({text})" if isinstance(what, bracketed) else text


def _term(what: Word | Phrase | Match | Is | Compare | Between, fields: Fields) -> str:
    match what:
        case Word(text):
            return text
        case Phrase(text):
            return quote(text)
        case Match(field, text, how):
            return f"{field}{'=' if how == 'is' else ':'}{text if how == 'pattern' else write_text(text)}"
        case Is(field, choice):
            return f"{field}:{choice}"
        case Compare(field, op, value):
            return f"{field}{op}{_number(field, value, fields)}"
        case Between(field, least, most):
            return f"{field}:{_number(field, least, fields)}..{_number(field, most, fields)}"


def write_text(text: str) -> str:
    """TEXT as it stands behind a field: between quotes where it has to be."""
    return text if _PLAIN.fullmatch(text) and text.isprintable() else quote(text)


def _number(name: str, value: float, fields: Fields) -> str:
    field = fields.find(name)
    if field and field.kind == "time":
        return durations.write(int(value))
    return str(value) if isinstance(value, int) else f"{value:.6f}"
