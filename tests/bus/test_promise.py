"""A promise: cancelled, timed out, raised a thousand times, and raced for."""

import gc
import threading
from collections.abc import Iterator
from concurrent.futures import Future, as_completed, wait

import pytest

from bus import Bus, CallCancelled, CallTimeout, command, current_call
from tests.bus.gate import Gate
from tests.support import wait_for


class Trap(Gate):
    @command("until_cancelled")
    def until_cancelled(self) -> str:
        call = current_call()
        assert call is not None
        self.entered.set()
        wait_for(lambda: call.cancel_requested)
        return "stopped"

    @command("fail")
    def fail(self) -> None:
        raise ValueError("failed")


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


@pytest.fixture
def gate(bus: Bus) -> Iterator[Trap]:
    made = bus.add(Trap("gate"))
    yield made
    made.opened.set()


def depth(error: BaseException) -> int:
    traceback, frames = error.__traceback__, 0
    while traceback is not None:
        traceback, frames = traceback.tb_next, frames + 1
    return frames


def test_queued_call_is_cancelled(bus: Bus, gate: Trap) -> None:
    """cancel() takes a queued call out: it never runs, and its promise raises CallCancelled."""
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    promise = bus.execute_command("count")
    assert promise.cancel()
    assert promise.cancel()
    assert promise.cancelled()
    gate.opened.set()
    assert bus.execute_command("count").result(10) == 1
    with pytest.raises(CallCancelled, match="count #2 was cancelled before it started"):
        promise.result()
    with pytest.raises(CallCancelled):
        promise.exception()


def test_running_call_is_asked_to_stop(bus: Bus, gate: Trap) -> None:
    """cancel() of a running call returns False and sets cancel_requested."""
    promise = bus.execute_command("until_cancelled")
    assert gate.entered.wait(10)
    assert promise.running()
    assert not promise.cancel()
    assert promise.result(10) == "stopped"
    assert not promise.cancel()


def test_timeout_says_what_a_running_call_does(bus: Bus, gate: Trap) -> None:
    """result(timeout) of a running call says for how long, on which thread and with what stack now; it goes on."""
    bus.register_command("call.hold", lambda: f"{gate.hold()} by a lambda", service=gate)
    promise = bus.execute_command("call.hold")
    assert gate.entered.wait(10)
    pattern = (
        r"^call.hold #1 did not end within 0.01 s: call.hold #1 is running for \S+ s on gate-0, "
        r"in wait at \S*threading.py:\d+ ← .*in hold at \S*gate.py:\d+ ← in <lambda> at \S*test_promise.py:\d+$"
    )
    with pytest.raises(CallTimeout, match=pattern):
        promise.result(0.01)
    gate.opened.set()
    assert promise.result(10) == "held by a lambda"


def test_timeout_says_where_a_queued_call_stands(bus: Bus, gate: Trap) -> None:
    """result(timeout) of a queued call says its position; a TimeoutError of the standard library catches it."""
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    promises = [bus.execute_command("count") for _ in range(3)]
    with pytest.raises(TimeoutError, match=r"count #3 is queued for gate, position 2 of 3$"):
        promises[1].result(0.01)


def test_traceback_does_not_grow(bus: Bus, gate: Trap) -> None:
    """result() a thousand times leaves the error's traceback as long as it was."""
    promise = bus.execute_command("fail")
    depths = set()
    for _ in range(1000):
        with pytest.raises(ValueError, match="failed") as caught:
            promise.result(10)
        depths.add(depth(caught.value))
    assert len(depths) == 1


def test_callbacks_run_once_before_and_after(bus: Bus, gate: Trap) -> None:
    """add_done_callback calls back when it is done, at once when it is done already; one that raises harms nobody."""
    seen: list[object] = []
    promise = bus.execute_command("hold")

    def broken(_: object) -> None:
        raise RuntimeError("a bad callback")

    promise.add_done_callback(broken)
    promise.add_done_callback(lambda done: seen.append(done.result()))
    gate.opened.set()
    assert promise.result(10) == "held"
    wait_for(lambda: seen == ["held"])
    promise.add_done_callback(lambda done: seen.append("again"))
    assert seen == ["held", "again"]


def test_many_threads_wait_for_one_promise(bus: Bus, gate: Trap) -> None:
    """Everybody who waits is woken."""
    promise = bus.execute_command("hold")
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(promise.result(10))) for _ in range(20)]
    for thread in threads:
        thread.start()
    gate.opened.set()
    for thread in threads:
        thread.join(10)
    assert results == ["held"] * 20


