"""A race of cancel and completion has one winner, and the worker goes on."""

from collections.abc import Callable
from typing import Any

from bus import Bus, CallCancelled, Promise
from tests.bus.races import Races

ROUNDS = 100_000


def test_race_of_cancel_and_completion_never_kills_a_worker(figure: Callable[[str], None]) -> None:
    """A call either is cancelled and never runs, or runs once and has its result; one thread ran them all."""
    with Bus("races") as bus:
        outcomes = Races(bus, ROUNDS).run()
        (track,) = bus.services()
    figure(f"cancel races: {outcomes}")
    assert outcomes.wrong == []
    assert outcomes.callbacks == ROUNDS
    assert len(outcomes.workers) == 1
    assert (track.state, track.restarts, track.depth) == ("running", 0, 0)
    assert min(outcomes.cancelled, outcomes.completed) > ROUNDS // 100


def test_races_of_a_bus_that_lies_are_found_out() -> None:
    """A bus that runs what it said was cancelled is caught."""

    class Careless(Bus):
        def execute_command(self, name: str, /, *args: Any, **kwargs: Any) -> Promise[Any]:
            promise = super().execute_command(name, *args, **kwargs)
            if args[0] % 10 == 0:
                promise.set_exception(CallCancelled("it runs all the same"))
            return promise

    with Careless("careless") as bus:
        outcomes = Races(bus, 1_600).run()
    assert any("was cancelled and ran" in one or "cancel said" in one for one in outcomes.wrong)
