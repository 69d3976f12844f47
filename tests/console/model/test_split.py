"""Where the time of a call went: of made-up calls, and of calls that slept, computed, waited and queued."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Bus, Promise, Service
from bus.trace.recorder import Recorder
from bus.trace.records import Call
from console.model.split import CallParts, parts, together
from tests.bus.trace.test_recorder import Memory
from tests.console.model.test_calls import call
from tests.support import wait_for

A_WHILE = 0.05
NS = 1_000_000_000

times = st.integers(0, 1_000)
some_parts = st.builds(
    lambda queued, computing, waiting, elsewhere: CallParts(
        queued, computing, waiting, elsewhere or 0, elsewhere is not None
    ),
    times, times, times, st.none() | times,
)  # fmt: skip


@given(times, times, times, st.none() | times, times, st.sampled_from(["ok", "cancelled", None]), times)
def test_the_parts_add_up(
    queued: int, started: int, ended: int, cpu: int | None, waited: int, outcome: str | None, now: int
) -> None:
    """None is negative, and together they are the time from queue to end, or to now; even of impossible records."""
    some = parts(call(1, queued, started, ended, cpu=cpu, waited=waited, outcome=outcome), now)
    named = [ns for _, ns in some.named()]
    assert min(named) >= 0
    assert sum(named) == max(queued, ended if outcome else now) - queued


def test_the_parts_of_an_ordinary_call() -> None:
    """Queued until the start, waiting as recorded, computing as the CPU says, elsewhere for the rest."""
    assert parts(call(1, 10, 15, 100, cpu=40, waited=30), 0) == CallParts(5, 40, 30, 15)


def test_without_cpu_time_there_are_three_parts() -> None:
    """What is not waiting is running, and nobody is told that it was computing; also of a call that still runs."""
    assert parts(call(1, 10, 15, 100, waited=30), 0).named() == (("queued", 5), ("running", 55), ("waiting", 30))
    assert parts(call(1, 10, 15), 40).named() == (("queued", 5), ("running", 25), ("waiting", 0))


def test_a_call_that_never_ran_has_computed_nothing() -> None:
    """That is known without a CPU clock."""
    assert parts(call(1, 10), 40) == CallParts(30, 0, 0, 0)


@given(st.lists(some_parts))
def test_parts_of_several_calls_add_up(several: list[CallParts]) -> None:
    """And they are four only if they are four of each."""
    whole = together(several)
    assert sum(ns for _, ns in whole.named()) == sum(ns for some in several for _, ns in some.named())
    assert whole.measured == all(some.measured for some in several)


class Watched:
    """A bus whose calls are recorded at the level `full`."""

    def __init__(self) -> None:
        self.bus = Bus("split")
        self.recorder = Recorder(self.bus, "full")
        self.memory = Memory()  # type: ignore[no-untyped-call]  # of an untyped test
        self.recorder.add(self.memory)
        self.bus.add(Service("one"))
        self.bus.add(Service("other"))

    def close(self) -> None:
        """End both."""
        self.bus.close()
        self.recorder.close()

    def split(self, name: str) -> CallParts:
        """The parts of the call NAME, which add up."""
        assert self.recorder.flush()
        found: Call = self.memory.call(name)  # type: ignore[no-untyped-call]  # as above
        some = parts(found, 0)
        assert sum(ns for _, ns in some.named()) == found.ended - found.queued
        assert some.measured
        return some


@pytest.fixture
def watched() -> Iterator[Watched]:
    """A bus with two services."""
    made = Watched()
    yield made
    made.close()


def compute() -> None:
    """Use the CPU for a while, as its own clock says."""
    until = time.thread_time_ns() + int(A_WHILE * NS)
    while time.thread_time_ns() < until:
        pass


def test_a_call_that_sleeps_is_elsewhere(watched: Watched) -> None:
    """All that it slept."""
    watched.bus.register_command("sleep", lambda: time.sleep(A_WHILE), service="one")
    watched.bus.execute_command("sleep").result()
    some = watched.split("sleep")
    assert some.elsewhere + some.computing >= A_WHILE * NS
    assert some.elsewhere > some.computing
    assert some.waiting == 0


def test_a_call_that_computes_is_computing(watched: Watched) -> None:
    """All that it computed."""
    watched.bus.register_command("compute", compute, service="one")
    watched.bus.execute_command("compute").result()
    some = watched.split("compute")
    assert some.computing >= A_WHILE * NS
    assert some.waiting == 0


def test_a_call_that_waits_for_another_is_waiting(watched: Watched) -> None:
    """As long as the other one slept once it was waited for."""
    asked: list[Promise[None]] = []

    def answer() -> None:
        wait_for(lambda: any(live.name == "ask" and live.waits for live in watched.bus.live_calls()))
        time.sleep(A_WHILE)

    def ask() -> None:
        asked.append(watched.bus.execute_command("answer"))
        asked[0].result()

    watched.bus.register_command("answer", answer, service="other")
    watched.bus.register_command("ask", ask, service="one")
    watched.bus.execute_command("ask").result()
    assert watched.split("ask").waiting >= A_WHILE * NS


def test_a_call_behind_another_is_queued(watched: Watched) -> None:
    """As long as that one slept after it was queued."""

    def hold() -> None:
        wait_for(lambda: any(live.name == "queue" for live in watched.bus.live_calls()))
        time.sleep(A_WHILE)

    watched.bus.register_command("hold", hold, service="one")
    watched.bus.register_command("queue", lambda: None, service="one")
    watched.bus.execute_command("hold")
    watched.bus.execute_command("queue").result()
    assert watched.split("queue").queued >= A_WHILE * NS
