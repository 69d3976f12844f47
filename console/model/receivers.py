"""Who gets an event: the listeners that there are, found by its name."""

from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase
from typing import Final

from bus.trace.records import Entry
from console.model.store import Store

_OWN_EVENTS: Final = "bus."
_Listener = tuple[int, Entry]
"""One, and its place in the order of registration."""


class Receivers:
    """The listeners of a store. Those of one name are found without a look at all others: there may be thousands.

    Owned by the front end's thread.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version = -1
        self._all: list[Entry] = []
        self._exact: dict[str, list[_Listener]] = {}
        self._patterns: list[_Listener] = []
        self._known: dict[str, tuple[Entry, ...]] = {}

    def all(self) -> list[Entry]:
        """In the order of their registration."""
        self._look_up()
        return self._all

    def names(self) -> AbstractSet[str]:
        """Of events that somebody listens to by name."""
        self._look_up()
        return self._exact.keys()

    def of(self, event: str) -> tuple[Entry, ...]:
        """Those that EVENT would be delivered to now, in the order of their registration."""
        self._look_up()
        known = self._known.get(event)
        if known is None:
            by_pattern = [each for each in self._patterns if hears(self._store, each[1].name, event)]
            found = sorted((*self._exact.get(event, ()), *by_pattern), key=lambda each: each[0])
            known = self._known[event] = tuple(entry for _, entry in found)
        return known

    def _look_up(self) -> None:
        if self._version == self._store.entries_version:
            return
        self._version = self._store.entries_version
        there = [entry for entry in self._store.entries.values() if entry.added and entry.kind == "listener"]
        self._all = sorted(there, key=lambda entry: entry.entry)
        self._exact, self._patterns, self._known = {}, [], {}
        for at, entry in enumerate(self._all):
            kept = self._patterns if is_pattern(entry.name) else self._exact.setdefault(entry.name, [])
            kept.append((at, entry))


def is_pattern(name: str) -> bool:
    """Whether a listener's name is a glob."""
    return any(character in name for character in "*?[")


def hears(store: Store, listener: str, event: str) -> bool:
    """Whether a listener's name takes EVENT, in a view of one program or of several; see `Store.origins`."""
    of, pattern = store.origins.get(listener, (0, listener))
    program, name = store.origins.get(event, (0, event))
    return of == program and _matches(pattern, name)


def _matches(name: str, event: str) -> bool:
    """Whether a listener's NAME takes EVENT; the bus's own events match only patterns that begin with `bus.`."""
    if not is_pattern(name):
        return name == event
    if event.startswith(_OWN_EVENTS) and not name.startswith(_OWN_EVENTS):
        return False
    return fnmatchcase(event, name)
