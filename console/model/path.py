"""The critical path of a call: the chain of calls that decided when it ended."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec import Struct, field

from console.model.codes import KINDS
from console.model.columns import Ints
from console.model.family import Family

MOST_STEPS: Final = 5_000
_COMMAND: Final = KINDS.index("command")
_RUNNING: Final = {_COMMAND, KINDS.index("delivery")}


class Step(Struct, frozen=True):
    """From BEGIN to END (ns) the path leads through this call: queued, or running and waiting for none of the path."""

    row: int
    begin: int
    end: int


class CriticalPath(Struct, frozen=True):
    """The steps in the order of time, each beginning where the one before ended.

    `own`: ns on the path by row, 0 for a call that is only passed through; their sum is the length of the whole.
    `whole`: it was followed back to its beginning; of a call with very many steps only the last are known.
    """

    steps: tuple[Step, ...] = ()
    own: dict[int, int] = field(default_factory=dict)
    whole: bool = True

    @property
    def length(self) -> int:
        """Ns from the first step to the last."""
        return sum(self.own.values())


def critical_path(family: Family, row: int, now: int) -> CriticalPath:
    """The path to the end of a call, or to NOW if it has not ended.

    It is found backwards, as CRISP (Zhang et al., USENIX ATC 2022) does it. From its end, a call is itself on the path
    until the moment in which the call ended that its lane had last been blocked for; from there the path leads through
    that call, back to where it was queued, and goes on in the first one there. So each step could not have begun before
    the one in front of it ended; what ran beside the path, and was not waited for or ended earlier, is not on it.

    * For which call a lane was blocked is not kept: it is taken to be the one of its own that ended last in that time.
    * The listeners of an event count as called by whoever fired it. An event by itself ends with its last listener.
    * The waits of a call in flight that still go on are not recorded: it is taken to wait for the command that it
      executed last, if that is in flight.
    """
    steps: list[Step] = []
    own: dict[int, int] = {}
    ahead = [_Walk(family, row, int(family.columns["queued"][row]), now)]
    while ahead and len(steps) < MOST_STEPS:
        walk = ahead[-1]
        decider = walk.next()
        end, walk.at = walk.at, walk.begin if decider is None else decider.end
        own[walk.row] = own.get(walk.row, 0) + end - walk.at
        if end > walk.at:
            steps.append(Step(walk.row, walk.at, end))
        if decider is None:
            ahead.pop()
        else:
            begin = min(max(decider.begin, walk.begin), decider.end)
            inner = _Walk(family, decider.row, begin, now, end=decider.end)
            walk.at = inner.begin
            own.setdefault(int(family.parents[decider.row]), 0)  # the event between the two, if there is one
            ahead.append(inner)
    return CriticalPath(tuple(steps[::-1]), own, whole=not ahead)


class _Decider(Struct, frozen=True):
    row: int
    begin: int
    end: int


class _Walk:
    """A call on the way back from its end, `at` the moment that has been reached, not before `begin`."""

    def __init__(self, family: Family, row: int, begin: int, now: int, end: int | None = None) -> None:
        self.row, self.begin = row, begin
        self.at = max(begin, _end(family, row, now) if end is None else end)
        self._deciders = _deciders(family, row, now)

    def next(self) -> _Decider | None:
        """The call that ended last before the moment that has been reached, of those that this one was blocked for."""
        for decider in self._deciders:
            if self.begin <= decider.end <= self.at:
                return decider
        return None


def _deciders(family: Family, row: int, now: int) -> Iterator[_Decider]:
    """The calls that this one was blocked for, the last first."""
    columns = family.columns
    rows, ends = _candidates(family, row, now)
    if not len(rows):
        return
    began, ceased = (np.zeros(1, np.int64), ends[-1:]) if columns["kind"][row] not in _RUNNING else family.waits(row)
    last = np.searchsorted(ends, ceased, side="right") - 1
    decided = last[(last >= 0) & (ends[last] > began)]
    waited = _waited_now(family, row, rows)
    for at in ([waited] if waited >= 0 else []) + np.unique(decided)[::-1].tolist():
        child = int(rows[at])
        yield _Decider(child, int(columns["queued"][child]), int(ends[at]))


def _candidates(family: Family, row: int, now: int) -> tuple[Ints, Ints]:
    """The calls of a call, and the listeners of its events, the first to end first; and when they ended."""
    rows = family.children(row)
    if not len(rows):
        return rows, rows
    events = rows[family.is_event(rows)]
    if len(events):
        rows = np.concatenate([rows[~family.is_event(rows)], *(family.children(event) for event in events.tolist())])
    ends = np.where(family.columns["outcome"][rows] > 0, family.columns["ended"][rows], now)
    order = np.argsort(ends, kind="stable")
    return rows[order], ends[order]


def _waited_now(family: Family, row: int, rows: Ints) -> int:
    """Which of ROWS a call in flight seems to wait for now; -1: none."""
    columns = family.columns
    if columns["outcome"][row] or not columns["started"][row]:
        return -1
    waited = np.flatnonzero((columns["outcome"][rows] == 0) & (columns["kind"][rows] == _COMMAND))
    return int(max(waited.tolist(), key=lambda at: rows[at])) if len(waited) else -1


def _end(family: Family, row: int, now: int) -> int:
    """When a call ended; an event with its last listener."""
    columns = family.columns
    if family.is_event(np.array([row]))[0]:
        _, ends = _candidates(family, row, now)
        return int(ends[-1]) if len(ends) else int(columns["ended"][row])
    return int(columns["ended"][row]) if columns["outcome"][row] else now
