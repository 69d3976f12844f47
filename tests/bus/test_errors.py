"""The errors of the bus: one class for each situation, under one roof."""

import concurrent.futures

import pytest

import bus
from bus import BusError

SITUATIONS = (
    "CommandNotFound", "CommandExists", "BadArguments", "CallTimeout", "CallCancelled", "HandlerAborted", "MailboxFull",
    "HopLimitExceeded", "DeadlockError", "SelfCallError", "PoolStarvation", "BusClosed", "ServiceStopped",
    "ServiceDied", "ServiceCrash", "ServiceExists", "ServiceNotFound", "ForkedBusError",
)  # fmt: skip


@pytest.mark.parametrize("name", SITUATIONS)
def test_each_situation_has_a_class_of_its_own(name: str) -> None:
    """It can be imported from `bus`, is a BusError, and its first line says what happened and what to do."""
    error = getattr(bus, name)
    assert issubclass(error, BusError)
    first = (error.__doc__ or "").splitlines()[0]
    assert first.endswith(".")
    assert any(mark in first for mark in (":", ";"))  # what happened, then what to do or what the message tells


def test_errors_are_what_the_standard_library_calls_them() -> None:
    """Who catches TimeoutError, CancelledError, or DeadlockError in general, catches the bus's own."""
    assert issubclass(bus.CallTimeout, TimeoutError)
    assert issubclass(bus.CallCancelled, concurrent.futures.CancelledError)
    assert issubclass(bus.SelfCallError, bus.DeadlockError)
    assert issubclass(bus.PoolStarvation, bus.DeadlockError)
