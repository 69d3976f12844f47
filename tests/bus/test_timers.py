"""Timers call back in time, one thread for all, and end with their bus."""

import logging
import threading

import pytest

from bus.runtime import REAL
from bus.timers import Timers
from tests.support import wait_for


def test_two_timers_share_a_thread_and_keep_their_periods() -> None:
    """Each timer is called at its own pace, on the one timer thread."""
    timers = Timers(REAL, "test")
    fast: list[str] = []
    slow: list[str] = []
    timers.every(0.001, lambda: fast.append(threading.current_thread().name))
    timers.every(0.02, lambda: slow.append(threading.current_thread().name))
    wait_for(lambda: len(slow) >= 3)
    timers.close(10)
    assert set(fast + slow) == {"test-timer"}
    assert len(fast) > len(slow)


def test_disposed_timer_is_not_called_again() -> None:
    """After dispose at most the turn that has begun comes to its end."""
    timers = Timers(REAL, "test")
    calls: list[int] = []
    registration = timers.every(0.001, lambda: calls.append(1))
    wait_for(lambda: calls)
    registration.dispose()
    others: list[int] = []
    timers.every(0.001, lambda: others.append(1))
    wait_for(lambda: others)
    seen = len(calls)
    wait_for(lambda: len(others) > 20)
    timers.close(10)
    assert len(calls) == seen


def test_timer_that_raises_keeps_turning(caplog: pytest.LogCaptureFixture) -> None:
    """An error in one timer is logged; it and the others go on."""
    timers = Timers(REAL, "test")
    calls: list[int] = []

    def broken() -> None:
        calls.append(1)
        raise RuntimeError("broken timer")

    with caplog.at_level(logging.ERROR, logger="bus"):
        timers.every(0.001, broken)
        wait_for(lambda: len(calls) > 2)
        timers.close(10)
    assert "broken timer" in caplog.text


def test_close_ends_the_thread_while_it_sleeps() -> None:
    """A timer that is due in an hour does not keep close waiting."""
    timers = Timers(REAL, "test")
    timers.every(3600, lambda: None)
    thread = timers._thread
    assert thread is not None
    timers.close(10)
    assert not thread.alive
