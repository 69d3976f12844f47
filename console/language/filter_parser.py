"""A line as a filter; how it is written, `filter_help` says."""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Final, NamedTuple

from console.language import durations, values
from console.language.filter_fields import CALLS, Field, Fields
from console.language.filter_tokens import Token, finished, tokens
from console.language.filters import ALL, And, Between, Compare, Filter, Is, Match, Not, Or, Order, Phrase, Word
from console.language.patterns import is_glob
from console.language.tokens import MAX_DEPTH, LanguageError, Span, is_quoted

_NUMBER: Final = re.compile(r"#?(\d{1,18}|\d{1,15}\.\d{1,6})", re.ASCII)
_HALF: Final = re.compile("[\ud800-\udfff]")
_LONGEST: Final = 1 << 62
_NUMBERS: Final = {
    "time": "{0} is a length of time: write {0}>10ms, {0}<1s or {0}:10ms..1s",
    "number": "{0} is a number: write {0}>5 or {0}:5..9",
}
_ENDS: Final = (")", "or")


def parse(line: str, fields: Fields = CALLS) -> Filter:
    """What LINE asks for, of things that have these FIELDS; `ALL` when it is blank.

    Raises:
        LanguageError: it cannot be understood; the error says what to do and which piece of LINE it is about.
    """
    return _Parser(line, fields).whole()


class Typed(NamedTuple):
    """What a line says that is being typed: `what`, which is the part `used` of it; and why not all of it."""

    what: Filter
    used: str
    problem: LanguageError | None = None


def parse_typed(line: str, fields: Fields = CALLS) -> Typed:
    """What LINE says so far, up to the first term that is wrong or not whole yet; open quotes and brackets count."""
    used, problem = line, None
    while True:
        try:
            return Typed(parse(finished(used), fields), used.strip(), problem)
        except LanguageError as error:
            problem = problem or error
            used = used[: _begin(used, error.span.start)]


def _begin(line: str, at: int) -> int:
    """Where the token begins that stands at a place, the last one if that is behind all of them."""
    begins = [token.span.start for token in tokens(line)]
    return max((begin for begin in begins if begin <= at), default=0)


class _Parser:
    def __init__(self, line: str, fields: Fields) -> None:
        self._tokens = tokens(line)
        self._fields = fields
        self._at = 0
        self._depth = 0
        self._line = line

    def whole(self) -> Filter:
        half = _HALF.search(self._line)
        if half:
            raise LanguageError("not text: a byte that is not UTF-8, or half of a surrogate pair", Span(*half.span()))
        if not self._tokens:
            return ALL
        found = self._any()
        if self._at < len(self._tokens):
            raise LanguageError("this ) closes nothing: leave it out", self._tokens[self._at].span)
        return found

    def _any(self) -> Filter:
        terms = [self._all()]
        while self._next() == "or":
            self._at += 1
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def _all(self) -> Filter:
        terms = [self._one()]
        while self._next() not in ("", *_ENDS):
            if self._next() == "and":
                self._at += 1
            terms.append(self._one())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _one(self) -> Filter:
        token = self._take()
        match token.kind:
            case "not":
                return Not(self._nested(token, self._one))
            case "(":
                return self._nested(token, self._bracketed)
            case "word":
                return Word(token.value)
            case "phrase":
                return Phrase(_text(token))
            case "term":
                return term(token, self._fields)
        raise LanguageError(f"write what to look for before this {token.value}", token.span)

    def _bracketed(self) -> Filter:
        opened = self._tokens[self._at - 1]
        found = self._any()
        if self._next() != ")":
            raise LanguageError("this ( is never closed: add )", opened.span)
        self._at += 1
        return found

    def _nested(self, token: Token, what: Callable[[], Filter]) -> Filter:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise LanguageError(f"more than {MAX_DEPTH} ( and not within each other", token.span)
        found = what()
        self._depth -= 1
        return found

    def _next(self) -> str:
        return self._tokens[self._at].kind if self._at < len(self._tokens) else ""

    def _take(self) -> Token:
        if self._at == len(self._tokens):
            last = self._tokens[-1]
            raise LanguageError(f"write what to look for after this {last.value}", last.span)
        token = self._tokens[self._at]
        if token.problem and token.kind != "term":
            raise token.problem
        self._at += 1
        return token


