"""Waits that do not end: made for real, on a bus."""

import re
import threading
from collections.abc import Iterator

import pytest

from bus import Bus, CallTimeout, DeadlockError, Service
from bus.trace.records import Depth, Lane, Problem, State, Wait
from console.model.problems import Settings
from console.model.problems.waits import StarvedLimits, StuckLimits
from tests.console.model.problems.watching import SECOND, START, Model, Watch, call, found, rules
from tests.support import wait_for


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        made.add(Service("a"))
        made.add(Service("b"))
        yield made


@pytest.fixture
def gate(bus: Bus) -> Iterator[threading.Event]:
    """What `a.hold` waits for."""
    gate = threading.Event()
    bus.register_command("a.hold", lambda: gate.wait(60), service="a")
    bus.register_command("a.quick", lambda: None, service="a")
    yield gate
    gate.set()


def ask_each_other(bus: Bus) -> None:
    bus.register_command("a.ask", lambda: bus.execute_command("b.ask").result(), service="a")
    bus.register_command("b.ask", lambda: bus.execute_command("a.answer").result(), service="b")
    bus.register_command("a.answer", lambda: 1, service="a")


def test_a_deadlock_names_its_cycle(bus: Bus, watch: Watch) -> None:
    """Both services, the calls that prove it, and the line where each waits; a second one is counted."""
    ask_each_other(bus)
    watched = watch(bus)
    for _ in range(2):
        with pytest.raises(DeadlockError):
            bus.execute_command("a.ask").result(10)
    problem = watched.until_found("deadlock")
    assert (problem.severity, problem.subject, problem.count) == ("error", "a ⇄ b", 2)
    assert re.fullmatch(r"refused in [ab]\.ask #\d, before it would have blocked", problem.text)
    assert [(step.name, step.thread, step.waits_for) for step in problem.proof.cycle] == [
        ("a.ask", "a-0", "b.ask"), ("b.ask", "b-0", "a.answer"),
    ]  # fmt: skip
    assert all(__file__ in step.where for step in problem.proof.cycle)
    assert problem.proof.calls == (4, 5)
    assert "while b waits for a" in problem.advice


def test_a_wait_for_oneself_has_another_way_out(bus: Bus, watch: Watch) -> None:
    """With one service in it, that one should have another worker."""
    bus.register_command("a.ask", lambda: bus.execute_command("a.answer").result(), service="a")
    bus.register_command("a.answer", lambda: 1, service="a")
    watched = watch(bus)
    with pytest.raises(DeadlockError):
        bus.execute_command("a.ask").result(10)
    problem = watched.until_found("deadlock")
    assert problem.subject == "a.ask"
    assert problem.advice.startswith("a waits for itself")


def test_a_suspected_deadlock_is_a_warning(bus: Bus, watch: Watch) -> None:
    """It heals itself, so it is not as bad."""
    bus.register_command("a.ask", lambda: bus.execute_command("b.ask").result(), service="a")

    def ask_back() -> None:
        wait_for(lambda: any(each.name == "a.ask" and each.waiting_for for each in bus.live_calls()))
        bus.execute_command("a.answer").result(0.02)

    bus.register_command("b.ask", ask_back, service="b")
    bus.register_command("a.answer", lambda: 1, service="a")
    watched = watch(bus)
    with pytest.raises(CallTimeout):
        bus.execute_command("a.ask").result(10)
    problem = watched.until_found("deadlock")
    assert problem.severity == "warning"
    assert problem.text.startswith("suspected in b.ask")


def test_waits_that_end_are_no_deadlock(bus: Bus, watch: Watch) -> None:
    """Two services that ask each other one after the other."""
    bus.register_command("a.ask", lambda: bus.execute_command("b.answer").result(), service="a")
    bus.register_command("b.ask", lambda: bus.execute_command("a.answer").result(), service="b")
    for name in ("a", "b"):
        bus.register_command(f"{name}.answer", lambda: 1, service=name)
    watched = watch(bus)
    for _ in range(50):
        assert bus.execute_command("a.ask").result(10) + bus.execute_command("b.ask").result(10) == 2
    report = watched.watch()
    assert report.problems == ()
    assert "deadlock" in {healthy.rule for healthy in report.healthy}


def test_a_call_is_stuck_after_30_s_when_it_was_never_seen_to_end(
    bus: Bus, watch: Watch, gate: threading.Event
) -> None:
    """Nobody knows how long it takes; the problem says where it runs, and is over when the call has ended."""
    watched = watch(bus)
    promise = bus.execute_command("a.hold")
    wait_for(lambda: bus.live_calls()[0].started)
    assert watched.later(29).problems == ()
    problem = found(watched.later(2), "stuck")
    assert problem is not None
    assert (problem.severity, problem.subject, problem.count, problem.over) == ("error", "a.hold", 1, False)
    assert problem.text.startswith("a.hold #1 has been running for 31")
    assert problem.text.endswith("on a-0")
    assert len(problem.proof.lines) == 1
    assert (problem.proof.calls, problem.proof.service) == ((1,), "a")
    gate.set()
    promise.result(10)
    problem = found(watched.later(1), "stuck")
    assert problem is not None
    assert problem.over


