"""The screens in a real browser."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from bus import Bus, Service, command, lanes
from bus.trace.records import Call
from console.target.attached import AttachedTarget
from console.target.discover import find
from tests.e2e.browser import Browser, chromium


class Shop(Service):
    @command("sell")
    def sell(self, item: str) -> str:
        return f"sold {item}"

    @command("pack")
    def pack(self) -> int:
        return sum(range(2_000_000))


@pytest.fixture
def shop(monkeypatch, tmp_path):
    chromium()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "r"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    # Without the lanes of threads that other tests had: the timeline would begin with them.
    with mock.patch.dict(lanes.lanes, clear=True), Bus("shop", trace="full") as bus:
        bus.add(Shop("shop"))
        bus.serve()
        for _ in range(10):
            bus.execute_command("pack").result()
        yield bus


@pytest.fixture
def address(shop):
    argv = [sys.executable, "-m", "console", "web", "shop", "--port", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        yield re.search(r"http://\S+", server.stdout.readline())[0]
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=20)


def test_the_timeline_draws_and_a_command_executes(address: str, tmp_path: Path) -> None:
    """Typed in Chromium, done in the program, by whom is recorded, and its answer is on the page."""

    async def look() -> tuple[bytes, bytes]:
        async with Browser(tmp_path) as page:
            await page.open(address)
            await page.see("LIVE")
            await page.see("sell")
            await page.click(600, 560)
            commands = await page.picture()
            await page.type("3")
            await page.see("computing")
            await page.see("shop-0")
            await page.type(":sell tea\n")
            await page.see("sold tea")
            timeline = await page.picture()
            for picture in (commands, timeline):
                colours, drawn = await page.colours(picture)
                assert colours > 8, "text and bars in their colours"
                assert drawn > 0.03, "a blank page has less"
            return commands, timeline

    commands, timeline = asyncio.run(look())
    assert commands != timeline
    target = AttachedTarget(find("shop").socket, "read")
    calls: list[Call] = []
    while not any(call.name == "sell" for call in calls):
        calls += [one for batch in target.drain() for one in batch.records if isinstance(one, Call)]
    target.close()
    (sold,) = (call for call in calls if call.name == "sell")
    assert (sold.by, sold.client.split(":")[0]) == ("console", str(os.geteuid()))
