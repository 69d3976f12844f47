"""Rules about how long calls run: a few that take much longer than the rest, and time that goes nowhere."""

import math
from collections import deque
from collections.abc import Iterator
from typing import ClassVar, Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from console import format as fmt
from console.model.codes import KINDS
from console.model.columns import Ints
from console.model.problems.counts import Totals, equally_long
from console.model.problems.handlers import own_times
from console.model.problems.rule import (
    CALLS_SHOWN,
    NS,
    Amount,
    Finding,
    Limits,
    News,
    Number,
    Proof,
    Rule,
    Severity,
)  # fmt: skip

_EVENT: Final = KINDS.index("event")
_AGAIN: Final = 5 * NS
_EXPECTED: Final = 10
"""Slow calls that another name would have if it had them as often, so that their number says something."""
_FAR, _OTHERS = 5, 2
_AT_ONCE: Final = 4
"""Handlers whose calls are looked at one by one at a look."""


class LongTailLimits(Limits, frozen=True):
    """Of `samples` or more: p99 longer than `ratio` × p50, and than `ms`."""

    samples: Number = 1_000
    ratio: Amount = 20.0
    ms: Amount = 10.0


class LongTail(Rule):
    """One call in a hundred takes much longer than half of them, by itself: what it waits for is not counted.

    The p99 is longer than a limit when more than one run in a hundred is: where the counts do not say so, no
    percentile is taken. Where most other names are slow about as often, for as long as they run, it is not this one's
    trouble: the machine is busy, or the interpreter.
    """

    name: ClassVar[str] = "long tail"
    severity: ClassVar[Severity] = "note"
    settings: ClassVar[type[Limits]] = LongTailLimits

    def __init__(self, limits: LongTailLimits = LongTailLimits()) -> None:  # noqa: B008  it is frozen
        self._limits = limits
        self._long = int(limits.ms * 1_000_000)
        self._runs, self._slow, self._quick = Totals(), Totals(), Totals()
        self._asked: dict[int, int] = {}
        self._found: dict[int, Finding] = {}
        self._slowest: dict[int, list[tuple[int, int]]] = {}

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        calls, keys = news.calls, news.keys
        ran = (calls["started"] > 0) & (calls["kind"] != _EVENT)
        took = calls["ended"] - calls["started"] - calls["waited"]
        slow, quick = np.flatnonzero(ran & (took > self._long)), np.flatnonzero(ran & (took <= self._long))
        self._runs.add(keys[ran])
        self._slow.add(keys[slow])
        self._quick.add(keys[quick], took[quick])
        counts, many = self._runs.counts, self._slow.counts
        size = min(len(counts), len(many))
        enough = (counts[:size] >= self._limits.samples) & (many[:size] * 100 >= counts[:size])
        self._remember(keys[slow], took[slow], calls["id"][slow])
        fresh = np.bincount(keys[slow], minlength=size) if len(slow) else np.zeros(size, np.int64)
        suspects = np.flatnonzero(enough).tolist()
        self._asked = {key: self._asked.get(key, 0) for key in suspects}
        due = sorted((key for key in suspects if news.now - self._asked[key] >= _AGAIN), key=self._asked.__getitem__)
        for key in due[:_AT_ONCE]:
            self._asked[key] = news.now
            self._judge(news, key)
        self._found = {key: found for key, found in self._found.items() if key in self._asked}
        for key, found in self._found.items():
            yield replace(found, times=int(fresh[key]), at=news.now)

    def _remember(self, keys: Ints, took: Ints, ids: Ints) -> None:
        """The slowest calls of each name, which prove it."""
        for key in np.unique(keys).tolist():
            mine = np.flatnonzero(keys == key)
            best = mine[np.argsort(-took[mine], kind="stable")[:CALLS_SHOWN]]
            both = self._slowest.get(key, []) + list(zip(took[best].tolist(), ids[best].tolist(), strict=True))
            self._slowest[key] = sorted(both, reverse=True)[:CALLS_SHOWN]

    def _judge(self, news: News, key: int) -> None:
        """By the calls that are kept: exact, and looked at only every few seconds."""
        runs = own_times(news.store, news.handler(key), news.now)
        count = len(runs)
        p50, p99 = (int(runs[math.ceil(count * part) - 1]) if count else 0 for part in (0.5, 0.99))
        short = count < self._limits.samples or p99 <= self._long or p99 <= self._limits.ratio * p50
        if short or not self._is_its_own(key):
            self._found.pop(key, None)
            return
        known = self._found.get(key)
        self._found[key] = Finding(
            key=news.identity(key), name=news.name_of(key), subject=news.title(key), times=1,
            text=f"half of {count:,} calls run {fmt.duration(p50)} at most, but one in a hundred {fmt.duration(p99)} "
            "or more, waits for other calls not counted",
            advice="Compare the slowest with a usual one: does it compute, or is it elsewhere (I/O, a lock)?",
            at=news.now, since=known.since if known else news.now,
            proof=Proof(
                calls=tuple(call for _, call in self._slowest.get(key, ())),
                service=news.service_of(key),
            ),
        )  # fmt: skip

    def _is_its_own(self, key: int) -> bool:
        """Whether it is slow far more often than most others, each measured by the time that its quick calls take."""
        slow, quick = (counts.astype(np.float64) for counts in equally_long(self._slow.counts, self._quick.counts))
        rate = slow[key] / max(1.0, quick[key])
        others = quick * rate >= _EXPECTED
        others[key] = False
        alike = int((slow[others] * _FAR >= quick[others] * rate).sum())
        return alike < _OTHERS or 2 * alike <= int(others.sum())


