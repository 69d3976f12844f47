"""Whether what was written, or a value, fits what a parameter wants, and the JSON-like value that is to be sent for it.

The program converts once more, by the real types; here it is checked what can be known from the annotation's text, so
that a mistake is shown where it was made, before anything is sent.
"""

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from bus.trace.records import Definition, Parameter
from console.language import annotations
from console.language.annotations import ANY, DICTS, LISTS, LITERAL, NONE, TEXTS, UNION, Kind, read_annotation
from console.language.tokens import LanguageError, Span, is_quoted
from console.language.values import read

_MOST_SHOWN: Final = 6
_LONGEST_SHOWN: Final = 60
_AS_WRITTEN: Final = frozenset({"datetime", "date", "time", "UUID", "Decimal"})
"""What is written without quotes, and must not be read as a number before."""
_OPENING: Final = ("[", "(", "{")
Definitions = Mapping[str, Definition]


class MisfitError(ValueError):
    """A value is not what is wanted; the message says what is."""


def fit_text(parameter: Parameter, text: str, span: Span | None = None) -> Any:
    """The value that TEXT, as it was typed for PARAMETER, stands for.

    Raises:
        LanguageError: It does not fit; of a secret value the message repeats nothing.
    """
    span = span or Span(0, len(text))
    kind = read_annotation(parameter.annotation)
    try:
        return _from_text(kind, text, span, _definitions(parameter))
    except MisfitError as error:
        message = f"this does not fit {parameter.annotation}" if parameter.secret else str(error)
        raise LanguageError(message, span) from None


def fit_value(parameter: Parameter, value: Any, span: Span) -> Any:
    """VALUE, which stands at SPAN by another name, as it is to be sent for PARAMETER; raises as `fit_text`."""
    try:
        return fit(read_annotation(parameter.annotation), value, _definitions(parameter))
    except MisfitError as error:
        message = "it" if parameter.secret else f"{value!r}"[:_LONGEST_SHOWN]
        raise LanguageError(f"the last result does not fit: {error}, not {message}", span) from None


def takes_text(parameter: Parameter) -> bool:
    """Whether text without quotes stands for itself: for `str` and paths, also where None is taken."""
    return any(kind.name in TEXTS for kind in read_annotation(parameter.annotation).alternatives)


def choices(parameter: Parameter) -> tuple[Any, ...]:
    """All values that PARAMETER takes, if they can be told: of a bool, a Literal, an Enum."""
    known = _definitions(parameter)
    found: list[Any] = []
    for kind in read_annotation(parameter.annotation).alternatives:
        members = _choices(kind, known)
        if not members and kind.name != NONE:
            return ()
        found += members
    return tuple(found)


def _choices(kind: Kind, known: Definitions) -> tuple[Any, ...]:
    if kind.name == "bool":
        return (True, False)
    return kind.choices or (known[kind.name].choices if kind.name in known else ())


def _definitions(parameter: Parameter) -> Definitions:
    return {each.name: each for each in parameter.definitions}


def _from_text(kind: Kind, text: str, span: Span, known: Definitions) -> Any:
    """As it was typed: where text is taken, all of it; elsewhere what it looks like."""
    if kind.name == UNION and not is_quoted(text):
        ranked = sorted(kind.of, key=lambda each: _rank(each, text, known))
        return _first(ranked, lambda each: _from_text(each, text, span, known))
    if (kind.name in TEXTS or kind.name in _AS_WRITTEN) and not is_quoted(text):
        return fit(kind, text, known)
    if text in _choices(kind, known):
        return text
    if kind.name in LISTS and not text.startswith(_OPENING):
        parts = [part.strip() for part in text.split(",")]
        return fit(kind, [_read(part, span) for part in parts if part], known)
    return fit(kind, _read(text, span), known)


def _rank(kind: Kind, text: str, known: Definitions) -> int:
    """Which alternative is tried first: what begins with a bracket is a list or an object, 5 is a number, then text."""
    has_parts = kind.name in LISTS or kind.name in DICTS or bool(_fields(kind, known))
    if has_parts:
        return 0 if text.startswith(_OPENING) else 3
    return 2 if kind.name in TEXTS or kind.name == ANY else 1


def _read(text: str, span: Span) -> Any:
    try:
        return read(text, span)
    except LanguageError as error:
        raise MisfitError(error.message) from None


def _first(kinds: Sequence[Kind], make: Callable[[Kind], Any]) -> Any:
    """What MAKE gives for the first of KINDS that fits."""
    problems = {}
    for kind in kinds:
        try:
            return make(kind)
        except MisfitError as error:
            problems[kind.name] = error
    problems.pop(NONE, None)
    if len(problems) == 1:
        raise next(iter(problems.values()))
    raise MisfitError(f"write {' or '.join(problems)}")


