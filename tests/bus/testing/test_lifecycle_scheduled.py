"""Everything that a bus can do runs under schedules: pools, once, cancel, dispose, remove, close, and they hold."""

from collections.abc import Callable

import pytest

from bus import (
    Bus,
    BusClosed,
    CallCancelled,
    CallTimeout,
    CommandNotFound,
    Service,
    ServiceCrash,
    ServiceStopped,
    command,
    every,
    listener,
)
from bus.runtime import NS
from bus.testing import explore

Scenario = Callable[[Bus], None]
Check = Callable[[Scenario], None]
WAYS = [("pct", False), ("pct", True), ("random", False), ("random", True), ("dfs", False), ("dfs", True)]


@pytest.fixture(params=WAYS, ids=lambda way: way[0] + "-fine" * way[1])
def check(request: pytest.FixtureRequest) -> Check:
    """Explore a scenario in one of six ways, and raise its failure."""
    strategy, fine = request.param

    def check_it(scenario: Scenario) -> None:
        report = explore(scenario, schedules=200, strategy=strategy, fine=fine)
        if report.failure is not None:
            raise report.failure

    return check_it


def test_calls_run_in_order(check: Check) -> None:
    """What one sender sends to a service runs in that order."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("a"))
        ran: list[int] = []
        bus.register_command("a.note", ran.append, service="a")
        promises = [bus.execute_command("a.note", number) for number in range(4)]
        promises[-1].result()
        assert ran == [0, 1, 2, 3]

    check(scenario)


def test_once_listener_hears_one_event(check: Check) -> None:
    """A once listener runs once, whoever fires at the same time."""

    def scenario(bus: Bus) -> None:
        heard: list[str] = []
        bus.add(Service("ear"))
        for name in ("a", "b"):
            bus.add(Service(name))
            bus.register_command(f"{name}.fire", lambda name=name: bus.fire_event("noise", name), service=name)
        bus.register_listener("noise", heard.append, service="ear", once=True)
        promises = [bus.execute_command("a.fire"), bus.execute_command("b.fire")]
        for promise in promises:
            promise.result()
        bus.close()
        assert len(heard) == 1

    check(scenario)


def test_cancel_races_with_the_worker(check: Check) -> None:
    """A cancelled call either never runs, or runs to its end; both happen."""
    outcomes: set[bool] = set()

    def scenario(bus: Bus) -> None:
        ran: list[int] = []
        bus.add(Service("a"))
        bus.register_command("a.run", lambda: ran.append(1), service="a")
        bus.execute_command("a.run")
        promise = bus.execute_command("a.run")
        if promise.cancel():
            with pytest.raises(CallCancelled):
                promise.result()
            bus.close()
            assert ran == [1]
        else:
            promise.result()
            assert ran == [1, 1]
        outcomes.add(promise.cancelled())

    check(scenario)
    assert outcomes == {True, False}


def test_remove_forgets_no_call(check: Check) -> None:
    """While a service is removed, each call to it is done, or its caller learns that it was not."""
    outcomes: set[str] = set()

    def scenario(bus: Bus) -> None:
        bus.add(Service("a"))
        bus.add(Service("caller"))
        bus.register_command("a.value", lambda: 1, service="a")

        def call() -> str:
            try:
                return f"done {bus.execute_command('a.value').result()}"
            except (ServiceStopped, CommandNotFound) as error:
                return type(error).__name__

        bus.register_command("caller.call", call, service="caller")
        promises = [bus.execute_command("caller.call") for _ in range(2)]
        bus.remove("a")
        outcomes.update(promise.result() for promise in promises)
        assert [info.name for info in bus.services()] == ["caller"]

    check(scenario)
    assert "done 1" in outcomes
    assert len(outcomes) > 1


@pytest.mark.parametrize("inside", [False, True])
def test_close_answers_everybody(check: Check, inside: bool) -> None:
    """However a close falls, from outside or from a handler, every promise is done afterwards."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("a"))
        bus.add(Service("b", workers=2))
        bus.register_command("a.ask", lambda: bus.execute_command("b.value").result(), service="a")
        bus.register_command("b.value", lambda: 1, service="b")
        bus.register_command("b.close", bus.close, service="b")
        promises = [bus.execute_command("a.ask") for _ in range(2)]
        if inside:
            bus.execute_command("b.close").result()
        bus.close()
        for promise in promises:
            assert promise.done()
            assert isinstance(promise.exception(), BusClosed | None)

    check(scenario)


def test_disposed_listener(check: Check) -> None:
    """A listener that is disposed while events are on their way hears some of them, in order, and no error comes."""

    def scenario(bus: Bus) -> None:
        heard: list[int] = []
        bus.add(Service("ear"))
        registration = bus.register_listener("noise", heard.append, service="ear")
        for number in range(3):
            bus.fire_event("noise", number)
        registration.dispose()
        begun = len(heard)
        bus.close()
        assert heard == list(range(len(heard)))
        assert len(heard) <= begun + 1, "more than the one that had started already"

    check(scenario)


