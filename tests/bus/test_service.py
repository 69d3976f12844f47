"""Services come, work and go."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from bus import (
    Bus,
    BusClosed,
    CommandNotFound,
    Service,
    ServiceExists,
    ServiceNotFound,
    ServiceStopped,
    command,
    every,
    listener,
)
from bus.runtime import NS
from tests.support import wait_for


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


class Worker(Service):
    def on_start(self) -> None:
        self.started_on = threading.current_thread().name
        self.stopped_on = ""
        self.entered = threading.Event()
        self.opened = threading.Event()

    def on_stop(self) -> None:
        self.stopped_on = threading.current_thread().name

    @command("work")
    def work(self) -> str:
        return threading.current_thread().name

    @command("hold")
    def hold(self) -> str:
        self.entered.set()
        assert self.opened.wait(10)
        return "held"

    @command("leave")
    def leave(self) -> str:
        self.bus.remove("worker")
        return "left"


class IndexWorker(Service):
    workers = 3

    def __init__(self) -> None:
        """A subclass need not call super().__init__."""

    @command("meet")
    def meet(self, barrier: threading.Barrier) -> str:
        barrier.wait(10)
        return threading.current_thread().name


def test_start_and_stop_run_on_the_services_thread() -> None:
    """on_start, the commands and on_stop run on the service's own thread."""
    with Bus("test") as bus:
        worker = bus.add(Worker())
        assert bus.execute_command("work").result(10) == worker.started_on == "worker-0"
    assert worker.stopped_on == "worker-0"


def test_workers_of_a_pool_run_at_the_same_time(bus: Bus) -> None:
    """A service of N workers runs N calls at once, on threads named after it in snake_case."""
    bus.add(IndexWorker())
    barrier = threading.Barrier(3)
    promises = [bus.execute_command("meet", barrier) for _ in range(3)]
    assert {promise.result(10) for promise in promises} == {"index_worker-0", "index_worker-1", "index_worker-2"}


def test_no_wake_is_lost(bus: Bus) -> None:
    """Time and again, as many calls as workers all run at once: a worker that sleeps through its call would show."""
    bus.add(IndexWorker())
    barrier = threading.Barrier(3)
    for _ in range(1_500):
        promises = [bus.execute_command("meet", barrier) for _ in range(3)]
        assert len({promise.result(10) for promise in promises}) == 3


def test_service_without_a_subclass(bus: Bus) -> None:
    """`Service(name, workers=N)` is usable as it is."""
    pool = bus.add(Service(name="pool", workers=2))
    bus.register_command("who", lambda: threading.current_thread().name, service=pool)
    assert bus.execute_command("who").result(10).startswith("pool-")


def test_error_of_on_start_leaves_nothing_behind(bus: Bus) -> None:
    """bus.add raises what on_start raised; the service is not on the bus and its name is free."""

    class Broken(Service):
        name = "worker"

        def on_start(self) -> None:
            raise OSError("no disk")

        @command("broken")
        def broken(self) -> None: ...

    with pytest.raises(OSError, match="no disk"):
        bus.add(Broken())
    assert bus.commands() == ()
    assert bus.services() == ()
    bus.add(Worker())


def test_name_is_unique(bus: Bus) -> None:
    """A second service of one name raises ServiceExists, an unknown one ServiceNotFound."""
    bus.add(Worker())
    with pytest.raises(ServiceExists, match="'worker' is on the bus 'test' already"):
        bus.add(Worker())
    with pytest.raises(ServiceNotFound, match="'nobody'"):
        bus.remove("nobody")


@pytest.mark.parametrize(("settings", "message"), [({"workers": 0}, "workers=0"), ({"capacity": 0}, "capacity=0")])
def test_impossible_settings_are_named(bus: Bus, settings: dict[str, int], message: str) -> None:
    """A setting that cannot work is refused by name."""
    with pytest.raises(ValueError, match=message):
        bus.add(Service("odd", **settings))