def test_who_waits_behind_a_stuck_call_is_said(bus: Bus, watch: Watch, gate: threading.Event) -> None:
    """How many calls its service has in the queue, and the threads that made them."""
    watched = watch(bus)
    held = bus.execute_command("a.hold")
    wait_for(lambda: bus.live_calls()[0].started)
    behind = [bus.execute_command("a.hold") for _ in range(2)]
    problem = found(watched.later(31), "stuck")
    assert problem is not None
    assert problem.proof.lines[1].startswith("2 calls behind it in the queue of a, for 31")
    assert problem.proof.lines[1].endswith(": from MainThread")
    gate.set()
    for promise in (held, *behind):
        promise.result(10)


def test_a_call_is_stuck_after_5_s_when_its_like_are_quick(bus: Bus, watch: Watch, gate: threading.Event) -> None:
    """After 100 calls it is known how long they take."""
    watched = watch(bus)
    bus.register_command("a.either", lambda hold=False: gate.wait(60) if hold else None, service="a")
    for _ in range(100):
        bus.execute_command("a.either").result(10)
    bus.execute_command("a.either", True)
    wait_for(lambda: bus.live_calls()[0].started)
    assert watched.later(4.5).problems == ()
    problem = found(watched.later(1), "stuck")
    assert problem is not None
    assert problem.proof.lines[0].startswith("99 of 100 of its calls take")


def test_slow_calls_among_slow_ones_are_not_stuck() -> None:
    """20 × p99 of calls that take a second is 20 s; longer than that is stuck, also in a recording."""
    slow = [call(number, START + number * SECOND, run=SECOND) for number in range(1, 301)]
    model = Model()
    late = START + 400 * SECOND
    assert model.look(*slow, call(301, late, run=19 * SECOND)).problems == ()
    problem = found(model.look(call(302, late + 20 * SECOND, run=25 * SECOND)), "stuck")
    assert problem is not None
    assert problem.text.startswith("n #302 ran for 25")


def test_how_long_its_like_take_is_known_of_the_same_service_only() -> None:
    """A listener that takes its time is not measured by another service's quick one of the same event."""
    quick = [call(number, START + number * SECOND, run=1_000, name="e", service="quick") for number in range(1, 301)]
    late = START + 400 * SECOND
    slow = call(301, late, run=19 * SECOND, name="e", service="slow")
    model = Model()
    assert model.look(*quick, slow).problems == ()
    problem = found(model.look(call(302, late, run=19 * SECOND, name="e", service="quick")), "stuck")
    assert problem is not None
    assert problem.proof.service == "quick"
    slow = call(303, late, run=31 * SECOND, name="e", service="slow")
    stuck = [problem for problem in model.look(slow).problems if problem.rule == "stuck"]
    assert {problem.proof.service for problem in stuck} == {"quick", "slow"}
    assert stuck[0].proof.lines[0].startswith("too few of its calls") or stuck[1].proof.lines[0].startswith("too few")


BOTH = {"b.ask": (True, True), "a.hold": (True, False)}


def test_who_waits_for_a_stuck_call_is_not_stuck(bus: Bus, watch: Watch, gate: threading.Event) -> None:
    """Only the code that runs is; and a call that has waited for long is measured without its waits."""
    bus.register_command("b.ask", lambda: bus.execute_command("a.hold").result(), service="b")
    watched = watch(bus)
    bus.execute_command("b.ask")
    wait_for(lambda: {each.name: (each.started > 0, each.waits) for each in bus.live_calls()} == BOTH)
    report = watched.later(40)
    assert [problem.subject for problem in report.problems if problem.rule == "stuck"] == ["a.hold"]
    waited = call(900, START, run=60 * SECOND, waited=50 * SECOND)
    assert Model().look(waited).problems == ()


def test_what_the_bus_says_of_a_stuck_call_is_its_proof(bus: Bus, watch: Watch, gate: threading.Event) -> None:
    """It has the stack of that moment; the call is counted once."""
    bus.add(Service("c", stuck_after=0.05))
    bus.register_command("c.hold", lambda: gate.wait(60), service="c")
    watched = watch(bus)
    bus.execute_command("c.hold")
    problem = watched.until_found("stuck")
    assert problem.subject == "c.hold"
    assert f"{__file__}" in problem.proof.stack
    assert problem.count == 1


def test_what_the_bus_and_the_rule_say_of_one_call_is_one_problem() -> None:
    """Of a delivery, it is named with the service that listens."""
    going = call(7, START, name="e", kind="delivery", service="slow", outcome=None)
    said = Problem(rule="stuck", at=START + 31 * SECOND, text="e #7 has been running for 31 s; it is at x", calls=(7,))
    report = Model().look(said, at=START + 31 * SECOND, live=[going])
    (problem,) = report.problems
    assert (problem.subject, problem.proof.service) == ("e in slow", "slow")


