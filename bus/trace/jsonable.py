"""A result as JSON: bounded, escaped and free of secrets like its text, but with its structure kept."""

from collections.abc import Iterable
from datetime import date, time, timedelta
from enum import Enum
from itertools import islice
from math import isfinite
from pathlib import PurePath
from uuid import UUID

import msgspec

from bus.trace.redact import CUT, REDACTED, bounded, escape, fields_of, is_secret, value_text

VALUE_LIMIT = 256 << 10
"""Bytes of JSON; a result that needs more has no value, only its text."""

_ITEMS = 1_000
_NODES = 20_000
_DEPTH = 12
_STRING = 16_384
_INT64 = 1 << 63
_KEPT = "\n\t"
_AS_TEXT = (PurePath, date, time, timedelta, UUID)

Json = bool | int | float | str | list[object] | dict[str, object] | None


def json_text(value: object, limit: int = VALUE_LIMIT) -> str:
    """VALUE as JSON of at most LIMIT bytes, "" where it has no such form. Never raises.

    Long lists are cut and say so in a last item. Objects with named fields become objects, others their text.
    """
    try:
        text = msgspec.json.encode(_Builder().build(value, _DEPTH)).decode()
    except BaseException:  # noqa: BLE001  foreign code ran: whatever it raises, the program must go on
        return ""
    return text if len(text.encode()) <= limit else ""


class _Builder:
    """Builds plain data out of a value; `left` bounds the number of nodes of the whole."""

    def __init__(self) -> None:
        self.left = _NODES

    def build(self, value: object, depth: int) -> Json:
        self.left -= 1
        if depth <= 0 or self.left <= 0:
            return CUT
        kind = type(value)
        if value is None or kind is bool or kind is int or kind is float or kind is str:
            return _scalar(value)
        named = fields_of(value)
        if named is not None:
            return self._object(named, depth)
        if issubclass(kind, dict):
            return self._object(dict.items(value), depth)  # type: ignore[arg-type]  # issubclass was asked
        if kind in (list, tuple, set, frozenset):
            return self._array(value, depth)  # type: ignore[arg-type]  # one of the four
        return _text(value)

    def _object(self, items: Iterable[tuple[object, object]], depth: int) -> dict[str, object]:
        built: dict[str, object] = {}
        for name, item in islice(items, _ITEMS):
            built[_key(name)] = REDACTED if is_secret(name) else self.build(item, depth - 1)
        return built

    def _array(self, value: list[object], depth: int) -> list[object]:
        built: list[object] = [self.build(item, depth - 1) for item in islice(value, _ITEMS)]
        if len(value) > _ITEMS:
            built.append(f"{CUT} +{len(value) - _ITEMS}")
        return built


def _scalar(value: object) -> Json:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        return value_text(value)
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value  # type: ignore[return-value]  # None, or a number that JSON can carry


def _string(value: str) -> str:
    """Line breaks and tabs stay: JSON writes them as text of its own."""
    if len(value) <= _STRING:
        return escape(value, keep=_KEPT)
    return f"{escape(value[:_STRING], keep=_KEPT)}{CUT} +{len(value) - _STRING}"


def _key(name: object) -> str:
    return bounded(name, 200) if type(name) is str else value_text(name, 200)


def _text(value: object) -> str:
    if isinstance(value, Enum):
        return bounded(value.name, 200)
    if isinstance(value, _AS_TEXT):
        return bounded(str(value))
    return value_text(value)
