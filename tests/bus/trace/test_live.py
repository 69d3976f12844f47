"""The calls in flight of a program with far more of them than anybody can look at."""

import threading

import pytest

from bus import Bus, Service
from bus.runtime import NS, REAL
from bus.trace.chunk import Chunk
from bus.trace.live import LISTED, LiveCalls
from tests.support import wait_for

MANY = 3_000
"""Calls that are queued for the service `slow`."""


class Clock:
    """A runtime's clock that is set by hand."""

    ns = 1

    def now(self):
        return self.ns


@pytest.fixture
def busy():
    """A bus whose service `slow` has MANY calls queued behind one that runs, and whose `late` runs a younger one."""
    leave = threading.Event()
    with Bus("busy", trace="times") as bus:
        bus.add(Service("slow", capacity=MANY + 1))
        bus.add(Service("late"))
        bus.register_command("hold", lambda: leave.wait(10), service="slow")
        bus.register_command("late.hold", lambda: leave.wait(10), service="late")
        for _ in range(MANY + 1):
            bus.execute_command("hold")
        bus.execute_command("late.hold")
        wait_for(lambda: len(bus.running_calls()) == 2)
        yield bus
        leave.set()


def test_of_what_is_queued_the_next_ones_are_listed(busy):
    """Each service's own, so many in all; those that run all the same."""
    calls = busy.live_calls(limit=100)
    assert [call.name for call in calls if call.started] == ["hold", "late.hold"]
    assert [call.id for call in calls if not call.started] == sorted(call.id for call in busy.live_calls())[1:101]
    assert busy.queued() == MANY


def test_each_service_has_its_share(busy):
    """One that has thousands leaves room for those that have few; however many there are, each is seen."""
    busy.execute_command("late.hold")
    names = [call.name for call in busy.live_calls(limit=100) if not call.started]
    assert (names.count("hold"), names.count("late.hold")) == (50, 1)
    names = [call.name for call in busy.live_calls(limit=1) if not call.started]
    assert (names.count("hold"), names.count("late.hold")) == (8, 1)


def test_all_are_listed_when_asked_for_and_once_a_second(busy):
    """At all other turns the rest is only counted, which costs nothing."""
    clock = Clock()
    live = LiveCalls(busy, clock)

    def listed(asked=False):
        calls, more = live.look(asked=asked)
        return len(calls), more

    everything, some = (MANY + 2, 0), (LISTED + 2, MANY - LISTED)
    assert listed() == everything
    assert listed() == some
    assert listed(asked=True) == everything
    clock.ns += NS - 1
    assert listed() == some
    clock.ns += 1
    assert listed() == everything


def test_who_runs_is_told_before_who_is_queued(busy):
    """Also where it is the youngest of all: a console must see every thread's call."""
    calls, _ = LiveCalls(busy, REAL).look(asked=True)
    told = Chunk(0, (), calls).unended(10)
    assert [call.name for call in told if call.started] == ["hold", "late.hold"]
    assert [call.queued for call in told] == sorted(call.queued for call in told)
    assert len(told) == 10


def test_a_session_file_tells_of_all_that_wait_for_long(busy, tmp_path):
    """Also of the last in a long queue, while the program still runs."""
    path = tmp_path / "s.jsonl"
    with busy.record(path):
        last = max(call.id for call in busy.live_calls() if call.name == "hold")
        wait_for(lambda: path.exists() and f'"id":{last},' in path.read_text(encoding="utf-8"))
