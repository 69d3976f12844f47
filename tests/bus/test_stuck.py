"""A call that runs for too long is shown once, with its live stack; where asked for, another worker takes over."""

import threading
from collections.abc import Iterator

import pytest

from bus import Bus, BusClosed, Call, Hook, Service, ServiceStopped, command
from bus.testing import explore
from bus.testing.errors import Stuck
from tests.bus.gate import Gate
from tests.support import wait_for

SOON = 0.05


class Seen(Hook):
    def __init__(self) -> None:
        self.problems: list[tuple[str, str, tuple[int, ...]]] = []
        self.marks: dict[str, tuple[str, ...]] = {}

    def problem(self, rule: str, text: str, calls: tuple[int, ...]) -> None:
        self.problems.append((rule, text, calls))

    def ended(self, call: Call) -> None:
        self.marks[call.name] = call.marks


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


@pytest.fixture
def seen(bus: Bus) -> Seen:
    hook = Seen()
    bus.add_hook(hook)
    return hook


def held(bus: Bus, **settings: object) -> Gate:
    """A service whose only worker is stuck."""
    gate = bus.add(Gate("gate", stuck_after=SOON, **settings))
    bus.execute_command("hold").add_done_callback(lambda _: None)
    assert gate.entered.wait(10)
    return gate


def look_again(bus: Bus) -> None:
    """Let the watcher look some more times: it shares its thread with this timer."""
    turns: list[int] = []
    probe = bus._timers.every(SOON, lambda: turns.append(1))
    wait_for(lambda: len(turns) > 3)
    probe.dispose()


def names(bus: Bus) -> list[str]:
    return sorted(thread.name for thread in bus._dispatch.runners["gate"].threads)


def test_stuck_call_is_shown_once_with_its_live_stack(bus: Bus, seen: Seen) -> None:
    """A call that runs past `stuck_after` is told to the hooks once, with its stack; the service counts it as stuck."""
    gate = held(bus)
    ((rule, text, calls),) = wait_for(lambda: seen.problems)
    assert (rule, calls) == ("stuck", (bus.live_calls()[0].id,))
    assert text.startswith("hold on gate-0 #1 has been running for ")
    assert "in wait at " in text
    assert "← in hold at " in text
    assert "gate.py:" in text
    assert "bus/crew.py" not in text
    assert bus.services()[0].stuck == 1
    look_again(bus)
    assert len(seen.problems) == 1
    gate.opened.set()
    wait_for(lambda: bus.services()[0].stuck == 0)
    assert seen.marks["hold"] == ()


def test_stuck_worker_is_an_event(bus: Bus) -> None:
    """`bus.worker_stuck` is fired with the service, the call, its thread and its stack."""
    heard: list[dict[str, object]] = []
    bus.register_listener("bus.worker_stuck", lambda **what: heard.append(what))
    gate = held(bus)
    (what,) = wait_for(lambda: heard)
    assert {key: what[key] for key in ("service", "name", "call", "thread", "replaced_by")} == {
        "service": "gate", "name": "hold", "call": 1, "thread": "gate-0", "replaced_by": "",
    }  # fmt: skip
    assert "in hold at " in str(what["stack"])
    gate.opened.set()


def test_short_calls_are_not_stuck(bus: Bus, seen: Seen) -> None:
    """What ends in time is never shown, however many calls a worker runs one after the other."""
    gate = bus.add(Gate("gate", stuck_after=30))
    bus.add(Service("other", stuck_after=SOON))
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    look_again(bus)
    assert seen.problems == []
    assert [info.stuck for info in bus.services()] == [0, 0]
    gate.opened.set()


def test_another_worker_takes_the_place_of_a_stuck_one(bus: Bus, seen: Seen) -> None:
    """With `replace_stuck` queued calls go on, on the next thread; what the old one still delivers is marked late."""
    gate = held(bus, replace_stuck=True)
    late = bus.execute_command("count")
    assert late.result(10) == 1
    wait_for(lambda: names(bus) == ["gate-0", "gate-1"])  # it may have run the call before it is on the list
    ((_, text, _),) = wait_for(lambda: seen.problems)
    assert "; gate-1 takes its place, and what it still delivers is late; it is in wait at " in text
    assert (bus.services()[0].workers, bus.services()[0].stuck) == (1, 1)
    assert [call.name for call in bus.live_calls()] == ["hold"]
    gate.opened.set()
    wait_for(lambda: names(bus) == ["gate-1"])
    assert (seen.marks["hold"], seen.marks["count"]) == (("late",), ())
    assert bus.execute_command("count").result(10) == 2


def test_late_result_still_arrives(bus: Bus) -> None:
    """The caller of a stuck call gets its result when it comes, though another worker has taken its place."""
    gate = bus.add(Gate("gate", stuck_after=SOON, replace_stuck=True))
    promise = bus.execute_command("hold")
    assert bus.execute_command("count").result(10) == 1
    gate.opened.set()
    assert promise.result(10) == "held"


def test_replaced_worker_that_is_stuck_again(bus: Bus) -> None:
    """Each worker that gets stuck is replaced, and all of them leave when they can."""
    gate = held(bus, replace_stuck=True)
    for number in (2, 3):
        bus.execute_command("hold")
        wait_for(lambda: len(names(bus)) == number + 1)  # noqa: B023  called at once
    assert bus.execute_command("count").result(10) == 1
    assert bus.services()[0].stuck == 3
    gate.opened.set()
    wait_for(lambda: names(bus) == ["gate-3"])


