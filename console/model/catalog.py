"""What can be called and fired: the registrations, with the figures of each name."""

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from bus.trace.records import CallKind, Entry
from console.model.stats import Stats
from console.model.store import Store
from console.model.views import CommandRow, EventRow

_OWN_EVENTS: Final = "bus."


def commands(store: Store, stats: Stats, now: int) -> list[CommandRow]:
    """All commands that are registered, were, or were called; sorted by name."""
    entries = _command_entries(store)
    names = entries.keys() | _called(store, stats, "command")
    in_flight = Counter((call.name, call.started > 0) for call in store.live.values() if call.kind == "command")
    names |= {name for name, _ in in_flight}
    figures = _CommandFigures(store, stats, in_flight, now)
    return [figures.row(name, entries.get(name)) for name in sorted(names)]


def events(store: Store, stats: Stats, now: int) -> list[EventRow]:
    """All events that were fired or have a listener with an exact name; sorted by name."""
    listeners = _listeners(store)
    names = _called(store, stats, "event") | {entry.name for entry in listeners if not is_pattern(entry.name)}
    return [_event(store, stats, name, _matching(listeners, name), now) for name in sorted(names)]


def receivers(store: Store, event: str) -> tuple[Entry, ...]:
    """The listeners that EVENT would be delivered to now, in the order of their registration."""
    return _matching(_listeners(store), event)


def is_pattern(name: str) -> bool:
    """Whether a listener's name is a glob."""
    return any(character in name for character in "*?[")


def _command_entries(store: Store) -> dict[str, Entry]:
    """The registration in force for each name, or the last one if it was disposed: the newest is on top."""
    chosen: dict[str, Entry] = {}
    for entry in sorted(store.entries.values(), key=lambda entry: (entry.added, entry.entry)):
        if entry.kind == "command":
            chosen[entry.name] = entry
    return chosen


def _listeners(store: Store) -> list[Entry]:
    present = [entry for entry in store.entries.values() if entry.kind == "listener" and entry.added]
    return sorted(present, key=lambda entry: entry.entry)


def _matching(listeners: list[Entry], event: str) -> tuple[Entry, ...]:
    return tuple(entry for entry in listeners if _matches(entry.name, event))


def _matches(name: str, event: str) -> bool:
    """The bus's own events match only patterns that begin with `bus.`, as the bus itself has it."""
    if not is_pattern(name):
        return name == event
    if event.startswith(_OWN_EVENTS) and not name.startswith(_OWN_EVENTS):
        return False
    return fnmatchcase(event, name)


def _called(store: Store, stats: Stats, kind: CallKind) -> set[str]:
    return {store.codec.names[number] for number in stats.names(kind)}


@dataclass(frozen=True, slots=True)
class _CommandFigures:
    """What all rows are made from; `in_flight` counts by name and whether the call has started."""

    store: Store
    stats: Stats
    in_flight: Counter[tuple[str, bool]]
    now: int

    def row(self, name: str, entry: Entry | None) -> CommandRow:
        number = self.store.codec.names.find(name)
        figures = self.stats.figures("command", number)
        return CommandRow(
            name=name, service=entry.service if entry else self.store.services.get(name, ""), calls=figures.calls,
            rate=self.stats.rate("command", number, self.now),
            running=self.in_flight[name, True], queued=self.in_flight[name, False],
            wait_p50=figures.wait_p50, wait_p99=figures.wait_p99, run_p50=figures.run_p50, run_p99=figures.run_p99,
            errors=figures.errors, last=figures.last, last_failed=figures.last_failed,
            removed=entry is None or not entry.added, entry=entry,
        )  # fmt: skip


def _event(store: Store, stats: Stats, name: str, listeners: tuple[Entry, ...], now: int) -> EventRow:
    number = store.codec.names.find(name)
    fired, delivered = stats.figures("event", number), stats.figures("delivery", number)
    return EventRow(
        name=name, fired=fired.calls, rate=stats.rate("event", number, now),
        delivery_rate=stats.rate("delivery", number, now), failed=fired.errors + delivered.errors,
        last=fired.last, last_args=store.last_args.get(name, ""), listeners=listeners,
    )  # fmt: skip
