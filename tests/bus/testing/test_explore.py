"""Schedules are explored, the failing one is shrunk, and replays exactly."""

import gc
import itertools
import logging
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bus import Bus, CallTimeout, DeadlockError, Service
from bus.testing import Schedule, ScheduleDiverged, TooManySteps, explore, replay
from bus.testing.search import Report
from bus.trace.records import Call, Entry, Session, State, Wait
from bus.trace.session import SessionReader

Scenario = Callable[[Bus], None]
STRATEGIES = ("pct", "random", "dfs")


def deposits(bus: Bus, *, together: bool = True) -> None:
    """Two clients read the balance of an account, and write it back a bit higher."""
    balance = {"now": 0}
    bus.add(Service("account"))
    bus.register_command("read", lambda: balance["now"], service="account")
    bus.register_command("write", lambda amount: balance.update(now=amount), service="account")

    def deposit() -> None:
        found = bus.execute_command("read").result()
        bus.execute_command("write", found + 1).result()

    for name in ("ann", "bob"):
        bus.add(Service(name))
        bus.register_command(f"{name}.deposit", deposit, service=name)
    first = bus.execute_command("ann.deposit")
    if not together:
        first.result()
    second = bus.execute_command("bob.deposit")
    first.result()
    second.result()
    assert balance["now"] == 2, f"one of two deposits was lost: {balance['now']}"


def one_after_the_other(bus: Bus) -> None:
    deposits(bus, together=False)


def rare(bus: Bus) -> None:
    """The same, and the first thread to run is far ahead of the other one."""
    balance = {"now": 0}
    bus.add(Service("account"))
    bus.register_command("read", lambda: balance["now"], service="account")
    bus.register_command("write", lambda amount: balance.update(now=amount), service="account")

    def deposit(pauses: int) -> None:
        for _ in range(pauses):
            bus.execute_command("read").result()
        bus.execute_command("write", bus.execute_command("read").result() + 1).result()

    for name, pauses in (("ann", 0), ("bob", 3)):
        bus.add(Service(name))
        bus.register_command(f"{name}.deposit", lambda pauses=pauses: deposit(pauses), service=name)
    promises = [bus.execute_command(f"{name}.deposit") for name in ("ann", "bob")]
    for promise in promises:
        promise.result()
    assert balance["now"] == 2, "one of two deposits was lost"


def failed(report: Report) -> BaseException:
    assert report.failure is not None, report
    return report.failure


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_lost_update_is_found_shrunk_and_replayed(strategy: str) -> None:
    """Every strategy finds the lost update; its schedule is short, and replays 300 times out of 300."""
    report = explore(rare, schedules=5_000, strategy=strategy, depth=3)
    assert report.kind == "assertion"
    assert "one of two deposits was lost" in str(failed(report))
    assert 1 <= sum(map(bool, report.schedule)) <= 4
    again = 0
    for _ in range(300):
        with pytest.raises(AssertionError, match="one of two deposits was lost"):
            replay(rare, report.schedule)
        again += 1
    assert again == 300


def test_schedule_replays_from_a_plain_list() -> None:
    """What is needed for a replay are the numbers alone, as they were printed."""
    report = explore(rare, schedules=5_000)
    with pytest.raises(AssertionError, match="lost"):
        replay(rare, [int(one) for one in report.schedule])


def test_same_seed_tries_the_same() -> None:
    """A seed decides all that `explore` does, and another one does something else."""
    reports = [explore(rare, schedules=2_000, strategy="random", seed=seed) for seed in (1, 1, 2)]
    tried = [(one.schedules, one.steps, list(one.schedule)) for one in reports]
    assert tried[0] == tried[1]
    assert tried[0][:2] != tried[2][:2]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_clean_scenario_has_no_failure(strategy: str) -> None:
    """A program without a race passes 2,000 schedules, or all that there are."""
    report = explore(one_after_the_other, schedules=2_000, strategy=strategy)
    assert report.failure is None
    assert report.kind is None
    assert report.schedule == []
    assert report.schedules == 2_000 or report.exhausted


def test_depth_first_ends_when_there_is_nothing_left() -> None:
    """With few deviations the search is complete, and says so."""
    report = explore(one_after_the_other, schedules=100_000, strategy="dfs", depth=2)
    assert report.exhausted
    assert 10 < report.schedules < 1_000


def test_deadlock_is_found() -> None:
    """Two services that ask each other deadlock under some schedule only; the report names the calls."""

    def crossed(bus: Bus) -> None:
        for name, other in (("a", "b"), ("b", "a")):
            bus.add(Service(name))
            bus.register_command(f"{name}.value", lambda: 1, service=name)
            bus.register_command(
                f"{name}.ask", lambda other=other: bus.execute_command(f"{other}.value").result(), service=name
            )
        promises = [bus.execute_command("a.ask"), bus.execute_command("b.ask")]
        for promise in promises:
            promise.result()

    report = explore(crossed, schedules=500)
    assert report.kind == "deadlock"
    assert "a.ask" in str(failed(report))
    assert "b.ask" in str(failed(report))
    with pytest.raises(DeadlockError):
        replay(crossed, report.schedule)


