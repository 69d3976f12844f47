"""Rules about chains of causes: names that come back to themselves, and calls with too many descendants."""

from collections.abc import Iterator
from typing import ClassVar, Final

import numpy as np
from msgspec import Struct

from bus.trace.records import Call
from console import format as fmt
from console.model.codes import KINDS
from console.model.columns import Ints
from console.model.problems.handlers import sorts
from console.model.problems.rule import (
    CALLS_SHOWN,
    FOREVER,
    NS,
    Amount,
    Finding,
    Limits,
    News,
    Number,
    Proof,
    Rule,
)  # fmt: skip

_LONGEST: Final = 128
"""Steps up a chain; the bus refuses more than 100."""
_MAX_FOUND: Final = 20
_MINUTE: Final = 60 * NS
_TOGETHER: Final = 10 * NS
"""What is queued in a second may take so long to end, and only then is it known."""
_FEW, _KEPT = 50, 5_000
"""Calls of one root that are worth to be gathered; as many of them as are."""
_KIND = {kind: code for code, kind in enumerate(KINDS)}


class LoopLimits(Limits, frozen=True):
    """One name `times` or more on one chain of causes, an event's `events` or more, or a chain longer than `depth`.

    A command that comes back to itself holds a thread each time. An event holds nothing, and a walk through a tree or
    a graph, as a crawler's, comes to the same event once a level.
    """

    times: Number = 3
    events: Number = 16
    depth: Number = 32


class Loop(Rule):
    """Something causes itself. Looked for in what has ended since the look before the last, and in what goes on."""

    name: ClassVar[str] = "loop"
    stays: ClassVar[int] = FOREVER
    settings: ClassVar[type[Limits]] = LoopLimits

    def __init__(self, limits: LoopLimits = LoopLimits()) -> None:  # noqa: B008  it is frozen
        self._limits = limits
        self._told: dict[str, set[int]] = {}

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        ids, parents, keys, ended = _together(news)
        if not len(ids):
            return
        order = np.argsort(ids, kind="stable")
        ids, parents, keys, ended = ids[order], parents[order], keys[order], ended[order]
        above = _places(ids, parents)
        same, depth = np.ones(len(ids), np.int64), np.ones(len(ids), np.int64)
        below, at = np.flatnonzero(above >= 0), above[above >= 0]
        for _ in range(_LONGEST):
            if not len(below):
                break
            depth[below] += 1
            same[below] += keys[at] == keys[below]
            going = above[at] >= 0
            below, at = below[going], above[at[going]]
        times = np.where(keys % len(KINDS) == _KIND["command"], self._limits.times, self._limits.events)
        found = np.flatnonzero((same >= times) | (depth > self._limits.depth))
        for key in np.unique(keys[found]).tolist()[:_MAX_FOUND]:
            mine = found[keys[found] == key]
            deepest = mine[np.lexsort((depth[mine], same[mine]))[-1]]
            path, moment = _path(ids, above, int(deepest)), int(ended[deepest]) or news.now
            yield from self._finding(news, ids[mine].tolist(), path, int(same[deepest]), moment)

    def _finding(self, news: News, calls: list[int], path: list[int], same: int, at: int) -> Iterator[Finding]:
        chain = [call for call in map(news.store.call, path) if call is not None]
        if not chain:
            return
        name = chain[0].name
        group = " ".join(sorted({call.name for call in chain}))
        told = self._told.setdefault(group, set())
        fresh = set(calls) - told
        if not fresh:
            return
        # Of a chain of many names each is found; the same call is never told again in a later look.
        self._told[group] = set(calls) | (told if len(told) < 10_000 else set())  # noqa: PLR2004
        names = " → ".join(dict.fromkeys(call.name for call in reversed(chain)))
        limit = self._limits.times if chain[0].kind == "command" else self._limits.events
        loops = f"{name} is on one chain of causes {same} times" if same >= limit else "a chain of causes"
        yield Finding(
            key=group, name=name, subject=f"{names} → …" if len(names) < 60 else f"{name} → …",  # noqa: PLR2004
            text=f"{loops}, {len(path)} calls long: {names}",
            advice="Break the circle: let one of them look whether there is anything left to do before it goes on. "
            "Where this is how it works, as in a walk through a graph, allow it.",
            at=at, since=chain[-1].queued, times=len(fresh),
            proof=Proof(
                calls=tuple(path[:CALLS_SHOWN]), lane=chain[0].lane, start=chain[-1].queued, end=at,
            ),
        )  # fmt: skip


def _together(news: News) -> tuple[Ints, Ints, Ints, Ints]:
    """Id, parent, key and end (0: it goes on) of what ended lately and what goes on."""
    blocks = [news.earlier, news.calls]
    live = [call for call in news.store.live.values() if _number(news, call) >= 0]
    ids = [*(block["id"] for block in blocks), np.array([call.id for call in live], np.int64)]
    parents = [*(block["parent"] for block in blocks), np.array([call.parent for call in live], np.int64)]
    keys = [*(sorts(block) for block in blocks), np.array([_number(news, call) for call in live], np.int64)]
    ended = [*(block["ended"] for block in blocks), np.zeros(len(live), np.int64)]
    return np.concatenate(ids), np.concatenate(parents), np.concatenate(keys), np.concatenate(ended)


