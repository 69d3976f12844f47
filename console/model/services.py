"""What each service is like: its state, what its threads are doing, how busy it is, what it lost."""

from collections.abc import Collection
from typing import Final

import numpy as np

from bus.trace.records import Call, Lane
from console.model.blocks import KINDS
from console.model.columns import Block, Ints
from console.model.ends import failures, losses
from console.model.presence import present
from console.model.stats import WINDOW_SECONDS, Rates
from console.model.store import Store
from console.model.views import ServiceRow, ThreadRow

DEPTHS: Final = 10
"""Parts of the last minute in which a mailbox's depth is told."""
OUTSIDE: Final = ""
"""The threads that belong to no service; they run nothing, but call, wait, and have stacks."""
_MAX_OUTSIDE: Final = 50
_EVENT: Final = KINDS.index("event")
_SPAN: Final = WINDOW_SECONDS * 1_000_000_000


class Services:
    """The services of a model. Calls are counted when they come in, so that the figures outlive the calls."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: dict[str, int] = {}
        self._calls = np.zeros(0, np.int64)
        self._errors = np.zeros(0, np.int64)
        self._rates = Rates()
        self._lanes: dict[str, list[Lane]] = {}
        self._grouped = 0

    def take(self, block: Block) -> None:
        """Count calls that were not counted before; an event is nobody's, its deliveries are, once made."""
        kind, outcome = block["kind"], block["outcome"]
        chosen = np.flatnonzero((kind != _EVENT) & (block["service"] > 0) & ~losses(kind, outcome))
        if not len(chosen):
            return
        numbers, inverse = np.unique(block["service"][chosen], return_inverse=True)
        rows = np.array([self._row(number) for number in numbers.tolist()], np.int64)[inverse]
        np.add.at(self._calls, rows, 1)
        np.add.at(self._errors, rows, failures(kind, outcome)[chosen])
        self._rates.add(rows, block["ended"][chosen])

    def rows(self, now: int) -> list[ServiceRow]:
        """All services that there are or were, by name; the threads outside of them last, if there are any."""
        store = self._store
        lanes = self._by_service()
        running = {call.lane: call for call in store.live.values() if call.started and call.lane}
        rates = self._rates.of_all(len(self._rows), now)
        names = {*store.states, *store.mailboxes.services, *lanes, *self._rows} - {OUTSIDE}
        rows = [self._service(name, lanes.get(name, ()), running, rates, now) for name in sorted(names)]
        outside = [lane for lane in lanes.get(OUTSIDE, ()) if not lane.ended][-_MAX_OUTSIDE:]
        threads = tuple(_thread(lane, running) for lane in outside)
        return [*rows, ServiceRow(OUTSIDE, threads=threads)] if threads else rows

    def _service(
        self, name: str, lanes: Collection[Lane], running: dict[int, Call], rates: list[float], now: int
    ) -> ServiceRow:
        store, row = self._store, self._rows.get(name, -1)
        state, mailbox = store.states.get(name), store.mailboxes.last(name)
        threads = _present(lanes, running, state.workers if state else 0)
        counted = row >= 0
        return ServiceRow(
            name=name, state=state.state if state else "", workers=state.workers if state else len(threads),
            threads=threads, depth=mailbox.depth, capacity=mailbox.capacity,
            depths=store.mailboxes.history(name, now, DEPTHS), busy=self._busy(threads, running, now),
            rate=rates[row] if counted else 0.0, calls=int(self._calls[row]) if counted else 0,
            errors=int(self._errors[row]) if counted else 0, restarts=mailbox.restarts,
            dropped=store.mailboxes.dropped(name), stuck=mailbox.stuck, error=state.error if state else "",
        )  # fmt: skip

    def _busy(self, threads: tuple[ThreadRow, ...], running: dict[int, Call], now: int) -> float:
        """How much of the last seconds these threads ran something, on average."""
        begin = max(self._store.first, now - _SPAN)
        if not threads or now <= begin:
            return 0.0
        ns = sum(self._ran(thread.lane, begin, now, running.get(thread.lane)) for thread in threads)
        return min(1.0, round(ns / (len(threads) * (now - begin)), 3))

    def _ran(self, lane: int, begin: int, now: int, open_call: Call | None) -> int:
        runs = self._store.runs.get(lane)
        ns = max(0, now - max(begin, open_call.started)) if open_call is not None else 0
        if runs is None or not len(runs) or int(runs.values("ended", -1)) <= begin:
            return ns
        first = int(runs.starts(np.array([begin]))[0])
        before, after = runs.run.before(np.array([first, len(runs)])).tolist()
        reaches_in = max(0, int(runs.ends(np.array([first - 1]))[0]) - begin) if first else 0
        return ns + int(after - before) + reaches_in

    def _row(self, number: int) -> int:
        name = self._store.codec.names[number]
        row = self._rows.setdefault(name, len(self._rows))
        if row == len(self._calls):
            self._calls, self._errors = _longer(self._calls), _longer(self._errors)
        return row

    def _by_service(self) -> dict[str, list[Lane]]:
        """The lanes of each service, in the order of their keys; grouped anew only when some came or ended."""
        lanes = self._store.lanes
        if self._store.lanes_version != self._grouped:
            self._grouped = self._store.lanes_version
            self._lanes = {}
            for _, lane in sorted(lanes.items()):
                self._lanes.setdefault(lane.service, []).append(lane)
        return self._lanes


def _present(lanes: Collection[Lane], running: dict[int, Call], workers: int) -> tuple[ThreadRow, ...]:
    keys = present(lanes, running, workers)
    return tuple(
        _thread(lane, running) for lane in sorted(lanes, key=lambda lane: (lane.worker, lane.key)) if lane.key in keys
    )


def _thread(lane: Lane, running: dict[int, Call]) -> ThreadRow:
    call = running.get(lane.key)
    if call is None:
        return ThreadRow(lane.key, lane.name)
    return ThreadRow(lane.key, lane.name, call.id, call.name, call.started)


def _longer(counts: Ints) -> Ints:
    return np.append(counts, 0)
