"""What each piece of a line is, for its colour: from the same words and tokens that the grammar is made of."""

from collections.abc import Iterator
from typing import Final, Literal

from console.language import filter_tokens, values
from console.language.completion import Catalogue
from console.language.filter_fields import CALLS
from console.language.grammar import EXECUTE, FIRE, NO_WAIT, name_of
from console.language.tokens import LanguageError, Span, Word, is_quoted, words

Meaning = Literal[
    "verb", "command", "event", "unknown", "key", "text", "number", "constant", "structure", "sign", "problem", "word"
]
Piece = tuple[Span, Meaning]

_BETWEEN: Final = ("and", "or", "not", "(", ")")


def pieces(line: str, catalogue: Catalogue) -> list[Piece]:
    """What there is to tell of LINE, from left to right and without overlaps. Never raises."""
    found = words(line)
    if not found:
        return []
    head = found[0].text
    if head in catalogue.own_verbs:
        return list(_own(line, found, catalogue))
    if head in (EXECUTE, FIRE):
        named = list(_name(found[1], catalogue, event=head == FIRE)) if len(found) > 1 else []
        return [(found[0].span, "verb"), *named, *_arguments(line, found[2:])]
    return [*_name(found[0], catalogue), *_arguments(line, found[1:])]


def _own(line: str, found: list[Word], catalogue: Catalogue) -> Iterator[Piece]:
    yield found[0].span, "verb"
    at = catalogue.verbs[found[0].text].filter_at
    given = found[1:] if at is None else found[1 : at + 1]
    for word in given:
        yield word.span, "problem" if word.problem else "word"
    if at is not None and len(found) > at + 1:
        yield from _filter(line, found[at + 1].span.start)


def _name(word: Word, catalogue: Catalogue, *, event: bool = False) -> Iterator[Piece]:
    try:
        name = name_of(word)
    except LanguageError:
        name = ""
    if word.problem:
        yield word.span, "problem"
    elif event:
        yield word.span, "event"  # one that nobody knows yet can be fired, too
    else:
        yield word.span, "command" if name in catalogue.commands else "unknown"


def _arguments(line: str, given: list[Word]) -> Iterator[Piece]:
    for word in given:
        if word.text == NO_WAIT and word is given[-1]:
            yield word.span, "sign"
            continue
        if word.key:
            yield Span(word.span.start, word.value.start), "key"
        if word.value.start < word.value.end:
            yield word.value, "problem" if word.problem else _value(line[slice(*word.value)])


def _value(text: str) -> Meaning:
    if is_quoted(text):
        return "text"
    if text.startswith(("[", "(", "{")):
        return "structure"
    if text in values.CONSTANTS or text == values.LAST:
        return "constant"
    return "number" if isinstance(values.bare(text), int | float) else "word"


def _filter(line: str, start: int) -> Iterator[Piece]:
    for token in filter_tokens.tokens(line[start:]):
        place = Span(start + token.place.start, start + token.place.end)
        if token.problem:
            yield Span(start + token.span.start, start + token.span.end), "problem"
        elif token.kind in _BETWEEN:
            yield place, "sign"
        elif token.kind == "term":
            known = CALLS.find(token.field.casefold()) is not None
            yield Span(start + token.asks.start, place.start), "key" if known else "unknown"
            yield place, "text" if is_quoted(token.value) else "word"
        else:
            yield place, "text" if token.kind == "phrase" else "word"
