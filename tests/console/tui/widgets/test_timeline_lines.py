"""The lines around the lanes."""

import re

import pytest

from bus.trace.records import Session as SessionRecord
from console.tui.viewport import Viewport
from console.tui.widgets.timeline_lines import axis, legend

RECORD = SessionRecord(
    session="s", pid=1, program="p", python="3.12", start_monotonic=0, start_unix=1_700_000_000_000_000_000
)
VIEW = Viewport(start=0, cell=10_000_000, width=120)


@pytest.mark.parametrize("cursor", range(120))
def test_what_the_axis_says_is_never_written_over(cursor: int) -> None:
    """A round moment gives way to the one under the cursor: nothing is left of it that could be read as another."""
    said = axis(130, 10, VIEW, RECORD, cursor, absolute=False).text
    assert re.fullmatch(r" *(?:[│▾] ?\d+\.\d+ s *)+", said)
    assert said.count("▾") == 1


def test_the_legend_says_what_is_known() -> None:
    """Without CPU times a call that sleeps is drawn as one that computes: both are running."""
    assert "█ computing" in legend(160).text
    assert "▓ elsewhere (I/O, locks, GIL)" in legend(160).text
    without = legend(160, cpu_times=False).text
    assert "█ running" in without
    assert "elsewhere" not in without
    assert "computing" not in without
