"""Under load nothing is lost, doubled or overtaken."""

import itertools
from collections.abc import Callable
from typing import Any

from bus import Bus, Promise
from tests.bus.ledger import Ledger


def test_books_balance_after_a_hundred_thousand_calls(figure: Callable[[str], None]) -> None:
    """Each promise ends once, what one sender sends to a service comes in order, and no mailbox holds anything."""
    with Bus("ledger") as bus:
        totals = Ledger(bus, 100_000).run()
    figure(f"ledger: {totals}")
    assert totals.wrong == []
    assert totals.calls >= 100_000


class Careless(Bus):
    """Loses an event, lets a call overtake, and hands out one promise for two calls."""

    def __init__(self) -> None:
        super().__init__("careless")
        self.numbers = itertools.count(1)
        self.calls = 0
        self.lost = False
        self.former: Promise[Any] | None = None

    def execute_command(self, name: str, /, *args: Any, **kwargs: Any) -> Promise[Any]:
        self.calls = number = next(self.numbers)  # many threads come here
        if number == 500:
            args = (args[0], args[1] + 1, *args[2:])
        promise = super().execute_command(name, *args, **kwargs)
        if number == 601 and self.former is not None:
            return self.former
        self.former = promise
        return promise

    def fire_event(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        if self.calls < 700 or self.lost:
            super().fire_event(name, *args, **kwargs)
        self.lost = self.calls >= 700


def test_books_of_a_careless_bus_do_not_balance() -> None:
    """A lost event, a call that overtook and a promise that ends twice are each found."""
    with Careless() as bus:
        wrong = "\n".join(Ledger(bus, 3_000).run().wrong)
    assert "after" in wrong
    assert "ended twice" in wrong
    assert " of " in wrong
