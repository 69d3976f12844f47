"""One word of a line as a value, and a value as a word: Python literals, JSON, and bare words, which are text."""

import ast
import json
import math
import re
import warnings
from collections.abc import Mapping
from typing import Any, Final

from console.language.tokens import LanguageError, Span, is_quoted

CONSTANTS: Final[Mapping[str, bool | None]] = {
    "None": None, "null": None, "True": True, "true": True, "False": False, "false": False,
}  # fmt: skip
LAST = "_"
"""The word that stands for the last result, for who knows it; the text is written between quotes."""
_INT = re.compile(r"[+-]?(0|[1-9](_?\d)*|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)", re.ASCII)
_FLOAT = re.compile(r"[+-]?((0|[1-9]\d*)\.\d*|\.\d+|(0|[1-9]\d*)(?=[eE]))([eE][+-]?\d+)?", re.ASCII)
_MAX_DIGITS = 4000
"""Python itself refuses to read more than 4,300 at once."""
_KEYS = "the keys of an object must be text or whole numbers"
_PLAIN = re.compile(r"[\w./*:@+-][\w./*:@+,%~-]*", re.ASCII)


def read(text: str, span: Span) -> Any:
    """The JSON-like value that TEXT, one word found at SPAN, stands for.

    Raises:
        LanguageError: a literal that is not well formed, or a value that cannot be sent to a program.
    """
    if is_quoted(text) or text.startswith(("(", "[", "{")):
        return _sendable(_literal(text, span), span)
    if text.startswith("="):
        raise LanguageError("write name=value without spaces around the =", span)
    return _sendable(bare(text), span)


def bare(text: str) -> Any:
    """What a word without quotes or brackets stands for."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if len(text) > _MAX_DIGITS:
        return text
    if _INT.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text


def write(value: Any) -> str:
    """A word that `read` turns into VALUE again; VALUE is JSON-like and holds no infinite number."""
    if not isinstance(value, str):
        return repr(value)
    if value != LAST and _PLAIN.fullmatch(value) and not is_quoted(value) and isinstance(bare(value), str):
        return value
    return quote(value)


def quote(text: str) -> str:
    """TEXT between quotes, with escapes for what is not printable."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _literal(text: str, span: Span) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass  # not JSON: then it is Python, or neither
    try:
        value = ast.literal_eval(_constants(_parsed(text)))
    except SyntaxError:
        raise LanguageError(_advice(text), span) from None
    except TypeError:  # {[]: 1}, {[]}
        raise LanguageError(_KEYS, span) from None
    except ValueError:
        raise LanguageError(f"not a plain value: text inside {text[0]}…{text[-1]} needs quotes", span) from None
    except (RecursionError, MemoryError):
        raise LanguageError("too deeply nested", span) from None
    if is_quoted(text) and isinstance(value, tuple):  # "a","b"
        raise LanguageError(_advice(text), span)
    return value


def _parsed(text: str) -> ast.expr:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" is good enough here: Python warns and takes it as it stands
        return ast.parse(text, mode="eval").body


class _Constants(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in CONSTANTS:
            return node
        return ast.copy_location(ast.Constant(CONSTANTS[node.id]), node)


def _constants(expression: ast.expr) -> ast.expr:
    """true, false and null beside Python's own, so that JSON with a single quote or a last comma is taken too."""
    changed: ast.expr = _Constants().visit(expression)
    return changed


def _advice(text: str) -> str:
    if is_quoted(text):
        return "text goes on after its closing quote: put a space between, or \\ before a quote that belongs to it"
    return f"not a list, object or tuple that Python or JSON would read; for text write '{text[:20]}'"


def _sendable(value: Any, span: Span) -> Any:
    """VALUE with nothing in it but what JSON knows: tuples and sets become lists, keys become text."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return _text(value, span)
    if isinstance(value, float):
        return _finite(value, span)
    if isinstance(value, list | tuple | set):
        return [_sendable(item, span) for item in value]
    if isinstance(value, dict):
        return {_key(key, span): _sendable(item, span) for key, item in value.items()}
    message = (
        f"a value of type {type(value).__name__} cannot be sent: use text, numbers, true, false, null, lists, objects"
    )
    raise LanguageError(message, span)


def _text(value: str, span: Span) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise LanguageError("not text: bytes that are not UTF-8, or half of a surrogate pair", span) from None
    return value


def _finite(value: float, span: Span) -> float:
    if not math.isfinite(value):
        raise LanguageError("infinity and nan cannot be sent: JSON has no such number", span)
    return value


def _key(key: object, span: Span) -> str:
    if isinstance(key, str):
        return _text(key, span)
    if isinstance(key, int) and not isinstance(key, bool):
        return str(key)
    raise LanguageError(_KEYS, span)
