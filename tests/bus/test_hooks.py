"""Hooks see what happens, in order, and never break the program."""

import logging

import pytest

from bus import Bus, Call, CommandNotFound, DeadLetter, Hook, Service
from bus.hooks import POINTS
from tests.bus.gate import NarrowGate
from tests.support import wait_for


class Log(Hook):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def queued(self, call: Call) -> None:
        self.seen.append(f"queued {call.name}")

    def started(self, call: Call) -> None:
        self.seen.append(f"started {call.name}")

    def ended(self, call: Call) -> None:
        self.seen.append(f"ended {call.name} {call.outcome} {call.value}")


def test_hook_sees_a_call_in_order() -> None:
    """queued, started and ended come in this order, and ended still has the result."""
    with Bus("test") as bus:
        log = Log()
        bus.register_command("x", lambda: 5)
        with bus.add_hook(log):
            bus.execute_command("x").result(10)
        bus.execute_command("x").result(10)
    assert log.seen == ["queued x", "started x", "ended x ok 5"]


def test_times_are_in_order() -> None:
    """Queued ≤ started ≤ ended, on the monotonic clock."""
    calls: list[Call] = []

    class Times:
        def ended(self, call: Call) -> None:
            calls.append(call)

    with Bus("test") as bus:
        bus.add_hook(Times())
        bus.register_command("x", lambda: None)
        before = bus.now()
        bus.execute_command("x").result(10)
    (call,) = calls
    assert before <= call.queued <= call.started <= call.ended <= bus.now()
    assert call.lane != call.caller


def test_hook_that_raises_is_removed(caplog: pytest.LogCaptureFixture) -> None:
    """A hook that raises is removed and logged; the call succeeds."""

    class Broken(Log):
        def started(self, call: Call) -> None:
            super().started(call)
            raise RuntimeError("broken hook")

    broken = Broken()
    with Bus("test") as bus, caplog.at_level(logging.ERROR, logger="bus"):
        bus.add_hook(broken)
        bus.register_command("x", lambda: 1)
        assert [bus.execute_command("x").result(10) for _ in range(3)] == [1, 1, 1]
    assert broken.seen == ["queued x", "started x"]
    assert "raised in started and was removed" in caplog.text


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_hook_cannot_end_a_worker(kind: type[BaseException]) -> None:
    """Not even by what ends a thread: the hook is removed, and the call and all later ones succeed."""

    class Quits(Hook):
        def started(self, call: Call) -> None:
            raise kind

        def ended(self, call: Call) -> None:
            raise kind

    with Bus("test") as bus:
        bus.add_hook(Quits())
        bus.add(Service("one"))
        bus.register_command("x", lambda: 1, service="one")
        assert [bus.execute_command("x").result(10) for _ in range(3)] == [1, 1, 1]


def test_hook_sees_registrations_states_waits_and_dead_letters() -> None:
    """The other points are called too, each with what its docstring says."""
    seen: list[str] = []

    class All:
        def registered(self, entry: object) -> None:
            seen.append(f"registered {entry.name}")  # type: ignore[attr-defined]

        def unregistered(self, entry: object) -> None:
            seen.append(f"unregistered {entry.name}")  # type: ignore[attr-defined]

        def service_state(self, service: str, state: str, workers: int, error: str) -> None:
            seen.append(f"{service} {state}")

        def wait_began(self, call: Call | None, target: Call, at: int) -> None:
            seen.append(f"wait for {target.name}")

        def wait_ended(self, call: Call | None, target: Call, began: int, at: int) -> None:
            seen.append(f"waited for {target.name}")
            assert began <= at

        def dead_letter(self, letter: object) -> None:
            seen.append(f"dead {letter.name}")  # type: ignore[attr-defined]

    with Bus("test") as bus:
        bus.add_hook(All())
        registration = bus.register_command("slow", lambda: wait_for(lambda: "wait for slow" in seen))
        bus.execute_command("slow").result(10)
        registration.dispose()
        with pytest.raises(CommandNotFound):
            bus.execute_command("slow")
    wanted = ["registered slow", "main starting", "main running", "wait for slow", "waited for slow"]
    positions = [seen.index(one) for one in (*wanted, "unregistered slow", "dead slow", "main stopped")]
    assert positions[:1] + positions[5:] == sorted(positions[:1] + positions[5:])
    assert set(wanted) <= set(seen)


def test_only_what_a_hook_overrides_is_called() -> None:
    """A point that no hook overrides has nothing to call, so that it costs one test of an empty tuple."""
    with Bus("test") as bus:
        assert all(getattr(bus.hooks, point) == () for point in POINTS)
        with bus.add_hook(Log()):
            assert {point for point in POINTS if getattr(bus.hooks, point)} == {"queued", "started", "ended"}
        assert all(getattr(bus.hooks, point) == () for point in POINTS)


def test_hook_sees_what_a_full_mailbox_drops() -> None:
    """`dropped` is called with the delivery and the service, and the dead letter follows."""
    seen: list[str] = []

    class Drops(Hook):
        def dropped(self, call: Call, service: str) -> None:
            seen.append(f"{call.name} of {service}")

        def dead_letter(self, letter: DeadLetter) -> None:
            seen.append(letter.reason)

    with Bus("test") as bus:
        bus.add_hook(Drops())
        gate = bus.add(NarrowGate())
        bus.execute_command("hold")
        assert gate.entered.wait(10)
        for value in range(3):
            bus.fire_event("told", value)
        gate.opened.set()
    assert seen == ["told of gate", "the mailbox of gate was full"]
