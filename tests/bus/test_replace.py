"""Services are replaced and scaled while others go on, and no call is lost."""

import contextlib
import threading
from collections.abc import Iterator

import pytest

from bus import Bus, CommandExists, CommandNotFound, Service, ServiceDied, ServiceNotFound, command, listener
from bus.testing import explore
from tests.support import wait_for


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


class Old(Service):
    name = "svc"

    def on_start(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.stopped = False

    def on_stop(self) -> None:
        self.stopped = True

    @command("hold")
    def hold(self) -> str:
        self.entered.set()
        assert self.opened.wait(10)
        return "old"

    @command("who")
    def who(self) -> str:
        return "old"

    @command("only.old")
    def only_old(self) -> str:
        return "old"

    @listener("told")
    def on_told(self, heard: list[str]) -> None:
        heard.append("old")


class New(Service):
    @command("who")
    def who(self) -> str:
        return "new"

    @listener("told")
    def on_told(self, heard: list[str]) -> None:
        heard.append("new")


def replaced_while_busy(bus: Bus, old: Old) -> threading.Thread:
    thread = threading.Thread(target=lambda: bus.replace("svc", New()))
    thread.start()
    wait_for(lambda: bus.services()[0].state == "starting")
    old.opened.set()
    return thread


def test_queued_calls_go_to_the_new_service(bus: Bus) -> None:
    """The running call ends on the old one; queued calls and events go to the new one's of the same name."""
    old = bus.add(Old())
    heard: list[str] = []
    held = bus.execute_command("hold")
    assert old.entered.wait(10)
    queued, lost = bus.execute_command("who"), bus.execute_command("only.old")
    bus.fire_event("told", heard)
    replaced_while_busy(bus, old).join(10)
    assert (held.result(10), queued.result(10)) == ("old", "new")
    with pytest.raises(CommandNotFound, match="was replaced, and the new one has no such command"):
        lost.result(10)
    wait_for(lambda: heard == ["new"])
    assert old.stopped
    with pytest.raises(CommandNotFound):
        bus.execute_command("only.old")


def test_service_may_replace_itself(bus: Bus) -> None:
    """replace() inside a handler of the same service returns at once; after the handler only the new one is asked."""
    bus.add(Old())
    took: list[str] = []

    def swap() -> str:
        assert isinstance(bus.replace("svc", New()), New)
        bus.execute_command("who").add_done_callback(lambda promise: took.append(promise.result()))
        return "old"

    bus.register_command("swap", swap, service="svc")
    held = bus.execute_command("swap")
    assert (held.result(3), bus.execute_command("who").result(3)) == ("old", "new")
    wait_for(lambda: took == ["new"])
    wait_for(lambda: bus.services()[0].state == "running")


def test_service_that_replaces_itself_by_one_that_cannot_start(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    """What on_start raises after a replace() in the service's own handler is logged, and the service has failed."""

    class Broken(New):
        def on_start(self) -> None:
            raise OSError("no disk")

    bus.add(Old())
    bus.register_command("swap", lambda: bus.replace("svc", Broken()), service="svc")
    bus.execute_command("swap").result(3)
    wait_for(lambda: bus.services()[0].state == "failed")
    assert bus.services()[0].error == "OSError('no disk')"
    wait_for(lambda: "the service 'svc' could not be replaced" in caplog.text)


def test_handler_that_replaces_and_then_removes_itself(bus: Bus) -> None:
    """A handler whose service it has just replaced is still inside: remove() does not wait for it either."""
    bus.add(Old())

    def swap() -> None:
        bus.replace("svc", New())
        bus.remove("svc")

    bus.register_command("swap", swap, service="svc")
    bus.execute_command("swap").result(3)
    wait_for(lambda: bus.services() == ())


def test_callbacks_by_name_stay(bus: Bus) -> None:
    """What was added by service="name" belongs to the name and stays."""
    bus.add(Old())
    bus.register_command("plain", lambda: threading.current_thread().name, service="svc")
    bus.replace("svc", New())
    assert bus.execute_command("plain").result(10) == "svc-0"
    assert bus.execute_command("who").result(10) == "new"


def test_replacement_must_not_take_others_names(bus: Bus) -> None:
    """A new service that declares somebody else's command is refused, and the old one goes on."""
    bus.add(Old())
    bus.register_command("theirs", lambda: 1)

    class Greedy(Service):
        @command("theirs")
        def theirs(self) -> int:
            return 2

    with pytest.raises(CommandExists):
        bus.replace("svc", Greedy())
    assert bus.execute_command("who").result(10) == "old"
    with pytest.raises(ServiceNotFound):
        bus.replace("nobody", New())


def test_replacement_that_cannot_start_has_failed(bus: Bus) -> None:
    """replace() raises what on_start raised; what was queued, and what comes later, gets ServiceDied."""
    old = bus.add(Old())
    bus.execute_command("hold")
    assert old.entered.wait(10)
    queued = bus.execute_command("who")

    class Broken(New):
        def on_start(self) -> None:
            raise OSError("no disk")

    errors: list[BaseException] = []

    def replace() -> None:
        try:
            bus.replace("svc", Broken())
        except OSError as error:
            errors.append(error)

    thread = threading.Thread(target=replace)
    thread.start()
    wait_for(lambda: bus.services()[0].state == "starting")
    old.opened.set()
    thread.join(10)
    assert [str(error) for error in errors] == ["no disk"]
    with pytest.raises(ServiceDied, match="its last error was OSError"):
        queued.result(10)
    with pytest.raises(ServiceDied):
        bus.execute_command("who")


def test_no_call_is_lost_while_services_are_replaced(bus: Bus) -> None:
    """Under a steady load, every call gets an answer from one of the two."""
    bus.add(Old())
    answers: list[str] = []
    done = threading.Event()

    def load() -> None:
        while not done.is_set():
            answers.append(bus.execute_command("who").result(10))

    loaders = [threading.Thread(target=load) for _ in range(3)]
    for thread in loaders:
        thread.start()
    for number in range(10):
        bus.replace("svc", New() if number % 2 == 0 else Old())
        seen = len(answers)
        wait_for(lambda: ("new" if number % 2 == 0 else "old") in answers[seen:])  # noqa: B023  called at once
    done.set()
    for thread in loaders:
        thread.join(20)
        assert not thread.is_alive()
    assert set(answers) == {"old", "new"}


def test_scaling_up_and_down(bus: Bus) -> None:
    """scale() adds workers at once, and takes them away after the calls that they run."""
    bus.add(Service("pool", workers=1))
    barrier = threading.Barrier(4)
    bus.register_command("meet", lambda: barrier.wait(10) >= 0, service="pool")
    bus.scale("pool", 4)
    assert all(promise.result(10) for promise in [bus.execute_command("meet") for _ in range(4)])
    bus.scale("pool", 1)
    runner = bus._dispatch.runners["pool"]
    wait_for(lambda: len(runner.threads) == 1)
    bus.register_command("who", lambda: threading.current_thread().name, service="pool")
    assert {bus.execute_command("who").result(10) for _ in range(20)} == {"pool-0"}
    bus.scale("pool", 4)
    assert all(promise.result(10) for promise in [bus.execute_command("meet") for _ in range(4)])
    with pytest.raises(ValueError, match="at least 1 worker"):
        bus.scale("pool", 0)


def test_scaling_while_it_starts_does_not_start_it_twice(bus: Bus) -> None:
    """Workers that are hired while on_start runs wait for its end; it runs once, also when it fails."""
    entered, opened = threading.Event(), threading.Event()
    starts: list[str] = []

    class Slow(Service):
        def on_start(self) -> None:
            starts.append(threading.current_thread().name)
            entered.set()
            assert opened.wait(10)

    adding = threading.Thread(target=lambda: bus.add(Slow()))
    adding.start()
    assert entered.wait(10)
    bus.scale("slow", 3)
    runner = bus._dispatch.runners["slow"]
    wait_for(lambda: len(runner.threads) == 3)
    opened.set()
    adding.join(10)
    assert starts == ["slow-0"]
    barrier = threading.Barrier(3)
    bus.register_command("meet", lambda: barrier.wait(10) >= 0, service="slow")
    assert all(promise.result(10) for promise in [bus.execute_command("meet") for _ in range(3)])


def test_no_call_is_lost_while_a_pool_is_scaled(bus: Bus) -> None:
    """Calls that arrive while workers come and go are all answered."""
    bus.add(Service("pool", workers=2))
    bus.register_command("double", lambda number: 2 * number, service="pool")
    promises = []
    for number in range(2_000):
        promises.append(bus.execute_command("double", number))
        if number % 50 == 0:
            bus.scale("pool", 1 + number // 50 % 5)
    assert [promise.result(10) for promise in promises] == [2 * number for number in range(2_000)]


def scaled_and_removed(bus: Bus) -> None:
    bus.add(Service("pool", workers=2))
    bus.add(Service("other"))
    bus.register_command("pool.one", lambda: 1, service="pool")

    def scale() -> None:
        with contextlib.suppress(ServiceNotFound):
            bus.scale("pool", 3)

    bus.register_command("other.scale", scale, service="other")
    scaled = bus.execute_command("other.scale")
    promises = [bus.execute_command("pool.one") for _ in range(2)]
    bus.remove("pool")
    scaled.result()
    assert all(promise.done() for promise in promises)


def test_remove_waits_for_workers_that_are_just_hired() -> None:
    """Whatever the order of scaling and removing, what was accepted is done when remove() returns."""
    report = explore(scaled_and_removed, schedules=300, strategy="random")
    assert report.failure is None, report
