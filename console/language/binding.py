"""Whether the arguments of a request fit the parameters of what it calls, found out before anything is sent."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import zip_longest
from typing import Any, TypeVar

from bus.trace.records import Parameter
from console.language.completion import describe
from console.language.fitting import fit_text, fit_value
from console.language.grammar import Execute, Fire
from console.language.tokens import LanguageError, Span
from console.language.values import LAST, read

Addressed = TypeVar("Addressed", Execute, Fire)

_NOWHERE = Span(0, 0)
Last = Callable[[Span], Any]
"""Gives the last result for the `_` at a span; raises LanguageError where there is none."""


def no_last(span: Span) -> Any:
    """Where nothing was executed yet."""
    raise LanguageError('there is no last result yet; for the text _ write "_"', span)


def bind(request: Addressed, parameters: Sequence[Parameter], last: Last = no_last) -> Addressed:
    """REQUEST, checked; each value as its parameter's annotation wants it: 5 is text for a `str`, 5.0 for a `float`.

    LAST: what a `_` stands for.

    Raises:
        LanguageError: an argument is missing, unexpected, given twice, or does not fit; the span is that of the
            request's source.
    """
    in_order = [parameter for parameter in parameters if parameter.kind.startswith("positional")]
    _check_positional(request, parameters, in_order)
    _check_named(request, parameters, in_order)
    _check_missing(request, parameters, in_order)
    return _as_written(request, parameters, in_order, last)


def recall(request: Fire, last: Last) -> Fire:
    """REQUEST with the last result where a `_` stands.

    Raises:
        LanguageError: there is none.
    """
    source = request.source
    if source is None:
        return request
    args = [_recalled(value, source.line, span, last) for value, span in zip(request.args, source.args, strict=True)]
    kwargs = {
        key: _recalled(value, source.line, source.kwargs[key], last) for key, value in request.kwargs.items()
    }  # fmt: skip
    return replace(request, args=tuple(args), kwargs=kwargs)


def _recalled(value: Any, line: str, span: Span, last: Last) -> Any:
    return last(span) if line[slice(*span)] == LAST else value


def is_secret(request: Execute | Fire, parameters: Sequence[Parameter]) -> bool:
    """Whether a value is given to a parameter that is marked as secret."""
    in_order = [parameter for parameter in parameters if parameter.kind.startswith("positional")]
    given = {parameter.name for parameter in in_order[: len(request.args)]} | set(request.kwargs)
    return any(parameter.secret and parameter.name in given for parameter in parameters)


def _check_positional(request: Execute | Fire, parameters: Sequence[Parameter], in_order: Sequence[Parameter]) -> None:
    room = len(in_order)
    if len(request.args) <= room or any(parameter.kind == "var_positional" for parameter in parameters):
        return
    span = request.source.args[room] if request.source else _NOWHERE
    takes = f"{room} value{'' if room == 1 else 's'} without a name" if room else "no value without a name"
    raise LanguageError(f"{request.name} takes {takes}{_listing(parameters)}", span)


def _check_named(request: Execute | Fire, parameters: Sequence[Parameter], in_order: Sequence[Parameter]) -> None:
    keyed = {parameter.name for parameter in parameters if parameter.kind in ("positional_or_keyword", "keyword_only")}
    filled = {parameter.name for parameter in in_order[: len(request.args)]}
    takes_any = any(parameter.kind == "var_keyword" for parameter in parameters)
    for key in request.kwargs:
        span = request.source.keys[key] if request.source else _NOWHERE
        if key in keyed and key in filled:
            raise LanguageError(f"{key} is given twice: a value without a name stands for it already", span)
        if key not in keyed and not takes_any:
            raise LanguageError(_unexpected(request.name, key, parameters, keyed), span)


def _unexpected(name: str, key: str, parameters: Sequence[Parameter], keyed: set[str]) -> str:
    if any(parameter.name == key and parameter.kind == "positional_only" for parameter in parameters):
        return f"{key} is taken by its place only: leave out {key}="
    close = get_close_matches(key, keyed, n=1)
    meant = f": did you mean {close[0]}?" if close else _listing(parameters)
    return f"{name} has no parameter {key}{meant}"


def _check_missing(request: Execute | Fire, parameters: Sequence[Parameter], in_order: Sequence[Parameter]) -> None:
    filled = {parameter.name for parameter in in_order[: len(request.args)]}
    filled |= {each.name for each in parameters if each.kind != "positional_only" and each.name in request.kwargs}
    missing = [parameter for parameter in parameters if parameter.required and parameter.name not in filled]
    if missing:
        span = request.source.name if request.source else _NOWHERE
        raise LanguageError(f"{request.name} also needs " + ", ".join(map(describe, missing)), span)


def _as_written(
    request: Addressed, parameters: Sequence[Parameter], in_order: Sequence[Parameter], last: Last
) -> Addressed:
    if request.source is None:
        return request
    line = request.source.line
    by_name = {each.name: each for each in parameters if not each.kind.startswith("var_")}
    several = next((each for each in parameters if each.kind == "var_positional"), None)
    others = next((each for each in parameters if each.kind == "var_keyword"), None)
    args: list[Any] = [
        _fitted(parameter, line, span, last)
        for parameter, span in zip_longest(in_order[: len(request.args)], request.source.args, fillvalue=several)
        if parameter is not None and isinstance(span, Span)
    ]
    kwargs: dict[str, Any] = {
        key: _fitted(by_name.get(key) or others, line, request.source.kwargs[key], last) for key in request.kwargs
    }
    return replace(request, args=tuple(args), kwargs=kwargs)


def _fitted(parameter: Parameter | None, line: str, span: Span, last: Last) -> Any:
    written = line[slice(*span)]
    if written == LAST:
        return last(span) if parameter is None else fit_value(parameter, last(span), span)
    return fit_text(parameter, written, span) if parameter is not None else read(written, span)


def _listing(parameters: Sequence[Parameter]) -> str:
    return ": (" + ", ".join(map(describe, parameters)) + ")" if parameters else ": it has no parameters"
