"""Threads, wake-ups and waits, and what signals do to them."""

import os
import signal
import threading

import pytest

from bus import Bus
from bus.runtime import REAL, EventfdWakeup, LockWakeup, Runtime, Thread, stack
from tests.support import wait_for


@pytest.mark.parametrize("wakeup", [EventfdWakeup, LockWakeup])
def test_signal_does_not_end_a_wait(wakeup: type[EventfdWakeup]) -> None:
    """A signal whose handler returns interrupts a wait for a moment; the wait goes on and nothing is raised."""
    token = wakeup()
    seen: list[int] = []

    def handle(*_: object) -> None:
        seen.append(1)
        if len(seen) == 3:
            token.wake()
        else:
            os.kill(os.getpid(), signal.SIGUSR1)

    former = signal.signal(signal.SIGUSR1, handle)
    try:
        threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        while len(seen) < 3:
            token.wait()
    finally:
        signal.signal(signal.SIGUSR1, former)
    assert seen == [1, 1, 1]


def test_keyboard_interrupt_leaves_a_wait() -> None:
    """^C during result() in the main thread raises KeyboardInterrupt there; the call goes on."""
    opened = threading.Event()
    with Bus("test") as bus:
        bus.register_command("hold", lambda: opened.wait(10))
        promise = bus.execute_command("hold")
        threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            promise.result()
        opened.set()
        assert promise.result(10) is True


@pytest.mark.parametrize("wakeup", [EventfdWakeup, LockWakeup])
def test_bus_works_with_either_wake(wakeup: type[EventfdWakeup]) -> None:
    """A bus on the portable wake behaves as on eventfd."""
    with Bus("test", runtime=Runtime(wakeup)) as bus:
        bus.register_command("double", lambda number: 2 * number)
        assert [bus.execute_command("double", number).result(10) for number in range(100)] == list(range(0, 200, 2))


def test_thread_has_ended_when_its_target_has() -> None:
    """`alive` and `join` follow the target, also when it raises."""
    gate = threading.Event()
    thread = REAL.spawn("one", gate.wait, 10)
    assert thread.alive
    assert not thread.join(0.001)
    gate.set()
    assert thread.join(10)
    assert not thread.alive


def test_thread_that_raises_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in the target goes to threading.excepthook, and the thread counts as ended."""
    errors: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: errors.append(args.exc_type))
    thread = Thread("two", lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    assert thread.join(10)
    wait_for(lambda: errors == [ZeroDivisionError])


def test_stack_of_a_waiting_thread_begins_where_it_waits() -> None:
    """The innermost place first, with its line and module; a thread that is gone has none."""
    ready, leave = threading.Event(), threading.Event()

    def wait_here() -> None:
        ready.set()
        leave.wait(10)

    thread = REAL.spawn("one", wait_here)
    assert ready.wait(10)
    names = [place.code.co_name for place in stack(thread.ident)]
    leave.set()
    assert names.index("wait") < names.index("wait_here")
    assert thread.join(10)
    wait_for(lambda: stack(thread.ident) == [])
