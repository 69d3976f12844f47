"""Which calls are alike: those of one kind and name that one service runs. An event's listeners are not."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec import Struct

from bus.trace.records import Call, CallKind
from console.model.codes import KINDS
from console.model.columns import Block, Ints
from console.model.lane import Runs
from console.model.store import Store

_SERVICE: Final = 40
_SORT: Final = (1 << _SERVICE) - 1
"""Bits for kind and name."""


class Handler(Struct, frozen=True):
    """What runs such calls; `name` and `service` are numbers of the store's names."""

    kind: CallKind
    name: int
    service: int


class Handlers:
    """A small number for each handler, in the order in which their first calls came.

    Nearly all kinds and names belong to one service: for these a table says the number, for the others a dictionary.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int], int] = {}
        self._handlers: list[Handler] = []
        self._first: Ints = np.full(64, -1, np.int64)
        self._services: Ints = np.zeros(64, np.int64)

    def __getitem__(self, number: int) -> Handler:
        return self._handlers[number]

    def numbers(self, calls: Block) -> Ints:
        """The number of the handler of each call."""
        which, services = sorts(calls), calls["service"].astype(np.int64)
        if not len(which):
            return which
        self._first = _longer(self._first, int(which.max()) + 1, -1)
        numbers: Ints = self._first[which]
        others = np.flatnonzero((numbers < 0) | (self._services[numbers] != services))
        if len(others):
            raw = which[others] | (services[others] << _SERVICE)
            values, inverse = np.unique(raw, return_inverse=True)
            known = np.array([self._number(value & _SORT, value >> _SERVICE) for value in values.tolist()], np.int64)
            numbers[others] = known[inverse]
        return numbers

    def _number(self, sort: int, service: int) -> int:
        number = self._numbers.get((sort, service))
        if number is None:
            number = self._numbers[sort, service] = len(self._handlers)
            name, kind = divmod(sort, len(KINDS))
            self._handlers.append(Handler(KINDS[kind], name, service))
            self._services = _longer(self._services, number + 1, 0)
            self._services[number] = service
            if self._first[sort] < 0:
                self._first[sort] = number
        return number


def _longer(values: Ints, size: int, fill: int) -> Ints:
    if size <= len(values):
        return values
    return np.concatenate((values, np.full(max(size, 2 * len(values)) - len(values), fill, np.int64)))


def sorts(calls: Block) -> Ints:
    """A number for each call's kind and name, whoever runs it."""
    found: Ints = calls["name"].astype(np.int64) * len(KINDS) + calls["kind"]
    return found


def sort_of(handler: Handler) -> int:
    """The same for a handler."""
    return handler.name * len(KINDS) + KINDS.index(handler.kind)


class Stretch(Struct, frozen=True):
    """The calls of a lane within some time, and which of them are a handler's."""

    lane: int
    runs: Runs
    chosen: slice
    mine: Ints

    def values(self, name: str) -> Ints:
        """A column of the handler's calls."""
        values: Ints = self.runs.values(name, self.chosen)[self.mine]
        return values


def handler_of(store: Store, call: Call) -> Handler:
    """What runs a call, whether a call like it has ended or not."""
    names = store.codec.names
    return Handler(call.kind, names.find(call.name), names.find(call.service))


def run_times(store: Store, handler: Handler, until: int) -> Ints:
    """How long (ns) each of a handler's calls that are kept ran, sorted; a pass over all that are kept."""
    some = [each.values("ended") - each.values("started") for each in stretches(store, handler, 0, until)]
    return np.sort(np.concatenate(some)) if some else np.zeros(0, np.int64)


def own_times(store: Store, handler: Handler, until: int) -> Ints:
    """The same without the time for which the calls waited for others."""
    each = [
        one.values("ended") - one.values("started") - one.values("waited")
        for one in stretches(store, handler, 0, until)
    ]
    return np.sort(np.concatenate(each)) if each else np.zeros(0, np.int64)


def stretches(store: Store, handler: Handler, since: int, until: int) -> Iterator[Stretch]:
    """The lanes on which a handler's calls were started between two moments, as far as they are kept."""
    for lane, runs in store.runs.items():
        started = runs.columns["started"]
        first, after = (int(place) for place in np.searchsorted(started, np.array([since, until + 1], started.dtype)))
        chosen = slice(first, after)
        same = runs.columns["service"][chosen] == handler.service
        if same.any():
            same &= runs.columns["name"][chosen] == handler.name
            same &= runs.columns["kind"][chosen] == KINDS.index(handler.kind)
            mine = np.flatnonzero(same)
            if len(mine):
                yield Stretch(lane, runs, chosen, mine)
