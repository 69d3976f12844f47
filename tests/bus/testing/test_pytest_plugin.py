"""The marker runs a test under many schedules, and its failure says how to see it again."""

import re

import pytest

pytest_plugins = ["pytester"]

LOST = """
import pytest
from bus import Service

@pytest.fixture
def step():
    return 1

def lost(bus, step):
    seen = []
    bus.add(Service("a"))
    bus.add(Service("b"))
    bus.register_command("a.note", lambda: seen.append("a"), service="a")
    bus.register_command("b.note", lambda: seen.append("b"), service="b")
    promises = [bus.execute_command("a.note"), bus.execute_command("b.note")]
    for promise in promises:
        promise.result()
    assert seen == ["a", "b"]
"""


@pytest.fixture
def ini(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["bus.testing.pytest_plugin"]')
    pytester.makeini("[pytest]\naddopts = --strict-markers -p no:cacheprovider\nfilterwarnings = error\n")


def run(pytester: pytest.Pytester, marker: str, body: str = "lost(bus, step)", params: str = "bus, step"):
    pytester.makepyfile(f"{LOST}\n@pytest.mark.{marker}\ndef test_it({params}):\n    {body}\n")
    return pytester.runpytest_inprocess()


@pytest.mark.usefixtures("ini")
def test_marker_finds_and_replays(pytester: pytest.Pytester) -> None:
    """The marked test fails with a note; the marker in the note fails the same way, with one run."""
    result = run(pytester, "schedules(500, seed=1)")
    result.assert_outcomes(failed=1)
    note = re.search(r"@pytest\.mark\.(schedules\(replay=\[[0-9, ]+\]\))", result.stdout.str())
    assert note is not None
    again = run(pytester, note[1])
    again.assert_outcomes(failed=1)
    assert "after " not in again.stdout.str()


@pytest.mark.usefixtures("ini")
def test_marked_test_without_a_race_passes(pytester: pytest.Pytester) -> None:
    """A clean test passes, and gets a fresh bus for each of its runs."""
    run(pytester, "schedules(20)", "assert bus.services() == (); bus.add(Service('a'))").assert_outcomes(passed=1)


@pytest.mark.usefixtures("ini")
def test_unmarked_test_gets_a_real_bus(pytester: pytest.Pytester) -> None:
    """Without the marker, the fixture `bus` is an ordinary one, and closed afterwards."""
    run(pytester, "filterwarnings('error')", "assert bus.name == 'test_it'").assert_outcomes(passed=1)


@pytest.mark.usefixtures("ini")
def test_marked_test_has_to_take_a_bus(pytester: pytest.Pytester) -> None:
    """A marked test without a `bus` has nothing to schedule, and is told so."""
    result = run(pytester, "schedules", "pass", "step")
    assert "has to take a parameter called bus" in result.stdout.str()
