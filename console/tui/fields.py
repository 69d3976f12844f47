"""What was typed into a form as the arguments of a call. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bus.trace.records import Parameter
from console.language.grammar import Execute, parse
from console.language.tokens import LanguageError, Span, is_quoted
from console.language.values import read

_TEXT_TYPES = {"str", "Path", "pathlib.Path"}


@dataclass(frozen=True, slots=True)
class Filled:
    """The arguments, and what is wrong with them by parameter name; they can be sent when nothing is."""

    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def hint(parameter: Parameter) -> str:
    """What stands beside a field: `Path, required`, `int = 20`, `several, str`."""
    kind = {"var_positional": "several", "var_keyword": "name=value …"}.get(parameter.kind, "")
    if kind:
        return f"{kind}, {parameter.annotation}" if parameter.annotation else kind
    if parameter.default is None:
        return f"{parameter.annotation}, required" if parameter.annotation else "required"
    return f"{parameter.annotation} = {parameter.default}" if parameter.annotation else f"= {parameter.default}"


def fill(parameters: Sequence[Parameter], texts: Mapping[str, str]) -> Filled:
    """Values for PARAMETERS from TEXTS; an empty text stands for the default."""
    filled = Filled()
    by_position = any(p.kind == "var_positional" and texts.get(p.name, "").strip() for p in parameters)
    for parameter in parameters:
        text = texts.get(parameter.name, "").strip()
        try:
            _fill_one(filled, parameter, text, by_position=by_position)
        except LanguageError as error:
            filled.errors[parameter.name] = error.message
    return filled


def _fill_one(filled: Filled, parameter: Parameter, text: str, *, by_position: bool) -> None:
    positional = parameter.kind == "positional_only" or (by_position and parameter.kind == "positional_or_keyword")
    if not text:
        if parameter.required:
            filled.errors[parameter.name] = 'required; write "" for empty text' if _is_text(parameter) else "required"
        elif by_position and positional:
            filled.errors[parameter.name] = "needed here, because more values follow it by position"
    elif parameter.kind == "var_positional":
        filled.args.extend(free(text).args)
    elif parameter.kind == "var_keyword":
        filled.kwargs.update(free(text).kwargs)
    elif positional:
        filled.args.append(_value(parameter, text))
    else:
        filled.kwargs[parameter.name] = _value(parameter, text)


def _value(parameter: Parameter, text: str) -> Any:
    """Text for a parameter that is text needs no quotes; anything else is a value of the console's language."""
    if _is_text(parameter) and not is_quoted(text):
        return text
    return read(text, Span(0, len(text)))


def _is_text(parameter: Parameter) -> bool:
    return parameter.annotation in _TEXT_TYPES


def free(text: str) -> Execute:
    """The arguments in TEXT: `VALUE… KEY=VALUE…`.

    Raises:
        LanguageError: it cannot be understood.
    """
    request = parse(f"execute _ {text}")
    if not isinstance(request, Execute) or not request.wait:
        raise LanguageError("values and name=value only", Span(0, len(text)))
    return request
