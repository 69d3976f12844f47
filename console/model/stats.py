"""Figures for each name and kind of call: how many, how fast, how long, how often wrong."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bus.trace.records import CallKind
from console.model.codes import KINDS
from console.model.columns import Block, Columns, Ints
from console.model.ends import failures, losses
from console.model.histogram import Distribution, Histograms
from console.model.slices import Sliced, parts, whole

WINDOW_SECONDS: Final = 10
_SECOND: Final = 1_000_000_000
_SLOTS: Final = 16
"""Seconds that the rate table holds; more than the window, because records come a little late."""
_FRACTIONS: Final = (0.5, 0.99)
_AT_ONCE: Final = 200
"""Names whose percentiles are worked out in one slice."""


class Figures(Struct, frozen=True):
    """What is known of one name; durations in ns, None until a call of it ran.

    `lost`: deliveries that were never made; they are none of `calls`.
    """

    calls: int
    errors: int
    lost: int
    last: int
    last_failed: bool
    wait_p50: int | None
    wait_p99: int | None
    run_p50: int | None
    run_p99: int | None


NOTHING: Final = Figures(0, 0, 0, 0, False, None, None, None, None)  # noqa: FBT003  no call yet, so none failed


class Stats:
    """Counts ended calls by (kind, number of the name). Owned by the front end's thread.

    `failed` and `runs` count failed calls, and commands and deliveries, of all names.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[CallKind, int], int] = {}
        self._row_of = np.full((len(KINDS), 64), -1, np.int64)
        self._totals = Columns(dict.fromkeys(_TOTALS, np.int64))
        self._wait = Histograms()
        self._run = Histograms()
        self._rate = Rates()
        self._changed: set[int] = set()
        self._figures: dict[int, Figures] = {}
        self.failed = 0

    def take(self, block: Block) -> None:
        """Count calls that were not counted before."""
        whole(self.taking(block))

    def taking(self, block: Block) -> Sliced[None]:
        """The same in slices. What is asked between two of them is answered, from some of the figures."""
        rows = self._numbers(block["kind"], block["name"])
        ran = np.flatnonzero(block["started"] > 0)
        failed, lost = failures(block["kind"], block["outcome"]), losses(block["kind"], block["outcome"])
        self.failed += int(failed.sum())
        if lost.any():
            self._totals["lost"][:] += np.bincount(rows[lost], minlength=len(self._totals))
        made = np.flatnonzero(~lost)
        if len(made):
            self._count(rows[made], block["ended"][made], failed[made])
            self._rate.add(rows[made], block["ended"][made])
        yield
        if len(ran):
            started = block["started"][ran]
            self._wait.add(rows[ran], np.maximum(0, started - block["queued"][ran]))
            yield
            self._run.add(rows[ran], np.maximum(0, block["ended"][ran] - started))
        self._changed.update(np.unique(rows).tolist())
        yield

    def figures(self, kind: CallKind, name: int) -> Figures:
        """The figures of a name."""
        row = self._rows.get((kind, name))
        if row is None:
            return NOTHING
        if row in self._changed:
            self._refresh([row])
        return self._figures.get(row, NOTHING)

    def refreshing(self, *kinds: CallKind) -> Sliced[None]:
        """Work out the figures of these kinds that have changed, for `known`: of many names at once it costs less."""
        rows = [row for (kind, _), row in self._rows.items() if kind in kinds and row in self._changed]
        for some in parts(rows, _AT_ONCE):
            self._refresh(some)
            yield

    def known(self, kind: CallKind, name: int) -> Figures:
        """The figures of a name as they were at the last `refreshing`, or at a later `figures`."""
        return self._figures.get(self._rows.get((kind, name), -1), NOTHING)

    def distributions(self, kind: CallKind, name: int, columns: int) -> tuple[Distribution, Distribution]:
        """How queue wait and run time of a name are spread, over one scale."""
        row = self._rows.get((kind, name))
        if row is None:
            return Distribution(), Distribution()
        spans = [which.span(row) for which in (self._wait, self._run)]
        whole = min(first for first, _ in spans), max(last for _, last in spans)
        wait, run = (which.distribution(row, columns, whole) for which in (self._wait, self._run))
        return wait, run

    def run_times(self, kind: CallKind, name: int, fractions: tuple[float, ...]) -> tuple[int, list[int]]:
        """How many calls of a name ran, and percentiles of how long (ns); of this name only, so it costs little."""
        row = self._rows.get((kind, name))
        if row is None:
            return 0, [0] * len(fractions)
        times: list[int] = self._run.percentiles(np.array([row]), fractions)[0].tolist()
        return int(self._run.row(row).sum()), [max(0, ns) for ns in times]

    def rates(self, kind: CallKind, now: int) -> dict[int, float]:
        """Ended calls a second, over the last ten seconds, of each name that was ever called, by its number."""
        rates = self._rate.of_all(len(self._rows), now)
        return {name: rates[row] for (some, name), row in self._rows.items() if some == kind}

    def total_rate(self, now: int) -> float:
        """Handlers run a second: commands and deliveries of all names."""
        rates = self._rate.of_all(len(self._rows), now)
        return sum(rates[row] for (kind, _), row in self._rows.items() if kind != "event")

    @property
    def size(self) -> int:
        """How many names there are, of all kinds."""
        return len(self._rows)

    def names(self, kind: CallKind) -> list[int]:
        """The numbers of all names that were called in this way."""
        return [name for some, name in self._rows if some == kind]

    def _numbers(self, kinds: Ints, names: Ints) -> Ints:
        """The row of each call; new names get one."""
        highest = int(names.max())
        if highest >= self._row_of.shape[1]:
            more = max(highest + 1, 2 * self._row_of.shape[1]) - self._row_of.shape[1]
            self._row_of = np.pad(self._row_of, ((0, 0), (0, more)), constant_values=-1)
        rows = self._row_of[kinds, names]
        unknown = np.flatnonzero(rows < 0)
        if not len(unknown):
            return rows
        for kind, name in set(zip(kinds[unknown].tolist(), names[unknown].tolist(), strict=True)):
            self._row_of[kind, name] = self._rows[KINDS[kind], name] = len(self._rows)
        self._totals.extend({key: np.zeros(len(self._rows) - len(self._totals), np.int64) for key in _TOTALS})
        return self._row_of[kinds, names]

    def _count(self, rows: Ints, ended: Ints, failed: NDArray[np.bool_]) -> None:
        self._totals["calls"][:] += np.bincount(rows, minlength=len(self._totals))
        self._totals["errors"][:] += np.bincount(rows[failed], minlength=len(self._totals))
        order = np.argsort(ended, kind="stable")  # the latest of a row is written last, and stays
        later = order[ended[order] >= self._totals["last"][rows[order]]]
        self._totals["last"][rows[later]] = ended[later]
        self._totals["last_failed"][rows[later]] = failed[later]

    def _refresh(self, some: Sequence[int]) -> None:
        rows = np.array(some, np.int64)
        wait, run = (which.percentiles(rows, _FRACTIONS).tolist() for which in (self._wait, self._run))
        totals = zip(*(self._totals[key][rows].tolist() for key in _TOTALS), strict=True)
        for row, waits, runs, figures in zip(rows.tolist(), wait, run, totals, strict=True):
            calls, errors, lost, last, last_failed = figures
            durations = (None if value < 0 else value for value in (*waits, *runs))
            self._figures[row] = Figures(calls, errors, lost, last, bool(last_failed), *durations)
        self._changed.difference_update(some)