def listening(error: BaseException, *, service: str = "ear") -> Scenario:
    def scenario(bus: Bus) -> None:
        bus.add(Service(service))

        def hear() -> None:
            raise error

        bus.register_listener("noise", hear, service=service)
        bus.fire_event("noise")

    return scenario


def test_listener_error_ends_the_run() -> None:
    """What a listener raises, and nobody would hear of, is a failure, unless it is to be ignored."""
    report = explore(listening(ValueError("too loud")), schedules=10)
    assert (report.kind, str(report.failure)) == ("error", "too loud")
    assert explore(listening(AssertionError("wrong")), schedules=10).kind == "assertion"
    assert explore(listening(ValueError("too loud")), schedules=10, listener_errors="ignore").failure is None


def test_deadlock_in_a_listener_is_never_ignored() -> None:
    """A DeadlockError in a listener ends the run whatever is said about listeners' errors."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("ear"))
        bus.register_command("ear.ask", lambda: 1, service="ear")
        bus.register_listener("noise", lambda: bus.execute_command("ear.ask").result(), service="ear")
        bus.fire_event("noise")

    report = explore(scenario, schedules=10, listener_errors="ignore")
    assert report.kind == "deadlock"


def test_when_nothing_can_run_the_report_says_who_waits_for_whom() -> None:
    """A wait that nobody will end is a deadlock, even where the bus cannot know it."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("a"))
        never = bus.runtime.latch()
        bus.register_command("a.wait", never.wait, service="a")
        bus.execute_command("a.wait").result()

    report = explore(scenario, schedules=10)
    assert report.kind == "deadlock"
    text = str(report.failure)
    assert "scenario waits" in text
    assert "for a.wait #1, which runs on a-0" in text
    assert "a-0 waits" in text
    assert __file__ in text


def test_timeouts_take_no_time() -> None:
    """`result(timeout)` waits on a clock that jumps, so an hour is over at once."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("a"))
        go_on = bus.runtime.latch()
        bus.register_command("a.wait", lambda: go_on.wait(7_200), service="a")
        promise = bus.execute_command("a.wait")
        began = bus.now()
        with pytest.raises(CallTimeout):
            promise.result(3_600)
        assert 3_600 <= (bus.now() - began) / 1e9 < 3_601
        assert promise.result() is False

    began = time.monotonic()
    report = explore(scenario, schedules=20)
    assert report.failure is None
    assert time.monotonic() - began < 30


def test_timers_run_on_the_virtual_clock() -> None:
    """`@every` ticks as often as virtual time passes, without anybody waiting for it."""

    def scenario(bus: Bus) -> None:
        service = Service("clock")
        ticks: list[int] = []
        done = bus.runtime.latch()

        def tick() -> None:
            ticks.append(bus.now())
            if len(ticks) == 10:
                done.set()

        bus.add(service)
        timer = bus._timers.every(60, lambda: bus.fire_event("minute"))
        bus.register_listener("minute", tick, service="clock")
        assert done.wait(3_600)
        timer.dispose()
        assert [round((later - former) / 1e9) for former, later in itertools.pairwise(ticks)] == [60] * 9

    assert explore(scenario, schedules=50).failure is None


def test_run_that_does_not_end_is_given_up() -> None:
    """Events that fire each other for ever are a failure, not a test that hangs."""

    def scenario(bus: Bus) -> None:
        never = bus.runtime.latch()
        bus._timers.every(1, lambda: bus.fire_event("second"))
        never.wait()

    report = explore(scenario, schedules=10, max_steps=500)
    assert isinstance(report.failure, TooManySteps)
    assert "scenario-timer still go on" in str(report.failure)
    assert "scenario waits" in str(report.failure)


def test_hidden_chance_is_found() -> None:
    """A scenario that does something else each time under the same schedule is reported, not believed."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("a"))
        bus.register_command("a.value", lambda: 1, service="a")
        for _ in range(random.randrange(1, 20)):
            bus.execute_command("a.value")

    def explore_often() -> None:
        for _ in range(20):
            explore(scenario, schedules=1)

    with pytest.raises(ScheduleDiverged, match="depends on something"):
        explore_often()


