"""Calls that wait for longer than they run: the queue is blamed, and who keeps it."""

from collections.abc import Iterator

import pytest

from bus import Bus
from console.model.problems import Settings
from console.model.problems.turns import WaitLimits
from sample_services.accomplices import Clerk
from tests.console.model.problems.watching import SECOND, START, Model, Watch, call, found

MS = 1_000_000


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        made.add(Clerk())
        yield made


def test_the_queue_is_blamed_and_not_the_handler(bus: Bus, watch: Watch) -> None:
    """A slow listener holds up quick answers: the problem says what has the service, and for how much of its time."""
    watched = watch(bus)
    promises = []
    for number in range(60):
        bus.fire_event("trouble.parcel", number)
        promises.append(bus.execute_command("clerk.answer", number))
    for promise in promises:
        promise.result(30)
    report = watched.watch()
    problem = next(p for p in report.problems if p.rule == "waits more than works" and p.name == "clerk.answer")
    assert problem.text.startswith("waits ")
    assert "in the queue of clerk, runs" in problem.text
    assert "(medians of 60 calls)" in problem.text
    assert "trouble.parcel has clerk for" in problem.advice
    assert len(problem.proof.calls) == 20
    other = next(p for p in report.problems if p.rule == "waits more than works" and p.name == "trouble.parcel")
    assert other.subject == "trouble.parcel in clerk"
    assert "too many come at once for clerk" in other.advice


def test_answers_that_come_at_once_are_no_trouble(bus: Bus, watch: Watch) -> None:
    """As many of them, one after the other."""
    watched = watch(bus)
    for number in range(60):
        bus.execute_command("clerk.answer", number).result(10)
    assert found(watched.watch(), "waits more than works") is None


def waiting(count: int, wait: int, run: int, apart: int = 10 * MS) -> list:
    return [call(n, START + n * apart, wait=wait, run=run) for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("count", "wait", "run", "apart"),
    [(49, 50, 1, 10), (60, 9, 1, 10), (60, 50, 26, 100), (60, 50, 1, 1_300)],
    ids=["fewer than 50 calls", "waits of less than 10 ms", "runs for more than half as long", "spread over 78 s"],
)
def test_each_condition_alone_is_not_enough(count: int, wait: int, run: int, apart: int) -> None:
    """Many, long, longer than they run, within a minute."""
    model = Model()
    report = model.look(*waiting(count, wait * MS, run * MS, apart * MS))
    assert found(report, "waits more than works") is None


def test_the_minute_goes_by() -> None:
    """It is over when the waits are a minute old, and counts each slow call once."""
    model = Model()
    problem = found(model.look(*waiting(80, 50 * MS, MS)), "waits more than works")
    assert problem is not None
    assert problem.count == 80
    assert found(model.look(at=START + 30 * SECOND), "waits more than works").over is False  # type: ignore[union-attr]
    problem = found(model.look(at=START + 90 * SECOND), "waits more than works")
    assert problem is not None
    assert (problem.over, problem.count) == (True, 80)


def test_the_stretch_of_time_is_that_of_the_calls() -> None:
    """The proof ends with the last of them, however long ago that is when somebody looks."""
    model = Model()
    model.look(*waiting(80, 50 * MS, MS))
    problem = found(model.look(at=START + 30 * SECOND), "waits more than works")
    assert problem is not None
    assert (problem.proof.start, problem.proof.end) == (START + 10 * MS, START + 80 * 10 * MS + 51 * MS + 1)


def test_the_limits_can_be_set() -> None:
    """Waits of a millisecond, of ten calls."""
    settings = Settings({"waits more than works": WaitLimits(calls=10, wait_ms=1.0)})
    assert found(Model(settings).look(*waiting(12, 2 * MS, MS // 2)), "waits more than works") is not None


def test_many_names_of_which_some_wait() -> None:
    """Counts of what was called and of what waited grow by themselves, and are compared name by name all the same."""
    model = Model()
    model.look(*[call(n, START + n, name=f"n{n}") for n in range(1, 300)])
    for most in (200, 250):
        model.look(*[call(most * n, START + n, wait=50 * MS, run=MS, name=f"n{n}") for n in range(1, most)])
    again = [call(10**6 + n, START + n, wait=50 * MS, run=MS, name="n3") for n in range(80)]
    assert found(model.look(*again), "waits more than works") is not None
