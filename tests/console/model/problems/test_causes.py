"""Chains of causes that come back to themselves, and calls with too many descendants."""

from collections.abc import Iterator

import pytest

from bus import Bus, Service
from console.model.problems import Settings
from console.model.problems.causes import LoopLimits, StormLimits
from sample_services.accomplices import Accomplice
from tests.console.model.problems.watching import SECOND, START, Model, Watch, call, event, found
from tests.support import wait_for


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        made.add(Accomplice())
        yield made


def settled(bus: Bus) -> None:
    wait_for(lambda: not bus.live_calls())


def test_an_event_that_fires_itself_is_a_loop(bus: Bus, watch: Watch) -> None:
    """The chain is told from its beginning, with the calls that it is made of; said once."""
    watched = watch(bus)
    bus.fire_event("trouble.looped", 20)
    settled(bus)
    problem = watched.until_found("loop")
    assert (problem.name, problem.severity) == ("trouble.looped", "warning")
    assert "trouble.looped is on one chain of causes 21 times" in problem.text
    assert len(problem.proof.calls) == 20
    assert "walk through a graph, allow it" in problem.advice
    assert found(watched.watch(), "loop").count == problem.count  # type: ignore[union-attr]
    assert not found(watched.later(3_600), "loop").over  # type: ignore[union-attr]


def test_an_event_that_comes_twice_is_none(bus: Bus, watch: Watch) -> None:
    """An event and its delivery have one name; that is not going in a circle."""
    watched = watch(bus)
    for _ in range(20):
        bus.fire_event("trouble.looped", 1)
    settled(bus)
    assert found(watched.watch(), "loop") is None


def test_a_walk_through_a_tree_is_no_loop(bus: Bus, watch: Watch) -> None:
    """A listener that fires the same event for what it finds, a dozen levels deep, is how a crawler works."""
    bus.add(Service("crawler"))

    def on_found(level: int) -> None:
        for _ in range(2 if level < 6 else 1 if level < 12 else 0):
            bus.fire_event("page.found", level + 1)

    bus.register_listener("page.found", on_found, service="crawler")
    watched = watch(bus)
    bus.fire_event("page.found", 0)
    settled(bus)
    assert found(watched.watch(), "loop") is None


def chain(length: int, names: int) -> list:
    return [call(n, START + n, parent=n - 1, root=1, name=f"n{n % names}") for n in range(1, length + 1)]


@pytest.mark.parametrize(("length", "names", "wrong"), [(32, 40, False), (33, 40, True), (9, 3, True), (6, 3, False)])
def test_deep_chains(length: int, names: int, wrong: bool) -> None:
    """More than 32 calls, or one name three times; whichever of them ended first."""
    for records in (chain(length, names), chain(length, names)[::-1]):
        assert (found(Model().look(*records), "loop") is not None) is wrong


def test_a_loop_is_found_across_two_looks_and_while_it_goes_on() -> None:
    """Children end before those that wait for them."""
    records = chain(6, 2)
    model = Model()
    assert found(model.look(*records[3:]), "loop") is None
    assert found(model.look(*records[:3]), "loop") is not None
    model = Model()
    model.look(call(900, START, name="n0"), call(901, START, name="n1"))
    going = [call(each.id, START, outcome=None, parent=each.parent, root=1, name=each.name) for each in records]
    assert found(model.look(at=START + SECOND, live=going), "loop") is not None


def test_a_call_that_names_itself_as_its_cause_does_no_harm() -> None:
    """A forged or damaged record."""
    records = [call(1, START, parent=1), call(2, START, parent=3), call(3, START, parent=2)]
    Model().look(*records)


def test_many_descendants_at_once_are_a_storm(bus: Bus, watch: Watch) -> None:
    """One command that fires events by the thousand; it is over a minute later."""

    def burst() -> None:
        for _ in range(700):
            bus.fire_event("trouble.looped", 0)

    bus.register_command("burst", burst)
    watched = watch(bus)
    bus.execute_command("burst").result(30)
    settled(bus)
    problem = watched.until_found("storm")
    assert problem.name == "burst"
    assert problem.proof.calls == (1,)
    assert "led to" in problem.text
    assert problem.text.count("trouble.looped") == 1
    assert not found(watched.later(30), "storm").over  # type: ignore[union-attr]
    assert found(watched.later(90), "storm").over  # type: ignore[union-attr]


def test_as_many_calls_of_many_roots_or_over_a_longer_time_are_no_storm() -> None:
    """A busy program is none; nor is one call that goes on all day."""
    busy = [call(n, START + n * 1_000) for n in range(1, 3_000)]
    slow = [call(n, START + n * 1_100_000, root=5_000) for n in range(5_001, 8_000)]
    model = Model()
    assert found(model.look(*busy), "storm") is None
    assert found(model.look(*slow), "storm") is None
    quick = [call(n, START + 10 * SECOND + n * 900_000, root=9_000) for n in range(9_000, 10_200)]
    assert found(model.look(*quick), "storm") is not None


def test_a_storm_in_two_looks_is_one() -> None:
    """What ended in the look before counts, too; it is told when its root is known."""
    both = [event(n, "x", START + n * 1_000, root=1, parent=1) for n in range(2, 1_400)]
    model = Model()
    assert found(model.look(*both[:700]), "storm") is None
    assert found(model.look(*both[700:]), "storm") is None
    problem = found(model.look(call(1, START, run=SECOND, name="burst")), "storm")
    assert problem is not None
    assert (problem.name, problem.count) == ("burst", 1)


def test_a_storm_whose_root_was_lost_has_its_number() -> None:
    """After a minute nobody waits for its name any more."""
    model = Model()
    model.look(*[event(n, "x", START + n * 1_000, root=1, parent=1) for n in range(2, 1_400)])
    problem = found(model.look(at=START + 70 * SECOND), "storm")
    assert problem is not None
    assert problem.name == "#1"


def test_the_limits_can_be_set() -> None:
    """A chain of three, a storm of two."""
    settings = Settings({"loop": LoopLimits(depth=2), "storm": StormLimits(calls=2)})
    wrong = {problem.rule for problem in Model(settings).look(*chain(4, 9)).problems}
    assert wrong == {"loop", "storm"}
