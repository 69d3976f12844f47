"""The rule about calls whose turn comes late: longer in the queue than they run."""

from collections.abc import Iterator
from typing import ClassVar, Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from console import format as fmt
from console.model.codes import KINDS
from console.model.columns import Ints
from console.model.problems.counts import Recent, equally_long
from console.model.problems.handlers import Stretch, sort_of, sorts, stretches
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
)  # fmt: skip

_AGAIN: Final = 5 * NS
_AT_ONCE: Final = 8
"""Names whose calls are looked at one by one at a look."""


class WaitLimits(Limits, frozen=True):
    """In the last `seconds`: `calls` or more, that wait longer than `wait_ms` and `ratio` × what they run (medians)."""

    seconds: Amount = 60.0
    calls: Number = 50
    wait_ms: Amount = 10.0
    ratio: Amount = 2.0


class WaitsMoreThanWorks(Rule):
    """Calls of a name are longer in the queue than they run: not their handler is slow, but what is in front of it.

    The median wait is longer than a limit when more than half of the waits are: so nothing but two counts is kept of
    each name, and only where they say so are the medians taken, of the calls themselves.
    """

    name: ClassVar[str] = "waits more than works"
    settings: ClassVar[type[Limits]] = WaitLimits

    def __init__(self, limits: WaitLimits = WaitLimits()) -> None:  # noqa: B008  it is frozen
        self._limits = limits
        self._span, self._wait = int(limits.seconds * NS), int(limits.wait_ms * 1_000_000)
        self._calls, self._slow = Recent(self._span), Recent(self._span)
        self._found: dict[int, tuple[int, Finding]] = {}
        self._asked: dict[int, int] = {}

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        calls, now = news.calls, news.now
        ran = calls["started"] > 0
        slow = ran & (calls["started"] - calls["queued"] > self._wait)
        keys = news.keys
        self._calls.add(keys[ran], calls["started"][ran])
        self._slow.add(keys[slow], calls["started"][slow])
        count, waiting = equally_long(self._calls.counts(now), self._slow.counts(now))
        suspects = np.flatnonzero((count >= self._limits.calls) & (2 * waiting > count)).tolist()
        fresh = np.bincount(keys[slow], minlength=len(count)) if slow.any() else np.zeros(len(count), np.int64)
        yield from self._judged(news, suspects, fresh, waiting)

    def _judged(self, news: News, suspects: list[int], fresh: Ints, waiting: Ints) -> Iterator[Finding]:
        self._asked = {key: self._asked.get(key, 0) for key in suspects}
        due = sorted((key for key in suspects if news.now - self._asked[key] >= _AGAIN), key=self._asked.__getitem__)
        for key in due[:_AT_ONCE]:
            self._asked[key] = news.now
            found = self._medians(news, key)
            if found is None:
                self._found.pop(key, None)
                continue
            first = key not in self._found
            since = found.since if first else self._found[key][1].since
            self._found[key] = int(waiting[key]) if first else 0, replace(found, since=since)
        self._found = {key: found for key, found in self._found.items() if key in self._asked}
        for key, (times, found) in list(self._found.items()):
            self._found[key] = 0, found
            yield replace(found, times=times or int(fresh[key]), at=news.now)

    def _medians(self, news: News, key: int) -> Finding | None:
        recent = _Recent.of(news, key, news.now - self._span)
        if len(recent.ids) < self._limits.calls:
            return None
        wait, run = int(np.median(recent.waits)), int(np.median(recent.runs))
        if wait <= self._wait or wait <= self._limits.ratio * run:
            return None
        return Finding(
            key=news.identity(key), name=news.name_of(key), subject=news.title(key),
            text=f"waits {fmt.duration(wait)} in the queue of {recent.service}, runs {fmt.duration(run)} "
            f"(medians of {fmt.plural(len(recent.ids), 'call')})",
            advice=f"Its own handler is not slow, its turn comes late: {recent.blame(news, key)}",
            at=news.now, since=recent.since,
            proof=Proof(
                calls=recent.slowest(), lane=recent.lane, start=recent.since, end=recent.until + 1,
                service=recent.service, lines=recent.shares(news),
            ),
        )  # fmt: skip


class _Recent(Struct, frozen=True):
    """The calls of one name since a moment, and what else ran on the lanes that ran them.

    `since`: when the first of them was queued, `until`: when the last one ended.
    """

    ids: Ints
    waits: Ints
    runs: Ints
    since: int
    until: int
    lane: int
    service: str
    busy: dict[int, int]

    @classmethod
    def of(cls, news: News, key: int, since: int) -> "_Recent":
        """By looking at the newest calls of each lane."""
        handler = news.handler(key)
        parts: list[Ints] = [np.zeros((5, 0), np.int64)]
        busy: dict[int, int] = {}
        lane = 0
        for each in stretches(news.store, handler, since, news.now):
            ids, queued, started, ended = (each.values(name) for name in ("id", "queued", "started", "ended"))
            parts.append(np.stack([ids, started - queued, ended - started, queued, ended]))
            lane = each.lane
            _count_busy(each, busy)
        table = np.concatenate(parts, axis=1)
        first, last = (int(table[3].min()), int(table[4].max())) if table.shape[1] else (0, 0)
        return cls(table[0], table[1], table[2], first, last, lane, news.service_of(key), busy)

    def slowest(self) -> tuple[int, ...]:
        """Those that waited for the longest."""
        order = np.argsort(-self.waits, kind="stable")[:CALLS_SHOWN]
        return tuple(self.ids[order].tolist())

    def shares(self, news: News) -> tuple[str, ...]:
        """What the workers were busy with, the most first."""
        total = sum(self.busy.values()) or 1
        order = sorted(self.busy.items(), key=lambda item: -item[1])[:3]
        return tuple(f"{ns * 100 / total:.0f} % of the time of its workers: {_name(news, sort)}" for sort, ns in order)

    def blame(self, news: News, key: int) -> str:
        """Who has the workers."""
        most = max(self.busy, key=self.busy.__getitem__)
        total = sum(self.busy.values()) or 1
        if most == sort_of(news.handler(key)):
            return f"too many come at once for {self.service}. Give it more workers, or send fewer."
        share = self.busy[most] * 100 / total
        return (
            f"{_name(news, most)} has {self.service} for {share:.0f} % of the time. Make that one quicker, or move it "
            "to a service of its own."
        )


def _count_busy(each: Stretch, busy: dict[int, int]) -> None:
    """Add for how long a lane ran calls of each kind and name."""
    columns = {name: each.runs.columns[name][each.chosen] for name in ("name", "kind")}
    took = each.runs.values("ended", each.chosen) - each.runs.values("started", each.chosen)
    spent = np.bincount(sorts(columns), took)
    for sort in np.flatnonzero(spent).tolist():
        busy[sort] = busy.get(sort, 0) + int(spent[sort])


def _name(news: News, sort: int) -> str:
    return news.store.codec.names[sort // len(KINDS)]