def test_what_the_bus_says_of_a_call_that_waits_is_a_warning() -> None:
    """Something else is stuck."""
    said = Problem(rule="stuck", at=START, text="b.ask #7 has been running for 31 s, and waits: …", calls=(7, 8))
    (problem,) = Model().look(said, at=START).problems
    assert (problem.severity, problem.subject) == ("warning", "b.ask waits")


def test_the_limits_of_stuck_can_be_set(bus: Bus, watch: Watch, gate: threading.Event) -> None:
    """Seconds for calls whose like are known, and for others."""
    watched = watch(bus, settings=Settings({"stuck": StuckLimits(unknown_seconds=2.0)}))
    bus.execute_command("a.hold")
    wait_for(lambda: bus.live_calls()[0].started)
    assert rules(watched.later(3)) == {"stuck"}


def test_a_service_starves_whose_workers_all_wait_while_its_mailbox_fills(
    bus: Bus, watch: Watch, gate: threading.Event
) -> None:
    """Seen twice, the mailbox longer the second time; what they wait for is named."""
    bus.add(Service("pool", workers=2))
    bus.register_command("pool.ask", lambda: bus.execute_command("a.hold").result(), service="pool")
    watched = watch(bus, settings=Settings({"starved": StarvedLimits(seconds=0.0)}))
    for _ in range(2):
        bus.execute_command("pool.ask")
    wait_for(lambda: sum(bool(each.waiting_for) for each in bus.live_calls()) == 2)
    assert "starved" not in rules(watched.watch())
    for _ in range(5):
        bus.execute_command("pool.ask")
    problem = watched.until_found("starved")
    assert (problem.severity, problem.subject) == ("error", "pool")
    assert problem.text == "all 2 workers wait for other calls, while its mailbox grew from 0 to 5"
    assert problem.proof.lines == ("they wait: 2 for a.hold",)
    assert len(problem.proof.calls) == 2


@pytest.mark.parametrize("workers", [1, 2])
def test_a_service_with_a_worker_that_does_not_wait_does_not_starve(
    bus: Bus, watch: Watch, gate: threading.Event, workers: int
) -> None:
    """Of one worker, when its mailbox does not grow; of two, when only one waits."""
    bus.add(Service("pool", workers=workers))
    bus.register_command("pool.ask", lambda: bus.execute_command("a.hold").result(), service="pool")
    bus.register_command("pool.work", lambda: gate.wait(60), service="pool")
    watched = watch(bus, settings=Settings({"starved": StarvedLimits(seconds=0.0)}))
    bus.execute_command("pool.ask")
    if workers == 2:
        bus.execute_command("pool.work")
    wait_for(lambda: sum(bool(each.started) for each in bus.live_calls()) >= workers + 1)
    watched.watch()
    if workers == 2:
        bus.execute_command("pool.ask")
    assert "starved" not in rules(watched.watch())
    assert "starved" not in rules(watched.watch())


def starving(samples: list[tuple[float, int]], waits: list[tuple[int, float, float]]) -> list[object]:
    """A recording of a service with two workers: depths at some seconds, waits of its lanes."""
    return [
        Lane(key=1, name="pool-0", service="pool"), Lane(key=2, name="pool-1", service="pool", worker=1),
        State(service="pool", state="running", at=START, workers=2),
        *(call(lane, _at(0.15), run=SECOND, lane=lane, service="pool") for lane in (1, 2)),
        *(Wait(call=lane, lane=lane, target=9, began=_at(a), ended=_at(b)) for lane, a, b in waits),
        *(Depth(service="pool", at=_at(at), depth=depth) for at, depth in samples),
    ]  # fmt: skip


def _at(seconds: float) -> int:
    return START + int(seconds * SECOND)


def test_a_recording_shows_that_a_service_starved() -> None:
    """By the waits of all its lanes, and the samples of its mailbox while they waited, 100 ms apart."""
    records = starving([(0.1, 20), (0.5, 3), (0.7, 9)], [(1, 0.2, 0.9), (2, 0.3, 0.8)])
    problem = found(Model().look(*records, at=_at(2)), "starved")
    assert problem is not None
    assert problem.text == "all 2 workers wait for other calls, while its mailbox grew from 3 to 9"
    assert (problem.since, problem.last) == (_at(0.5), _at(0.7))
    assert problem.proof.calls == (2, 1)


@pytest.mark.parametrize(
    ("samples", "waits"),
    [
        ([(0.5, 3), (0.55, 9)], [(1, 0.2, 0.9), (2, 0.3, 0.8)]),
        ([(0.5, 3), (0.7, 9)], [(1, 0.2, 0.9), (2, 0.3, 0.6)]),
        ([(0.5, 9), (0.7, 3)], [(1, 0.2, 0.9), (2, 0.3, 0.8)]),
        ([(0.5, 3), (0.7, 9)], [(1, 0.2, 0.9)]),
    ],
)
def test_a_recording_of_a_service_that_did_not_starve(samples: list, waits: list) -> None:
    """Too short a time; one of them went on; the mailbox was emptied; one of them did not wait."""
    assert found(Model().look(*starving(samples, waits), at=_at(2)), "starved") is None
