"""The calls that a filter asks for: how many there are, and the first of them in some order."""

from operator import attrgetter
from typing import Final, Literal, NamedTuple

import numpy as np
from msgspec import Struct

from bus.trace.records import Call
from console.language.filters import ALL, Filter
from console.model.call_rows import CallRows
from console.model.columns import Ints
from console.model.filters import StoreFilter, of_call
from console.model.lane import Calls
from console.model.store import Store

Order = Literal["newest", "took", "run", "queued", "computing", "waiting", "elsewhere"]
"""`newest`: the last to end first; the others: the longest time of that name first."""


class FoundCalls(Struct, frozen=True):
    """What was found. `calls`: the first of them, those in flight at the front, of which the oldest comes first.

    `total` counts all that match; so many of these are `in_flight`, and so many of `calls` are `going`.
    """

    calls: tuple[Call, ...] = ()
    total: int = 0
    in_flight: int = 0
    going: int = 0


_REMEMBERED: Final = 4


class _Candidate(NamedTuple):
    key: int
    ended: int
    position: int
    calls: Calls


class Queries:
    """The last filters that were asked, which screens ask again and again: then only what is new is looked at."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._filters: dict[Filter, StoreFilter] = {}

    def find(self, what: Filter, now: int, *, limit: int, order: Order = "newest") -> FoundCalls:
        """At most LIMIT of the calls that are what WHAT asks for; those in flight took until NOW.

        However many are in flight, half of the room is for what has ended.
        """
        store = self._store
        fits = of_call(what, store.lane_name, lambda _call: now)
        live = [call for call in store.live.values() if fits(call)]
        live.sort(key=lambda call: (not call.started, call.started or call.queued, call.id))
        ended, total = self._ended(what, max(limit // 2, limit - len(live)), order)
        going = live[: limit - len(ended)]
        return FoundCalls((*going, *ended), len(live) + total, len(live), len(going))

    def _ended(self, what: Filter, limit: int, order: Order) -> tuple[list[Call], int]:
        """The first ended calls in an order, and how many there are."""
        chosen = self._filter(what)
        found: list[_Candidate] = []
        total = 0
        for calls in (*self._store.runs.values(), *self._store.instants.values()):
            positions = np.arange(len(calls)) if what == ALL else chosen.positions(calls)
            total += len(positions)
            found += _first(calls, positions, limit, order)
        found.sort(key=attrgetter("key", "ended"), reverse=True)
        return [self._store.codec.unpack(each.calls, each.position) for each in found[:limit]], total

    def _filter(self, what: Filter) -> StoreFilter:
        """That of last time, if it is known still."""
        chosen = self._filters.pop(what, None) or StoreFilter(what, self._store)
        self._filters[what] = chosen
        if len(self._filters) > _REMEMBERED:
            del self._filters[next(iter(self._filters))]
        return chosen


def _first(calls: Calls, positions: Ints, limit: int, order: Order) -> list[_Candidate]:
    """Those of POSITIONS that may be among the first LIMIT of all lanes."""
    if not limit:
        return []
    if order == "newest":
        positions = positions[-limit:]
        keys = ended = calls.values("ended", positions)
    else:
        times, known = CallRows(calls).numbers(order)
        keys = np.where(known, times, -1)[positions]
        longest = _longest(keys, limit)
        positions, keys = positions[longest], keys[longest]
        ended = calls.values("ended", positions)
    return [_Candidate(*each, calls) for each in zip(keys.tolist(), ended.tolist(), positions.tolist(), strict=True)]


def _longest(times: Ints, limit: int) -> Ints:
    """Where the LIMIT longest times are; of equal ones, the last."""
    if len(times) <= limit:
        return np.arange(len(times))
    least = np.partition(times, -limit)[-limit]
    above, equal = np.flatnonzero(times > least), np.flatnonzero(times == least)
    return np.concatenate((above, equal[len(above) - limit :]))
