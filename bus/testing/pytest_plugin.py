"""For pytest: a test that is marked with `schedules` runs under many schedules, each time with a fresh `bus`.

Say `pytest_plugins = ["bus.testing.pytest_plugin"]` in the conftest at the top, then:

    @pytest.mark.schedules(2_000, strategy="random", seed=1)
    def test_no_update_is_lost(bus): ...

The marker takes the arguments of `explore`, or `replay=[0, 2, 1]` to run one schedule only. Other fixtures of the test
are made once, and are the same in every run.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from bus.core import Bus
from bus.testing.search import explore, replay

MARKER = "schedules"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", f"{MARKER}(schedules=1_000, **settings): run under many schedules; see bus.testing.explore"
    )


@pytest.fixture
def bus(request: pytest.FixtureRequest) -> Iterator[Bus]:
    """A bus that is closed after the test; with the marker `schedules`, a fresh one for each run."""
    with Bus(request.node.name) as made:
        yield made


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a marked test under its schedules; others are pytest's business.

    Raises:
        UsageError: the test does not take `bus`.
        BaseException: the failure, with a note that says how to see it again.
    """
    marker = pyfuncitem.get_closest_marker(MARKER)
    if marker is None:
        return None
    fixtures = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}  # noqa: SLF001  no other way
    if "bus" not in fixtures:
        raise pytest.UsageError(f"{pyfuncitem.nodeid} is marked with {MARKER} and has to take a parameter called bus")

    def scenario(bus: Bus) -> None:
        pyfuncitem.obj(**{**fixtures, "bus": bus})

    _explore(scenario, *marker.args, **marker.kwargs)
    return True


def _explore(scenario: Any, schedules: int = 1_000, *, replay: list[int] | None = None, **settings: Any) -> None:
    if replay is not None:
        _replay(scenario, replay, **settings)
        return
    report = explore(scenario, schedules=schedules, **settings)
    if report.failure is not None:
        report.failure.add_note(
            f"after {report.schedules} schedules; to see it again: "
            f"@pytest.mark.{MARKER}(replay={list(report.schedule)})"
        )
        raise report.failure


_replay = replay
