"""Figures that a test measured are shown at the end of the run, whether it passed or not."""

import signal
from collections.abc import Callable

import pytest
from hypothesis import settings

# How long an example takes says more about who else uses the machine than about what is tested.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

_FIGURES = pytest.StashKey[list[str]]()


def pytest_configure() -> None:
    """What a shell starts in the background ignores ^C, and so would the programs that tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note a line for the end of the run."""
    return request.config.stash.setdefault(_FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what was noted."""
    lines = config.stash.get(_FIGURES, [])
    if lines:
        terminalreporter.section("figures")
    for line in lines:
        terminalreporter.write_line(line)
