"""A wait that could never end is refused before it begins, and no other one is."""

import threading
from collections.abc import Iterator
from concurrent.futures import as_completed, wait

import pytest

from bus import Bus, CallTimeout, DeadlockError, PoolStarvation, Promise, SelfCallError, Service
from bus.waits import Step
from tests.support import wait_for


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


def service(bus: Bus, name: str, workers: int = 1) -> Service:
    return bus.add(Service(name, workers=workers))


def test_cycle_of_two_is_refused_where_it_would_close(bus: Bus) -> None:
    """The call that would close the cycle gets DeadlockError, which names each call, thread and line."""
    service(bus, "a")
    service(bus, "b")
    bus.register_command("a.ask", lambda: bus.execute_command("b.ask").result(), service="a")
    bus.register_command("b.ask", lambda: bus.execute_command("a.answer").result(), service="b")
    bus.register_command("a.answer", lambda: 1, service="a")
    with pytest.raises(DeadlockError, match="a cycle of calls that wait for each other") as caught:
        bus.execute_command("a.ask").result(10)
    # Either of the two may be the last to wait; the other one stands behind it.
    assert {(step.name, step.thread, step.waits_for) for step in caught.value.cycle} == {
        ("b.ask", "b-0", "a.answer"),
        ("a.ask", "a-0", "b.ask"),
    }
    assert all(__file__ in step.where for step in caught.value.cycle)
    wait_for(lambda: bus.live_calls() == [])


def test_waiting_for_ones_own_only_thread(bus: Bus) -> None:
    """A service with one thread that waits for itself gets SelfCallError, and can go on afterwards."""
    service(bus, "a")
    bus.register_command("a.one", lambda: bus.execute_command("a.two").result(), service="a")
    bus.register_command("a.two", lambda: 2, service="a")
    with pytest.raises(SelfCallError, match="its own thread would have to run"):
        bus.execute_command("a.one").result(10)
    assert bus.execute_command("a.two").result(10) == 2


def test_pool_whose_workers_all_wait_for_it(bus: Bus) -> None:
    """When every worker of a pool waits for calls queued to that pool, the last one gets PoolStarvation."""
    service(bus, "pool", workers=2)
    barrier = threading.Barrier(2)

    def both() -> int:
        barrier.wait(10)
        return int(bus.execute_command("pool.leaf").result())

    bus.register_command("pool.both", both, service="pool")
    bus.register_command("pool.leaf", lambda: 1, service="pool")
    promises = [bus.execute_command("pool.both") for _ in range(2)]
    errors = [promise.exception(10) for promise in promises]
    assert sorted(type(error).__name__ for error in errors) == ["NoneType", "PoolStarvation"]
    assert issubclass(PoolStarvation, DeadlockError)


def test_pool_with_a_free_worker_may_wait_for_itself(bus: Bus) -> None:
    """A pool that waits for itself is fine as long as one worker can take the call."""
    service(bus, "pool", workers=2)
    bus.register_command("pool.outer", lambda: bus.execute_command("pool.leaf").result(), service="pool")
    bus.register_command("pool.leaf", lambda: 1, service="pool")
    assert bus.execute_command("pool.outer").result(10) == 1


def test_timed_wait_in_a_cycle_heals_itself(bus: Bus) -> None:
    """A wait with a timeout is never refused: it ends by itself; that it closed a cycle is noted as a suspicion."""
    problems: list[tuple[bool, str, tuple[Step, ...]]] = []

    class Problems:
        def deadlock(self, cycle: tuple[Step, ...], text: str, *, suspected: bool) -> None:
            problems.append((suspected, text, cycle))

    bus.add_hook(Problems())
    service(bus, "a")
    service(bus, "b")
    bus.register_command("a.ask", lambda: bus.execute_command("b.ask").result(), service="a")

    def ask_back() -> None:
        wait_for(lambda: any(call.name == "a.ask" and call.waiting_for for call in bus.live_calls()))
        bus.execute_command("a.answer").result(0.02)

    bus.register_command("b.ask", ask_back, service="b")
    bus.register_command("a.answer", lambda: 1, service="a")
    with pytest.raises(CallTimeout):
        bus.execute_command("a.ask").result(10)
    ((suspected, text, cycle),) = problems
    assert suspected
    waits = [(step.name, step.waits_for, step.target) for step in cycle]
    assert waits == [("b.ask", "a.answer", 3), ("a.ask", "b.ask", 2)]
    assert text.startswith("suspected")
    assert "b.ask #2 on b-0 waits" in text


