"""The causal tree of a call in lines, from what began it all down to the last effects: bounded, and saying so."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Final

import numpy as np
from msgspec import Struct

from bus.trace.records import Call
from console.model import attempts
from console.model.columns import Ints
from console.model.family import Family
from console.model.path import CriticalPath, critical_path
from console.model.store import Store

MOST_LINES: Final = 400
_ABOVE: Final = 50
"""Causes above a call that are shown."""
_CHILDREN: Final = 12
"""Calls of one cause that are shown, besides those that matter: failed, in flight, on the path."""
_MATTER: Final = 6
_ON_PATH: Final = 60
_UNFOLDED: Final = 100
"""Calls of a fold that are shown when it is opened; what is left of it is a fold again."""
_COUNTED: Final = 200
"""Of a cause with more calls than that, attempts are not counted."""


class TreeLine(Struct, frozen=True):
    """A call in the tree, or a number of folded ones, which all have the same cause.

    `branches`: for each level, whether something follows below on it; the last one is this line's own, and a line of
    the top has none. `on_path`: it is on the critical path, `own` ns of which are its own; also of folded calls.
    `attempt`: from 2 on, when it is the same call made again after a failure.
    """

    branches: tuple[bool, ...]
    call: Call | None = None
    on_path: bool = False
    own: int = 0
    attempt: int = 1
    folded: int = 0
    """Calls of this cause that this line stands for, 0 if it is a call itself."""
    below: int = 0
    """Calls that the folded ones led to."""
    failed: int = 0
    """How many of the folded ones failed."""
    first: int = 0
    """The id of the first of the folded ones, by which they can be unfolded."""


class CallTree(Struct, frozen=True):
    """The tree that a call is part of, with the critical path of that call.

    `total` calls are known, all of which are in the lines or folded in them, but for `above` that stand above the first
    line or beside, in a tree that is very deep. `complete`: the call that began it all is kept.
    """

    call: int
    lines: tuple[TreeLine, ...]
    total: int
    above: int
    complete: bool
    length: int
    """Ns of the critical path."""


def tree(store: Store, call_id: int, now: int, unfold: Collection[int] = ()) -> CallTree | None:
    """The tree of a call; None if that is not kept. UNFOLD: the `first` of folded ones that are to be shown."""
    call = store.call(call_id)
    if call is None:
        return None
    family = Family(store, call.root)
    row = family.row(call_id)
    if row < 0:
        return None
    path, sizes = critical_path(family, row, now), np.array(family.sizes(), np.int64)
    causes = family.ancestors(row)
    deep = len(causes) > _ABOVE
    starts = np.array(causes[-_ABOVE:][:1]) if deep else family.tops
    top = int(family.parents[starts[0]]) if deep else -1
    shown = np.union1d(_shown(family, row, starts, path), _unfolded(family, starts, unfold))
    lines = _Lines(family, path, sizes, shown)
    return CallTree(
        call=call_id, lines=tuple(lines.below(top, starts)), total=len(family),
        above=len(family) - int(sizes[starts].sum()), complete=family.row(call.root) >= 0, length=path.length,
    )  # fmt: skip


def _shown(family: Family, row: int, starts: Ints, path: CriticalPath) -> Ints:
    """The rows that get a line: the call, its causes, its path; then its effects, then everything from the top."""
    shown = {row, *family.ancestors(row)[-_ABOVE:]}
    for one in sorted(path.own, key=lambda at: (-path.own[at], at))[:_ON_PATH]:
        chain = list(islice(_chain(family, one, row), _ABOVE))
        if len(chain) < _ABOVE:  # farther down it is only counted
            shown.update(chain)
    _spread(family, [row], shown, len(shown) + (MOST_LINES - len(shown)) // 2)
    roots = _matter(family, starts)
    shown.update(roots)
    _spread(family, roots, shown, MOST_LINES)
    return np.array(sorted(shown))


def _unfolded(family: Family, starts: Ints, unfold: Collection[int]) -> Ints:
    """The next rows of the same cause, from each of the calls UNFOLD on."""
    rows: list[int] = []
    for row in (family.row(call) for call in unfold):
        if row < 0:
            continue
        siblings = starts if row in starts else family.children(int(family.parents[row]))
        rows += siblings[siblings >= row][:_UNFOLDED].tolist()
    return np.array(rows, np.int64)


def _chain(family: Family, row: int, top: int) -> Iterator[int]:
    """A row and its causes, up to TOP."""
    while row > top:
        yield row
        row = int(family.parents[row])


def _spread(family: Family, rows: Iterable[int], shown: set[int], most: int) -> None:
    """Show what ROWS caused, level by level, until MOST are shown."""
    ahead = deque(rows)
    while ahead and len(shown) < most:
        children = _matter(family, family.children(ahead.popleft()))
        shown.update(children)
        ahead.extend(children)


def _matter(family: Family, rows: Ints) -> list[int]:
    """The first of ROWS, and of the others the first that failed, and the last that have not ended."""
    if len(rows) <= _CHILDREN:
        found: list[int] = rows.tolist()
        return found
    failed = rows[family.failed(rows)][:_MATTER]
    outcomes = family.columns["outcome"][rows]
    return sorted({*rows[:_CHILDREN].tolist(), *failed.tolist(), *rows[outcomes == 0][-_MATTER:].tolist()})


_Item = Ints | tuple[int, int]
"""Rows that are folded into one line; or a row, and which attempt it is."""


class _Lines:
    """Makes the lines from the top down."""

    def __init__(self, family: Family, path: CriticalPath, sizes: Ints, shown: Ints) -> None:
        self._family, self._path, self._sizes, self._shown = family, path, sizes, shown
        self._on_path = np.array(sorted(path.own), np.int64)

    def below(self, row: int, rows: Ints) -> Iterator[TreeLine]:
        """The lines of ROWS, which ROW caused, and of all below them."""
        ahead: list[tuple[_Item, tuple[bool, ...]]] = [(one, ()) for one in reversed(self._items(row, rows))]
        while ahead:
            item, branches = ahead.pop()
            if isinstance(item, np.ndarray):
                yield self._fold(item, branches)
                continue
            at, attempt = item
            yield TreeLine(
                branches, self._family.call(at), at in self._path.own, self._path.own.get(at, 0), attempt
            )  # fmt: skip
            inner = self._items(at, self._family.children(at))
            ahead += [(one, (*branches, number > 0)) for number, one in enumerate(reversed(inner))]

    def _items(self, row: int, rows: Ints) -> list[_Item]:
        """ROWS in their order: those that are shown, each with the number of its attempt, and the others in between."""
        shown = np.flatnonzero(np.isin(rows, self._shown))
        numbers = self._attempts(rows) if row >= 0 and len(rows) <= _COUNTED else {}
        items: list[_Item] = []
        done = 0
        for at in [*shown.tolist(), len(rows)]:
            if at > done:
                items.append(rows[done:at])
            if at < len(rows):
                items.append((int(rows[at]), numbers.get(int(rows[at]), 1)))
            done = at + 1
        return items

    def _attempts(self, rows: Ints) -> dict[int, int]:
        if not self._family.failed(rows).any():
            return {}
        calls = {self._family.call(row).id: row for row in rows.tolist()}
        several = attempts.series(self._family.call(row) for row in rows.tolist())
        return {calls[call.id]: number for one in several for number, call in enumerate(one, 1)}

    def _fold(self, rows: Ints, branches: tuple[bool, ...]) -> TreeLine:
        on_path = rows[np.isin(rows, self._on_path)].tolist()
        failed = int(self._family.failed(rows).sum())
        below = int(self._sizes[rows].sum()) - len(rows)
        own = sum(self._path.own[row] for row in on_path)
        return TreeLine(
            branches, None, bool(on_path), own, folded=len(rows), below=below, failed=failed,
            first=int(self._family.columns["id"][rows[0]]),
        )  # fmt: skip