def test_replay_says_when_the_scenario_is_another_one() -> None:
    """A schedule that does not fit any more is not passed over in silence."""
    report = explore(rare, schedules=5_000)
    assert isinstance(report.schedule, Schedule)
    with pytest.raises(ScheduleDiverged):
        replay(listening(ValueError()), report.schedule, listener_errors="ignore")
    with pytest.raises(ScheduleDiverged, match="before the schedule did"):
        replay(one_after_the_other, [0] * 1_000)
    with pytest.raises(ScheduleDiverged, match="only 0 to"):
        replay(one_after_the_other, [99])


def test_trace_is_what_the_console_reads() -> None:
    """The failing run's records: the session first, its parts, every call with its arguments, what waited for what."""
    report = explore(rare, schedules=5_000)
    first, *rest = report.trace
    assert isinstance(first, Session)
    assert first.level == "full"
    calls = [one for one in rest if isinstance(one, Call)]
    assert {"ann.deposit", "bob.deposit", "read", "write"} == {call.name for call in calls}
    assert [call.args for call in calls if call.name == "write"] == ["1", "1"]
    assert {one.name for one in rest if isinstance(one, Entry)} == {call.name for call in calls}
    assert {one.service for one in rest if isinstance(one, State)} == {"account", "ann", "bob"}
    assert any(isinstance(one, Wait) for one in rest)


def test_looking_closer_does_not_change_the_run() -> None:
    """With locks as scheduling points too, the run that keeps the records is step by step the one that failed."""

    def scenario(bus: Bus) -> None:
        heard: list[str] = []
        bus.add(Service("ear"))
        bus.register_listener("noise.*", heard.append, service="ear")
        for name in ("a", "b"):
            bus.add(Service(name))
            bus.register_command(f"{name}.fire", lambda name=name: bus.fire_event("noise.x", name), service=name)
        promises = [bus.execute_command("a.fire"), bus.execute_command("b.fire")]
        for promise in promises:
            promise.result()
        bus.close()
        assert heard == ["a", "b"]

    report = explore(scenario, schedules=1_000, fine=True)
    assert report.kind == "assertion"
    events = [one for one in report.trace if isinstance(one, Call) and one.kind == "event"]
    assert sorted(event.args for event in events) == ["'a'", "'b'"]


def test_trace_shows_what_was_in_flight_and_what_failed() -> None:
    """The call that ended the run has its error, and those that it kept waiting have no end."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("a"))
        bus.register_command("a.wait", bus.runtime.latch().wait, service="a")
        bus.register_listener("noise", lambda: 1 / 0)
        bus.execute_command("a.wait")
        bus.fire_event("noise")

    report = explore(scenario, schedules=5)
    calls = {(call.name, call.kind): call for call in report.trace if isinstance(call, Call)}
    assert calls["a.wait", "command"].outcome is None
    error = calls["noise", "delivery"].error
    assert error is not None
    assert error.type == "ZeroDivisionError"


def test_trace_is_saved_as_a_session_file(tmp_path: Path) -> None:
    """The records can be written to a file, which reads back as they were; without a failure there are none."""
    report = explore(rare, schedules=5_000)
    path = report.save(tmp_path / "lost.jsonl")
    reader = SessionReader(path)
    assert [one for records in reader for one in records] == list(report.trace)
    reader.close()
    with pytest.raises(ValueError, match="no schedule failed"):
        explore(one_after_the_other, schedules=2).save(tmp_path / "none.jsonl")


def test_log_is_not_flooded(caplog: pytest.LogCaptureFixture) -> None:
    """What the bus logs in every run is said once."""

    def scenario(bus: Bus) -> None:
        logging.getLogger("bus").warning("the service %s is slow", bus.name)

    explore(scenario, schedules=50)
    assert [record.getMessage() for record in caplog.records] == ["the service scenario is slow"]


def test_error_that_nobody_asks_for_does_no_harm(recwarn: pytest.WarningsRecorder) -> None:
    """A promise that is collected with its error wakes the one who reports it, in the middle of a run or after it."""

    def scenario(bus: Bus) -> None:
        bus.add(Service("a"))
        bus.register_command("a.fail", lambda: 1 / 0, service="a")
        for _ in range(3):
            bus.execute_command("a.fail")
        bus.execute_command("a.fail").exception()
        raise KeyError("the end")

    report = explore(scenario, schedules=100, strategy="random")
    assert isinstance(report.failure, KeyError)
    gc.collect()
    assert not recwarn.list


def test_strategy_that_does_not_exist() -> None:
    """A wrong name is refused with the right ones."""
    with pytest.raises(ValueError, match='use "pct", "random" or "dfs"'):
        explore(one_after_the_other, strategy="luck")


def test_report_reads_as_a_sentence() -> None:
    """Printed, a report says what was found after how much, or that nothing was."""
    assert str(explore(one_after_the_other, schedules=5)).startswith("no failure in 5 schedules")
    text = str(explore(listening(ValueError("too loud")), schedules=5))
    assert text.startswith("error after 1 schedules")
    assert "ValueError('too loud')" in text
