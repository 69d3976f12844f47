"""Figures that a test measured are shown at the end of the run, whether it passed or not."""

import signal
from collections.abc import Callable, Generator

import pytest
from hypothesis import settings

# How long an example takes says more about who else uses the machine than about what is tested.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

_FIGURE = "figure"


def pytest_configure() -> None:
    """What a shell starts in the background ignores ^C, and so would the programs that tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note a line for the end of the run."""
    return lambda line: request.node.user_properties.append((_FIGURE, line))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test of hostile text prints what no encoding has; two processes could not pass it on."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was noted."""
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind)]
    lines = [text for one in reports if one.when == "call" for key, text in one.user_properties if key == _FIGURE]
    if lines:
        terminalreporter.section("figures")
    for line in lines:
        terminalreporter.write_line(str(line))
