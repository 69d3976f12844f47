"""The calls that a filter asks for: how many there are, and the first of them in some order."""

from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, NamedTuple

import numpy as np

from bus.trace.records import Call
from console.language.filters import ALL, Filter
from console.model.call_rows import CallRows
from console.model.columns import Ints
from console.model.filters import StoreFilter, of_call
from console.model.lane import Calls
from console.model.store import Store

Order = Literal["newest", "took", "run", "queued", "computing", "waiting", "elsewhere"]
"""`newest`: the last to end first; the others: the longest time of that name first."""


@dataclass(frozen=True, slots=True)
class FoundCalls:
    """What was found. `calls`: the first of them, those in flight at the front, of which the oldest comes first.

    `total` counts all that match; so many of these are `in_flight`.
    """

    calls: tuple[Call, ...] = ()
    total: int = 0
    in_flight: int = 0


class _Candidate(NamedTuple):
    key: int
    ended: int
    position: int
    calls: Calls


def find(store: Store, what: Filter, now: int, *, limit: int, order: Order = "newest") -> FoundCalls:
    """At most LIMIT of the calls that are what WHAT asks for."""
    fits = of_call(what, store.lane_name, lambda _call: now)
    live = [call for call in store.live.values() if fits(call)]
    live.sort(key=lambda call: (not call.started, call.started or call.queued, call.id))
    ended, total = _ended(store, what, max(0, limit - len(live)), order)
    return FoundCalls((*live[:limit], *ended), len(live) + total, len(live))


def _ended(store: Store, what: Filter, limit: int, order: Order) -> tuple[list[Call], int]:
    """The first ended calls in an order, and how many there are."""
    chosen = StoreFilter(what, store)
    found: list[_Candidate] = []
    total = 0
    for calls in (*store.runs.values(), *store.instants.values()):
        if what == ALL:
            positions, total = np.arange(len(calls)), total + len(calls)
        else:
            positions = np.flatnonzero(chosen.mask(calls))
            total += len(positions)
        found += _first(calls, positions, limit, order)
    found.sort(key=attrgetter("key", "ended"), reverse=True)
    return [store.codec.unpack(each.calls, each.position) for each in found[:limit]], total


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
