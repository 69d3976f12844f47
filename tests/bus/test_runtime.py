"""Threads, wake-ups and waits, and what signals do to them."""

import errno
import os
import select
import signal
import threading
from collections.abc import Callable

import pytest

from bus import Bus
from bus.runtime import REAL, EventfdWakeup, Latch, LockWakeup, PipeWakeup, Runtime, Thread, Wakeup, stack
from tests.support import wait_for

WAKEUPS = [EventfdWakeup, PipeWakeup, LockWakeup]


@pytest.mark.parametrize("wakeup", WAKEUPS)
def test_signal_does_not_end_a_wait(wakeup: Callable[[], Wakeup]) -> None:
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


@pytest.mark.parametrize("wakeup", WAKEUPS)
def test_bus_works_with_every_wake(wakeup: Callable[[], Wakeup]) -> None:
    """A bus on a wake that works elsewhere, too, behaves as on eventfd."""
    with Bus("test", runtime=Runtime(wakeup)) as bus:
        bus.register_command("double", lambda number: 2 * number)
        assert [bus.execute_command("double", number).result(10) for number in range(100)] == list(range(0, 200, 2))


@pytest.mark.parametrize("wakeup", WAKEUPS)
def test_a_wake_before_the_wait_is_kept_and_many_are_as_good_as_one(wakeup: Callable[[], Wakeup]) -> None:
    """The wait returns at once, a hundred thousand wakes block nobody, and then a wait with a timeout gives up."""
    token = wakeup()
    for _ in range(100_000):
        token.wake()
    assert token.wait()
    while token.wait(0.01):
        pass


def test_without_file_descriptors_a_bus_wakes_by_locks() -> None:
    """It is slower, and goes on."""

    def none_left() -> Wakeup:
        raise OSError(errno.EMFILE, "Too many open files")

    with Bus("test", runtime=Runtime(none_left)) as bus:
        bus.register_command("double", lambda number: 2 * number)
        assert bus.execute_command("double", 2).result(10) == 4


@pytest.mark.parametrize(("absent", "chosen"), [((), EventfdWakeup), (("eventfd",), PipeWakeup)])
def test_the_fastest_wake_that_there_is_is_chosen(
    absent: tuple[str, ...], chosen: type[Wakeup], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without eventfd it is a pipe; without `poll` a pipe has no timeout, and a lock is left."""
    for name in absent:
        monkeypatch.delattr(os, name)
    assert isinstance(Runtime().wakeup(), chosen)
    monkeypatch.delattr(os, "eventfd", raising=False)
    monkeypatch.delattr(select, "poll")
    assert isinstance(Runtime().wakeup(), LockWakeup)


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


def test_a_latch_opens_for_all_and_stays_open() -> None:
    """For those who wait, with and without a timeout, and for who comes later; set twice is set."""
    latch, passed = Latch(), []
    assert not latch.is_set()
    assert not latch.wait(0)
    assert not latch.wait(0.01)
    waiting = [
        threading.Thread(target=lambda limit=limit: passed.append(latch.wait(limit))) for limit in (None, 10, 10)
    ]
    for thread in waiting:
        thread.start()
    latch.set()
    latch.set()
    for thread in waiting:
        thread.join(10)
    assert passed == [True] * 3
    assert latch.wait(0)
    assert latch.is_set()


def test_a_waiter_that_was_interrupted_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """^C may come when it has the lock and has not passed it on."""
    monkeypatch.setattr("bus.runtime._LOOK_AGAIN", 0.05)
    latch, passed = Latch(), []
    other = threading.Thread(target=lambda: passed.append(latch.wait()))
    other.start()
    latch._set = True  # as `set` does, and then the interrupted one has the lock
    other.join(10)
    assert passed == [True]
