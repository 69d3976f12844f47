"""Values as text that is bounded, escaped and free of secrets, at a cost that does not grow with the value.

Everything that a program supplies is hostile until it went through here: a huge list, a `__repr__` that raises, an
escape sequence that would move the reader's cursor, a password in a nested dict.
"""

import re
from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from enum import Enum
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from bus.secret import marked_fields

TEXT_LIMIT = 2048
"""Bytes of UTF-8 of one captured text, all arguments of a call together."""
REDACTED = "‹redacted›"
CUT = "…"
ANY_KEYWORD = "**"
"""Among the names of secret parameters: whatever is given by keyword is secret."""

_ITEMS = 12
MAX_ARGUMENTS = 4 * _ITEMS
"""Of one call; there is no text of what else it has, by position and by keyword each."""
_DEPTH = 6
_STRING = 240
_FOREIGN = 400
_NAME = 200
_BIG_INT_BITS = 1024
_SECRET = re.compile(
    r"password|passwd|secret|token|api[_-]?key|authorization|cookie|session|credential|private", re.IGNORECASE
)
_SIGNS = ("passw", "secret", "token", "api", "authorization", "cookie", "session", "credential", "private")
"""One of these is in every text in which `_SECRET` finds something."""
# Bounded repeats: a search must not take quadratic time in a hostile text.
_ASSIGNED = re.compile(
    rf"""((?:{_SECRET.pattern})[\w-]{{0,40}}['"]?\s{{0,4}}[=:]\s{{0,4}})"""
    r"""(?!(?:str|bytes|int|float|bool|None|Any)\b)"""  # an annotation in a signature is no value
    r"""((?:(?:basic|bearer)\s{1,4})?(?:'[^']*'?|"[^"]*"?|[^\s,;&)\]}]+))""",
    re.IGNORECASE,
)
_SEQUENCES: dict[type, str] = {
    list: "[]", tuple: "()", set: "{}", frozenset: "{}", deque: "[]", array: "[]",
    type({}.keys()): "[]", type({}.values()): "[]", type({}.items()): "[]",
}  # fmt: skip


# ---- text


def escape(text: str, keep: str = "") -> str:
    r"""TEXT with everything that is not `str.isprintable()` written as `\x1b`; idempotent.

    That covers control and C1 characters, bidi marks, other invisible ones and lone surrogates. The characters in
    KEEP stay as they are. Every sink and every widget uses this one function.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x100:  # noqa: PLR2004  the three widths of Python's own escapes
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004  as above


def bounded(text: str, limit: int = TEXT_LIMIT, keep: str = "") -> str:
    """TEXT escaped and cut to LIMIT bytes of UTF-8; a cut is marked with an ellipsis."""
    shown = escape(text[: limit + 1], keep)
    if len(shown) * 4 <= limit:
        return shown
    encoded = shown.encode()
    if len(encoded) <= limit:
        return shown
    return encoded[: limit - len(CUT.encode())].decode(errors="ignore") + CUT


def is_secret(name: object) -> bool:
    """Whether a parameter or key of this name holds a secret (password, token, cookie … anywhere in it, any case)."""
    if type(name) is bytes:
        name = name[:_NAME].decode("latin-1")
    if not issubclass(type(name), str):
        return False
    text = str.__str__(name)
    return _is_secret(text if len(text) <= _NAME else text[:_NAME] + " " + text[-_NAME:])


@lru_cache(4096)
def _is_secret(name: str) -> bool:
    return _SECRET.search(name) is not None


def scrub(text: str) -> str:
    """TEXT of an error or a foreign `__repr__` without the values in `password=…`, `"token": …` and the like."""
    folded = text.casefold()
    if not any(sign in folded for sign in _SIGNS):
        return text  # most texts; the search takes 20 times as long
    return _ASSIGNED.sub(rf"\1{REDACTED}", text)


# ---- Python-like text of values


def value_text(value: object, limit: int = TEXT_LIMIT) -> str:
    """VALUE much as `repr` would write it: at most LIMIT bytes, escaped, redacted, never raising."""
    writer = _Writer(limit)
    writer.write(value, _DEPTH)
    return bounded("".join(writer.parts), limit)


def arguments_text(
    args: Iterable[object],
    kwargs: Mapping[str, object],
    names: Iterable[str] = (),
    secret: Collection[str] = (),
    limit: int = TEXT_LIMIT,
) -> str:
    """The arguments of a call as they would be written in one: `'thread pool', limit=5`.

    NAMES are those of the positional parameters, to know a secret one; SECRET are the names that were declared so.
    """
    writer = _Writer(limit)
    known = iter(names)
    for value in islice(args, MAX_ARGUMENTS):
        writer.argument("", value, hidden=_hidden(next(known, ""), secret))
    for name, value in islice(kwargs.items(), MAX_ARGUMENTS):
        writer.argument(f"{name[:_NAME]}=", value, hidden=ANY_KEYWORD in secret or _hidden(name, secret))
    return bounded("".join(writer.parts), limit)


def _hidden(name: str, secret: Collection[str]) -> bool:
    return name in secret or is_secret(name)


class _Writer:
    """Collects parts until the budget of characters is used up; then only an ellipsis is added, once."""

    __slots__ = ("left", "parts")

    def __init__(self, budget: int) -> None:
        self.left = budget
        self.parts: list[str] = []

    def put(self, text: str) -> None:
        if self.left > 0:
            self.left -= len(text)
            self.parts.append(text if self.left > 0 else CUT)

    def argument(self, prefix: str, value: object, *, hidden: bool) -> None:
        if self.parts:
            self.put(", ")
        self.put(prefix)
        if hidden:
            self.put(REDACTED)
        else:
            self.write(value, _DEPTH)

    def write(self, value: object, depth: int) -> None:
        simple = _SIMPLE.get(type(value))
        if simple is not None:
            self.put(simple(value))
        elif self.left > 0:
            try:
                self._compound(value, depth)
            except BaseException:  # noqa: BLE001  foreign code ran: whatever it raises, the program must go on
                self.put(f"<unreadable {type_name(value)}>")

    def _compound(self, value: object, depth: int) -> None:
        """Derived classes are read through their base's own methods, so that what they override does not run."""
        base = next((base for base in type(value).__mro__ if base in _COMPOUND), None)
        named = fields_of(value)
        if depth <= 0:
            self.put(CUT)
        elif named is not None:
            self.put(f"{type_name(value)}(")
            self._named(named, depth)
        elif base in _MAPPINGS:
            self._mapping(base, value, depth)
        elif base is not None:
            self._sequence(base, value, depth)
        else:
            self.put(foreign_text(value))

    def _mapping(self, base: Any, value: object, depth: int) -> None:
        self.put("{")
        for index, (key, item) in enumerate(islice(base.items(value), _ITEMS)):
            self.put(", " if index else "")
            self.write(key, depth - 1)
            self.put(": ")
            self._item(key, item, depth)
        self._rest(base.__len__(value), "}")

    def _sequence(self, base: Any, value: object, depth: int) -> None:
        self.put(_SEQUENCES[base][0])
        for index, item in enumerate(islice(base.__iter__(value), _ITEMS)):
            self.put(", " if index else "")
            self.write(item, depth - 1)
        self._rest(base.__len__(value), _SEQUENCES[base][1])

    def _named(self, named: Iterator[tuple[str, object]], depth: int) -> None:
        for index, (name, item) in enumerate(islice(named, _ITEMS)):
            self.put(f", {name}=" if index else f"{name}=")
            self._item(name, item, depth)
        self._rest(_ITEMS + sum(1 for _ in named), ")")

    def _item(self, name: object, item: object, depth: int) -> None:
        if is_secret(name):
            self.put(REDACTED)
        else:
            self.write(item, depth - 1)

    def _rest(self, count: int, end: str) -> None:
        self.put(f", {CUT} +{count - _ITEMS}{end}" if count > _ITEMS else end)


