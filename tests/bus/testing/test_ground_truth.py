"""The deadlock rule against what really becomes of random programs."""

import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from bus import Bus, Service
from bus.waits import Waits
from tests.bus.testing.ground_truth import Judge


def test_alarms_are_deadlocks_and_deadlocks_are_alarms(figure: Callable[[str], None]) -> None:
    """In random programs every alarm is for a wait that would never end, and no run gets stuck without one."""
    verdicts = Judge().judge(2_000)
    figure(f"deadlock rule: {verdicts}")
    assert verdicts.false == []
    assert verdicts.missed == []
    assert min(verdicts.alarmed, verdicts.programs - verdicts.alarmed) > 400


def test_rule_that_is_too_eager_is_found_out() -> None:
    """A rule that refuses waits which end by themselves gives false alarms."""
    begin = Waits.begin

    def eager(waits: Waits, *args: Any, timed: bool) -> Any:
        return begin(waits, *args, timed=False)

    assert Judge(eager).judge(200).false


def test_rule_that_is_blind_is_found_out() -> None:
    """Without a rule runs get stuck."""
    assert Judge(lambda *_, **__: ()).judge(200).missed


def test_rule_is_asked_once_for_each_wait(figure: Callable[[str], None]) -> None:
    """A handler that waits for a service with a free worker pays for one look at it, and no more."""
    spent: list[int] = []
    begin = Waits.begin

    def timed(waits: Waits, *args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter_ns()
        cycle = begin(waits, *args, **kwargs)
        spent.append(time.perf_counter_ns() - began)
        return cycle

    with Bus("cost") as bus, patch.object(Waits, "begin", timed):
        for name in ("outer", "inner"):
            bus.add(Service(name))
        bus.register_command("wait", bus.runtime.latch().wait, service="inner")
        bus.register_command("ask", lambda: bus.execute_command("wait", 0).result(), service="outer")
        for _ in range(5_000):
            bus.execute_command("ask").result(10)
    asked = sorted(spent)
    half, most = asked[len(asked) // 2], asked[len(asked) * 99 // 100]
    figure(
        f"deadlock rule, fast path: p50 {half} ns, p99 {most} ns of {len(asked):,} waits, reading the clock included"
    )
    # A promise that was done already is not waited for, and then nobody asks.
    assert 0 < len(asked) <= 5_000
