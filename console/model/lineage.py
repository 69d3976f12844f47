"""Where a call stands among the others: what led to it, its siblings, its attempts, its critical path by name."""

from typing import Final

from msgspec import Struct

from bus.trace.records import Call
from console.model import attempts
from console.model.family import Family
from console.model.path import CriticalPath, critical_path
from console.model.store import Store

_CAUSES: Final = 20
_SIBLINGS: Final = 200
"""Siblings on either side among which attempts are looked for."""
_NAMES: Final = 6
"""Names on the path that are told apart."""
_MOST_BELOW: Final = 200


class PathPart(Struct, frozen=True):
    """So much (ns) of a critical path is the own time of calls of this name; `call`: the one with the most of it."""

    name: str
    calls: int
    own: int
    call: int


class Lineage(Struct, frozen=True):
    """A call's place in its tree.

    `causes`: from the outermost that is shown down to the direct one; `more_causes` stand above them. `number`: it is
    the n-th of `siblings` calls with the same cause, itself included; 0: it has none. `attempts`: the same call made
    again after failures, this one among them; () if it was made once. `effects`: how many calls it led to in all.
    `path`: by name, the most time first, the small ones together under "".
    """

    causes: tuple[Call, ...] = ()
    more_causes: int = 0
    number: int = 0
    siblings: int = 0
    before: Call | None = None
    after: Call | None = None
    attempts: tuple[Call, ...] = ()
    effects: int = 0
    path: tuple[PathPart, ...] = ()


def lineage(store: Store, call: Call, now: int) -> Lineage:
    """The place of a call that is kept."""
    family = Family(store, call.root)
    row = family.row(call.id)
    if row < 0:
        return Lineage()
    causes = family.ancestors(row)
    siblings = family.children(causes[-1]) if causes else family.children(row)[:0]
    at = int(siblings.searchsorted(row))
    near = siblings[max(0, at - _SIBLINGS) : at + _SIBLINGS]
    alike = (family.call(one) for one in near.tolist() if family.name(one) == call.name)
    return Lineage(
        causes=tuple(map(family.call, causes[-_CAUSES:])), more_causes=max(0, len(causes) - _CAUSES),
        number=at + 1 if causes else 0, siblings=len(siblings),
        before=family.call(int(siblings[at - 1])) if causes and at else None,
        after=family.call(int(siblings[at + 1])) if at + 1 < len(siblings) else None,
        attempts=attempts.of(call, alike) if causes else () if call.parent else attempts.around(store, call),
        effects=_size(family, row) - 1, path=_by_name(family, critical_path(family, row, now)),
    )  # fmt: skip


def below(store: Store, call: Call) -> list[Call]:
    """A call and what it led to, the first to be queued first, 200 calls at most."""
    family = Family(store, call.root)
    known, found = {family.row(call.id)}, [call]
    for row, parent in enumerate(family.parents.tolist()):
        if len(found) >= _MOST_BELOW:
            break
        if parent in known and parent >= 0:
            known.add(row)
            found.append(family.call(row))
    return found


def _size(family: Family, row: int) -> int:
    return family.sizes()[row] if len(family.children(row)) else 1


def _by_name(family: Family, path: CriticalPath) -> tuple[PathPart, ...]:
    rows: dict[str, list[int]] = {}
    for row, own in path.own.items():
        if own:
            rows.setdefault(family.name(row), []).append(row)
    parts = [_part(family, path, name, some) for name, some in rows.items()]
    parts.sort(key=lambda part: (-part.own, part.name))
    rest = [row for part in parts[_NAMES:] for row in rows[part.name]]
    return (*parts[:_NAMES], *([_part(family, path, "", rest)] if rest else []))


def _part(family: Family, path: CriticalPath, name: str, rows: list[int]) -> PathPart:
    longest = max(sorted(rows), key=lambda row: path.own[row])
    return PathPart(name, len(rows), sum(path.own[row] for row in rows), int(family.columns["id"][longest]))
