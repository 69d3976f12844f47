"""The deadlock rule against what becomes of a hundred thousand random programs."""

from collections.abc import Callable

from tests.bus.testing.ground_truth import Judge


def test_alarms_are_deadlocks_and_deadlocks_are_alarms(figure: Callable[[str], None]) -> None:
    """In random programs every alarm is for a wait that would never end, and no run gets stuck without one."""
    verdicts = Judge(continuations=2).judge(100_000, seed=1)
    figure(f"deadlock rule: {verdicts}")
    assert verdicts.false == []
    assert verdicts.missed == []
    assert min(verdicts.alarmed, verdicts.programs - verdicts.alarmed) > 20_000