_TOTALS: Final = ("calls", "errors", "lost", "last", "last_failed")


class Rates:
    """Counts by row and second, for the last seconds; the seconds are columns that are used in turn."""

    def __init__(self) -> None:
        self._counts = np.zeros((64, _SLOTS), np.int64)
        self._seconds = np.full(_SLOTS, -1, np.int64)
        self._first = 0
        """When counting began."""

    def add(self, rows: Ints, ended: Ints) -> None:
        """Count something for each row, at that moment (ns)."""
        if int(rows.max()) >= len(self._counts):
            more = max(int(rows.max()) + 1, 2 * len(self._counts)) - len(self._counts)
            self._counts = np.pad(self._counts, ((0, more), (0, 0)))
        self._first = min(self._first or int(ended.min()), int(ended.min()))
        seconds = ended // _SECOND
        for second in np.unique(seconds)[-_SLOTS:].tolist():
            if self._claim(second):
                np.add.at(self._counts[:, second % _SLOTS], rows[seconds == second], 1)

    def of_all(self, rows: int, now: int) -> list[float]:
        """Calls a second of the first rows."""
        current = now // _SECOND
        recent = (self._seconds > current - WINDOW_SECONDS) & (self._seconds <= current)
        whole = (WINDOW_SECONDS - 1) * _SECOND + now % _SECOND
        span = max(_SECOND, min(whole, now - self._first))
        rates: list[float] = (self._counts[:rows, recent].sum(axis=1) * _SECOND / span).tolist()
        return rates

    def _claim(self, second: int) -> bool:
        """Make the column of this second ready; False if a later second has it."""
        slot = second % _SLOTS
        if self._seconds[slot] < second:
            self._seconds[slot] = second
            self._counts[:, slot] = 0
        return bool(self._seconds[slot] == second)
