"""The values of secret arguments: found in what a call was given, taken out of what it says."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice, starmap, takewhile
from operator import eq
from typing import Any

from bus.trace.redact import ANY_KEYWORD, CUT, REDACTED, escape, is_secret, raw_fields_of

_MIN_HIDDEN = 4
"""A secret shorter than this is not searched for in texts: it would be found in half of all words."""
_HEAD = 32
"""So much of a longer secret gives it away: a text may have been cut in its middle."""
MAX_SEARCHED = 8 << 10
"""Characters of a text in which secrets can be searched for, and of a secret."""
_VALUES = 200
"""Values of one call that are looked at."""
_ITEMS = 24
_DEPTH = 10
_BIG_INT_BITS = 1024


def hidden(text: str, secrets: Iterable[str]) -> str:
    """TEXT without SECRETS, of which `secret_values` gives all forms; also without one that the text's end cuts."""
    for secret in secrets:
        if secret[:_HEAD] in text:
            text = "".join(_without(text, secret))
        if text.endswith(CUT):
            text = _without_cut(text, secret)
    return text


def _without(text: str, secret: str) -> Iterator[str]:
    head, at = secret[:_HEAD], 0
    while (found := text.find(head, at)) >= 0:
        yield text[at:found]
        yield REDACTED
        same = starmap(eq, zip(text[found : found + len(secret)], secret, strict=False))
        at = found + sum(takewhile(bool, same))
    yield text[at:]


def _without_cut(text: str, secret: str) -> str:
    """TEXT, which was cut, without the beginning of SECRET at its end."""
    rest = text.removesuffix(CUT)
    for length in range(min(len(secret), _HEAD), _MIN_HIDDEN - 1, -1):
        if rest.endswith(secret[:length]):
            return rest[:-length] + REDACTED + CUT
    return text


def secret_values(
    names: Iterable[str], secret: Collection[str], args: Iterable[object], kwargs: Mapping[str, object]
) -> tuple[str, ...]:
    """What must not be said of a call: the texts of its secret arguments, as they are, escaped, and as `repr` has them.

    NAMES are those of the positional parameters; SECRET are the names that were declared so. Secret keys of dicts and
    secret fields are looked for in all arguments. The longest come first.
    """
    search, known = _Search(), iter(names)
    for value in islice(args, _VALUES):
        name = next(known, "")
        search.look(value, _DEPTH, hide=name in secret or is_secret(name))
    for name, value in islice(kwargs.items(), _VALUES):
        search.look(value, _DEPTH, hide=ANY_KEYWORD in secret or name in secret or is_secret(name))
    return tuple(sorted(search.found, key=len, reverse=True))


class _Search:
    """Goes through values by the methods of their base classes, so that nothing of the program's runs but a getter."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._left = _VALUES

    def look(self, value: object, depth: int, *, hide: bool) -> None:
        self._left -= 1
        kind = type(value)
        if self._left < 0 or depth < 0 or value is None or kind in (bool, float):
            return
        if issubclass(kind, str | bytes | int):
            if hide:
                self._keep(value)
        else:
            try:
                self._compound(value, depth, hide=hide)
            except BaseException:  # noqa: BLE001  foreign code ran: whatever it raises, the program must go on
                return

    def _compound(self, value: Any, depth: int, *, hide: bool) -> None:
        kind = type(value)
        base: Any = next((base for base in kind.__mro__ if base in _SEQUENCES), None)
        fields = raw_fields_of(value)
        if fields is not None:
            for name, item, marked in islice(fields, _ITEMS):
                self.look(item, depth - 1, hide=hide or marked or is_secret(name))
        elif issubclass(kind, dict):
            for key, item in islice(dict.items(value), _ITEMS):
                self.look(item, depth - 1, hide=hide or is_secret(key))
        elif base is not None:
            for item in islice(base.__iter__(value), _ITEMS):
                self.look(item, depth - 1, hide=hide)

    def _keep(self, value: Any) -> None:
        kind = type(value)
        if issubclass(kind, str):
            text = str.__getitem__(value, slice(MAX_SEARCHED))
        elif issubclass(kind, bytes):
            some = bytes.__getitem__(value, slice(MAX_SEARCHED))
            text = some.decode(errors="backslashreplace")
            self._note(repr(some)[2:-1])
        elif int.bit_length(value) <= _BIG_INT_BITS:
            text = int.__repr__(value)
        else:
            return
        self._note(text)
        self._note(escape(text))
        self._note(repr(text)[1:-1])

    def _note(self, text: str) -> None:
        if len(text) >= _MIN_HIDDEN:
            self.found.add(text)


_SEQUENCES: tuple[Any, ...] = (list, tuple, set, frozenset)