def test_service_with_a_timer_ends(check: Check) -> None:
    """A service that repeats something is removed and closed like any other."""

    class Clock(Service):
        def __init__(self) -> None:
            super().__init__("clock")
            self.ticks = 0

        @every(seconds=10)
        def tick(self) -> None:
            self.ticks += 1
            self.bus.fire_event("tick", self.ticks)

        @listener("tick")
        def on_tick(self, number: int) -> None:
            assert number <= self.ticks

    def scenario(bus: Bus) -> None:
        clock = bus.add(Clock())
        bus.runtime.latch().wait(35)
        assert clock.ticks == 3
        bus.remove("clock")
        bus.runtime.latch().wait(35)
        assert clock.ticks == 3

    check(scenario)


def test_full_mailbox_that_blocks(check: Check) -> None:
    """Senders that wait for room get it, one after the other, and nothing is lost."""

    def scenario(bus: Bus) -> None:
        ran: list[int] = []
        began = bus.now()
        bus.add(Service("slow", capacity=1, overflow="block", push_timeout=60))
        bus.register_command("slow.note", ran.append, service="slow")
        promises = [bus.execute_command("slow.note", number) for number in range(4)]
        for promise in promises:
            promise.result()
        assert ran == [0, 1, 2, 3]
        assert bus.now() - began < NS, "a sender was not told of the room that there was"

    check(scenario)


def test_queued_calls_of_a_service_that_does_not_end(check: Check) -> None:
    """A service that is removed while a handler goes on and on: the calls behind it fail, and nobody waits for ever."""

    def scenario(bus: Bus) -> None:
        go_on = bus.runtime.latch()
        bus.add(Service("a"))
        bus.register_command("a.wait", go_on.wait, service="a")
        promises = [bus.execute_command("a.wait") for _ in range(2)]
        bus.remove("a", timeout=1)
        for promise in promises:
            assert isinstance(promise.exception(), ServiceStopped)
        go_on.set()

    check(scenario)


def test_deadlines_are_inherited_on_the_virtual_clock(check: Check) -> None:
    """A deadline caps what a handler calls in turn, and no real time passes until it is over."""

    def scenario(bus: Bus) -> None:
        never = bus.runtime.latch()
        bus.add(Service("a"))
        bus.add(Service("b"))
        bus.register_command("b.wait", lambda: never.wait(3_600), service="b")
        bus.register_command("a.ask", lambda: bus.execute_command("b.wait").result(), service="a")
        began = bus.now()
        with bus.deadline(60), pytest.raises(CallTimeout):
            bus.execute_command("a.ask").result()
        assert 60 <= (bus.now() - began) / NS < 61
        never.set()

    check(scenario)


class Answer(Service):
    """Answers with the number that it was made with."""

    def __init__(self, number: int) -> None:
        super().__init__("answer")
        self.number = number

    @command("answer.get")
    def get(self) -> int:
        return self.number

    @command("answer.crash")
    def crash(self) -> None:
        raise ServiceCrash("broken")


def test_replace_loses_no_call(check: Check) -> None:
    """Calls that are on their way while a service is replaced are answered, by the old one first, then by the new."""

    def scenario(bus: Bus) -> None:
        bus.add(Answer(1))
        bus.add(Service("caller"))
        bus.register_command("caller.call", lambda: bus.execute_command("answer.get").result(), service="caller")
        promises = [bus.execute_command("caller.call") for _ in range(3)]
        bus.replace("answer", Answer(2))
        answers = [promise.result() for promise in promises]
        assert answers == sorted(answers)
        assert bus.execute_command("answer.get").result() == 2

    check(scenario)


def test_service_replaces_itself(check: Check) -> None:
    """A replacement that a handler asked for waits for the handler only, and every later call goes to the new one."""

    class Old(Service):
        name = "svc"

        @command("swap")
        def swap(self) -> str:
            self.bus.replace("svc", New())
            return "old"

        @command("who")
        def who(self) -> str:
            return "old"

    class New(Service):
        @command("who")
        def who(self) -> str:
            return "new"

    def scenario(bus: Bus) -> None:
        bus.add(Old())
        swapped, after = bus.execute_command("swap"), bus.execute_command("who")
        began = bus.now()
        assert (swapped.result(), after.result()) == ("old", "new")
        assert bus.now() - began < NS

    check(scenario)


def test_queued_calls_outlive_a_crash(check: Check) -> None:
    """The call that crashed a service fails; those behind it wait for the restart and are answered."""

    def scenario(bus: Bus) -> None:
        bus.add(Answer(1))
        crash, behind = bus.execute_command("answer.crash"), bus.execute_command("answer.get")
        assert isinstance(crash.exception(), ServiceCrash)
        assert behind.result() == 1

    check(scenario)


def test_calls_that_are_queued_while_workers_fall_asleep(check: Check) -> None:
    """No wake-up is lost: a call that comes just when a worker finds nothing to do is run all the same."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("pool", workers=2))
        bus.register_command("pool.value", lambda: 1, service="pool")
        for _ in range(2):
            promises = [bus.execute_command("pool.value") for _ in range(2)]
            promises[0].cancel()
            assert promises[1].result() == 1
            assert promises[0].cancelled() or promises[0].result() == 1

    check(scenario)
