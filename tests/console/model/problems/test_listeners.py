"""Events and listeners that miss each other, and listeners that pile up."""

from collections.abc import Iterator

import pytest

from bus import Bus, Service
from bus.trace.records import Entry
from console.model.problems import Settings
from console.model.problems.listeners import LeakLimits, NeverMatchedLimits, NoListenerLimits
from tests.console.model.problems.watching import SECOND, START, Model, Watch, batches, event, found


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        made.add(Service("s"))
        made.register_listener("file.changed", lambda *_: None, service="s")
        yield made


def fire(bus: Bus, name: str, times: int) -> None:
    for number in range(times):
        bus.fire_event(name, number)


def listener(number: int, name: str, at: int = START, **more: object) -> Entry:
    return Entry(entry=number, kind="listener", name=name, service="s", at=at, callback="S.on_it", **more)  # type: ignore[arg-type]


def test_an_event_that_nobody_hears(bus: Bus, watch: Watch) -> None:
    """Ten times within a minute; later ones are counted."""
    watched = watch(bus)
    fire(bus, "order.placed", 9)
    assert found(watched.watch(), "no listener") is None
    fire(bus, "order.placed", 3)
    problem = found(watched.watch(), "no listener")
    assert problem is not None
    assert (problem.subject, problem.count, problem.severity) == ("order.placed", 12, "note")
    assert len(problem.proof.calls) == 10
    fire(bus, "order.placed", 2)
    assert found(watched.watch(), "no listener").count == 14  # type: ignore[union-attr]


def test_a_misspelt_event_has_a_close_name(bus: Bus, watch: Watch) -> None:
    """Also where somebody listens to everything."""
    bus.register_listener("*", lambda *_: None, service="s")
    watched = watch(bus)
    fire(bus, "file.chnaged", 10)
    problem = found(watched.watch(), "no listener")
    assert problem is not None
    assert problem.subject == "file.chnaged → file.changed ?"
    assert "nobody listens but s, which listens to everything" in problem.text
    assert problem.advice.startswith("Fire file.changed instead")
    assert len(problem.proof.calls) == 10
    assert problem.since > 0


def test_an_event_that_somebody_hears_is_fine(bus: Bus, watch: Watch) -> None:
    """By name, by a pattern, or because somebody hears everything and no name is close."""
    bus.register_listener("order.*", lambda *_: None, service="s")
    watched = watch(bus)
    for name in ("file.changed", "order.placed"):
        fire(bus, name, 50)
    assert found(watched.watch(), "no listener") is None
    bus.register_listener("*", lambda *_: None, service="s")
    fire(bus, "something.else", 50)
    assert found(watched.watch(), "no listener") is None


def test_listeners_that_went_when_the_program_ended_were_there(bus: Bus, watch: Watch) -> None:
    """What was heard a moment ago is no event without a listener."""
    watched = watch(bus)
    fire(bus, "file.changed", 50)
    watched.watch()
    bus.close()
    assert found(watched.watch(), "no listener") is None


def test_an_event_fired_now_and_then_is_fine() -> None:
    """Nine in each minute."""
    fired = [event(n, "rare", START + n * 7 * SECOND) for n in range(1, 60)]
    assert found(Model().look(*fired), "no listener") is None


def test_a_listener_whose_event_never_comes() -> None:
    """After ten minutes, with the name that it may have been meant for; no longer a problem when the event comes."""
    model = Model()
    model.look(listener(1, "file.chaged", where="a.py:3"), event(1, "file.changed", START), at=START)
    assert found(model.look(at=START + 599 * SECOND), "never matched") is None
    problem = found(model.look(at=START + 601 * SECOND), "never matched")
    assert problem is not None
    assert (problem.subject, problem.count, problem.severity) == ("file.chaged → file.changed ?", 1, "note")
    assert problem.text.startswith("S.on_it of s has listened for 10 min")
    assert problem.proof.entry is not None
    assert problem.proof.lines == ("a.py:3",)
    assert found(model.look(at=START + 700 * SECOND), "never matched").count == 1  # type: ignore[union-attr]
    late = START + 710 * SECOND
    assert found(model.look(event(2, "file.chaged", late), at=late), "never matched").over  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["file.changed", "file.*", "*", "bus.service_failed"])
