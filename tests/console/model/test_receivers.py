"""Who gets an event, found without a look at all listeners."""

from hypothesis import given
from hypothesis import strategies as st

from bus.attach.protocol import Batch
from bus.trace.records import Entry
from console.model.receivers import Receivers, hears
from console.model.store import Store

NAMES = st.sampled_from(["a", "a.b", "a.c", "bus.a", "*", "a.*", "*.b", "bus.*", "[ab]", "a.?"])
CHANGES = st.lists(st.tuples(st.integers(1, 12), NAMES, st.booleans()), max_size=20)


@given(st.lists(CHANGES, min_size=1, max_size=4), st.sampled_from(["a", "a.b", "b", "bus.a", "x.b"]))
def test_they_are_those_that_hear_it(rounds: list[list[tuple[int, str, bool]]], event: str) -> None:
    """In the order of registration, whatever came and went since the last time."""
    store = Store()
    receivers = Receivers(store)
    names: dict[int, str] = {}
    for changes in rounds:
        for number, name, added in changes:
            own = names.setdefault(number, name)
            entry = Entry(entry=number, kind="listener", name=own, service="s", added=added)
            store.take(Batch(at=0, records=(entry,)))
        there = sorted((e for e in store.entries.values() if e.added), key=lambda entry: entry.entry)
        assert receivers.all() == there
        assert list(receivers.of(event)) == [entry for entry in there if hears(store, entry.name, event)]


def test_commands_are_none() -> None:
    """Only listeners get events."""
    store = Store()
    store.take(Batch(at=0, records=(Entry(entry=1, kind="command", name="a", service="s"),)))
    assert Receivers(store).of("a") == ()