def _number(news: News, call: Call) -> int:
    name = news.store.codec.names.find(call.name)
    return name * len(KINDS) + _KIND[call.kind] if name >= 0 else -1


def _places(ids: Ints, wanted: Ints) -> Ints:
    """Where in the sorted IDS each of the WANTED ones is; -1: nowhere."""
    places = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    found: Ints = np.where((wanted > 0) & (ids[places] == wanted) & (wanted != ids), places, -1)
    return found


def _path(ids: Ints, above: Ints, place: int) -> list[int]:
    """From a call to the first of its causes."""
    path = [int(ids[place])]
    while above[place] >= 0 and len(path) < _LONGEST:
        place = int(above[place])
        path.append(int(ids[place]))
    return path


class StormLimits(Limits, frozen=True):
    """More than so many `calls` with one root within `seconds`."""

    calls: Number = 1_000
    seconds: Amount = 1.0


class Storm(Rule):
    """One call or event leads to a great many others at once."""

    name: ClassVar[str] = "storm"
    stays: ClassVar[int] = _MINUTE
    settings: ClassVar[type[Limits]] = StormLimits

    def __init__(self, limits: StormLimits = StormLimits()) -> None:  # noqa: B008  it is frozen
        self._limits = limits
        self._span = int(limits.seconds * NS)
        self._told: dict[int, int] = {}
        self._few = min(_FEW, limits.calls)
        self._gathered: dict[int, _Descendants] = {}
        self._nameless: dict[int, _Burst] = {}

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        for root in self._gather(news):
            many = self._gathered[root]
            queued = many.queued
            close = np.flatnonzero(queued[self._limits.calls :] - queued[: -self._limits.calls] <= self._span)
            if len(close):
                self._found(news, root, many, int(close[0]))
        self._gathered = {root: many for root, many in self._gathered.items() if many.last > news.now - _TOGETHER}
        yield from self._named(news)

    def _gather(self, news: News) -> Iterator[int]:
        """Keep what came of roots that have led to many calls lately; those that have more than the limit now."""
        calls = news.calls
        order = np.argsort(calls["root"], kind="stable")
        roots = calls["root"][order]
        edges = np.flatnonzero(np.concatenate(([True], roots[1:] != roots[:-1], [True]))) if len(roots) else roots
        for first, after in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            root, some = int(roots[first]), order[first:after]
            if after - first < self._few and root not in self._gathered:
                continue
            some = some[calls["id"][some] != root]
            many = self._gathered.setdefault(root, _Descendants())
            many.add(calls["queued"][some], calls["name"][some].astype(np.int64), news.now)
            if len(many.queued) > self._limits.calls:
                yield root

    def _found(self, news: News, root: int, many: "_Descendants", first: int) -> None:
        start = int(many.queued[first])
        count = int(np.searchsorted(many.queued, start + self._span, "right")) - first
        times = int(root not in self._told)
        self._told = {**{known: at for known, at in self._told.items() if at > news.now - _MINUTE}, root: news.now}
        burst = _Burst(root, start, int(many.queued[-1]), count, many.most(news), times)
        self._nameless.setdefault(root, burst)

    def _named(self, news: News) -> Iterator[Finding]:
        """Of a recording the root may come later than what it led to; a minute is long enough to wait for its name."""
        for root, burst in list(self._nameless.items()):
            call = news.store.call(root)
            if call is not None or news.now - burst.last > _MINUTE:
                del self._nameless[root]
                yield burst.finding(call.name if call else f"#{root}", self._span)


class _Burst(Struct, frozen=True):
    """So many descendants of one root within the span: the first and the last of them, and which they are."""

    root: int
    start: int
    last: int
    count: int
    most: str
    times: int

    def finding(self, name: str, span: int) -> Finding:
        """For a root of this name."""
        return Finding(
            key=name, name=name, subject=name, times=self.times,
            text=f"#{self.root} led to {self.count:,} calls within {fmt.duration(span)}: {self.most}",
            advice=f"Let {name} hand over several at a time, or pause between them, so that others get their turn.",
            at=self.last, since=self.start,
            proof=Proof(calls=(self.root,), start=self.start, end=min(self.last, self.start + span) + 1),
        )  # fmt: skip


class _Descendants:
    """When the last of one root were queued, in order, and what they are."""

    def __init__(self) -> None:
        self.queued: Ints = np.zeros(0, np.int64)
        self._names: Ints = np.zeros(0, np.int64)
        self.last = 0

    def add(self, queued: Ints, names: Ints, now: int) -> None:
        """More of them; the oldest go when there are too many."""
        both = np.concatenate((self.queued, queued)), np.concatenate((self._names, names))
        order = np.argsort(both[0], kind="stable")[-_KEPT:]
        self.queued, self._names, self.last = both[0][order], both[1][order], now

    def most(self, news: News) -> str:
        """The names of which there are the most."""
        names = news.store.codec.names
        values, counts = np.unique(self._names, return_counts=True)
        order = np.argsort(-counts, kind="stable")[:3]
        return ", ".join(f"{int(counts[place]):,} × {names[values[place]]}" for place in order)
