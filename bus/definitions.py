"""The program's own types that an annotation names, told to who fills in a form: members of Enums, fields of classes.

Values come as JSON: a member by its name or its value, an object of a class as its fields.
"""

import dataclasses
import typing
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, Final

import msgspec

from bus.secret import marked_fields
from bus.trace.records import Definition, Parameter
from bus.trace.redact import REDACTED, is_secret

MOST: Final = 16
"""Types told with one annotation, and as many levels down; a form cannot show more."""
_MOST_MEMBERS: Final = 100
Describe = Callable[[object], str]


def definitions(annotation: Any, describe: Describe, default_text: Describe) -> tuple[Definition, ...]:
    """The Enums and classes with fields in ANNOTATION, and in their fields. DESCRIBE writes an annotation as text."""
    found: dict[type, Definition] = {}
    waiting = list(_types(annotation))
    while waiting and len(found) < MOST:
        kind = waiting.pop(0)
        if kind in found:
            continue
        if issubclass(kind, Enum):
            found[kind] = Definition(name=kind.__name__, choices=tuple(kind.__members__)[:_MOST_MEMBERS])
        elif hints := fields(kind):
            listed = [_field(kind, name, hint, describe, default_text) for name, hint in hints.items()]
            found[kind] = Definition(name=kind.__name__, fields=tuple(listed[:_MOST_MEMBERS]))
            waiting += [inner for hint in hints.values() for inner in _types(hint)]
    return tuple(found.values())


def named(value: object, wanted: Any, depth: int = 0) -> object:
    """VALUE with the names of an Enum's members, wherever WANTED has one, in the place of which stand their values."""
    if depth > MOST:
        return value
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return _member_value(value, wanted)
    parts = typing.get_args(wanted)
    if isinstance(value, list):
        return [named(item, part, depth + 1) for item, part in zip(value, _each(parts, len(value)), strict=False)]
    if isinstance(value, dict):
        hints = _object_hints(wanted)
        return {key: named(item, hints.get(key, hints.get("")), depth + 1) for key, item in value.items()}
    for part in parts:
        if (changed := named(value, part, depth + 1)) is not value:
            return changed
    return value


def fields(kind: type) -> Mapping[str, Any]:
    """The fields of a dataclass, Struct, TypedDict or named tuple with their types; none of another class."""
    if not (
        dataclasses.is_dataclass(kind)
        or typing.is_typeddict(kind)
        or issubclass(kind, msgspec.Struct)
        or hasattr(kind, "_field_defaults")
    ):
        return {}
    try:
        hints = typing.get_type_hints(kind)
    except Exception:  # noqa: BLE001  annotations are foreign code: what cannot be resolved is not described
        return {}
    taken = {each.name for each in dataclasses.fields(kind) if each.init} if dataclasses.is_dataclass(kind) else hints
    return {name: hint for name, hint in hints.items() if name in taken}


def _types(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type) and not typing.get_args(annotation):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _types(part)


def _field(kind: type, name: str, hint: Any, describe: Describe, default_text: Describe) -> Parameter:
    secret = is_secret(name) or name in marked_fields(kind)
    default = _default(kind, name, default_text)
    return Parameter(
        name=name, kind="keyword_only", annotation=describe(hint), secret=secret,
        default=REDACTED if secret and default is not None else default,
    )  # fmt: skip


def _default(kind: Any, name: str, default_text: Describe) -> str | None:
    """The default of a field as text; None for one that must be given."""
    if dataclasses.is_dataclass(kind):
        each = next(each for each in dataclasses.fields(kind) if each.name == name)
        if each.default_factory is not dataclasses.MISSING:
            return f"{getattr(each.default_factory, '__name__', '…')}()"
        return None if each.default is dataclasses.MISSING else default_text(each.default)
    if typing.is_typeddict(kind):
        return None if name in kind.__required_keys__ else ""
    defaults = kind._field_defaults if hasattr(kind, "_field_defaults") else _struct_defaults(kind)
    return default_text(defaults[name]) if name in defaults else None


def _struct_defaults(kind: Any) -> dict[str, object]:
    return {
        each.name: each.default if each.default is not msgspec.NODEFAULT else "…"
        for each in msgspec.structs.fields(kind)
        if not each.required
    }


def _member_value(value: object, wanted: type[Enum]) -> object:
    if isinstance(value, str) and value in wanted.__members__ and value not in [each.value for each in wanted]:
        return wanted[value].value
    return value


def _each(parts: tuple[Any, ...], count: int) -> list[Any]:
    """The type of each of COUNT items: tuple[int, str] has one for each, list[int] one for all."""
    if not parts or (len(parts) == 2 and parts[1] is Ellipsis):  # noqa: PLR2004  tuple[int, ...]
        parts = parts[:1] or (Any,)
    return list(parts) if len(parts) == count else [parts[0]] * count


def _object_hints(wanted: Any) -> Mapping[str, Any]:
    """The types of an object's values by their keys; "" is that of all others."""
    if isinstance(wanted, type) and (hints := fields(wanted)):
        return hints
    parts = typing.get_args(wanted)
    for part in parts:
        if isinstance(part, type) and (hints := fields(part)):
            return hints
    return {"": parts[-1]} if parts else {}
