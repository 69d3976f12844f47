"""An annotation's text as the kind of value that it wants: `list[int] | None` → Union(list(int), None). Pure."""

import ast
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

ANY: Final = "Any"
UNION: Final = "Union"
LITERAL: Final = "Literal"
NONE: Final = "None"
TEXTS: Final = frozenset({"str", "Path", "PurePath", "PosixPath"})
"""What a text without quotes stands for itself in."""
LISTS: Final = frozenset(
    "list List tuple Tuple set Set frozenset FrozenSet Sequence MutableSequence Iterable Collection".split()  # noqa: SIM905
)
DICTS: Final = frozenset("dict Dict Mapping MutableMapping".split())  # noqa: SIM905  shorter so
_TRANSPARENT: Final = frozenset({"Annotated", "Secret", "Final", "Required", "NotRequired", "ClassVar"})
_DEEPEST: Final = 16


class Kind(Struct, frozen=True):
    """`name` is the type's own name, without its module; `of` what is in its brackets; `choices` those of a Literal."""

    name: str
    of: tuple["Kind", ...] = ()
    choices: tuple[Any, ...] = ()

    @property
    def alternatives(self) -> tuple["Kind", ...]:
        """Those of a union, else itself."""
        return self.of if self.name == UNION else (self,)


_ANYTHING: Final = Kind(ANY)


@lru_cache(1_024)
def read_annotation(text: str) -> Kind:
    """The kind that TEXT names; what cannot be understood is anything."""
    try:
        return _kind(ast.parse(text.strip(), mode="eval").body, 0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _ANYTHING


def _kind(node: ast.expr, depth: int) -> Kind:
    found = _ANYTHING
    match node:
        case _ if depth > _DEEPEST:
            pass
        case ast.Name(id=name) | ast.Attribute(attr=name):
            found = Kind(name)
        case ast.Constant(value=None):
            found = Kind(NONE)
        case ast.Constant(value=str(text)):
            found = read_annotation(text)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            found = _union(_kind(left, depth + 1), _kind(right, depth + 1))
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inside):
            found = _subscript(name, list(inside.elts) if isinstance(inside, ast.Tuple) else [inside], depth + 1)
    return found


def _subscript(name: str, inside: list[ast.expr], depth: int) -> Kind:
    if name == LITERAL:
        return Kind(LITERAL, choices=tuple(map(ast.literal_eval, inside)))
    if name in _TRANSPARENT:
        return _kind(inside[0], depth)
    rest = [node for node in inside if not (isinstance(node, ast.Constant) and node.value is Ellipsis)]
    parts = tuple(_kind(node, depth) for node in rest)
    if name == "Optional":
        return _union(*parts, Kind(NONE))
    return _union(*parts) if name == UNION else Kind(name, parts)


def _union(*parts: Kind) -> Kind:
    flat = tuple(dict.fromkeys(alternative for part in parts for alternative in part.alternatives))
    return flat[0] if len(flat) == 1 else Kind(UNION, flat)
