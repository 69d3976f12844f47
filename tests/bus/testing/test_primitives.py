"""The primitives hold under all schedules with two deviations, and under many others."""

from collections import deque
from collections.abc import Callable

import pytest

from bus import Bus
from bus.registry import Entry, Registry
from bus.testing import Stuck, explore
from tests.bus.testing.lines import every_line
from tests.bus.testing.primitives import PRIMITIVES, once, report_of, start


@pytest.mark.parametrize("name", PRIMITIVES)
def test_primitive_holds(name: str, figure: Callable[[str], None]) -> None:
    """No schedule breaks what its scenario says; `make soak` tries ten times as many."""
    figure(report_of(name, 1_000))


@pytest.mark.parametrize("strategy", ["dfs", "pct"])
def test_once_that_checks_and_then_acts_is_found_out(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `once` listener that looks under the lock, and claims under it again, hears two events under some schedule."""
    claim = Registry.claim

    def careless(registry: Registry, entry: Entry) -> bool:
        with registry._lock:
            if entry.claimed:
                return False
        claim(registry, entry)
        return True

    monkeypatch.setattr(Registry, "claim", careless)
    report = explore(once, schedules=10_000, strategy=strategy, depth=3, fine=True)
    assert report.kind == "assertion"
    assert "heard ['" in str(report.failure)


class Drowsy:
    """A mailbox whose receiver looks if there is something, and lists itself as asleep only then."""

    def __init__(self, bus: Bus) -> None:
        self.items: deque[int] = deque()
        self.asleep = False
        self.wakeup = bus.runtime.wakeup()

    def put(self, item: int) -> None:
        self.items.append(item)
        if self.asleep:
            self.asleep = False
            self.wakeup.wake()

    def get(self) -> int:
        if not self.items:
            self.asleep = True
            self.wakeup.wait()
        return self.items.popleft()


def slept_through(bus: Bus) -> None:
    drowsy = Drowsy(bus)
    sender = start(bus, "sender", drowsy.put, 1)
    assert drowsy.get() == 1
    sender.join()


@pytest.mark.parametrize("strategy", ["dfs", "pct"])
def test_mailbox_that_sleeps_through_a_call_is_found_out(strategy: str) -> None:
    """A wake-up that is lost between two lines, without any lock, is found line by line, and only so."""
    assert explore(slept_through, schedules=500, strategy=strategy, depth=3, fine=True).failure is None
    with every_line(slept_through, frozenset({__file__})) as by_lines:
        report = explore(by_lines, schedules=500, strategy=strategy, depth=3)
    assert isinstance(report.failure, Stuck)
