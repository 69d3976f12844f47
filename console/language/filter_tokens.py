"""A filter cut into pieces, each with its place; nothing is raised here."""

import re
from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from console.language.tokens import LanguageError, Span, is_quoted, skip_space, string_end

_HEAD: Final = re.compile(r"""((?:[^\s()"'<>=:!]|!(?!=))*+)(?:(:)|\s*(!=|>=|<=|[=<>])\s*)""")
"""`field:`, and `field > ` with or without spaces."""
_BARE: Final = re.compile(r"[^\s()]+")
_EXAMPLES: Final = {":": "name:index.*", "=": "name=index.file", "!=": "outcome!=ok"} | dict.fromkeys(
    (">", "<", ">=", "<="), "took>10ms"
)

TokenKind = Literal["(", ")", "and", "or", "not", "word", "phrase", "term"]
_KEYWORDS: Final[Mapping[str, TokenKind]] = {"and": "and", "or": "or", "not": "not"}


class Token(Struct, frozen=True):
    """A bracket, a keyword, a bare word, a "phrase", or a term (`field`, `op`, `value`); `problem`: why it is none."""

    kind: TokenKind
    span: Span
    value: str
    """The text of a word or phrase, or what stands behind a term's operator; quotes are still around it."""
    place: Span
    """Of `value`."""
    field: str = ""
    op: str = ""
    problem: LanguageError | None = None

    @property
    def asks(self) -> Span:
        """The place of a term's field."""
        return Span(self.span.start, self.span.start + len(self.field))


def tokens(line: str) -> list[Token]:
    """All tokens of LINE."""
    found: list[Token] = []
    at = skip_space(line, 0)
    while at < len(line):
        found.append(_token(line, at, found[-1] if found else None))
        at = skip_space(line, found[-1].span.end)
    return found


def finished(line: str) -> str:
    """LINE with its quotes and brackets closed: what it says so far, while it is being typed."""
    last = tokens(line)[-1:]
    if last and last[0].problem and is_quoted(last[0].value):
        line += last[0].value.lstrip("rRuUbB")[0]
    kinds = [token.kind for token in tokens(line)]
    return line + ")" * (kinds.count("(") - kinds.count(")"))


def is_word(text: str) -> bool:
    """Whether TEXT is one bare word of a filter."""
    found = tokens(text)
    return len(found) == 1 and found[0].kind == "word" and found[0].value == text and not found[0].problem


def is_value(text: str) -> bool:
    """Whether TEXT can stand without quotes behind a field."""
    return _BARE.fullmatch(text) is not None and not is_quoted(text)


def _token(line: str, at: int, before: Token | None) -> Token:
    touched = before if before and before.span.end == at else None
    if line[at] in "()":
        return _bracket(line, at, touched)
    head = _HEAD.match(line, at)
    if head:
        return _term(line, head)
    end, problem = _value(line, at)
    value, span = line[at:end], Span(at, end)
    if is_quoted(value):
        return Token("phrase", span, value, span, problem=problem)
    return Token(_KEYWORDS.get(value.casefold(), "word"), span, value, span)


def _bracket(line: str, at: int, touched: Token | None) -> Token:
    kind: TokenKind = "(" if line[at] == "(" else ")"
    span = Span(at, at + 1)
    problem = None
    if kind == "(" and touched and touched.kind in ("word", "phrase", "term"):
        problem = LanguageError("write a space before this (, or the text that it belongs to between quotes", span)
    return Token(kind, span, line[at], span, problem=problem)


def _term(line: str, head: re.Match[str]) -> Token:
    field, op = head[1], head[2] or head[3]
    end, problem = _value(line, head.end())
    if not field:
        problem = LanguageError(f"write a field before {op}, as in {_EXAMPLES[op]}", Span(head.start(), head.end()))
    elif end == head.end():
        what = f"write a value right after {field}{op}"
        problem = LanguageError(what + (', "" for empty text' if op in ":=" else ""), Span(head.start(), end))
    span = Span(head.start(), end)
    return Token("term", span, line[head.end() : end], Span(head.end(), end), field, op, problem)


def _value(line: str, at: int) -> tuple[int, LanguageError | None]:
    """The end of the bare or quoted text at AT, which may be empty, and what is wrong with it."""
    string = string_end(line, at)
    if string is None:
        bare = _BARE.match(line, at)
        return (bare.end() if bare else at), None
    end, problem = string
    if not problem and _BARE.match(line, end):
        problem = LanguageError(
            f"write a space behind the closing quote, or \\{line[end - 1]} inside", Span(end - 1, end)
        )
    return end, problem
