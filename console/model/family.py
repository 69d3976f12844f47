"""All kept calls of one root: who caused whom, in columns, so that a root with a million calls is no problem."""

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bus.trace.records import Call
from console.model.codes import KINDS, OUTCOMES
from console.model.columns import Block, Column, Ints
from console.model.ends import failures
from console.model.lane import Calls, Runs
from console.model.store import Store

_TIMES: Final = ("id", "parent", "queued", "started", "ended")
_CODES: Final = ("lane", "caller", "kind", "outcome", "name")
_EVENT: Final = KINDS.index("event")


class _Part(Struct, frozen=True):
    """Calls of one place, by their positions there; `calls` None: those in flight, by their ids."""

    calls: Calls | None
    positions: Ints


class Family:
    """The calls of one root that are kept, numbered as rows: the first to be queued is row 0.

    A call whose cause is not kept any more, or cannot be its cause, is one of the `tops`; so a call always stands below
    the row of its cause, and damaged records make no circle. To be used at once: it is of no use any more when the
    store has taken in something else.
    """

    def __init__(self, store: Store, root: int) -> None:
        """Find the calls, in one pass over the root's column."""
        self._store = store
        self.root = root
        parts = [*_ended(store, root), *_in_flight(store, root)]
        block, where, positions = _joined(parts)
        ids, first = np.unique(block["id"], return_index=True)
        order = first[np.lexsort((ids, block["queued"][first]))]
        self.columns = {name: values[order] for name, values in block.items()}
        """The times and codes of `lane.CALL`, a row a call; of a call in flight `outcome` is 0."""
        self._parts = [part for part, _ in parts]
        self._where, self._positions = where[order], positions[order]
        self._by_id = np.argsort(self.columns["id"])
        self._sorted_ids = self.columns["id"][self._by_id]
        self.parents = self._find_parents()
        """The row of each call's cause, -1 for the tops."""
        self._by_parent = np.argsort(self.parents, kind="stable")
        self._firsts = np.searchsorted(self.parents[self._by_parent], np.arange(-1, len(self) + 1))

    def __len__(self) -> int:
        return len(self.columns["id"])

    def row(self, call: int) -> int:
        """The row of a call, -1 if it is not kept or has another root."""
        at = int(np.searchsorted(self._sorted_ids, call))
        return int(self._by_id[at]) if at < len(self) and self._sorted_ids[at] == call else -1

    def children(self, row: int) -> Ints:
        """The rows of the calls that a call caused directly, the first to be queued first; of row -1: the tops."""
        some: Ints = self._by_parent[self._firsts[row + 1] : self._firsts[row + 2]]
        return some

    @property
    def tops(self) -> Ints:
        """The rows of the calls whose cause is not here: the root, if it is kept."""
        return self.children(-1)

    def ancestors(self, row: int) -> list[int]:
        """The rows from the top down to the cause of a call."""
        found: list[int] = []
        while (row := int(self.parents[row])) >= 0:
            found.append(row)
        return found[::-1]

    def sizes(self) -> list[int]:
        """For each row, how many calls it is with all that it caused."""
        sizes = [1] * len(self)
        for row, parent in zip(range(len(self) - 1, -1, -1), self.parents[::-1].tolist(), strict=True):
            if parent >= 0:  # a cause stands above its effects, so these are complete
                sizes[parent] += sizes[row]
        return sizes

    def call(self, row: int) -> Call:
        """The whole record."""
        calls = self._parts[self._where[row]].calls
        if calls is None:
            return self._store.live[int(self.columns["id"][row])]
        return self._store.codec.unpack(calls, int(self._positions[row]))

    def name(self, row: int) -> str:
        """The name of a call; quicker than the whole record."""
        number = int(self.columns["name"][row])
        return self._store.codec.names[number] if number >= 0 else self.call(row).name

    def is_event(self, rows: Ints) -> Column:
        """Which of the rows are events."""
        events: Column = self.columns["kind"][rows] == _EVENT
        return events

    def failed(self, rows: Ints) -> NDArray[np.bool_]:
        """Which of the rows failed."""
        return failures(self.columns["kind"][rows], self.columns["outcome"][rows])

    def waits(self, row: int) -> tuple[Ints, Ints]:
        """When a call began and ceased to be blocked, waiting for other calls; of one in flight, so far."""
        runs = self._store.runs.get(int(self.columns["lane"][row]))
        started, ended = int(self.columns["started"][row]), int(self.columns["ended"][row])
        if runs is None or not started:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        return runs.waits_within(started, ended or np.iinfo(np.int64).max)

    def _find_parents(self) -> Ints:
        parents = self.columns["parent"]
        at = np.minimum(np.searchsorted(self._sorted_ids, parents), max(0, len(self) - 1))
        rows = np.where(self._sorted_ids[at] == parents, self._by_id[at], -1) if len(self) else parents
        found: Ints = np.where(rows < np.arange(len(self)), rows, -1)
        return found


def _ended(store: Store, root: int) -> list[tuple[_Part, Block]]:
    """What a root caused has not ended before that was queued: only the calls from there on are searched."""
    known = store.call(root)
    since = np.int64(known.queued if known else 0)
    found: list[tuple[_Part, Block]] = []
    for calls in (*store.runs.values(), *store.instants.values()):
        times = calls["started" if isinstance(calls, Runs) else "ended"]
        first = int(np.searchsorted(times, since))
        positions = first + np.flatnonzero(calls.values("root", slice(first, len(calls))) == root)
        if len(positions):
            block = {name: calls.values(name, positions) for name in (*_TIMES, *_CODES)}
            found.append((_Part(calls, positions), block))
    return found


def _in_flight(store: Store, root: int) -> list[tuple[_Part, Block]]:
    calls = [call for call in store.live.values() if call.root == root]
    if not calls:
        return []
    block = {name: np.array([getattr(call, name) for call in calls], np.int64) for name in (*_TIMES, "lane", "caller")}
    block["kind"] = np.array([KINDS.index(call.kind) for call in calls], np.int8)
    block["outcome"] = np.full(len(calls), OUTCOMES.index(None), np.int8)
    block["name"] = np.full(len(calls), -1, np.int32)
    return [(_Part(None, np.arange(len(calls))), block)]


def _joined(parts: list[tuple[_Part, Block]]) -> tuple[Block, Ints, Ints]:
    """The columns of all parts together, which part each call is of, and its position there."""
    if not parts:
        nothing = np.zeros(0, np.int64)
        return dict.fromkeys((*_TIMES, *_CODES), nothing), nothing, nothing
    block = {name: np.concatenate([columns[name] for _, columns in parts]) for name in (*_TIMES, *_CODES)}
    block |= {name: block[name].astype(np.int64) for name in _TIMES}
    where = np.repeat(np.arange(len(parts)), [len(part.positions) for part, _ in parts])
    return block, where, np.concatenate([part.positions for part, _ in parts])
