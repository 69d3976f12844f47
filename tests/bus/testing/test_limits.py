"""What schedules cannot control is named, with the thread and the line, and leaves nothing hanging."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bus import Bus, Service, lanes
from bus.testing import UncontrolledBlocking, UncontrolledThread, explore, replay
from tests.support import wait_for

ROOT = Path(__file__).parents[3]


def line_of(function: Callable[..., object], text: str) -> int:
    code = function.__code__
    lines = Path(code.co_filename).read_text(encoding="utf-8").splitlines()
    return next(n for n, line in enumerate(lines, 1) if n > code.co_firstlineno and text in line)


def test_blocking_outside_the_bus_is_named() -> None:
    """A handler that blocks on a lock of its own is reported with its thread, its file and its line."""
    lock = threading.Lock()
    lock.acquire()

    def block() -> None:
        with lock:
            pass

    def scenario(bus: Bus) -> None:
        bus.add(Service("a"))
        bus.register_command("a.block", block, service="a")
        bus.execute_command("a.block").result()

    with pytest.raises(UncontrolledBlocking, match=f"a-0 is away.*{__file__}:{line_of(block, 'with lock')}"):
        explore(scenario, schedules=5, patience=0.1)
    lock.release()


def test_lock_held_over_a_call_is_found_with_its_schedule() -> None:
    """Two handlers share a lock, and one waits under it: the error brings the schedule that blocks for real."""
    lock = threading.Lock()

    def scenario(bus: Bus) -> None:
        for name in ("a", "b", "c"):
            bus.add(Service(name))
        bus.register_command("c.value", lambda: 1, service="c")

        def work() -> None:
            with lock:
                bus.execute_command("c.value").result()

        bus.register_command("a.work", work, service="a")
        bus.register_command("b.work", work, service="b")
        promises = [bus.execute_command("a.work"), bus.execute_command("b.work")]
        for promise in promises:
            promise.result()

    with pytest.raises(UncontrolledBlocking) as caught:
        explore(scenario, schedules=200, strategy="random", patience=0.2)
    assert all(isinstance(pick, int) for pick in caught.value.schedule)
    with pytest.raises(UncontrolledBlocking, match="test_limits"):
        replay(scenario, caught.value.schedule, patience=0.2)


def test_long_computation_is_not_blocking() -> None:
    """A handler may compute for long, as long as it comes back within the patience."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("a"))
        bus.register_command("a.sum", lambda: sum(range(200_000)), service="a")
        assert bus.execute_command("a.sum").result() > 0

    assert explore(scenario, schedules=3, patience=5).failure is None


def test_thread_of_the_scenario_itself_is_named() -> None:
    """A thread that the scenario starts by itself cannot be scheduled, and is told so when it touches the bus."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("a"))
        bus.register_command("a.value", lambda: 1, service="a")
        thread = threading.Thread(target=lambda: bus.execute_command("a.value"), name="mine", daemon=True)
        thread.start()
        thread.join(5)

    with pytest.raises(UncontrolledThread, match="'mine' uses the bus"):
        explore(scenario, schedules=3)


def test_nothing_is_left_behind() -> None:
    """Thousands of runs leave no thread and no lane behind, failed or not."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("a", workers=3))
        bus.register_command("a.value", bus.runtime.latch().wait, service="a")
        bus.execute_command("a.value").result()

    explore(scenario, schedules=5)
    threads, before = threading.active_count(), len(lanes.lanes)
    for _ in range(20):
        explore(scenario, schedules=5)
    for thread in threading.enumerate():
        if thread.name.startswith("schedule-"):
            thread.join(10)
    assert threading.active_count() <= threads
    assert len(lanes.lanes) <= before


def test_handler_that_swallows_everything_does_not_hang() -> None:
    """A handler that catches even what ends the run is left behind after a moment."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("a"))

        def cling() -> None:
            while True:
                try:
                    bus.runtime.latch().wait()
                except BaseException:
                    continue

        bus.register_command("a.cling", cling, service="a")
        bus.execute_command("a.cling")
        raise ValueError

    report = explore(scenario, schedules=1)
    assert report.kind == "error"


def test_interrupt_ends_the_search() -> None:
    """^C ends `explore` and its threads, in the middle of a run."""

    def scenario(bus: Bus) -> None:
        signal.raise_signal(signal.SIGINT)
        for _ in range(1_000_000):
            bus.runtime.latch().wait(1)

    with pytest.raises(KeyboardInterrupt):
        explore(scenario, schedules=1, max_steps=10_000_000, patience=0.2)
    # Its own number: another test has left a thread behind on purpose.
    wait_for(lambda: not any(thread.name == "schedule-0" for thread in threading.enumerate()))


def test_program_ends_after_a_failure() -> None:
    """The buses of failed runs, which nobody closed, do not delay the end of the interpreter, nor print anything."""
    program = """
from bus import Service
from bus.testing import explore

kept = []

def scenario(bus):
    kept.append(bus)
    bus.add(Service("a"))
    bus.register_command("a.wait", bus.runtime.latch().wait, service="a")
    bus.execute_command("a.wait")
    bus.execute_command("a.wait").result()

print(explore(scenario, schedules=3).kind)
"""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.strip() == "deadlock"
    assert done.stderr == ""
