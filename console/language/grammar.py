"""A line as a request, and a request as a line; `parse(format_request(request)) == request`.

[execute] NAME VALUE… KEY=VALUE… [&]      execute a command; & at the end: do not wait for the result
fire NAME VALUE… KEY=VALUE…               fire an event
VERB WORD…                                a command of the console itself
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from console.language import values
from console.language.tokens import LanguageError, Span, Word, is_quoted, words

EXECUTE = "execute"
FIRE = "fire"
NO_WAIT = "&"
NO_RESTS: Final[Mapping[str, int]] = MappingProxyType({})


class Source(Struct, frozen=True):
    """Where in LINE the parts of a request stand."""

    line: str
    name: Span
    args: tuple[Span, ...] = ()
    kwargs: Mapping[str, Span] = field(default_factory=dict)
    keys: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Execute:
    """Execute the command NAME. The values are JSON-like; `source` is None when no line said it."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    wait: bool = True
    source: Source | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Fire:
    """Fire the event NAME; as `Execute`."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    source: Source | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Verb:
    """Run a command of the console itself. Its arguments are words, whatever they look like."""

    name: str
    args: tuple[str, ...] = ()
    source: Source | None = field(default=None, compare=False, repr=False)


Request = Execute | Fire | Verb


def parse(line: str, verbs: Collection[str] = (), rests: Mapping[str, int] = NO_RESTS) -> Request | None:
    """What LINE asks for; None when it is blank. VERBS: the console's own commands, which win over the program's.

    RESTS: those of them whose last argument is the rest of the line as it stands there, behind so many words.

    Raises:
        LanguageError: it cannot be understood; the error says what to do and which piece of LINE it is about.
    """
    found = words(line)
    if not found:
        return None
    head = found[0].text
    if head in verbs:
        return _verb(line, found, rests.get(head))
    _check(found)
    if head in (EXECUTE, FIRE):
        return _addressed(line, found)
    return _execute(line, found)


def format_request(
    request: Request, verbs: Collection[str] = (), rests: Mapping[str, int] = NO_RESTS
) -> str:  # fmt: skip
    """The line that `parse` turns into REQUEST again, every value written so that it is read back as it is."""
    if isinstance(request, Verb):
        before = rests.get(request.name, len(request.args))
        return " ".join([request.name, *map(write_name, request.args[:before]), *request.args[before:]])
    said = [write_name(request.name)]
    if isinstance(request, Fire):
        said.insert(0, FIRE)
    elif said[0] in (EXECUTE, FIRE, *verbs):
        said.insert(0, EXECUTE)
    said += map(values.write, request.args)
    said += [f"{key}={values.write(value)}" for key, value in request.kwargs.items()]
    if isinstance(request, Execute) and not request.wait:
        said.append(NO_WAIT)
    return " ".join(said)


def name_of(word: Word) -> str:
    """The name that WORD stands for: as it is, or what its quotes hold."""
    return str(values.read(word.text, word.span)) if is_quoted(word.text) else word.text


def _check(found: list[Word]) -> None:
    for word in found:
        if word.problem:
            raise word.problem


def _addressed(line: str, found: list[Word]) -> Request:
    head, rest = found[0], found[1:]
    if not rest:
        what = "event to fire" if head.text == FIRE else "command to execute"
        raise LanguageError(f"write the name of the {what} after {head.text}", head.span)
    if head.text == EXECUTE:
        return _execute(line, rest)
    if rest[-1].text == NO_WAIT:
        raise LanguageError("firing never waits: leave out the &", rest[-1].span)
    args, kwargs, source = _arguments(line, rest)
    return Fire(name_of(rest[0]), args, kwargs, source)


def _execute(line: str, found: list[Word]) -> Execute:
    wait = found[-1].text != NO_WAIT
    if not wait:
        found = found[:-1]
    if not found:
        raise LanguageError("write the name of a command before the &", Span(0, len(line)))
    args, kwargs, source = _arguments(line, found)
    return Execute(name_of(found[0]), args, kwargs, wait, source)


def _verb(line: str, found: list[Word], before_rest: int | None) -> Verb:
    head, given = found[0], found[1:]
    words_given = given[:before_rest]
    _check(words_given)
    args, spans = [*map(name_of, words_given)], [word.span for word in words_given]
    if len(words_given) < len(given):
        rest = Span(given[len(words_given)].span.start, len(line.rstrip()))
        args.append(line[slice(*rest)])
        spans.append(rest)
    return Verb(head.text, tuple(args), Source(line, head.span, tuple(spans)))


def _arguments(line: str, found: list[Word]) -> tuple[tuple[Any, ...], dict[str, Any], Source]:
    plain = [word for word in found[1:] if not word.key]
    keyed: dict[str, Word] = {}
    for word in found[1:]:
        if word.key in keyed:
            raise LanguageError(f"{word.key} is given twice: leave one out", word.span)
        if word.key:
            keyed[word.key] = word
    source = Source(
        line,
        found[0].span,
        tuple(word.span for word in plain),
        {key: word.value for key, word in keyed.items()},
        {key: Span(word.span.start, word.span.start + len(key)) for key, word in keyed.items()},
    )
    return (
        tuple(values.read(word.text, word.span) for word in plain),
        {key: _keyed_value(line, word) for key, word in keyed.items()},
        source,
    )


def _keyed_value(line: str, word: Word) -> Any:
    start, end = word.value
    if start == end:
        raise LanguageError(f'write a value right after {word.key}=, "" for empty text', word.span)
    return values.read(line[start:end], word.value)


def write_name(text: str) -> str:
    """TEXT as one word that `name_of` reads as TEXT: between quotes only where it has to be."""
    found = words(text)
    plain = len(found) == 1 and found[0].text == text and not found[0].problem
    plain = plain and text.isprintable() and not is_quoted(text) and text != NO_WAIT
    return text if plain else values.quote(text)
