"""A few calls that take much longer than the rest, and time that goes nowhere."""

import threading

import pytest

from bus import Bus, Service
from bus.trace.records import Call, Lane
from console.model.problems import Settings
from console.model.problems.durations import ElsewhereLimits, LongTailLimits
from sample_services.accomplices import Cruncher
from tests.console.model.problems.watching import SECOND, START, Model, Watch, call, found

MS = 1_000_000


def spread(count: int, slow_every: int, slow: int, quick: int = 100_000) -> list[Call]:
    return [
        call(n, START + n * 20 * MS, run=slow if n % slow_every == 0 else quick) for n in range(1, count + 1)
    ]  # fmt: skip


def test_a_long_tail_is_proved_by_the_slowest() -> None:
    """Two in a hundred take 15 ms where half take 0.1 ms."""
    model = Model()
    problem = found(model.look(*spread(1_200, 50, 15 * MS), call(5_000, START, run=18 * MS)), "long tail")
    assert problem is not None
    assert (problem.name, problem.severity) == ("n", "note")
    assert problem.proof.calls[0] == 5_000
    assert len(problem.proof.calls) == 20
    assert problem.text.startswith("half of 1,001 calls run 100 µs at most, but one in a hundred 15 ms")


@pytest.mark.parametrize(
    ("count", "every", "slow", "quick"),
    [(999, 50, 15, 0.1), (1_200, 150, 15, 0.1), (1_200, 50, 9, 0.1), (1_200, 50, 15, 1)],
    ids=["fewer than 1,000", "fewer than one in 100", "less than 10 ms", "less than 20 times as long"],
)
def test_each_condition_alone_is_no_long_tail(count: int, every: int, slow: float, quick: float) -> None:
    """Samples, share, length, ratio."""
    assert found(Model().look(*spread(count, every, int(slow * MS), int(quick * MS))), "long tail") is None


def test_calls_blocked_by_the_interpreter_are_blamed_on_it(watch: Watch) -> None:
    """Three threads compute; a handler that lets go of the interpreter fifty times waits for it each time."""
    with Bus("test") as bus:
        bus.add(Cruncher())
        bus.add(Service("io"))
        pause = threading.Event()
        bus.register_command("io.step", lambda: [pause.wait(0.00001) for _ in range(3)], service="io")
        watched = watch(bus)
        crunching = [bus.execute_command("cruncher.crunch", 0.1) for _ in range(45)]
        for _ in range(60):
            bus.execute_command("io.step").result(30)
        for promise in crunching:
            promise.result(30)
        problem = watched.until_found("blocked elsewhere")
    assert problem.name == "io.step"
    assert "the GIL: cruncher-" in problem.text
    assert "of a CPU" in problem.text
    assert "another process" in problem.advice
    assert any("and computes" in line for line in problem.proof.lines)


def work(lane: int, count: int, run: int, cpu: int, **more: object) -> list[Call]:
    """Calls one after the other on a lane."""
    return [
        call(
            lane * 10_000 + n, START + n * 100 * MS, run=run, cpu=cpu, lane=lane, name=f"on{lane}", **more
        ) for n in range(1, count + 1)
    ]  # fmt: skip


LANES = [Lane(key=n, name=f"s-{n}", service="s") for n in (1, 2, 3)]


def test_listeners_of_one_event_are_not_mixed() -> None:
    """One service takes 0.01 ms for it and another 15 ms: neither has a long tail."""
    quick = [call(n, START + n * 20 * MS, run=10_000, kind="delivery", service="a") for n in range(1, 10_000)]
    slow = [call(n, START + n * 20 * MS, run=15 * MS, kind="delivery", lane=2) for n in range(10_000, 12_000)]
    both = [*quick, *slow]
    assert found(Model().look(*both), "long tail") is None


BUSY = [*work(2, 90, 90 * MS, 40 * MS), *work(3, 90, 90 * MS, 40 * MS)]


def test_a_lock_is_suspected_where_the_interpreter_has_time_left() -> None:
    """Two lanes compute, but far less than one CPU could."""
    lazy = [*work(2, 90, 50 * MS, 15 * MS), *work(3, 90, 50 * MS, 15 * MS)]
    problem = found(Model().look(*LANES, *lazy, *work(1, 60, 20 * MS, 1 * MS)), "blocked elsewhere")
    assert problem is not None
    assert problem.name == "on1"
    assert "a lock, I/O or the GIL" in problem.text
    assert "which lock does it want" in problem.advice


@pytest.mark.parametrize(
    ("others", "mine"),
    [
        (BUSY, work(1, 49, 20 * MS, MS)),
        (BUSY, work(1, 60, 20 * MS, 5 * MS)),
        (BUSY, work(1, 60, 20 * MS, MS, waited=10 * MS)),
        (BUSY[:90], work(1, 60, 20 * MS, MS)),
        (BUSY, work(1, 60, MS, MS // 20)),
        (BUSY, [*work(1, 60, 20 * MS, None)]),  # type: ignore[arg-type]
    ],
    ids=["49 calls", "they compute", "they wait for calls", "one lane computes", "less than 1 ms each", "no CPU times"],
)
def test_calls_that_are_not_blocked(others: list[Call], mine: list[Call]) -> None:
    """Each condition alone is not enough; without CPU times nothing is known."""
    assert found(Model().look(*LANES, *others, *mine), "blocked elsewhere") is None


def test_the_limits_can_be_set() -> None:
    """Ten samples, one lane."""
    settings = Settings({"long tail": LongTailLimits(samples=10), "blocked elsewhere": ElsewhereLimits(lanes=1)})
    model = Model(settings)
    assert found(model.look(*spread(20, 5, 15 * MS)), "long tail") is not None
    assert found(Model(settings).look(*LANES, *BUSY[:90], *work(1, 60, 20 * MS, MS)), "blocked elsewhere") is not None
    assert SECOND == 1_000 * MS
