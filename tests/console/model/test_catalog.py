"""Which commands and events there are, and who would receive what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bus.attach.protocol import Batch
from bus.trace.records import Call, Depth, Entry
from console.model import snapshot
from console.model.catalog import Catalog
from console.model.receivers import is_pattern
from console.model.stats import Stats
from console.model.store import Store
from console.model.views import CommandRow, EventRow

SECOND = 1_000_000_000


class Model:
    """Store and stats that take records together."""

    def __init__(self, *records: Entry | Call, live: tuple[Call, ...] = ()) -> None:
        self.store, self.stats = Store(), Stats()
        self.catalog = Catalog(self.store, self.stats)
        self.take(*records, live=live)

    def take(self, *records: Entry | Call, live: tuple[Call, ...] = ()) -> None:
        fresh = self.store.take(Batch(at=0, records=records, live=live))
        if fresh is not None:
            self.stats.take(fresh)

    def commands(self, now: int = 20 * SECOND) -> dict[str, CommandRow]:
        return {row.name: row for row in self.catalog.commands(now)}

    def events(self) -> dict[str, EventRow]:
        return {row.name: row for row in self.catalog.events(20 * SECOND)}


def event(number: int, name: str) -> Call:
    """An event that was fired."""
    return Call(id=number, root=number, kind="event", name=name, queued=5, started=5, ended=5, outcome="ok")


def command(number: int, name: str, *, service: str = "s") -> Entry:
    """A registered command."""
    return Entry(entry=number, kind="command", name=name, service=service)


def listener(number: int, name: str, *, service: str = "s") -> Entry:
    """A registered listener."""
    return Entry(entry=number, kind="listener", name=name, service=service)


def call(number: int, name: str, kind: str = "command", **more: object) -> Call:
    """A call that ran for 3 ms after 1 ms in the queue, and ended at 19 s."""
    end = 19 * SECOND
    times = {"queued": end - 4_000_000, "started": end - 3_000_000, "ended": end, "outcome": "ok", "lane": 1}
    return Call(id=number, root=number, kind=kind, name=name, service="s", **{**times, **more})  # type: ignore[arg-type]


def test_more_may_be_queued_than_the_program_listed() -> None:
    """Then the figure of a command says so, if its service's queue holds more; of other services it is exact."""
    waits = [call(number, "a", ended=0, started=0, lane=0, outcome=None) for number in (8, 9)]
    other = structs.replace(waits[0], id=10, name="b", service="t")
    model = Model(command(1, "a"), command(2, "b", service="t"))
    full = Batch(at=0, live=(*waits, other), in_flight=700)
    depths = Depth(service="s", at=1, depth=699), Depth(service="t", at=1, depth=1)
    model.store.take(structs.replace(full, records=depths))
    rows = model.commands()
    assert [(row.queued, row.more) for row in (rows["a"], rows["b"])] == [(2, True), (1, False)]
    model.store.take(structs.replace(full, in_flight=3))
    assert not any(row.more for row in model.commands().values())


def test_a_command_with_its_figures() -> None:
    """Calls, errors, rate, percentiles within 3 %, what runs and queues now."""
    running = call(8, "a", ended=0, outcome=None)
    queued = call(9, "a", ended=0, started=0, outcome=None)
    model = Model(command(1, "a"), call(1, "a"), call(2, "a", outcome="error", lane=2), live=(running, queued))
    row = model.commands()["a"]
    assert (row.service, row.calls, row.errors, row.running, row.queued) == ("s", 2, 1, 1, 1)
    assert (row.last, row.last_failed, row.removed, row.entry) == (19 * SECOND, True, False, command(1, "a"))
    assert row.rate > 0
    assert (row.wait_p50, row.run_p99) == (pytest.approx(1_000_000, rel=0.03), pytest.approx(3_000_000, rel=0.03))


def test_commands_are_sorted_and_complete() -> None:
    """Registered but never called, called but never registered, gone, or only in flight: all have a row."""
    gone = structs.replace(command(2, "gone"), added=False)
    model = Model(command(1, "z"), command(2, "gone"), gone, call(1, "b"), live=(call(2, "c", ended=0, outcome=None),))
    rows = model.commands()
    assert list(rows) == ["b", "c", "gone", "z"]
    assert {name: row.removed for name, row in rows.items()} == {"b": True, "c": True, "gone": True, "z": False}
    assert (rows["b"].service, rows["z"].run_p50) == ("s", None)


def test_the_newest_registration_of_a_name_counts() -> None:
    """One that shadows another is on top; when it goes, the former one is back."""
    upper = command(2, "a", service="new")
    assert Model(command(1, "a"), upper).commands()["a"].service == "new"
    row = Model(command(1, "a"), upper, structs.replace(upper, added=False)).commands()["a"]
    assert (row.service, row.removed) == ("s", False)


def test_rows_follow_every_change() -> None:
    """Only a row that changed is made anew: by a call, a registration, a call in flight, or the time that passes."""
    model = Model(command(1, "a"), command(2, "b"), call(1, "a"))
    before = model.commands()
    model.take(call(2, "b", lane=2), live=())
    after = model.commands()
    assert after["a"] is before["a"]
    assert (before["b"].calls, after["b"].calls) == (0, 1)
    model.take(live=(call(3, "a", ended=0, outcome=None, lane=3),))
    assert model.commands()["a"].running == 1
    model.take(structs.replace(command(1, "a"), added=False))
    assert model.commands()["a"].removed
    assert model.commands(40 * SECOND)["b"].rate == 0


