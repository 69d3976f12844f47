"""What tests of all parts share: waiting for a condition instead of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], timeout: float = 10.0) -> T:
    """Return the first true value of CONDITION; fail after TIMEOUT seconds."""
    give_up = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > give_up:
            message = f"still not true after {timeout} s: {condition}"
            raise AssertionError(message)
        time.sleep(0.002)  # the one polling loop of the tests
    return value