def test_long_chain_is_no_cycle(bus: Bus) -> None:
    """Services that wait for each other in a line, however long, are left alone."""
    for number in range(20):
        service(bus, f"s{number}")
        following = f"c{number + 1}"
        ask = (lambda name=following: bus.execute_command(name).result()) if number < 19 else (lambda: "end")
        bus.register_command(f"c{number}", ask, service=f"s{number}")
    assert bus.execute_command("c0").result(10) == "end"


def test_cycle_of_three_with_a_pool_in_it(bus: Bus) -> None:
    """A cycle through a pool is one only when all of the pool's workers are in it."""
    service(bus, "a")
    service(bus, "pool", workers=2)
    held, opened = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        assert opened.wait(10)

    bus.register_command("a.ask", lambda: bus.execute_command("pool.ask").result(), service="a")
    bus.register_command("pool.ask", lambda: bus.execute_command("pool.leaf").result(), service="pool")
    bus.register_command("pool.leaf", lambda: "leaf", service="pool")
    bus.register_command("pool.hold", hold, service="pool")
    bus.execute_command("pool.hold")
    assert held.wait(10)
    asked = bus.execute_command("a.ask")
    wait_for(lambda: len(bus.live_calls()) == 4)
    opened.set()
    assert asked.result(10) == "leaf"


def test_threads_outside_the_bus_wait_as_they_like(bus: Bus) -> None:
    """A thread that runs no handler is never part of a cycle."""
    service(bus, "a")
    bus.register_command("a.answer", lambda: 1, service="a")
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda: results.append(bus.execute_command("a.answer").result())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert results == [1] * 8


def test_exception_makes_a_wait_edge_too(bus: Bus) -> None:
    """Waiting in exception() is refused like waiting in result()."""
    service(bus, "a")
    bus.register_command("a.one", lambda: bus.execute_command("a.two").exception(), service="a")
    bus.register_command("a.two", lambda: 2, service="a")
    with pytest.raises(SelfCallError):
        bus.execute_command("a.one").result(10)


def test_waits_of_the_standard_library_make_no_edge(bus: Bus) -> None:
    """`wait` and `as_completed` are neither refused nor suspected where result() would be, and make no wait edge."""
    problems: list[str] = []

    class Problems:
        def deadlock(self, cycle: tuple[Step, ...], text: str, *, suspected: bool) -> None:
            problems.append(text)

    def both() -> bool:
        promise = bus.execute_command("a.two")
        with pytest.raises(TimeoutError):
            next(as_completed([promise], timeout=0.01))
        return wait([promise], timeout=0.01).not_done == {promise}

    bus.add_hook(Problems())
    service(bus, "a")
    bus.register_command("a.one", both, service="a")
    bus.register_command("a.two", lambda: 2, service="a")
    assert bus.execute_command("a.one").result(10)
    assert problems == []


def test_refused_request_is_taken_out_of_the_queue(bus: Bus) -> None:
    """The call whose wait was refused is cancelled: nobody would wait for it, and it never runs."""
    ran: list[int] = []
    refused: list[Promise[object]] = []

    def ask() -> None:
        refused.append(bus.execute_command("a.two"))
        refused[0].result()

    service(bus, "a")
    bus.register_command("a.one", ask, service="a")
    bus.register_command("a.two", lambda: ran.append(1), service="a")
    with pytest.raises(SelfCallError):
        bus.execute_command("a.one").result(10)
    bus.close()
    assert refused[0].cancelled()
    assert ran == []


def test_what_runs_and_what_it_waits_for_can_be_looked_at(bus: Bus) -> None:
    """The call that it waits for while it does, and nothing more afterwards; a listener that waits is one of them."""
    service(bus, "a")
    service(bus, "b")
    leave = threading.Event()
    bus.register_command("b.hold", lambda: leave.wait(10), service="b")
    bus.register_listener("asked", lambda: bus.execute_command("b.hold").result(), service="a")
    bus.fire_event("asked")
    asks, holds = wait_for(lambda: both if len(both := bus.running_calls()) == 2 and both[0].target else None)
    assert (asks.call.name, asks.target, asks.block, asks.timed) == ("asked", holds.call, None, False)
    assert (holds.call.name, holds.target) == ("b.hold", None)
    leave.set()
    wait_for(lambda: bus.running_calls() == ())
