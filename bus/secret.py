"""`Secret[T]`: says of a parameter, or of a field of a value, that what is in it must never reach a record.

To a type checker `Secret[str]` is `str`, and at run time the value is a plain one too: only the recorder is told.
"""

import inspect
import typing
from functools import lru_cache
from typing import Annotated, Any, TypeVar

T = TypeVar("T")
_TEXT = "Secret["


class _Mark:
    def __repr__(self) -> str:
        return "Secret"


_MARK = _Mark()
Secret = Annotated[T, _MARK]


def is_marked(annotation: Any) -> bool:
    """Whether a value of this type is secret, or has a secret in it; one that is still text is looked at as such."""
    if isinstance(annotation, str | typing.ForwardRef):
        return _TEXT in str(annotation)
    if _MARK in getattr(annotation, "__metadata__", ()):
        return True
    return any(is_marked(part) for part in _parts(annotation))


@lru_cache(1_024)
def marked_fields(kind: type) -> frozenset[str]:
    """The names of the fields of the class KIND that are secret by their type."""
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
    except Exception:  # noqa: BLE001  annotations are foreign code: what cannot be resolved is looked at as text
        hints = {}
        for base in reversed(kind.__mro__):
            hints.update(inspect.get_annotations(base))
    return frozenset(name for name, annotation in hints.items() if is_marked(annotation))


def _parts(annotation: Any) -> tuple[Any, ...]:
    if hasattr(annotation, "__metadata__"):
        return (annotation.__origin__,)
    return typing.get_args(annotation)
