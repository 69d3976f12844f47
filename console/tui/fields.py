"""What was typed into a form as the arguments of a call. Pure."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field, structs

from bus.trace.records import Parameter
from console.language.binding import bind
from console.language.fitting import choices, fit_text, takes_text
from console.language.grammar import NO_WAIT, Execute, parse
from console.language.tokens import LanguageError, Span, is_quoted, words
from console.language.values import quote, read, write

_MOST_CHOICES = 6


class Filled(Struct, frozen=True):
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
        bound = bind(dataclasses.replace(free(text), name=parameter.name), (parameter,))
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


def as_line(parameters: Sequence[Parameter], texts: Mapping[str, str]) -> str:
    """The fields as one line of arguments, as they would be typed after the command's name."""
    words = []
    for parameter in parameters:
        text = texts.get(parameter.name, "").strip()
        if not text:
            continue
        if parameter.kind.startswith("var_"):
            words.append(text)
        elif parameter.kind == "positional_only":
            words.append(_word(text))
        else:
            words.append(f"{parameter.name}={_word(text)}")
    return " ".join(words)


def as_texts(parameters: Sequence[Parameter], line: str) -> dict[str, str]:
    """A line of arguments as the texts of the fields; `as_line` makes it of them again.

    Raises:
        LanguageError: it cannot be understood, or does not fit PARAMETERS.
    """
    request = free(line)
    bind(dataclasses.replace(request, source=None), [_optional(parameter) for parameter in parameters])
    source = request.source
    if source is None:
        return {}
    in_order = [parameter.name for parameter in parameters if parameter.kind.startswith("positional")]
    written = [source.line[slice(*span)] for span in source.args]
    texts = dict(zip(in_order, map(_typed, written), strict=False))
    more = {each.kind: each.name for each in parameters if each.kind.startswith("var_")}
    if rest := written[len(in_order) :]:
        texts[more["var_positional"]] = " ".join(rest)
    others = []
    for key, span in source.kwargs.items():
        known = any(parameter.name == key for parameter in parameters)
        text = source.line[slice(*span)]
        if known:
            texts[key] = _typed(text)
        else:
            others.append(f"{key}={text}")
    if others:
        texts[more["var_keyword"]] = " ".join(others)
    return texts


def _word(text: str) -> str:
    """What was typed into a field as one word of a line: between quotes where it has to be."""
    found = words(text)
    alone = len(found) == 1 and not found[0].key and not found[0].problem and text != NO_WAIT
    return text if alone and _is_value(text) else quote(text)


def _is_value(word: str) -> bool:
    """Whether a line can have it as it stands: `(:)` is a text in a field, and in a line a value that is not right."""
    try:
        read(word, Span(0, len(word)))
    except LanguageError:
        return False
    return True


def _typed(word: str) -> str:
    """A word of a line as it would be typed into a field: without the quotes that only keep it together."""
    if not is_quoted(word):
        return word
    text = str(read(word, Span(0, len(word))))
    return text if text.strip() == text and text and not is_quoted(text) and _word(text) == word else word


def _optional(parameter: Parameter) -> Parameter:
    return structs.replace(parameter, default=parameter.default or "")