def test_removed_service_drains_first(bus: Bus) -> None:
    """While a service drains, new calls are dead letters and nothing can be registered; then its commands are gone."""
    worker = bus.add(Worker())
    held = bus.execute_command("hold")
    assert worker.entered.wait(10)
    queued = bus.execute_command("work")
    remover = threading.Thread(target=bus.remove, args=("worker",))
    remover.start()
    wait_for(lambda: bus.services()[0].state == "draining")
    with pytest.raises(ServiceStopped):
        bus.execute_command("work")
    for owner in ("worker", worker):
        with pytest.raises(ServiceStopped, match="has stopped or is stopping"):
            bus.register_command("late", lambda: 1, service=owner)
        with pytest.raises(ServiceStopped):
            bus.register_listener("late", lambda: None, service=owner)
    assert [(letter.kind, letter.name) for letter in bus.dead_letters()] == [("command", "work")]
    worker.opened.set()
    remover.join(10)
    assert (held.result(10), queued.result(10)) == ("held", "worker-0")
    with pytest.raises(CommandNotFound, match="its service 'worker' was removed"):
        bus.execute_command("work")


def test_remove_without_draining_fails_what_is_queued(bus: Bus) -> None:
    """Calls that were queued when the service ended fail with ServiceStopped."""
    worker = bus.add(Worker())
    bus.execute_command("hold")
    assert worker.entered.wait(10)
    queued = bus.execute_command("work")
    remover = threading.Thread(target=bus.remove, args=("worker",), kwargs={"drain": False})
    remover.start()
    with pytest.raises(ServiceStopped, match="was removed before the call was done"):
        queued.result(10)
    worker.opened.set()
    remover.join(10)


def test_service_may_remove_itself(bus: Bus) -> None:
    """remove() inside a handler of the same service takes effect after it and does not wait for itself."""
    bus.add(Worker())
    assert bus.execute_command("leave").result(10) == "left"
    wait_for(lambda: not bus.services())


def test_every_repeats_on_the_services_thread(bus: Bus) -> None:
    """@every calls a method again and again, on the service's own thread."""
    names: list[str] = []

    class Clock(Service):
        @every(seconds=0.001)
        def tick(self) -> None:
            names.append(threading.current_thread().name)

    bus.add(Clock())
    wait_for(lambda: len(names) >= 3)
    assert set(names) == {"clock-0"}


def test_ticks_do_not_pile_up(bus: Bus) -> None:
    """A turn that is not done yet is not queued again."""
    entered, opened = threading.Event(), threading.Event()

    class Clock(Service):
        @every(seconds=0.001)
        def tick(self) -> None:
            entered.set()
            assert opened.wait(10)

    bus.add(Clock())
    assert entered.wait(10)
    fired: list[int] = []
    bus.add(Service("other"))
    probe = bus._timers.every(0.001, lambda: fired.append(1))
    wait_for(lambda: len(fired) > 10)
    probe.dispose()
    assert next(info.depth for info in bus.services() if info.name == "clock") == 0
    opened.set()


def test_every_needs_a_positive_period() -> None:
    """A period of zero or less is refused where it is written."""
    with pytest.raises(ValueError, match="must be more than 0"):
        every(seconds=0)


def test_close_lets_handlers_call_each_other() -> None:
    """What was accepted is done, with the calls that it makes itself, before close() returns."""
    with Bus("test") as bus:
        worker = bus.add(Worker())
        bus.register_command("ask", lambda: bus.execute_command("work").result(10))
        bus.execute_command("hold")
        assert worker.entered.wait(10)
        asked = bus.execute_command("ask")
        closer = threading.Thread(target=bus.close)
        closer.start()
        worker.opened.set()
        closer.join(10)
        assert asked.result(10) == "worker-0"


def test_close_fails_what_does_not_end() -> None:
    """What is left when the time is up fails with BusClosed, running and queued; close() returns in time."""
    bus = Bus("test")
    worker = bus.add(Worker())
    held, queued = bus.execute_command("hold"), bus.execute_command("work")
    assert worker.entered.wait(10)
    bus.close(timeout=0.05)
    for promise in (held, queued):
        with pytest.raises(BusClosed, match="was closed before the call was done"):
            promise.result(10)
    worker.opened.set()


