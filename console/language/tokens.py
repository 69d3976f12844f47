"""A line cut into words, each with its place; where it is cut depends on quotes and brackets, not on meaning."""

import re
from typing import NamedTuple

from msgspec import Struct

MAX_DEPTH = 32
"""Brackets within brackets; the program's endpoint takes no more either."""

_QUOTED = re.compile(r"""(?i:[rub]|rb|br)?(?P<quote>["'])""")
_KEY = re.compile(r"([^\W\d]\w*)=")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Span(NamedTuple):
    """A piece of a line: characters [start, end)."""

    start: int
    end: int


class LanguageError(Exception):
    """A line that cannot be understood: what is wrong and what to do, and the piece of the line that it is about."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.message = message
        self.span = span


class Word(Struct, frozen=True):
    """`value` or `key=value` as it stands in the line; no key is "". `problem`: why the word cannot end here."""

    text: str
    span: Span
    key: str = ""
    problem: LanguageError | None = None

    @property
    def value(self) -> Span:
        """The place of what comes after `key=`."""
        return Span(self.span.start + len(self.key) + 1, self.span.end) if self.key else self.span


def words(line: str, start: int = 0) -> list[Word]:
    """All words of LINE from START on. Nothing is raised: a word that is not finished carries its problem."""
    found = []
    at = skip_space(line, start)
    while at < len(line):
        found.append(_word(line, at))
        at = skip_space(line, found[-1].span.end)
    return found


def is_quoted(text: str) -> bool:
    """Whether TEXT begins as a string literal does."""
    return _QUOTED.match(text) is not None


def is_open(line: str) -> bool:
    """Whether LINE ends within a bracket, outside of a text in it: then it can go on in the next line."""
    found = words(line)
    problem = found[-1].problem if found else None
    return problem is not None and problem.span.end == len(line) and line[problem.span.start] in _CLOSING


def string_end(line: str, start: int) -> tuple[int, LanguageError | None] | None:
    """The end of the string literal that begins at START and what is wrong with it; None where none begins."""
    quoted = _QUOTED.match(line, start)
    return _string(line, start, quoted.end(), quoted["quote"]) if quoted else None


def _word(line: str, start: int) -> Word:
    key = _KEY.match(line, start)
    at = key.end() if key else start
    problem = None
    opens = True  # a quote or bracket opens at the start of a value only: don't and a[0] are plain words
    while at < len(line) and not line[at].isspace() and not problem:
        end, problem = _piece(line, at, opens=opens)
        opens = end > at + 1
        at = end
    return Word(line[start:at], Span(start, at), key[1] if key else "", problem)


def _piece(line: str, at: int, *, opens: bool) -> tuple[int, LanguageError | None]:
    """The end of the string, the bracket or the single character at AT, and what is wrong with it."""
    if opens and (string := string_end(line, at)):
        return string
    if opens and line[at] in _CLOSING:
        return _bracket(line, at)
    return at + 1, None


def _string(line: str, start: int, body: int, quote: str) -> tuple[int, LanguageError | None]:
    at = body
    while at < len(line) and line[at] != quote:
        at += 2 if line[at] == "\\" else 1
    if at < len(line):
        return at + 1, None
    return len(line), LanguageError(f"this text never ends: close it with {quote}", Span(start, len(line)))


def _bracket(line: str, start: int) -> tuple[int, LanguageError | None]:
    opened: list[int] = []
    at = start
    while at < len(line):
        if line[at] in "\"'":
            at, problem = _string(line, at, at + 1, line[at])
        else:
            at, problem = at + 1, _nest(line, at, opened)
        if problem:
            return len(line), problem
        if not opened:
            return at, None
    opener = line[opened[-1]]
    return len(line), LanguageError(f"this {opener} is never closed: add {_CLOSING[opener]}", Span(opened[-1], at))


def _nest(line: str, at: int, opened: list[int]) -> LanguageError | None:
    """Keep OPENED, the places of the brackets that are open, up to date with the character at AT."""
    char = line[at]
    if char in _CLOSING:
        opened.append(at)
        if len(opened) > MAX_DEPTH:
            return LanguageError(f"more than {MAX_DEPTH} brackets within each other", Span(at, at + 1))
    elif char in _CLOSING.values():
        closing = _CLOSING[line[opened.pop()]]
        if char != closing:
            return LanguageError(f"{char} closes nothing here: write {closing} first", Span(at, at + 1))
    return None


def skip_space(line: str, at: int) -> int:
    """The first place from AT on at which no white space stands."""
    while at < len(line) and line[at].isspace():
        at += 1
    return at
