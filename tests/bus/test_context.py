"""What a handler knows of the call that it runs: who asked, since when, until when."""

import contextvars
import threading
from collections.abc import Iterator

import pytest

from bus import Bus, Call, HopLimitExceeded, Service, current_call
from bus.lanes import lanes
from tests.support import wait_for


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


def test_call_knows_who_asked(bus: Bus) -> None:
    """Inside a handler current_call() has id, parent and root across threads; outside it is None."""
    calls: list[tuple[int, int, int]] = []

    def note() -> None:
        call = current_call()
        assert call is not None
        calls.append((call.id, call.parent, call.root))

    def outer() -> None:
        note()
        bus.execute_command("inner").result(10)

    bus.register_command("outer", outer)
    bus.register_command("inner", note)
    bus.execute_command("outer").result(10)
    (outer_id, no_parent, outer_root), (inner_id, inner_parent, inner_root) = calls
    assert current_call() is None
    assert no_parent == 0
    assert outer_root == outer_id == inner_parent == inner_root != inner_id


def test_delivery_descends_from_the_event(bus: Bus) -> None:
    """A delivery's parent is the event, whose root is the call that fired it."""
    seen: list[object] = []
    bus.register_listener("fired", lambda: seen.append(current_call()))
    calls: list[object] = []

    def fire() -> None:
        calls.append(current_call())
        bus.fire_event("fired")

    bus.register_command("fire", fire)
    bus.execute_command("fire").result(10)
    delivery = wait_for(lambda: seen)[0]
    assert delivery.kind == "delivery"
    assert delivery.root == calls[0].id
    assert delivery.parent not in {0, calls[0].id}


def test_call_knows_all_about_itself(bus: Bus) -> None:
    """current_call() tells name, service, caller, deadline and whether it was asked to stop."""
    bus.add(Service("echo"))
    calls: list[Call] = []

    def look() -> None:
        call = current_call()
        assert call is not None
        calls.append(call)

    bus.register_command("look", look, service="echo")
    with bus.deadline(1_000):
        bus.execute_command("look").result(10)
    (call,) = calls
    assert (call.name, call.service, call.cancel_requested) == ("look", "echo", False)
    assert lanes[call.caller].name == threading.current_thread().name
    assert call.deadline is not None
    assert bus.now() < call.deadline <= bus.now() + 1_000 * 10**9


def test_contextvars_of_the_caller_are_visible_in_the_handler(bus: Bus) -> None:
    """Context crosses threads with the call, and what the handler sets stays there."""
    user = contextvars.ContextVar("user", default="nobody")

    def swap() -> str:
        seen = user.get()
        user.set("changed")
        return seen

    bus.register_command("swap", swap)
    user.set("alice")
    assert bus.execute_command("swap").result(10) == "alice"
    assert user.get() == "alice"


def test_chain_without_end_is_cut(bus: Bus) -> None:
    """An event that fires itself for ever raises HopLimitExceeded in the handler that goes too far."""
    hops: list[int] = []
    errors: list[BaseException] = []

    @bus.register_listener("again")
    def again() -> None:
        hops.append(1)
        try:
            bus.fire_event("again")
        except HopLimitExceeded as error:
            errors.append(error)

    bus.fire_event("again")
    wait_for(lambda: errors)
    assert len(hops) == 100