class ElsewhereLimits(Limits, frozen=True):
    """In the last `seconds`, of `calls` or more, more than a `share` of their run time, while so many `lanes` compute.

    A name whose calls lose less than `least_ms` each on average has no trouble that anybody could feel.
    """

    calls: Number = 50
    share: Amount = 0.8
    lanes: Number = 2
    seconds: Amount = 10.0
    least_ms: Amount = 1.0


class _Sums(Struct, frozen=True):
    """Of the calls between two looks: by name how many, ns they ran, ns elsewhere; by lane ns computed, ns busy."""

    at: int
    calls: NDArray[np.float64]
    run: NDArray[np.float64]
    elsewhere: NDArray[np.float64]
    computed: NDArray[np.float64]
    busy: NDArray[np.float64]


class BlockedElsewhere(Rule):
    """Calls that neither compute nor wait on the bus, while others compute: a lock, or the interpreter's own, the GIL.

    Needs CPU times, which are recorded at the level `full`.
    """

    name: ClassVar[str] = "blocked elsewhere"
    settings: ClassVar[type[Limits]] = ElsewhereLimits

    def __init__(self, limits: ElsewhereLimits = ElsewhereLimits()) -> None:  # noqa: B008  it is frozen
        self._limits = limits
        self._span = int(limits.seconds * NS)
        self._sums: deque[_Sums] = deque()
        self._since: dict[int, int] = {}

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        if len(news.calls["id"]):
            self._sums.append(_sums(news, self._span))
        while self._sums and self._sums[0].at <= news.now - self._span:
            self._sums.popleft()
        span = min(self._span, max(NS, news.now - news.start))
        calls, run, elsewhere, computed, busy = (
            _added([getattr(sums, which) for sums in self._sums])
            for which in ("calls", "run", "elsewhere", "computed", "busy")
        )
        lanes = np.flatnonzero(computed >= _COMPUTES * span).tolist()
        if len(lanes) < self._limits.lanes:
            self._since.clear()
            return
        lost = (elsewhere > self._limits.share * run) & (elsewhere >= self._limits.least_ms * 1e6 * calls)
        suspects = np.flatnonzero((calls >= self._limits.calls) & lost).tolist()
        self._since = {key: at for key, at in self._since.items() if key in suspects}
        computing = sorted((_Computing(lane, computed[lane] / span, busy[lane] / span) for lane in lanes), reverse=True)
        for key in suspects:
            yield self._finding(news, key, (int(calls[key]), int(run[key]), int(elsewhere[key])), computing)

    def _finding(self, news: News, key: int, figures: tuple[int, int, int], computing: list["_Computing"]) -> Finding:
        count, run, elsewhere = figures
        together = sum(each.computed for each in computing)
        names = ", ".join(news.store.lane_name(each.lane) for each in computing[:3])
        blame = f"a lock, I/O or the GIL, while {names} compute"
        advice = "See its stack: which lock does it want, and who has it?"
        if _share_one(computing):
            blame = f"the GIL: {names} compute, together {fmt.share(together)} of a CPU"
            advice = f"Move what {names} compute to another process, or let it give way (time.sleep(0)) in between."
        average = f"{fmt.plural(count, 'call')} run {fmt.duration(run // count)} on average"
        lanes = [f"{news.store.lane_name(each.lane)} {each}" for each in computing[:5]]
        first = key not in self._since
        since = self._since.setdefault(key, max(news.start, news.now - self._span))
        some = np.flatnonzero(news.keys == key)[-CALLS_SHOWN:]
        return Finding(
            key=news.identity(key), name=news.name_of(key), subject=news.title(key),
            times=count if first else len(some),
            text=f"{fmt.share(elsewhere / max(run, 1))} of its run time is elsewhere, not on its own code: {blame}",
            advice=advice, at=news.now, since=since,
            proof=Proof(
                calls=tuple(news.calls["id"][some].tolist()), lane=computing[0].lane, start=since, end=news.now,
                lines=(f"{average}, of which {fmt.duration(elsewhere // count)} elsewhere", *lanes),
            ),
        )  # fmt: skip