def test_close_inside_a_handler_returns() -> None:
    """close() inside a handler begins closing and returns; the second close waits for the first."""
    bus = Bus("test")
    bus.register_command("close", bus.close)
    bus.execute_command("close").result(10)
    bus.close()
    assert not any(thread.name.startswith("main-") for thread in threading.enumerate())


def test_sys_exit_with_work_queued_ends_the_program() -> None:
    """A program that ends with a handler still running ends all the same, after what close() grants."""
    program = """
import threading, bus.lifecycle
from bus import Bus
bus.lifecycle.AT_EXIT_SECONDS = 0.1
b = Bus("x")
b.register_command("stuck", threading.Event().wait)
b.execute_command("stuck")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0
    assert "is still running, and is left behind" in done.stderr


def test_buses_share_the_time_at_the_end() -> None:
    """Ten buses with stuck handlers get together what one gets; with a share each this would take 20 s."""
    program = """
import threading, bus.lifecycle
from bus import Bus
bus.lifecycle.AT_EXIT_SECONDS = 2
buses = [Bus(str(number)) for number in range(10)]
for each in buses:
    each.register_command("stuck", threading.Event().wait)
    each.execute_command("stuck").add_done_callback(lambda promise: print(type(promise.exception()).__name__))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=10, check=False)
    assert (done.stdout, done.returncode) == ("BusClosed\n" * 10, 0)


def test_states_of_a_service() -> None:
    """A service is starting, running, draining, stopped, in this order, and each is told once."""
    states: list[str] = []

    class States:
        def service_state(self, service: str, state: str, workers: int, error: str) -> None:
            states.append(state)

    with Bus("test") as bus:
        bus.add_hook(States())
        bus.add(Worker())
        bus.remove("worker")
        assert states == ["starting", "running", "draining", "stopped"]


def test_end_of_a_service_disposes_all_it_owns(bus: Bus) -> None:
    """With a service go its commands and listeners, those that others registered for it too, and its timers."""

    class Owner(Service):
        @command("owned")
        def owned(self) -> None: ...

        @listener("told")
        def on_told(self) -> None: ...

        @every(seconds=3600)
        def tick(self) -> None: ...

    owner = bus.add(Owner())
    bus.register_command("added", lambda: None, service=owner)
    bus.register_listener("told", lambda: None, service="owner")
    bus.remove("owner")
    assert (bus.commands(), bus.listeners(), bus.services()) == ((), (), ())
    assert all(timer.cancelled for _, _, timer in bus._timers._heap if timer.period == 3600 * NS)


def test_error_of_a_command_is_no_crash(bus: Bus) -> None:
    """A command's exception is an answer: the service runs on, without a restart and without an error of its own."""
    worker = bus.add(Worker())
    bus.register_command("fail", lambda: 1 / 0, service=worker)
    with pytest.raises(ZeroDivisionError):
        bus.execute_command("fail").result(10)
    (info,) = bus.services()
    assert (info.state, info.restarts, info.error) == ("running", 0, "")


def test_settings_that_are_not_given(bus: Bus) -> None:
    """One worker, room for 10,000, the newest event is dropped, 1 s to push, restart on a crash, stuck after 30 s."""
    plain = bus.add(Service("plain"))
    settings = (plain.workers, plain.capacity, plain.overflow, plain.push_timeout, plain.restart, plain.stuck_after)
    assert settings == (1, 10_000, "drop_newest", 1.0, "on-crash", 30.0)
    assert bus.services()[0].capacity == 10_000


def test_descriptions_do_not_change(bus: Bus) -> None:
    """What services(), commands(), listeners() and dead_letters() return is frozen, and stays as it was when asked."""
    bus.add(Worker())
    bus.register_command("described", print)
    bus.register_listener("described", print)
    bus.fire_event("unheard")
    before, letters = bus.services(), bus.dead_letters()
    bus.scale("worker", 2)
    bus.fire_event("unheard")
    assert (before[0].workers, bus.services()[0].workers, len(letters)) == (1, 2, 1)
    for frozen in (before[0], letters[0], bus.commands()[0], bus.listeners()[0]):
        with pytest.raises(AttributeError, match="immutable"):
            frozen.name = "other"
