"""The screens under ten thousand random keys, clicks, drags and sizes."""

from pathlib import Path

import pytest

from tests.console.tui import monkey
from tests.console.tui.driving import Driver, drive, target


@pytest.mark.parametrize("seed", range(4))
def test_ten_thousand_events_do_no_harm(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of them each, on live programs and recordings in turn: no exception, no hang, a whole screen."""
    monkeypatch.chdir(tmp_path)  # an export may be asked for

    async def test(driver: Driver) -> None:
        await monkey.play(driver, seed=100 + seed, count=2_500)

    drive(test, target(state="live" if seed % 2 else "recorded"))
