"""The books of ten million calls."""

from collections.abc import Callable

from bus import Bus
from tests.bus.ledger import Ledger


def test_books_balance_after_ten_million_calls(figure: Callable[[str], None]) -> None:
    """Each promise ends once, what one sender sends to a service comes in order, and no mailbox holds anything."""
    with Bus("ledger") as bus:
        totals = Ledger(bus, 10_000_000).run()
    figure(f"ledger: {totals}")
    assert totals.wrong == []
    assert totals.calls >= 10_000_000
