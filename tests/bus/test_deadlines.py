"""Deadlines: inherited, never extended, and on a clock that can be stopped."""

import contextvars
import threading
from collections.abc import Iterator

import pytest

from bus import Bus, CallTimeout, Service, current_call
from tests.bus.gate import Gate
from tests.support import wait_for


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


@pytest.fixture
def gate(bus: Bus) -> Iterator[Gate]:
    made = bus.add(Gate())
    yield made
    made.opened.set()


def test_work_that_expired_in_the_queue_is_never_started(bus: Bus, gate: Gate) -> None:
    """A call that is still queued at its deadline fails with CallTimeout and does not run."""
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    with bus.deadline(0.01):
        promise = bus.execute_command("count")
    clock = bus._dispatch.clock
    wait_for(lambda: clock.now() > (promise.call.deadline or 0))
    gate.opened.set()
    with pytest.raises(CallTimeout, match="count #2 was queued for gate when its deadline passed, and was not started"):
        promise.result(10)
    assert gate.ran == 0
    assert promise.call.outcome == "expired"


def test_deadline_caps_the_wait(bus: Bus, gate: Gate) -> None:
    """result() inside the block ends at the deadline, whatever its own timeout."""
    with bus.deadline(0.01):
        promise = bus.execute_command("hold")
        assert gate.entered.wait(10)
        with pytest.raises(CallTimeout, match="did not end by its deadline"):
            promise.result()
        with pytest.raises(CallTimeout):
            promise.result(10)
    gate.opened.set()
    assert promise.result(10) == "held"


def test_calls_inherit_the_earlier_deadline(bus: Bus) -> None:
    """Each call has the minimum of its own deadline and of what is left of its caller's, across threads."""
    seen: dict[str, int | None] = {}

    def inner() -> None:
        call = current_call()
        seen["inner"] = call.deadline if call else None

    def outer() -> None:
        call = current_call()
        seen["outer"] = call.deadline if call else None
        with bus.deadline(3600):
            bus.execute_command("inner").result()

    bus.register_command("inner", inner)
    bus.register_command("outer", outer)
    with bus.deadline(60):
        bus.execute_command("outer").result()
    assert seen["inner"] == seen["outer"]
    assert seen["outer"] is not None
    bus.execute_command("inner").result(10)
    assert seen["inner"] is None


def test_paused_clock_holds_deadlines(bus: Bus, gate: Gate) -> None:
    """While the clock is paused no deadline passes; pauses nest, and disposing the last one lets time go on."""
    clock = bus._dispatch.clock
    with bus.pause_clock(), bus.pause_clock():
        before = clock.now()
        with bus.deadline(0.02):
            promise = bus.execute_command("hold")
            assert gate.entered.wait(10)
            waiting = threading.Event()
            results: list[str] = []
            # The deadline is in this context, so the waiting thread runs in a copy of it.
            context = contextvars.copy_context()
            thread = threading.Thread(target=lambda: (waiting.set(), results.append(context.run(promise.result))))
            thread.start()
            assert waiting.wait(10)
            assert not threading.Event().wait(0.05)  # longer than the deadline, by a clock that is not paused
            gate.opened.set()
            thread.join(10)
        assert clock.now() == before
    assert results == ["held"]
    wait_for(lambda: clock.now() > before)


def test_wait_with_a_deadline_heals_a_cycle(bus: Bus) -> None:
    """A wait under a deadline is a timed one: a cycle is not refused, it ends by itself."""
    bus.add(Service("a"))
    bus.register_command("a.one", lambda: bus.execute_command("a.two").result(), service="a")
    bus.register_command("a.two", lambda: 2, service="a")
    with bus.deadline(0.02), pytest.raises(CallTimeout):
        bus.execute_command("a.one").result()