def test_service_with_a_stuck_worker_is_scaled(bus: Bus) -> None:
    """scale() counts the workers that take calls; a stuck one that was replaced is none of them."""
    gate = held(bus, replace_stuck=True)
    assert bus.execute_command("count").result(10) == 1
    barrier = threading.Barrier(3)
    bus.register_command("meet", lambda: barrier.wait(10) >= 0, service="gate")
    bus.scale("gate", 3)
    assert all(promise.result(10) for promise in [bus.execute_command("meet") for _ in range(3)])
    bus.scale("gate", 1)
    gate.opened.set()
    wait_for(lambda: names(bus) == ["gate-1"])
    assert bus.services()[0].workers == 1


def test_service_with_a_stuck_worker_is_removed(bus: Bus) -> None:
    """remove() drains the queue on the new worker, and fails the stuck call when the time is up."""
    gate = bus.add(Gate("gate", stuck_after=SOON, replace_stuck=True))
    stuck = bus.execute_command("hold")
    assert bus.execute_command("count").result(10) == 1
    queued = bus.execute_command("count")
    bus.remove("gate", timeout=0.05)
    assert queued.result(10) == 2
    with pytest.raises(ServiceStopped):
        stuck.result(10)
    assert bus.services() == ()
    gate.opened.set()


def test_service_with_a_stuck_worker_is_replaced(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """replace() leaves a stuck worker behind; it stays in sight, and close() does not forget its call."""
    monkeypatch.setattr("bus.worker._LEAVE_SECONDS", 0.01)

    class Later(Service):
        @command("count")
        def count(self) -> str:
            return "new"

    gate = bus.add(Gate("gate"))
    stuck = bus.execute_command("hold")
    assert gate.entered.wait(10)
    bus.replace("gate", Later())
    assert bus.execute_command("count").result(10) == "new"
    assert [call.name for call in bus.live_calls()] == ["hold"]
    bus.close(timeout=0.05)
    with pytest.raises(BusClosed):
        stuck.result(10)
    gate.opened.set()


def test_waiting_call_is_said_to_wait(bus: Bus, seen: Seen) -> None:
    """A call that goes on for so long because it waits on the bus is not stuck: what it waits for is said instead."""
    gate = bus.add(Gate("gate"))
    bus.add(Service("asker", stuck_after=SOON, replace_stuck=True))
    bus.register_command("ask", lambda: bus.execute_command("hold").result(), service="asker")
    asked = bus.execute_command("ask")
    ((rule, text, calls),) = wait_for(lambda: seen.problems)
    assert (rule, calls) == ("stuck", (1, 2))
    assert "s, and waits: hold #2 is running for " in text
    assert "on gate-0, in wait at " in text
    assert [info.stuck for info in bus.services()] == [0, 0]
    assert [thread.name for thread in bus._dispatch.runners["asker"].threads] == ["asker-0"]
    gate.opened.set()
    assert asked.result(10) == "held"


def test_time_spent_waiting_does_not_make_a_call_stuck(bus: Bus, seen: Seen) -> None:
    """After a long wait on the bus, only the time that the call's own code has run counts."""
    gate = bus.add(Gate("gate"))
    bus.add(Service("asker", stuck_after=1_000))
    goes_on, done = threading.Event(), threading.Event()

    def ask() -> None:
        bus.execute_command("hold").result()
        goes_on.set()
        assert done.wait(10)

    bus.register_command("ask", ask, service="asker")
    asked = bus.execute_command("ask")
    assert gate.entered.wait(10)
    wait_for(lambda: bus.live_calls()[-1].waiting_for)
    (call,) = (call for call in bus.live_calls() if call.name == "ask")
    call.started -= 2_000 * 10**9  # it began long ago, and has been waiting ever since
    call.waited = 2_000 * 10**9
    gate.opened.set()
    assert goes_on.wait(10)
    bus._staff._watcher.look()
    assert seen.problems == []
    call.waited = 0
    bus._staff._watcher.look()
    assert [rule for rule, _, _ in seen.problems] == ["stuck"]
    done.set()
    asked.result(10)


@pytest.mark.parametrize("wrong", [0, -1, float("nan")])
def test_impossible_limit_is_refused(bus: Bus, wrong: float) -> None:
    """`stuck_after` is a positive number of seconds."""
    with pytest.raises(ValueError, match="stuck_after="):
        bus.add(Service("odd", stuck_after=wrong))


def test_settings_are_class_attributes_too() -> None:
    """`stuck_after` is 30 s and `replace_stuck` off, unless class or argument say otherwise."""

    class Patient(Service):
        stuck_after = 300.0
        replace_stuck = True

    assert (Service("plain").stuck_after, Service("plain").replace_stuck) == (30.0, False)
    assert (Patient().stuck_after, Patient().replace_stuck) == (300.0, True)
    assert Patient(stuck_after=1).stuck_after == 1


def test_deadlock_in_virtual_time_is_not_hidden_by_the_watcher() -> None:
    """Under a schedule no timer of the watcher is pending, so "nothing can run" is found as ever."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("a", stuck_after=SOON))
        bus.register_command("a.wait", lambda: bus.runtime.latch().wait(), service="a")
        bus.execute_command("a.wait").result()

    report = explore(scenario, schedules=1)
    assert isinstance(report.failure, Stuck)
    assert "no timer is pending" in str(report.failure)
