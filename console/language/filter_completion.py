"""What could stand at the end of a filter: fields, what they can be, names, and the words between."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from console.language.candidates import LIMIT, Candidate, matching
from console.language.filter_fields import CALLS, Field, Fields
from console.language.filter_parser import parse
from console.language.filter_tokens import Token, is_word, tokens
from console.language.filters import Match, Word, format_filter, write_text
from console.language.patterns import is_glob
from console.language.tokens import LanguageError, Span, is_quoted

Known = Mapping[str, Sequence[str]]
"""What is known of a field: the values that it has, by its name."""

_FIRST: Final = "name"
_TIMES: Final = ("1ms", "10ms", "100ms", "1s")
_UNITS: Final = ("ms", "s", "us", "min", "ns")
_NUMBER: Final = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII)
_BETWEEN: Final = (("and", "both are true, as without it"), ("or", "either is true"), ("not", "the opposite"))


def complete_filter(line: str, known: Known, fields: Fields = CALLS, start: int = 0) -> list[Candidate]:
    """What could stand at the end of LINE, whose filter begins at START; the best first. Never raises."""
    found = tokens(line[start:])
    last = found[-1] if found and found[-1].span.end == len(line) - start else None
    if last is None or last.kind in ("(", ")"):
        last = Token("word", Span(len(line) - start, len(line) - start), "", Span(len(line) - start, len(line) - start))
    if not _goes_on(line[start : start + last.span.start], fields):
        return []
    candidates = _values(last, known, fields) if last.kind == "term" else _words(last, known, fields)
    return [
        Candidate(text, start + last.place.start, start + last.place.end, label, note)
        for (text, label, note), _ in zip(candidates, range(LIMIT), strict=False)
    ]


_Offer = tuple[str, str, str]
"""Text, label, note."""


def _goes_on(before: str, fields: Fields) -> bool:
    """Whether a term may follow BEFORE; if not, nothing that could be offered would help."""
    kinds = [token.kind for token in tokens(before)]
    try:
        parse(before + "x" + ")" * (kinds.count("(") - kinds.count(")")), fields)
    except LanguageError:
        return False
    return True


def _words(last: Token, known: Known, fields: Fields) -> Iterator[_Offer]:
    typed = last.value
    if is_quoted(typed):
        return
    folded = typed.casefold()
    for field in fields:
        if field.name.startswith(folded):
            text = field.name + (">" if field.kind == "time" else ":")
            yield text, text, field.help
    for name in matching(known.get(_FIRST, ()), typed) if fields.find(_FIRST) else ():
        yield _name(name), name, _FIRST
    for word, about in _BETWEEN:
        if typed and word.startswith(folded):
            yield word, word, about


def _name(name: str) -> str:
    """A bare word if that means this name, a term otherwise."""
    return format_filter(Word(name) if is_word(name) and not is_glob(name) else Match(_FIRST, name, "is"))


def _values(last: Token, known: Known, fields: Fields) -> Iterator[_Offer]:
    field, typed = fields.find(last.field.casefold()), last.value
    if field is None or is_quoted(typed):
        return
    if field.kind == "time" and last.op != ":":
        yield from ((text, text, field.help) for text in _times(typed))
    if field.kind in ("choice", "text") and last.op in (":", "=", "!="):
        yield from _sayings(field, typed, known)


def _times(typed: str) -> Iterator[str]:
    if _NUMBER.fullmatch(typed):
        yield from (typed + unit for unit in _UNITS)
    yield from (time for time in _TIMES if time.startswith(typed) and not _NUMBER.fullmatch(typed))


def _sayings(field: Field, typed: str, known: Known) -> Iterator[_Offer]:
    if field.kind == "choice":
        yield from ((choice, choice, field.help) for choice in field.choices if choice.startswith(typed.casefold()))
        return
    for value in matching(known.get(field.name, ()), typed):
        if value:
            yield write_text(value), value, field.name
