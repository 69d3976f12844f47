"""Rules about events and listeners that miss each other, and listeners that pile up."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

import numpy as np
from msgspec.structs import replace

from bus.trace.records import Call, Entry
from console import format as fmt
from console.model.codes import KINDS
from console.model.problems.close import close_names, suggestion
from console.model.problems.counts import Recent, equally_long
from console.model.problems.rule import (
    FOREVER,
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
from console.model.receivers import Receivers, hears, is_pattern
from console.model.store import Store

_EVENT, _DELIVERY = KINDS.index("event"), KINDS.index("delivery")
_OWN_EVENTS: Final = "bus."
_LOOKED_AT, _SHOWN = 200, 10
_EVERY: Final = 2 * NS
"""How often the listeners are gone through."""


class NoListenerLimits(Limits, frozen=True):
    """Fired `times` or more within `seconds`; names that are at most this `distance` away are suggested."""

    times: Number = 10
    seconds: Amount = 60.0
    distance: Number = 2


class NoListener(Rule):
    """An event that is fired and that nobody wants.

    Whoever listens to `*` wants no event in particular: it only counts as a listener where no name is close enough for
    a slip of the pen.
    """

    name: ClassVar[str] = "no listener"
    severity: ClassVar[Severity] = "note"
    from_absence: ClassVar[bool] = True
    settings: ClassVar[type[Limits]] = NoListenerLimits

    def __init__(self, limits: NoListenerLimits = NoListenerLimits()) -> None:  # noqa: B008  it is frozen
        self._limits = limits
        self._fired, self._heard = (Recent(int(limits.seconds * NS)) for _ in range(2))
        self._told: set[int] = set()
        self._entries, self._catch_all = -1, list[int]()
        self._receivers: Receivers | None = None
        self._looked_up: dict[str, tuple[list[str], tuple[Entry, ...]]] = {}
        """Close names and listeners of events that nobody wants, as long as no listener comes or goes."""

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        calls = news.calls
        if self._entries != news.store.entries_version:
            self._entries = news.store.entries_version
            self._catch_all = [entry.entry for entry in news.store.entries.values() if _is_catch_all(entry)]
            self._looked_up.clear()
        events, deliveries = calls["kind"] == _EVENT, calls["kind"] == _DELIVERY
        names = calls["name"].astype(np.int64)
        proper = deliveries & ~np.isin(calls["entry"], self._catch_all)
        self._fired.add(names[events], calls["ended"][events])
        self._heard.add(names[proper], calls["ended"][proper])
        fired, heard = equally_long(self._fired.counts(news.now), self._heard.counts(news.now))
        unheard = np.flatnonzero((fired >= self._limits.times) & (heard == 0)).tolist()
        fresh = np.bincount(names[events], minlength=len(fired)) if events.any() else np.zeros(len(fired), np.int64)
        for number in unheard:
            yield from self._unheard(news, number, int(fired[number]), int(fresh[number]))

    def _unheard(self, news: News, number: int, fired: int, fresh: int) -> Iterator[Finding]:
        name = news.store.codec.names[number]
        close, there = self._around(news.store, name)
        if name.startswith(_OWN_EVENTS) or any(not _is_catch_all(entry) for entry in there) or (there and not close):
            return
        last, _ = news.store.matching("name", number, _LOOKED_AT, newest=True)  # those who hear everything got it, too
        events = [call for call in last if call.kind == "event"][:_SHOWN]
        times = fresh if number in self._told else fired
        self._told.add(number)
        yield _nobody(name, close, there, times, events)

    def _around(self, store: Store, name: str) -> tuple[list[str], tuple[Entry, ...]]:
        """Names that are close to this one, and who listens to it."""
        found = self._looked_up.get(name)
        if found is None:
            self._receivers = receivers = self._receivers or Receivers(store)
            close = close_names(name, receivers.names(), self._limits.distance)
            found = self._looked_up[name] = close, receivers.of(name)
        return found


def _nobody(name: str, close: list[str], there: Sequence[Entry], times: int, events: list[Call]) -> Finding:
    but = f" but {there[0].service or 'main'}, which listens to everything" if there else ""
    meant = f" Is it {' or '.join(close)} that was meant?" if close else ""
    instead = f"Fire {close[0]} instead, if that was meant; or listen" if close else "Listen"
    start, end = (min(call.ended for call in events), max(call.ended for call in events)) if events else (0, 0)
    return Finding(
        key=name, name=name, subject=f"{name}{suggestion(close)}", times=times,
        text=f"fired again and again, and nobody listens{but}.{meant}",
        advice=f"{instead} to {name}, or stop firing it.", at=end, since=start,
        proof=Proof(
            calls=tuple(call.id for call in events), start=start, end=end + 1,
            lines=tuple(f"close: {other}" for other in close),
        ),
    )  # fmt: skip


class NeverMatchedLimits(Limits, frozen=True):
    """A listener that is `seconds` old; names that are at most this `distance` away are suggested."""

    seconds: Amount = 600.0
    distance: Number = 2


class NeverMatched(Rule):
    """A listener whose event was never fired, since we look."""

    name: ClassVar[str] = "never matched"
    severity: ClassVar[Severity] = "note"
    from_absence: ClassVar[bool] = True
    settings: ClassVar[type[Limits]] = NeverMatchedLimits

    def __init__(self, limits: NeverMatchedLimits = NeverMatchedLimits()) -> None:  # noqa: B008  it is frozen
        self._limits = limits
        self._looked = 0
        self._found: list[Finding] = []

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        if news.now - self._looked >= _EVERY or news.now < self._looked:
            self._looked = news.now
            told = {found.key for found in self._found}
            self._found = [replace(found, times=int(found.key not in told)) for found in self._look(news)]
        yield from (replace(found, at=news.now) for found in self._found)
        self._found = [replace(found, times=0) for found in self._found]

    def _look(self, news: News) -> Iterator[Finding]:
        store, oldest = news.store, news.now - int(self._limits.seconds * NS)
        if news.start > oldest:
            return
        fired = [store.codec.names[number] for number in news.stats.names("event")]
        exact = set(fired)
        for entry in store.entries.values():
            if not entry.added or entry.kind != "listener" or max(entry.at, news.start) > oldest:
                continue
            if entry.name.startswith(_OWN_EVENTS) or entry.name in exact:
                continue
            if is_pattern(entry.name) and any(hears(news.store, entry.name, name) for name in fired):
                continue
            yield self._finding(news, entry, fired)

    def _finding(self, news: News, entry: Entry, fired: list[str]) -> Finding:
        close = close_names(entry.name, fired, self._limits.distance)
        since = max(entry.at, news.start)
        who = f"{entry.callback or 'a listener'} of {entry.service or 'main'}"
        meant = f"It may be meant to listen to {' or '.join(close)}." if close else "Is it ever fired under this name?"
        return Finding(
            key=f"{entry.name} {entry.callback} {entry.service}", name=entry.name,
            subject=f"{entry.name}{suggestion(close)}",
            text=f"{who} has listened for {fmt.age((news.now - since) / NS)}, and it was never fired",
            advice=f"{meant} Else the listener is not needed.", at=news.now, since=since,
            proof=Proof(entry=entry, service=entry.service, lines=(entry.where,) if entry.where else ()),
        )  # fmt: skip


class LeakLimits(Limits, frozen=True):
    """One callable gains `registrations` for one event within `seconds`."""

    registrations: Number = 10
    seconds: Amount = 300.0


class ListenerLeak(Rule):
    """The same listener is registered over and over, and never disposed: each event is delivered that many times."""

    name: ClassVar[str] = "listener leak"
    stays: ClassVar[int] = FOREVER
    from_absence: ClassVar[bool] = True
    settings: ClassVar[type[Limits]] = LeakLimits

    def __init__(self, limits: LeakLimits = LeakLimits()) -> None:  # noqa: B008  it is frozen
        self._limits = limits
        self._span = int(limits.seconds * NS)
        self._came: dict[tuple[str, str, str, str], deque[tuple[int, int]]] = {}
        self._known: set[int] = set()
        self._leaking: set[tuple[str, str, str, str]] = set()

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        gained: dict[tuple[str, str, str, str], int] = {}
        for record in news.records:
            if isinstance(record, Entry) and record.kind == "listener":
                key = record.name, record.callback, record.service, record.where
                if not record.added:
                    self._came.pop(key, None)
                    self._leaking.discard(key)
                    gained.pop(key, None)
                elif record.entry not in self._known:
                    self._known.add(record.entry)
                    self._gain(key, record, news.now)
                    gained[key] = gained.get(key, 0) + 1
        for key, count in gained.items():
            came = self._came[key]
            if key in self._leaking or self._too_many(came):
                first = key not in self._leaking
                self._leaking.add(key)
                yield _leak(news, came, len(came) if first else count)

    def _gain(self, key: tuple[str, str, str, str], entry: Entry, now: int) -> None:
        came = self._came.setdefault(key, deque(maxlen=max(1_000, self._limits.registrations)))
        came.append((entry.at or now, entry.entry))

    def _too_many(self, came: deque[tuple[int, int]]) -> bool:
        """Whether so many came close enough together."""
        times, most = [at for at, _ in came], self._limits.registrations
        return any(last - first <= self._span for first, last in zip(times, times[most - 1 :], strict=False))


def _leak(news: News, came: deque[tuple[int, int]], times: int) -> Finding:
    entry = news.store.entries[came[-1][1]]
    start, end = came[0][0], came[-1][0]
    return Finding(
        key=f"{entry.name} {entry.callback} {entry.service} {entry.where}", name=entry.name, times=times,
        subject=f"{entry.name}  {entry.callback}",
        text=f"{entry.callback} was registered {len(came):,} times for {entry.name} in "
        f"{fmt.age(max(1.0, (end - start) / NS))}, and never disposed: each event is delivered as often",
        advice="Keep the Registration and dispose it (it is a context manager), or register once, at the start.",
        at=end, since=start,
        proof=Proof(
            entry=entry, service=entry.service, start=start, end=end + 1, lines=(entry.where,) if entry.where else ()
        ),
    )  # fmt: skip


def _is_catch_all(entry: Entry) -> bool:
    return entry.kind == "listener" and not entry.name.strip("*")
