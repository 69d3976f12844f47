"""What can be called and fired: the registrations, with the figures of each name."""

from collections import Counter
from collections.abc import Set as AbstractSet

from bus.trace.records import CallKind, Entry
from console.model.receivers import Receivers
from console.model.slices import Sliced, parts, whole
from console.model.stats import Figures, Stats
from console.model.store import Store
from console.model.views import CommandRow, EventRow, KnownNames


class Catalog:
    """Commands and events of a model; rows are made anew only where something changed."""

    def __init__(self, store: Store, stats: Stats) -> None:
        self._store = store
        self._stats = stats
        self._entries = -1
        self._commands: dict[str, Entry] = {}
        self._receivers = Receivers(store)
        self._rows: dict[str, tuple[_Key, CommandRow]] = {}
        self._sorted: dict[str, None] = {}
        self._sorted_for = (-1, -1)
        self._names: tuple[tuple[int, int], KnownNames] | None = None

    def commands(self, now: int) -> list[CommandRow]:
        """All commands that are registered, were, or were called; sorted by name."""
        return whole(self.gathering_commands(now))

    def gathering_commands(self, now: int) -> Sliced[list[CommandRow]]:
        """The same in slices: of what comes meanwhile, some rows know already and some do not."""
        self._look_up()
        yield from self._stats.refreshing("command")
        live = (call for call in self._store.live.values() if call.kind == "command")
        in_flight = Counter((call.name, call.started > 0) for call in live)
        crowded = self._crowded()
        rates = self._stats.rates("command", now)
        yield
        names = self._sorted_names({name for name, _ in in_flight})
        rows: list[CommandRow] = []
        for some in parts(names):
            yield
            rows += [self._command(name, rates, in_flight, crowded) for name in some]
        return rows

    def events(self, now: int) -> list[EventRow]:
        """All events that were fired or have a listener with an exact name; sorted by name."""
        return whole(self.gathering_events(now))

    def gathering_events(self, now: int) -> Sliced[list[EventRow]]:
        """The same in slices."""
        yield from self._stats.refreshing("event", "delivery")
        fired, delivered = self._stats.rates("event", now), self._stats.rates("delivery", now)
        rows: list[EventRow] = []
        for some in parts(sorted(self._event_names())):
            yield
            rows += [self._event(name, fired, delivered) for name in some]
        return rows

    def names(self) -> KnownNames:
        """What can be named; made anew only when a registration or a new event came, as every key asks for it."""
        fired = self._called("event")
        key = self._store.entries_version, len(fired)
        if self._names is None or self._names[0] != key:
            self._look_up()
            events = self._event_names()
            registered = {name: entry for name, entry in sorted(self._commands.items()) if entry.added}
            services = {entry.service for entry in (*registered.values(), *self._receivers.all())} - {""}
            first = {name: next(iter(self.receivers(name)), None) for name in sorted(events)}
            self._names = key, KnownNames(registered, first, tuple(sorted(services)))
        return self._names[1]

    def receivers(self, event: str) -> tuple[Entry, ...]:
        """The listeners that EVENT would be delivered to now, in the order of their registration."""
        return self._receivers.of(event)

    def _look_up(self) -> None:
        """Of several registrations of a command the newest is on top; of those that were disposed, the last one."""
        if self._entries == self._store.entries_version:
            return
        self._entries = self._store.entries_version
        by_age = sorted(self._store.entries.values(), key=lambda entry: (entry.added, entry.entry))
        self._commands = {entry.name: entry for entry in by_age if entry.kind == "command"}

    def _sorted_names(self, in_flight: AbstractSet[str]) -> list[str]:
        """Of all commands; sorted anew only when there are more."""
        version = self._store.entries_version, self._stats.size
        if self._sorted_for != version:
            self._sorted_for = version
            self._sorted = dict.fromkeys(sorted(self._commands.keys() | self._called("command")))
        fresh = in_flight - self._sorted.keys()
        return sorted(self._sorted.keys() | fresh) if fresh else list(self._sorted)

    def _event_names(self) -> set[str]:
        return self._called("event") | self._receivers.names()

    def _called(self, kind: CallKind) -> set[str]:
        return {self._store.codec.names[number] for number in self._stats.names(kind)}

    def _crowded(self) -> AbstractSet[str]:
        """The services in whose queues there is more than the program listed."""
        if not self._store.unlisted:
            return frozenset()
        listed = Counter(call.service for call in self._store.live.values() if not call.started)
        return {service for service, count in listed.items() if self._store.mailboxes.last(service).depth > count}

    def _command(
        self, name: str, rates: dict[int, float], in_flight: Counter[tuple[str, bool]], crowded: AbstractSet[str]
    ) -> CommandRow:
        number = self._store.codec.names.find(name)
        entry, figures = self._commands.get(name), self._stats.known("command", number)
        service = entry.service if entry else self._store.services.get(name, "")
        queued = in_flight[name, False]
        key = entry, figures, rates.get(number, 0.0), in_flight[name, True], queued, queued > 0 and service in crowded
        known = self._rows.get(name)
        if known is not None and known[0] == key:
            return known[1]
        row = _row(name, service, key)
        self._rows[name] = key, row
        return row

    def _event(self, name: str, fired_rates: dict[int, float], delivery_rates: dict[int, float]) -> EventRow:
        number = self._store.codec.names.find(name)
        fired, delivered = self._stats.known("event", number), self._stats.known("delivery", number)
        return EventRow(
            name=name, fired=fired.calls, rate=fired_rates.get(number, 0.0),
            delivery_rate=delivery_rates.get(number, 0.0), failed=fired.errors + delivered.errors,
            last=fired.last, last_args=self._store.last_args.get(name, ""), listeners=self.receivers(name),
            lost=delivered.lost,
        )  # fmt: skip


_Key = tuple[Entry | None, Figures, float, int, int, bool]
"""All that a command's row is made from: registration, figures, rate, running, queued, and whether more are."""


def _row(name: str, service: str, key: _Key) -> CommandRow:
    entry, figures, rate, running, queued, more = key
    return CommandRow(
        name=name, service=service, calls=figures.calls, rate=rate,
        running=running, queued=queued, wait_p50=figures.wait_p50, wait_p99=figures.wait_p99,
        run_p50=figures.run_p50, run_p99=figures.run_p99, errors=figures.errors, last=figures.last,
        last_failed=figures.last_failed, removed=entry is None or not entry.added, entry=entry, more=more,
    )  # fmt: skip
