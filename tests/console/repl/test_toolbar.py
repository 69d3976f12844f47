"""The line at the bottom of the prompt."""

import pytest
from msgspec import structs
from msgspec.structs import replace
from prompt_toolkit.formatted_text import fragment_list_to_text

from console import commands
from console.repl.toolbar import toolbar
from console.session import Session
from tests import synthetic


@pytest.fixture
def live():
    session = Session(synthetic.FakeTarget(synthetic.batches(synthetic.session(200)), state="live"))
    session.pump()
    return session


def text(session, width=160):
    return fragment_list_to_text(toolbar(session, width))


def test_what_is_told(live):
    """The program, its rate, what is in flight, failures and problems."""
    header = live.header()
    said = text(live)
    assert said.startswith(" sample-search  pid 48213  LIVE  ")
    assert f"{header.in_flight} in flight  {header.failed} failed  {header.problems} problem" in said


def test_what_goes_on_here(live, tmp_path):
    """A watch with its count, and a recording, also when it stopped."""
    commands.run(live, "watch")
    commands.run(live, f"record {tmp_path}")
    assert text(live).rstrip().endswith("watching 0  ● recording")
    live.recording.problem = "disk full"
    assert "✗ recording" in text(live)


def test_the_end(live):
    """When the program is gone there is no rate."""
    live.target.end()
    live.pump()
    assert "ENDED" in text(live)
    assert "calls/s" not in text(live)


@pytest.mark.parametrize("width", [10, 40, 60, 80])
def test_narrow(live, width):
    """What matters least is left out; name, state and recording never are."""
    commands.run(live, "watch")
    said = text(live, width)
    assert "sample-search" in said
    assert "LIVE" in said
    assert "watching" not in said
    assert len(said.rstrip()) <= max(width, 25)


def test_hostile_names():
    """A program's name is escaped."""
    target = synthetic.FakeTarget([], state="live")
    target.info = replace(target.info, session=structs.replace(target.info.session, program="x\x1b[2J"))
    assert "x\\x1b[2J" in text(Session(target))