def fit(kind: Kind, value: Any, known: Definitions) -> Any:
    """VALUE as it is to be sent for KIND.

    Raises:
        MisfitError: it does not fit.
    """
    if kind.name == UNION:
        return _first(kind.of, lambda each: fit(each, value, known))
    if kind.name == LITERAL or _choices(kind, known):
        return _chosen(_choices(kind, known), value)
    if kind.name in LISTS:
        return _list(kind, value, known)
    if kind.name in DICTS:
        return _dict(kind, value, known)
    if fields := _fields(kind, known):
        return _object(kind.name, fields, value, known)
    simple = _SIMPLE.get(kind.name)
    return simple(value) if simple else value


def _chosen(members: tuple[Any, ...], value: Any) -> Any:
    for member in members:
        if member == value and isinstance(member, bool) == isinstance(value, bool):
            return member
    folded = [member for member in members if isinstance(member, str) and member.casefold() == str(value).casefold()]
    if len(folded) == 1:
        return folded[0]
    if members == (True, False):
        raise MisfitError("write true or false")
    shown = ", ".join(map(str, members[:_MOST_SHOWN])) + (", …" if len(members) > _MOST_SHOWN else "")
    raise MisfitError(f"write one of {shown}")


def _list(kind: Kind, value: Any, known: Definitions) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise MisfitError(f"write {_example(kind, known)}")
    parts = kind.of or (Kind(ANY),)
    fixed = kind.name in ("tuple", "Tuple") and len(parts) > 1
    if fixed and len(parts) != len(value):
        raise MisfitError(f"{len(parts)} values are wanted")
    each = parts if fixed else parts[:1] * len(value)
    return [_within(f"value {n}", part, item, known) for n, (part, item) in enumerate(zip(each, value, strict=True), 1)]


def _dict(kind: Kind, value: Any, known: Definitions) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MisfitError(f"write {_example(kind, known)}")
    part = kind.of[-1] if kind.of else Kind(ANY)
    return {key: _within(key, part, item, known) for key, item in value.items()}


def _object(name: str, fields: tuple[Parameter, ...], value: Any, known: Definitions) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MisfitError(f"write {_example(Kind(name), known)}")
    by_name = {each.name: each for each in fields}
    if unknown := [key for key in value if key not in by_name]:
        raise MisfitError(f"{name} has no {unknown[0]}: it has {', '.join(by_name)}")
    if missing := [each.name for each in fields if each.required and each.name not in value]:
        raise MisfitError(f"{name} also needs {', '.join(missing)}")
    return {key: _within(key, read_annotation(by_name[key].annotation), item, known) for key, item in value.items()}


def _within(place: str, kind: Kind, value: Any, known: Definitions) -> Any:
    try:
        return fit(kind, value, known)
    except MisfitError as error:
        raise MisfitError(f"{place}: {error}") from None


def _fields(kind: Kind, known: Definitions) -> tuple[Parameter, ...]:
    return known[kind.name].fields if kind.name in known else ()


def _example(kind: Kind, known: Definitions) -> str:
    """How such a value is written."""
    if kind.name in LISTS:
        return "a list, as in [1, 2]" if kind.of and kind.of[0].name in ("int", "float") else 'a list, as in ["a", "b"]'
    names = [each.name for each in _fields(kind, known)]
    return "an object, as in {" + ", ".join(f'"{name}": …' for name in names or ["name"]) + "}"


# ---- types that have no parts


def _int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise MisfitError("write a whole number")
    return value


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MisfitError("write a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise MisfitError("write a number that is not so large")
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise MisfitError("write text, between quotes")
    return value


def _none(value: Any) -> None:
    if value is not None:
        raise MisfitError("write None")


def _moment(parse: Callable[[str], dt.datetime | dt.date | dt.time], what: str) -> Callable[[Any], str]:
    """Text in the form of ISO 8601, written out as the program reads it."""

    def check(value: Any) -> str:
        try:
            return parse(str(value)).isoformat()
        except ValueError:
            raise MisfitError(f"write {what}") from None

    return check


def _uuid(value: Any) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise MisfitError("write a UUID") from None


def _decimal(value: Any) -> str:
    try:
        return str(Decimal(str(value)))
    except InvalidOperation:
        raise MisfitError("write a number") from None


_SIMPLE: Final[Mapping[str, Callable[[Any], Any]]] = {
    "int": _int, "float": _float, NONE: _none, "NoneType": _none,
    **dict.fromkeys(annotations.TEXTS, _text),
    "datetime": _moment(dt.datetime.fromisoformat, "a date and time, as in 2026-01-31T12:00"),
    "date": _moment(dt.date.fromisoformat, "a date, as in 2026-01-31"),
    "time": _moment(dt.time.fromisoformat, "a time of day, as in 12:00"),
    "UUID": _uuid,
    "Decimal": _decimal,
}  # fmt: skip