def test_a_listener_that_is_of_use(name: str) -> None:
    """Its event came, or its pattern matched; what the bus itself fires is meant to be rare."""
    model = Model()
    model.look(listener(1, name), event(1, "file.changed", START), at=START)
    assert found(model.look(at=START + 1_000 * SECOND), "never matched") is None


def test_a_listener_is_as_old_as_it_has_been_there_and_been_looked_at() -> None:
    """One that came late is young; of one that was there before, nobody knows what came before we looked."""
    model = Model()
    model.look(event(1, "x", START), listener(1, "late", at=START + 300 * SECOND), listener(2, "old", at=1), at=START)
    assert found(model.look(at=START + 599 * SECOND), "never matched") is None
    names = {problem.name for problem in model.look(at=START + 700 * SECOND).problems}
    assert names == {"old"}


def test_a_listener_that_is_registered_again_and_again(bus: Bus, watch: Watch) -> None:
    """Ten times and never disposed: said once, then counted; it is told how often an event is delivered now."""
    watched = watch(bus)

    def on_it() -> None: ...

    for _ in range(9):
        bus.register_listener("leaked", on_it, service="s")
    assert found(watched.watch(), "listener leak") is None
    for _ in range(3):
        bus.register_listener("leaked", on_it, service="s")
    problem = found(watched.watch(), "listener leak")
    assert problem is not None
    assert (problem.name, problem.count, problem.severity) == ("leaked", 12, "warning")
    assert "was registered 12 times for leaked" in problem.text
    assert __file__ in problem.proof.lines[0]
    bus.register_listener("leaked", on_it, service="s")
    assert found(watched.watch(), "listener leak").count == 13  # type: ignore[union-attr]


def test_listeners_that_come_and_go_do_not_leak(bus: Bus, watch: Watch) -> None:
    """One for each of a hundred requests, disposed at its end; and twenty different ones of one event."""
    watched = watch(bus)

    def on_it() -> None: ...

    for _ in range(100):
        with bus.register_listener("request", on_it, service="s"):
            pass
    watched.watch()
    for number in range(20):
        bus.add(Service(f"s{number}"))
        bus.register_listener("all", on_it, service=f"s{number}")
    assert found(watched.watch(), "listener leak") is None


def test_registrations_over_hours_do_not_leak_also_in_one_go() -> None:
    """Ten in ten hours, read from a recording at once: when each came is in its record."""
    entries = [listener(n, "slow", at=START + n * 3_600 * SECOND) for n in range(1, 11)]
    assert found(Model().look(*entries, at=START + 40_000 * SECOND), "listener leak") is None
    quick = [listener(n, "quick", at=START + n * SECOND) for n in range(1, 11)]
    model = Model()
    for batch in batches(quick, 3):
        model.take(batch)
        model.problems.look()
    assert found(model.look(at=START + 40_000 * SECOND), "listener leak") is not None


def test_without_records_absence_is_uncertain() -> None:
    """A delivery that was lost on the way to us is no event without a listener."""
    model = Model()
    model.look(*[event(n, "x", START + n) for n in range(1, 12)], at=START + 12, dropped=5)
    problem = found(model.problems.report(), "no listener")
    assert problem is not None
    assert problem.uncertain
    model = Model()
    model.look(*[event(n, "x", START + n) for n in range(1, 12)], at=START + 12)
    assert not found(model.problems.report(), "no listener").uncertain  # type: ignore[union-attr]


def test_the_limits_can_be_set() -> None:
    """Each rule has its own."""
    settings = Settings({
        "no listener": NoListenerLimits(times=2), "never matched": NeverMatchedLimits(seconds=5.0),
        "listener leak": LeakLimits(registrations=2),
    })  # fmt: skip
    model = Model(settings)
    model.look(event(1, "x", START), event(2, "x", START + 1), listener(1, "y"), listener(2, "y"), at=START)
    wrong = {problem.rule for problem in model.look(at=START + 6 * SECOND).problems}
    assert wrong == {"no listener", "never matched", "listener leak"}
