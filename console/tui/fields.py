"""What was typed into a form as the arguments of a call. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bus.trace.records import Parameter
from console.language.binding import bind
from console.language.fitting import choices, fit_text, takes_text
from console.language.grammar import Execute, parse
from console.language.tokens import LanguageError, Span
from console.language.values import write

_MOST_CHOICES = 6


@dataclass(frozen=True, slots=True)
class Filled:
    """The arguments, and what is wrong with them by parameter name; they can be sent when nothing is."""

    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def hint(parameter: Parameter) -> str:
    """What stands beside a field: `Path, required`, `int = 20`, `several, str`."""
    kind = {"var_positional": "several", "var_keyword": "name=value …"}.get(parameter.kind, "")
    members = choices(parameter) if parameter.annotation != "bool" else ()
    wanted = " | ".join(map(write, members)) if 0 < len(members) <= _MOST_CHOICES else parameter.annotation
    if kind:
        return f"{kind}, {wanted}" if wanted else kind
    if parameter.default is None:
        return f"{wanted}, required" if wanted else "required"
    return f"{wanted} = {parameter.default}" if wanted else f"= {parameter.default}"


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
            filled.errors[parameter.name] = (
                'required; write "" for empty text' if takes_text(parameter) else f"required: {_wanted(parameter)}"
            )
        elif by_position and positional:
            filled.errors[parameter.name] = "needed here, because more values follow it by position"
    elif parameter.kind.startswith("var_"):
        bound = bind(replace(free(text), name=parameter.name), (parameter,))
        filled.args.extend(bound.args)
        filled.kwargs.update(bound.kwargs)
    elif positional:
        filled.args.append(fit_text(parameter, text))
    else:
        filled.kwargs[parameter.name] = fit_text(parameter, text)


def _wanted(parameter: Parameter) -> str:
    members = choices(parameter)
    return " or ".join(map(write, members[:_MOST_CHOICES])) if members else parameter.annotation or "any value"


def free(text: str) -> Execute:
    """The arguments in TEXT: `VALUE… KEY=VALUE…`.

    Raises:
        LanguageError: it cannot be understood.
    """
    request = parse(f"execute _ {text}")
    if not isinstance(request, Execute) or not request.wait:
        raise LanguageError("values and name=value only", Span(0, len(text)))
    return request