_COMPUTES: Final = 0.05
"""The part of the time from which on a lane is said to compute: with many threads each has a small part of the GIL."""
_ONE_CPU: Final = 1.1
"""What lanes that share one interpreter compute together at most; without a GIL it may be more."""
_MOST_OF_ONE, _CROWDED = 0.7, 1.5


class _Computing(Struct, frozen=True):
    """A lane, and which part of the time it computed, and ran without waiting for calls."""

    lane: int
    computed: float
    ran: float

    def __str__(self) -> str:
        return f"runs {fmt.share(self.ran)} of the time, and computes {fmt.share(self.computed)}"

    def __lt__(self, other: "_Computing") -> bool:
        return self.computed < other.computed


def _share_one(computing: list[_Computing]) -> bool:
    """Whether they share one interpreter: they use most of a CPU and not more, or all run and none gets to compute."""
    together, ran = sum(each.computed for each in computing), sum(each.ran for each in computing)
    return together <= _ONE_CPU and (together >= _MOST_OF_ONE or ran >= _CROWDED)


def _sums(news: News, span: int) -> _Sums:
    calls, keys = news.calls, news.keys
    measured = np.flatnonzero((calls["cpu"] >= 0) & (calls["started"] > 0) & (calls["kind"] != _EVENT))
    started, ended = calls["started"][measured], calls["ended"][measured]
    run, waited = (ended - started).astype(np.float64), calls["waited"][measured]
    cpu = np.minimum(calls["cpu"][measured], run)
    elsewhere = np.maximum(0, run - waited - cpu)
    # Of a long call only what is in the window.
    inside = np.clip((ended - np.maximum(started, news.now - span)) / np.maximum(run, 1), 0, 1)
    mine = keys[measured]
    sums = [np.bincount(mine), np.bincount(mine, run), np.bincount(mine, elsewhere)]
    lane = np.maximum(0, calls["lane"][measured])
    lanes = [np.bincount(lane, ns * inside) for ns in (cpu, np.maximum(0, run - waited))]
    return _Sums(news.now, *(each.astype(np.float64) for each in (*sums, *lanes)))


def _added(several: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    total = np.zeros(max(map(len, several), default=0))
    for one in several:
        total[: len(one)] += one
    return total
