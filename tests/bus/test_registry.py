"""Names to entries: what a name means now, and who hears an event."""

import threading
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import CommandExists
from bus.registry import Entry, Registration, Registry

NAMES = st.sampled_from(["a", "a.b", "a.b.c", "b", "bus.x", "a[b]"])
PATTERNS = st.sampled_from(["*", "a*", "a.*", "?", "[ab]", "bus.*", "b*", "a", "a.b", "bus.x"])


class Somebody:
    """Whoever runs it."""

    name = "s"
    mailbox = None


SOMEBODY: Any = Somebody()


def nothing() -> None: ...


def command(name: str) -> Entry:
    return Entry("command", name, nothing, SOMEBODY)


def listener(name: str) -> Entry:
    return Entry("listener", name, nothing, SOMEBODY)


@given(patterns=st.lists(PATTERNS, max_size=6), event=NAMES, gone=st.sets(st.integers(0, 5)))
def test_receivers_are_those_that_match_in_order(patterns: list[str], event: str, gone: set[int]) -> None:
    """An event goes to every listener whose name or glob matches, in order, and to no disposed one."""
    registry = Registry(threading.Lock())
    entries = [listener(pattern) for pattern in patterns]
    for entry in entries:
        registry.add_listener(entry)
    registry.receivers(event)  # a route that is remembered must not outlive a change
    for number in gone & set(range(len(entries))):
        registry.remove(entries[number])
    own = event.startswith("bus.")
    expected = [
        entry
        for number, entry in enumerate(entries)
        if number not in gone and fnmatchcase(event, entry.name) and (not own or entry.name.startswith("bus."))
    ]
    assert list(registry.receivers(event)) == expected


@given(steps=st.lists(st.sampled_from(["error", "replace", "shadow", "dispose"]), max_size=12))
def test_name_means_the_top_of_its_stack(steps: list[str]) -> None:
    """Whatever is registered, replaced, shadowed and disposed, a name means the newest that is left."""
    registry = Registry(threading.Lock())
    stack: list[Entry] = []
    for step in steps:
        entry = command("x")
        if step == "dispose":
            if stack:
                registry.remove(stack.pop(len(stack) // 2))
        elif step == "error" and stack:
            with pytest.raises(CommandExists):
                registry.add_command(entry, "error")
        else:
            if step == "replace":
                del stack[-1:]
            registry.add_command(entry, step)  # type: ignore[arg-type]
            stack.append(entry)
        assert registry.top.get("x") is (stack[-1] if stack else None)


def test_claim_and_removal_happen_once() -> None:
    """Claiming says True once, removing says True once, and a removed listener is never claimed."""
    registry = Registry(threading.Lock())
    first, second = listener("x"), listener("x")
    for entry in (first, second):
        registry.add_listener(entry)
    assert [registry.claim(first), registry.claim(first)] == [True, False]
    assert [registry.remove(second), registry.remove(second)] == [True, False]
    assert not registry.claim(second)
    assert registry.receivers("x") == ()


def test_remembered_routes_are_bounded() -> None:
    """A program that fires a million different names does not grow the table of routes for ever."""
    registry = Registry(threading.Lock())
    for number in range(5_000):
        registry.receivers(f"event.{number}")
    assert len(registry.routes) <= 1_024


def test_registration_undoes_once() -> None:
    """The second dispose does nothing."""
    undone: list[int] = []
    registration = Registration(lambda: undone.append(1))
    registration.dispose()
    registration.dispose()
    assert undone == [1]
