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


def jitter(name: str, every: int, first: int, slow: int = 30, quick: int = 200_000) -> list[Call]:
    """1,200 calls of 0.2 ms, every so many of which take 30 ms."""
    return [
        call(first + n, START + n * 40 * MS, run=slow * MS if n % every == 0 else quick, name=name, lane=first)
        for n in range(1, 1_201)
    ]  # fmt: skip


def tails(*records: Call) -> set[str]:
    return {problem.name for problem in Model().look(*records).problems if problem.rule == "long tail"}


def test_what_all_names_have_is_no_ones_long_tail() -> None:
    """The machine is busy with something else: calls of each name are interrupted as often, for as long as they run."""
    a, b, c, d = (jitter(name, 40, number * 10_000) for number, name in enumerate("abcd", 1))
    assert tails(*a, *b, *c, *d) == set()
    assert tails(*a, *jitter("b", 2_000, 20_000), *jitter("c", 2_000, 30_000), *d) == {"a", "d"}
    assert tails(*a) == {"a"}


def test_a_long_tail_beside_many_is_found_while_the_machine_is_busy() -> None:
    """It is slow far more often than the others are."""
    others = [each for number, name in enumerate("bcde", 2) for each in jitter(name, 200, number * 10_000)]
    assert tails(*jitter("a", 10, 10_000), *others) == {"a"}


def test_a_name_that_ran_too_little_to_tell_is_no_witness() -> None:
    """Calls of a microsecond are interrupted as often as others only in a thousand times as many."""
    short = [each for n in range(2, 9) for each in jitter(f"short{n}", 2_000, n * 10_000, quick=1_000)]
    a, b = jitter("a", 40, 10_000), jitter("b", 40, 90_000)
    assert tails(*a, *b, *jitter("c", 40, 100_000), *short) == set()


def test_what_a_call_waits_for_is_not_its_own_tail() -> None:
    """Who calls something that has a long tail has none by that."""
    inner = jitter("inner", 40, 10_000)
    outer = [
        call(each.id + 50_000, each.queued, run=each.ended - each.started + MS, waited=each.ended - each.started,
             name="outer", lane=7)
        for each in inner
    ]  # fmt: skip
    assert tails(*inner, *outer) == {"inner"}


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
