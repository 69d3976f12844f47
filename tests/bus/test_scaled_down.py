"""A worker that is to leave after the call that it runs is still looked after until then."""

import threading
from collections.abc import Iterator

import pytest

from bus import Bus, BusClosed, Service
from tests.support import wait_for


@pytest.fixture
def opened() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_call_on_a_worker_that_is_to_leave_ends_with_the_bus(opened: threading.Event) -> None:
    """When the bus is closed, what such a worker runs fails with BusClosed like everything else."""
    bus = Bus("test")
    bus.add(Service("a", workers=2))
    bus.register_command("hold", lambda: opened.wait(10), service="a")
    promises = [bus.execute_command("hold") for _ in range(2)]
    wait_for(lambda: all(call.started for call in bus.live_calls()))
    bus.scale("a", 1)
    assert len(bus.live_calls()) == 2
    bus.close(timeout=0.02)
    assert all(promise.done() for promise in promises)
    assert all(isinstance(promise.exception(), BusClosed) for promise in promises)
