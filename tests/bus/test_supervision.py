"""A service crashes, is started anew within its budget, and is given up beyond it."""

import threading
from collections.abc import Iterator

import pytest

from bus import Bus, Service, ServiceCrash, ServiceDied, command
from bus.runtime import NS
from bus.supervisor import Budget
from tests.support import wait_for


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting before a restart; how long it would be is tested by itself."""
    spend = Budget.spend
    monkeypatch.setattr(Budget, "spend", lambda self, now: None if spend(self, now) is None else 0.0)


class Frail(Service):
    starts = 0
    failing_starts: tuple[int, ...] = ()

    def on_start(self) -> None:
        type(self).starts += 1
        if self.starts in self.failing_starts:
            raise OSError("no disk")

    @command("crash")
    def crash(self) -> None:
        raise ServiceCrash("broken for good")

    @command("work")
    def work(self) -> int:
        return self.starts


def frail(**settings: object) -> type[Frail]:
    return type("Frail", (Frail,), {"name": "frail", "starts": 0, **settings})


@pytest.mark.usefixtures("quick")
def test_crashed_service_is_started_anew(bus: Bus) -> None:
    """The crashing call's caller gets the ServiceCrash, queued calls wait, and on_start runs again."""
    bus.add(frail()())
    crash, queued = bus.execute_command("crash"), bus.execute_command("work")
    with pytest.raises(ServiceCrash, match="broken for good"):
        crash.result(10)
    assert queued.result(10) == 2
    wait_for(lambda: bus.services()[0].state == "running")
    (info,) = bus.services()
    assert (info.restarts, info.error) == (1, "ServiceCrash('broken for good')")


@pytest.mark.usefixtures("quick")
def test_service_is_given_up_beyond_its_budget(bus: Bus) -> None:
    """After three restarts in a minute the fourth crash fails it: pending calls get ServiceDied, later ones too."""
    failed: list[object] = []
    bus.register_listener("bus.service_failed", lambda **what: failed.append(what["service"]))
    bus.add(frail()())
    crashes = [bus.execute_command("crash") for _ in range(4)]
    pending = bus.execute_command("work")
    for crash in crashes:
        assert isinstance(crash.exception(10), ServiceCrash)
    with pytest.raises(ServiceDied, match="given up after 3 restarts within a minute; its last error was ServiceCrash"):
        pending.result(10)
    with pytest.raises(ServiceDied):
        bus.execute_command("work")
    wait_for(lambda: failed == ["frail"])
    assert next(info.state for info in bus.services() if info.name == "frail") == "failed"


@pytest.mark.usefixtures("quick")
def test_failing_restart_counts_as_a_crash(bus: Bus) -> None:
    """An on_start that fails on a restart is one more crash; the next one may succeed."""
    bus.add(frail(failing_starts=(2, 3))())
    with pytest.raises(ServiceCrash):
        bus.execute_command("crash").result(10)
    assert bus.execute_command("work").result(10) == 4


@pytest.mark.usefixtures("quick")
def test_crash_of_another_service_is_only_an_error_here(bus: Bus) -> None:
    """A ServiceCrash that passes through a caller's handler starts the crashed service anew, not the caller's."""
    bus.add(frail()())
    bus.add(Service("caller"))
    bus.register_command("ask", lambda: bus.execute_command("crash").result(10), service="caller")
    with pytest.raises(ServiceCrash):
        bus.execute_command("ask").result(10)
    wait_for(lambda: next(info.restarts for info in bus.services() if info.name == "frail") == 1)
    caller = next(info for info in bus.services() if info.name == "caller")
    assert (caller.state, caller.restarts, caller.error) == ("running", 0, "")


def test_service_that_is_not_restarted(bus: Bus) -> None:
    """With restart="never" the first crash is the end of it."""
    bus.add(frail(restart="never")())
    with pytest.raises(ServiceCrash):
        bus.execute_command("crash").result(10)
    wait_for(lambda: bus.services()[0].state == "failed")
    with pytest.raises(ServiceDied, match="given up at once"):
        bus.execute_command("work")


def test_close_does_not_wait_for_a_restart() -> None:
    """A bus that closes while a service waits for its restart ends, and the queued call fails."""
    with Bus("test") as bus:
        bus.add(frail()())
        bus.add(Service("other"))
        bus.execute_command("crash").exception(10)
        wait_for(lambda: bus.services()[0].state == "starting")
        queued = bus.execute_command("work")
        bus.close(timeout=0.05)
        assert queued.exception(10) is not None
    assert not any(
        thread.name.startswith("frail") for thread in threading.enumerate() if thread.name != "frail-restart"
    )


def test_budget_doubles_its_delay_and_forgets() -> None:
    """0.1, 0.2, 0.4 s, then None; after a quiet minute it begins anew."""
    budget = Budget()
    assert [budget.spend(number * NS) for number in range(4)] == [0.1, 0.2, 0.4, None]
    assert budget.spend(100 * NS) == 0.1


def test_budget_never_waits_longer_than_five_seconds() -> None:
    """Crashes that come one by one, each within a minute of the last, double the wait up to 5 s."""
    budget = Budget()
    assert [budget.spend(25 * number * NS) for number in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
