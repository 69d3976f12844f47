"""The recorded text of a call's arguments as values again, to make the same call once more."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from bus.trace.records import Call, Parameter
from bus.trace.redact import MAX_ARGUMENTS
from console.language import values
from console.language.grammar import Execute, Fire
from console.language.tokens import LanguageError, Span

_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}
_COMPOUND: Final = (str, list, tuple, set, dict)
_SENDABLE: Final = (*_COMPOUND, int, float, type(None))


class Argument(Struct, frozen=True):
    """One argument. `name`: "" by position. `known`: `value` is what it was; else cut, hidden or not plain."""

    name: str
    text: str
    value: Any = None
    known: bool = False


def arguments(text: str) -> tuple[Argument, ...]:
    """What TEXT, as `bus.trace.redact.arguments_text` wrote it, says of each argument."""
    return tuple(map(_argument, _pieces(text)))


def again(call: Call) -> Execute | Fire | None:
    """The request that makes the same call once more; None when not all of its arguments are known."""
    found = arguments(call.args)
    if call.kind == "delivery" or len(found) >= MAX_ARGUMENTS or not all(each.known for each in found):
        return None
    by_position = tuple(each.value for each in found if not each.name)
    by_name = {each.name: each.value for each in found if each.name}
    return (Fire if call.kind == "event" else Execute)(call.name, by_position, by_name)


def typed(found: Sequence[Argument]) -> str:
    """What is known of the arguments, as it would be typed into a line."""
    known = (each for each in found if each.known)
    return " ".join((f"{each.name}=" if each.name else "") + values.write(each.value) for each in known)


def texts(found: Sequence[Argument], parameters: Sequence[Parameter]) -> Mapping[str, str]:
    """What is known of the arguments, as it would be typed into the fields of a form, by the parameter's name."""
    in_order = [parameter for parameter in parameters if parameter.kind.startswith("positional")]
    rest = {parameter.kind: parameter.name for parameter in parameters if parameter.kind.startswith("var_")}
    names = {parameter.name for parameter in parameters if not parameter.kind.startswith("var_")}
    filled: dict[str, str] = {}
    position = 0
    for each in found:
        name, said = each.name, values.write(each.value) if each.known else ""
        if not name:
            name = in_order[position].name if position < len(in_order) else rest.get("var_positional", "")
            position += 1
        elif name not in names:
            name, said = rest.get("var_keyword", ""), f"{name}={said}"
        if each.known:
            filled[name] = f"{filled[name]} {said}" if name in filled else said
    filled.pop("", None)
    return filled


def _pieces(text: str) -> Iterator[str]:
    """TEXT at its commas, but not at those within quotes or brackets."""
    closers: list[str] = []
    quote, begin, at = "", 0, 0
    while at < len(text):
        char = text[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in _PAIRS:
            closers.append(_PAIRS[char])
        elif closers and char == closers[-1]:
            closers.pop()
        elif char == "," and not closers:
            yield text[begin:at].strip()
            begin = at + 1
        at += 1
    if text[begin:].strip():
        yield text[begin:].strip()


def _argument(piece: str) -> Argument:
    name, equals, rest = piece.partition("=")
    if not (equals and name.isidentifier()):
        name, rest = "", piece
    try:
        value = ast.literal_eval(rest)
        if isinstance(value, _COMPOUND):
            value = values.read(rest, Span(0, len(rest)))
    except (LanguageError, ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return Argument(name, rest)
    return Argument(name, rest, value, known=isinstance(value, _SENDABLE))
