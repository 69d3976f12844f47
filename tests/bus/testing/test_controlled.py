"""The controlled runtime keeps the promises of the real one, on a clock of its own."""

import pytest

from bus import Bus
from bus.runtime import NS, Thread
from bus.testing import explore
from bus.testing.carriers import Carriers
from bus.testing.controlled import ControlledRuntime
from bus.testing.scheduler import START, Scheduler
from bus.testing.strategies import Written


def run(main, schedule=()):
    """Run MAIN, which is given the runtime; the scheduler, when all is done."""
    carriers = Carriers()
    scheduler = Scheduler(carriers, Written(schedule), 1_000)
    blocked = scheduler.run(lambda: main(ControlledRuntime(scheduler)), 5)
    carriers.restore(scheduler.unwind(blocked))
    carriers.end()
    assert blocked is None
    if scheduler.failure is not None:
        raise scheduler.failure
    return scheduler


def test_wake_before_wait() -> None:
    """A wake that comes first makes the wait return at once, and only one wait."""

    def main(runtime: ControlledRuntime) -> None:
        token = runtime.wakeup()
        token.wake()
        token.wake()
        assert token.wait() is True
        assert token.wait(1) is False

    assert run(main).now < START + 2 * NS


def test_timed_waits_end_in_the_order_of_their_times() -> None:
    """When no thread can go on, the clock jumps to the next timeout, never past it."""
    ended: list[tuple[str, int]] = []

    def main(runtime: ControlledRuntime) -> None:
        def sleep(name: str, seconds: float) -> None:
            assert runtime.latch().wait(seconds) is False
            ended.append((name, (runtime.now() - START) // NS))

        for name, seconds in (("long", 30), ("short", 10), ("middle", 20)):
            runtime.spawn(name, sleep, name, seconds)

    run(main)
    assert ended == [("short", 10), ("middle", 20), ("long", 30)]


def test_latch_lets_all_go_on() -> None:
    """`set` wakes every waiter; later waits do not wait."""
    went: list[int] = []

    def main(runtime: ControlledRuntime) -> None:
        latch = runtime.latch()

        def wait(number: int) -> None:
            assert latch.wait()
            went.append(number)

        threads = [runtime.spawn(f"t{number}", wait, number) for number in range(3)]
        assert not latch.wait(1)
        latch.set()
        assert latch.is_set()
        assert latch.wait(0)
        for thread in threads:
            assert thread.join()

    run(main)
    assert went == [0, 1, 2]


def test_join_waits_for_the_end() -> None:
    """A join returns when the thread has ended, or says after its timeout that it has not."""

    def main(runtime: ControlledRuntime) -> None:
        latch = runtime.latch()
        thread = runtime.spawn("t", latch.wait)
        assert isinstance(thread, Thread)
        assert (thread.name, thread.alive, thread.ident > 0) == ("t", True, True)
        assert thread.join(1) is False
        latch.set()
        assert thread.join() is True
        assert thread.alive is False
        assert thread.join(0) is True

    run(main)


def test_waiting_under_a_lock_fails_the_run() -> None:
    """A lock of the bus may not be held while waiting, or the next one to take it would block for real."""

    def main(runtime: ControlledRuntime) -> None:
        with runtime.lock():
            runtime.wakeup().wait()

    with pytest.raises(AssertionError, match=r"scenario waits .* while it holds a lock"):
        run(main)


def test_preempted_thread_waits_until_the_others_cannot_go_on() -> None:
    """A choice other than 0 sets the current thread aside."""
    order: list[str] = []

    def main(runtime: ControlledRuntime) -> None:
        token = runtime.wakeup()

        def note(name: str) -> None:
            order.append(name)
            token.wake()

        runtime.spawn("a", note, "a")
        runtime.spawn("b", note, "b")
        token.wait(0)
        order.append("main")

    run(main)
    first, order[:] = list(order), []
    run(main, [1])
    assert first != order
    assert sorted(first) == sorted(order) == ["a", "b", "main"]


def test_error_of_a_thread_is_the_failure() -> None:
    """An exception that leaves a thread of the runtime ends the run."""

    def main(runtime: ControlledRuntime) -> None:
        def fail() -> None:
            raise KeyError("lost")

        runtime.spawn("t", fail)

    with pytest.raises(KeyError, match="lost"):
        run(main)


def test_clocks_agree_in_every_run() -> None:
    """Times are the same in every run: the wall clock, the monotonic one, and no CPU time at all."""
    times: list[tuple[int, int, int]] = []

    def scenario(bus: Bus) -> None:
        times.append((bus.runtime.now(), bus.runtime.wall(), bus.runtime.cpu()))

    explore(scenario, schedules=5)
    assert len(times) >= 5
    assert len(set(times)) == 1


class Careless:
    """A mailbox with a classic mistake: it does not look again before it sleeps."""

    def __init__(self, runtime: ControlledRuntime) -> None:
        self.lock, self.token = runtime.lock(), runtime.wakeup()
        self.items: list[int] = []
        self.asleep = False

    def put(self, item: int) -> None:
        with self.lock:
            self.items.append(item)
            asleep, self.asleep = self.asleep, False
        if asleep:
            self.token.wake()

    def get(self) -> int:
        while not self.items:
            with self.lock:
                self.asleep = True
            self.token.wait()
        return self.items.pop()


@pytest.mark.parametrize(("fine", "kind"), [(True, "deadlock"), (False, None)])
def test_fine_finds_a_lost_wakeup(fine: bool, kind: str | None) -> None:
    """With locks as scheduling points a race inside a primitive is found, which hand-offs alone do not show."""

    def scenario(bus: Bus) -> None:
        box = Careless(bus.runtime)
        thread = bus.runtime.spawn("reader", box.get)
        box.put(1)
        thread.join()

    report = explore(scenario, schedules=500, strategy="dfs", fine=fine)
    assert report.kind == kind
    if fine:
        assert "reader waits" in str(report.failure)
        assert "scenario waits" in str(report.failure)
        assert sum(map(bool, report.schedule)) <= 2