def test_an_event_with_its_figures() -> None:
    """Fired, delivered, failed deliveries, the last arguments, who listens."""
    events = [call(n, "e", "event", args=f"n={n}") for n in (1, 2)]
    deliveries = [call(3, "e", "delivery"), call(4, "e", "delivery", outcome="error", lane=2)]
    row = Model(listener(1, "e"), listener(2, "*"), *events, *deliveries).events()["e"]
    assert (row.fired, row.failed, row.last, row.last_args) == (2, 1, 19 * SECOND, "n=2")
    assert [entry.entry for entry in row.listeners] == [1, 2]
    assert row.rate == row.delivery_rate > 0


def test_events_are_those_fired_or_listened_to_by_name() -> None:
    """A glob alone makes no event; a listener that is gone does not either."""
    gone = structs.replace(listener(3, "old"), added=False)
    model = Model(listener(1, "b"), listener(2, "x.*"), gone, call(1, "a", "event"))
    assert list(model.events()) == ["a", "b"]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("file.found", [1, 2, 4]), ("file.sub.found", [1, 2]), ("other", [2]), ("bus.service_started", [5, 6]),
        ("FILE.found", [2]),
    ],
)  # fmt: skip
def test_receivers(event: str, expected: list[int]) -> None:
    """Exact names and globs, which cross dots and mind the case; the bus's own events only reach `bus.` patterns."""
    names = {1: "file.*", 2: "*", 3: "file", 4: "file.found", 5: "bus.*", 6: "bus.service_started"}
    model = Model(*(listener(number, name) for number, name in reversed(names.items())))
    assert [entry.entry for entry in model.catalog.receivers(event)] == expected


@given(st.text("ab.*?[", max_size=6), st.text("ab.", max_size=6))
def test_an_exact_name_matches_only_itself(name: str, event: str) -> None:
    """What has no wildcard is compared as it is; a star matches every event but the bus's own."""
    found = bool(Model(listener(1, name)).catalog.receivers(event))
    if not is_pattern(name):
        assert found == (name == event)
    if name == "*":
        assert found == (not event.startswith("bus."))


def test_what_can_be_named() -> None:
    """Commands that are registered now, events with their first listener, and services; not made anew for nothing."""
    model = Model(
        command(2, "b.two", service="b"), command(1, "a.one", service="a"),
        Entry(entry=3, kind="listener", name="file.*", service="c"),
        Entry(entry=4, kind="listener", name="file.found", service="d"), event(1, "file.lost"),
    )  # fmt: skip
    names = model.catalog.names()
    assert list(names.commands) == ["a.one", "b.two"]
    assert {name: entry.service if entry else "" for name, entry in names.events.items()} == {
        "file.found": "c", "file.lost": "c",
    }  # fmt: skip
    assert names.services == ("a", "b", "c", "d")
    assert model.catalog.names() is names
    model.take(structs.replace(command(1, "a.one", service="a"), added=False), event(2, "other"))
    names = model.catalog.names()
    assert list(names.commands) == ["b.two"]
    assert names.events["other"] is None


@given(st.lists(st.lists(st.integers(0, 1_499), min_size=1, max_size=40), min_size=1, max_size=8))
def test_commands_are_gathered_while_more_is_taken_in(batches: list[list[int]]) -> None:
    """Every command once, by name, as it was before or after what came meanwhile; the next time, as it is."""
    model = Model(*(command(number + 1, f"c{number:04}") for number in range(1_500)))
    before, waiting, number = model.commands(), list(batches), 0
    gathering = model.catalog.gathering_commands(20 * SECOND)
    slices = 0
    while True:
        try:
            next(gathering)
        except StopIteration as done:
            rows = done.value
            break
        slices += 1
        if waiting:
            some = waiting.pop()
            model.take(*(call(number + place, f"c{which:04}") for place, which in enumerate(some, 1)))
            number += len(some)
    after = model.commands()
    assert slices >= 3
    assert [row.name for row in rows] == sorted(before)
    assert all(before[row.name].calls <= row.calls <= after[row.name].calls for row in rows)
    assert sum(row.calls for row in after.values()) == number
    assert after == {row.name: row for row in Model(*_all(model)).catalog.commands(20 * SECOND)}


def _all(model: Model) -> list[Entry | Call]:
    """What a model was told, in one."""
    _, *calls, _ = snapshot.records(model.store)
    ended = [each for some in calls for each in some if isinstance(each, Call)]
    return [*model.store.entries.values(), *ended]


def test_a_command_that_is_only_in_flight_has_its_place() -> None:
    """Although it is in no list of names yet, and not there any more when it has gone."""
    model = Model(command(1, "a"), command(2, "c"))
    assert list(model.commands()) == ["a", "c"]
    model.take(live=(call(9, "b", ended=0, outcome=None),))
    assert list(model.commands()) == ["a", "b", "c"]
    model.take()
    assert list(model.commands()) == ["a", "c"]
    model.take(call(10, "bb"), command(3, "d"))
    assert list(model.commands()) == ["a", "bb", "c", "d"]