def term(token: Token, fields: Fields) -> Filter:
    """What a term asks for.

    Raises:
        LanguageError: there is no such field, or it cannot be asked so.
    """
    field = fields.find(token.field.casefold())
    if field is None and token.field:
        raise LanguageError(_unknown_field(token, fields), token.asks)
    if field is None or token.problem:
        raise _unfinished(field, token)
    if token.op == "!=":
        return Not(_asked(field, "=", token))
    return _asked(field, token.op, token)


def _unfinished(field: Field | None, token: Token) -> LanguageError:
    """What is wrong with a term whose value, or field, is missing or never ends."""
    if field is None or field.kind == "text" or token.value:
        assert token.problem
        return token.problem
    if field.kind == "choice":
        return LanguageError(f"{field.name} is one of {', '.join(field.choices)}", token.span)
    return LanguageError(_NUMBERS[field.kind].format(field.name), token.span)


def _asked(field: Field, op: str, token: Token) -> Filter:
    if field.kind in ("time", "number"):
        return _compared(field, op, token)
    if op not in (":", "="):
        raise LanguageError(
            f"{field.name} is no number: write {field.name}: or {field.name}= instead of {op}", token.asks
        )
    return _chosen(field, token) if field.kind == "choice" else _matched(field, op, token)


def _matched(field: Field, op: str, token: Token) -> Filter:
    text = _text(token)
    if op == "=":
        return Match(field.name, text, "is")
    wild = is_glob(text) and not is_quoted(token.value)
    return Match(field.name, text, "pattern" if wild else "contains")


def _chosen(field: Field, token: Token) -> Filter:
    choice = _text(token).casefold()
    if choice in field.choices:
        return Is(field.name, choice)
    raise LanguageError(
        f"{field.name} is one of {', '.join(field.choices)}{_meant(choice, field.choices)}", token.place
    )


def _compared(field: Field, op: str, token: Token) -> Filter:
    least, dots, most = token.value.partition("..")
    if op != ":":
        return Compare(field.name, _ORDERS[op], _quantity(field, token.value, token.place))
    if dots:
        return _between(field, least, most, token.place)
    if field.kind == "number":
        return Compare(field.name, "=", _quantity(field, token.value, token.place))
    raise LanguageError(_NUMBERS["time"].format(field.name), token.span)


def _between(field: Field, least: str, most: str, place: Span) -> Filter:
    low = _quantity(field, least, Span(place.start, place.start + len(least)))
    high = _quantity(field, most, Span(place.end - len(most), place.end))
    if low > high:
        raise LanguageError(f"nothing is between: write {field.name}:{most}..{least}", place)
    return Between(field.name, low, high)


_ORDERS: Final[dict[str, Order]] = {"=": "=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}


def _quantity(field: Field, text: str, place: Span) -> float:
    if field.kind == "time":
        return _time(field, text, place)
    found = _NUMBER.fullmatch(text)
    if not found:
        raise LanguageError(_NUMBERS["number"].format(field.name), place)
    return float(found[1]) if "." in found[1] else int(found[1])


def _time(field: Field, text: str, place: Span) -> int:
    try:
        ns = durations.read(text)
    except ValueError:
        raise LanguageError(f"{field.name} is a length of time: write 250ms, 1.5s or 2min", place) from None
    if ns > _LONGEST:
        raise LanguageError("no call takes so long: write less than a hundred years", place)
    return ns


def _text(token: Token) -> str:
    return str(values.read(token.value, token.place)) if is_quoted(token.value) else token.value


def _unknown_field(token: Token, fields: Fields) -> str:
    names = [field.name for field in fields]
    meant = _meant(token.field.casefold(), names)
    if meant:
        return f"there is no field {token.field}{meant}"
    return f'there is no field {token.field}: write {", ".join(names)}, or the whole between quotes, as in "a:b"'


def _meant(written: str, known: Iterable[str]) -> str:
    close = get_close_matches(written, list(known), n=2)
    return f": did you mean {' or '.join(close)}?" if close else ""
