"""A callback's parameters as a schema: check a call against it, convert values that came as text, describe it.

The check of an all-positional call is two comparisons; `inspect.Signature.bind` would take 5 to 10 µs.
"""

import functools
import inspect
import re
import reprlib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

import msgspec

from bus.definitions import definitions, named
from bus.errors import BadArguments
from bus.secret import is_marked
from bus.trace.records import Parameter
from bus.trace.redact import REDACTED, is_secret

_MAX_DEFAULT = 80
_MODULES = re.compile(r"\b(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])")


@dataclass(frozen=True, slots=True)
class Schema:
    """What a callback takes. `least` and `most`: how many positional arguments alone make a good call."""

    parameters: tuple[Parameter, ...]
    returns: str
    doc: str
    where: str
    least: float
    most: float
    annotations: Mapping[str, Any] = field(repr=False)

    def check(self, name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> None:
        """Whether a call of NAME with these arguments would reach the callback's body.

        Raises:
            BadArguments: it would not; the message names what is missing or unexpected.
        """
        if wrong := self._wrong(args, kwargs):
            message = f"{name}({', '.join(map(describe, self.parameters))}): {'; '.join(wrong)}"
            raise BadArguments(message)

    def convert(
        self, name: str, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> tuple[tuple[object, ...], dict[str, object]]:
        """The same arguments, made from JSON-like values, as the annotations want them.

        Raises:
            BadArguments: a value does not fit its parameter's annotation, or the call has no such parameter.
        """
        self.check(name, args, kwargs)
        positional = [p for p in self.parameters if p.kind.startswith("positional")]
        rest = next((p for p in self.parameters if p.kind == "var_positional"), None)
        extra = next((p for p in self.parameters if p.kind == "var_keyword"), None)
        by_name = {p.name: p for p in self.parameters if p.kind in {"positional_or_keyword", "keyword_only"}}
        targets = [*positional, *[rest] * max(0, len(args) - len(positional))]
        return (
            tuple(self._convert_one(name, p, value) for p, value in zip(targets, args, strict=False) if p is not None),
            {key: self._convert_one(name, by_name.get(key) or extra, value) for key, value in kwargs.items()},
        )

    def _convert_one(self, name: str, parameter: Parameter | None, value: object) -> object:
        wanted = self.annotations.get(parameter.name, Any) if parameter is not None else Any
        try:
            return _converted(value, wanted)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            shown = parameter.name if parameter is not None else "?"
            text = REDACTED if parameter is not None and parameter.secret else reprlib.repr(value)
            message = f"{name}: {shown}={text} is not {annotation_text(wanted)}: {error}"
            raise BadArguments(message) from None

    def _wrong(self, args: Sequence[object], kwargs: Mapping[str, object]) -> list[str]:
        positional = [p for p in self.parameters if p.kind.startswith("positional")]
        kinds = {p.kind for p in self.parameters}
        given = {p.name for p in positional[: len(args)]}
        takes = {p.name for p in self.parameters if p.kind in {"positional_or_keyword", "keyword_only"}}
        missing = [p.name for p in self.parameters if p.required and p.name not in given and p.name not in kwargs]
        missing += [p.name for p in positional if p.kind == "positional_only" and p.name in kwargs and p.required
                    and p.name not in given and p.name not in missing]  # fmt: skip
        wrong = [f"{parameter} is missing" for parameter in missing]
        if len(args) > len(positional) and "var_positional" not in kinds:
            wrong.append(f"takes {len(positional)} positional arguments, got {len(args)}")
        if "var_keyword" not in kinds:
            wrong += [f"{key} is unexpected" for key in kwargs if key not in takes]
        return wrong + [f"{key} is given twice" for key in kwargs if key in given and key in takes]


def convert_for_any(
    schemas: Sequence[Schema], name: str, args: Sequence[object], kwargs: Mapping[str, object]
) -> tuple[tuple[object, ...], dict[str, object]]:
    """The arguments as the first of the SCHEMAS wants them that they fit; as they are when they fit none."""
    for schema in schemas:
        try:
            return schema.convert(name, args, kwargs)
        except BadArguments:
            continue
    return tuple(args), dict(kwargs)


def schema_of(callback: Callable[..., object]) -> Schema:
    """Read CALLBACK's signature; one that cannot be read (some built-ins) takes anything."""
    try:
        signature = inspect.signature(callback)
    except (TypeError, ValueError):
        anything = (Parameter(name="args", kind="var_positional"), Parameter(name="kwargs", kind="var_keyword"))
        return Schema(anything, "", _doc(callback), where(callback), 0, float("inf"), {})
    # Values are converted by the plain types: what else an annotation says of them is the program's own business.
    hints, marked = _hints(callback), _hints(callback, extras=True)
    parameters = tuple(_parameter(p, hints, marked) for p in signature.parameters.values())
    least, most = _positional_range(parameters)
    returns = hints.get("return", signature.return_annotation)
    return Schema(parameters, annotation_text(returns), _doc(callback), where(callback), least, most, hints)


def describe(parameter: Parameter) -> str:
    """One parameter as it stands in a signature: `limit: int = 20`."""
    stars = {"var_positional": "*", "var_keyword": "**"}.get(parameter.kind, "")
    text = f"{stars}{parameter.name}" + (f": {parameter.annotation}" if parameter.annotation else "")
    return text if parameter.default is None else f"{text} = {parameter.default}"


def annotation_text(annotation: object) -> str:
    """An annotation as its author would write it, "" for none."""
    if annotation is inspect.Parameter.empty:
        return ""
    if annotation is None or annotation is types.NoneType:
        return "None"
    if isinstance(annotation, str):
        return annotation
    if is_marked(annotation):
        return _marked_text(annotation)
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation.__qualname__
    return _MODULES.sub("", str(annotation))


def _marked_text(annotation: Any) -> str:
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        inner = annotation_text(annotation.__origin__)
        return inner if is_marked(annotation.__origin__) else f"Secret[{inner}]"
    if origin in {typing.Union, types.UnionType}:
        return " | ".join(map(annotation_text, parts))
    return f"{annotation_text(origin)}[{', '.join(map(annotation_text, parts))}]"


def where(callback: Callable[..., object]) -> str:
    """`file:line` of CALLBACK's definition, "" when it has none."""
    code = getattr(inspect.unwrap(_plain(callback)), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else ""


def callback_name(callback: Callable[..., object]) -> str:
    """What to call CALLBACK in a message."""
    plain = _plain(callback)
    return str(getattr(plain, "__qualname__", None) or type(plain).__qualname__)


def _plain(callback: Any) -> Any:
    while isinstance(callback, functools.partial):
        callback = callback.func
    return getattr(callback, "__func__", callback)


def _doc(callback: Callable[..., object]) -> str:
    lines = (inspect.getdoc(_plain(callback)) or "").strip().splitlines()
    return lines[0] if lines else ""


def _hints(callback: Callable[..., object], *, extras: bool = False) -> dict[str, Any]:
    """What can be resolved of the annotations, with EXTRAS as they stand; each by itself if not all can."""
    plain = _plain(callback)
    try:
        return typing.get_type_hints(plain, include_extras=extras)
    except Exception:  # noqa: BLE001  annotations are foreign code: what cannot be resolved is simply not converted
        each = getattr(plain, "__annotations__", {})
        known: dict[str, Any] = {}
        for name in each:
            known |= _hint(plain, name, extras=extras)
        return known


def _hint(plain: Any, name: str, *, extras: bool) -> dict[str, Any]:
    alone = types.SimpleNamespace(__annotations__={name: plain.__annotations__[name]})
    try:
        return typing.get_type_hints(alone, getattr(plain, "__globals__", {}), include_extras=extras)
    except Exception:  # noqa: BLE001  as above
        return {}


def _parameter(parameter: inspect.Parameter, hints: Mapping[str, Any], marked: Mapping[str, Any]) -> Parameter:
    annotation = marked.get(parameter.name, parameter.annotation)
    empty = parameter.default is inspect.Parameter.empty
    secret = is_secret(parameter.name) or is_marked(annotation)
    return Parameter(
        name=parameter.name,
        kind=parameter.kind.name.lower(),  # type: ignore[arg-type]  # inspect's names are ours, in lower case
        annotation=annotation_text(annotation if is_marked(annotation) else hints.get(parameter.name, annotation)),
        default=None if empty else REDACTED if secret else _default_text(parameter.default),
        secret=secret,
        definitions=definitions(hints.get(parameter.name), annotation_text, _default_text),
    )


def _default_text(default: object) -> str:
    if isinstance(default, Enum):
        return str(default)
    try:
        return reprlib.repr(default)[:_MAX_DEFAULT]
    except Exception:  # noqa: BLE001  a foreign __repr__ must not prevent a registration
        return f"<{type(default).__qualname__}>"


def _positional_range(parameters: tuple[Parameter, ...]) -> tuple[float, float]:
    if any(p.kind == "keyword_only" and p.required for p in parameters):
        return 1, 0  # no all-positional call is enough
    positional = [p for p in parameters if p.kind.startswith("positional")]
    most = float("inf") if any(p.kind == "var_positional" for p in parameters) else len(positional)
    return sum(p.required for p in positional), most


def _converted(value: object, wanted: Any) -> object:
    try:
        return msgspec.convert(named(value, wanted), wanted, strict=False, dec_hook=_decode)
    except msgspec.ValidationError:
        # A bare word such as 5 or true, typed for a parameter that wants text.
        if isinstance(value, bool | int | float) and str in (wanted, *typing.get_args(wanted)):
            return str(value)
        raise


def _decode(wanted: type, value: object) -> object:
    if isinstance(value, wanted):
        return value
    if issubclass(wanted, PurePath) and isinstance(value, str):
        return wanted(Path(value).expanduser()) if issubclass(wanted, Path) else wanted(value)
    message = f"a value of {annotation_text(wanted)} cannot be made from text"
    raise ValueError(message)