def test_cancel_and_completion_race(bus: Bus, gate: Trap) -> None:
    """Whoever wins the race of cancel and completion, each promise ends one way and the worker lives on."""
    for _ in range(2_000):
        promise = bus.execute_command("count")
        if promise.cancel():
            assert promise.cancelled()
        else:
            assert isinstance(promise.result(10), int)
    assert bus.execute_command("count").result(10) >= 1


def test_timeout_names_the_chain_of_waits(bus: Bus, gate: Trap) -> None:
    """result(timeout) says what the call waits for itself, running or queued, and so on along the chain."""
    bus.register_command("outer", lambda: bus.execute_command("hold").result())
    promise = bus.execute_command("outer")
    assert gate.entered.wait(10)
    wait_for(lambda: promise.call.waiting_for)
    with pytest.raises(
        CallTimeout,
        match=r"outer #1 is running for \S+ s on main-\d, in <lambda> at \S*test_promise.py:\d+; "
        r"hold #2 is running for \S+ s on gate-0, at \S*gate.py:\d+$",
    ):
        promise.result(0.01)
    bus.register_command("last", lambda: bus.execute_command("count").result())
    last = bus.execute_command("last")
    wait_for(lambda: last.call.waiting_for)
    with pytest.raises(CallTimeout, match=r"last #3 is running .*; count #4 is queued for gate, position 1 of 1$"):
        last.result(0.01)
    gate.opened.set()
    assert promise.result(10) == "held"


def test_error_that_nobody_retrieved_is_reported_once(bus: Bus, gate: Trap, caplog: pytest.LogCaptureFixture) -> None:
    """An error that nobody asked for is logged, a problem and an event, each once, when its promise is collected."""
    problems: list[tuple[str, str, tuple[int, ...]]] = []
    events: list[dict[str, object]] = []

    class Problems:
        def problem(self, rule: str, text: str, calls: tuple[int, ...]) -> None:
            problems.append((rule, text, calls))

    bus.add_hook(Problems())
    bus.register_listener("bus.error_unretrieved", lambda **what: events.append(what))
    promise = bus.execute_command("fail")
    wait_for(promise.done)
    gc.collect()
    assert bus.execute_command("count").result(10) == 1
    assert (problems, events, caplog.records) == ([], [], [])
    del promise
    wait_for(lambda: events)
    gc.collect()
    bus.close()
    text = "the error of fail on gate-0 #1 was never retrieved: ValueError: failed"
    assert problems == [("swallowed", text, (1,))]
    assert [(record.name, record.getMessage()) for record in caplog.records] == [("bus", text)]
    ((name, service, error),) = [tuple(what.values()) for what in events]
    assert (name, service, repr(error)) == ("fail", "gate", "ValueError('failed')")


def test_error_that_was_retrieved_is_not_reported(bus: Bus, gate: Trap, caplog: pytest.LogCaptureFixture) -> None:
    """Who asked with result() or exception() has it."""
    with pytest.raises(ValueError, match="failed"):
        bus.execute_command("fail").result(10)
    assert isinstance(bus.execute_command("fail").exception(10), ValueError)
    bus.close()
    assert caplog.text == ""


def test_promise_makes_a_condition_only_when_someone_needs_it(bus: Bus, gate: Trap) -> None:
    """result(), exception() and callbacks make none; `wait` of the standard library does."""
    promise = bus.execute_command("count")
    promise.add_done_callback(lambda _: None)
    assert (promise.result(10), promise.exception(10)) == (1, None)
    assert isinstance(promise, Future)
    assert promise._made_condition is None
    assert wait([promise], timeout=10).done == {promise}
    assert promise._made_condition is not None


def test_whoever_waits_learns_of_a_cancellation(bus: Bus, gate: Trap) -> None:
    """`wait` and `as_completed`, begun before cancel(), return the cancelled promise as done."""
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    promises = [bus.execute_command("count"), bus.execute_command("count")]
    learned: list[object] = []
    waiters = [
        threading.Thread(target=lambda: learned.append(wait(promises[:1], timeout=10).done)),
        threading.Thread(target=lambda: learned.append(set(as_completed(promises[1:], timeout=10)))),
    ]
    for thread in waiters:
        thread.start()
    wait_for(lambda: all(promise.__dict__.get("_waiters") for promise in promises))
    assert [promise.cancel() for promise in promises] == [True, True]
    for thread in waiters:
        thread.join(10)
    assert sorted(map(repr, learned)) == sorted(map(repr, [{promise} for promise in promises]))
    assert [promise.set_running_or_notify_cancel() for promise in promises] == [False, False]