def _string(value: Any) -> str:
    if len(value) <= _STRING:
        return repr(value)
    return f"{value[:_STRING]!r}{CUT} +{len(value) - _STRING}"


def _integer(value: Any) -> str:
    bits = value.bit_length()
    return repr(value) if bits <= _BIG_INT_BITS else f"<int of {bits} bits>"


class _Hidden:
    """Stands for the value of a field that is secret by its type."""


_HIDDEN = _Hidden()
_SIMPLE: dict[type, Callable[[Any], str]] = {
    _Hidden: lambda _: REDACTED,
    str: _string,
    bytes: _string,
    int: _integer,
    bool: repr,
    float: repr,
    complex: repr,
    type(None): repr,
    # As the text that they stand for: a reader of a list of calls gains nothing from the class.
    type(Path()): lambda path: _string(str(path)),
    type(PurePath()): lambda path: _string(str(path)),
}


_MAPPINGS = (dict, MappingProxyType)
_COMPOUND = {*_MAPPINGS, *_SEQUENCES}


def foreign_text(value: object) -> str:
    """What the value's own `__repr__` says; strings, bytes and ints of a derived class are shown as their base.

    Raises whatever that `__repr__` raises.
    """
    kind = type(value)
    if issubclass(kind, Enum):
        return f"{type_name(value)}.{Enum.__dict__['name'].__get__(value)}"[:_FOREIGN]
    base: Any = next((base for base in kind.__mro__ if base in (str, bytes, bytearray, int, float)), None)
    if base is None:
        return scrub(str.__getitem__(repr(value), slice(0, _FOREIGN)))
    if base in (int, float):
        return _SIMPLE[base](base.__add__(value, 0))
    length = base.__len__(value)
    text = repr(base.__getitem__(value, slice(0, _STRING)))
    return text if length <= _STRING else f"{text}{CUT} +{length - _STRING}"


def message_of(error: BaseException, clean: Callable[[str], str] = scrub) -> str:
    """What the exception says, made clean and bounded; a `__str__` that raises is named instead."""
    try:
        text = str.__getitem__(str(error), slice(0, 4_000))
    except BaseException:  # noqa: BLE001  foreign code ran: whatever it raises, the program must go on
        return f"<unreadable {type_name(error)}>"
    return bounded(clean(text), keep="\n")


def type_name(value: object) -> str:
    """The name of the value's class, without running code of it."""
    return str(type.__dict__["__name__"].__get__(type(value)))[:_NAME]


def fields_of(value: object) -> Iterator[tuple[str, object]] | None:
    """Names and values of an object that is made of named fields, None for any other; without its secrets."""
    fields = raw_fields_of(value)
    return None if fields is None else ((name, _HIDDEN if marked else item) for name, item, marked in fields)


def raw_fields_of(value: object) -> Iterator[tuple[str, object, bool]] | None:
    """Names and values of an object that is made of named fields, and whether each is secret by its type."""
    kind = type(value)
    if issubclass(kind, Struct):
        names: Iterable[str] = kind.__struct_fields__
    elif is_dataclass(kind):
        names = (field.name for field in dataclass_fields(kind) if field.repr)
    elif issubclass(kind, tuple) and hasattr(kind, "_fields"):
        names = kind._fields
    elif hasattr(kind, "__attrs_attrs__"):
        names = (attribute.name for attribute in kind.__attrs_attrs__)
    else:
        return None
    marked = marked_fields(kind)  # type: ignore[arg-type]  # mypy takes the class for one of its instances
    return ((name, getattr(value, name, CUT), name in marked) for name in names)
