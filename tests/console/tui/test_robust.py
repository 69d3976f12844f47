"""What nobody does on purpose: sizes, floods of keys, hostile text, a program that did nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input

from bus.attach.protocol import Batch
from bus.trace.records import AnyRecord, Call, Entry, Error, Lane, Output, Parameter, Problem, State
from console.tui.app import ConsoleApp
from console.tui.screens.base import TABS
from tests import synthetic
from tests.console.tui import monkey
from tests.console.tui.driving import LARGE, SMALL, Driver, drive, played, target
from tests.hostile import EVERY, TEXTS, is_harmless

MODES = [mode for mode, _, _ in TABS]


@pytest.mark.parametrize("state", ["live", "recorded"])
def test_random_keys_and_mouse_do_no_harm(state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred events over every screen: no exception, no hang, and the screen stays whole."""
    monkeypatch.chdir(tmp_path)  # an export may be asked for

    async def test(driver: Driver) -> None:
        await monkey.play(driver, seed=len(state), count=100)

    drive(test, target(state=state))  # type: ignore[arg-type]  # one of the states


def test_resizing_under_load_keeps_every_screen_whole() -> None:
    """From 300×80 to 40×10 and back while calls come in, on each screen."""
    batches = played(3_000)

    async def test(driver: Driver) -> None:
        for mode in MODES:
            await driver.app.action_show(mode)
            for size in ((300, 80), (40, 10), (120, 30), (20, 5), (300, 80)):
                await driver.pilot.resize_terminal(*size)
                await driver.pilot.pause(0.05)
                lines = driver.lines()
                assert len(lines) == size[1]
                assert "sample-search"[: size[0] - 2] in lines[0]

    drive(test, synthetic.FakeTarget(batches, state="live", stepwise=True))


def hostile_records() -> Iterator[AnyRecord]:
    """A program in which everything that it can name, say, raise or print is hostile."""
    at = synthetic.START
    for number, (kind, text) in enumerate(TEXTS.items(), 1):
        name, lane = f"{kind}.{text}", 100 + number
        parameter = Parameter(name=text, kind="keyword_only", annotation=text, default=text)
        error = Error(text, EVERY, f'Traceback:\n  File "{text}"\n{text}')
        yield Lane(key=lane, name=text, service=text)
        yield State(service=text, state="failed", at=at, error=EVERY)
        yield Entry(
            entry=2 * number, kind="command", name=name, service=text, parameters=(parameter,), returns=text, doc=EVERY,
            where=text, callback=text,
        )  # fmt: skip
        yield Entry(entry=2 * number + 1, kind="listener", name=f"e.{name}", service=text, where=text, callback=text)
        began, ended = at + number * 1_000_000, at + number * 1_000_000 + 900_000
        given = {"root": number, "service": text, "lane": lane, "queued": began, "started": began, "ended": ended}
        yield Call(id=number, kind="command", name=name, outcome="error", error=error, args=EVERY, client=text, **given)
        yield Call(
            id=1_000 + number, parent=number, kind="event", name=f"e.{name}", outcome="ok", args=EVERY, result=text,
            **{**given, "started": began, "ended": began, "queued": began},
        )  # fmt: skip
        yield Problem(rule=text, at=began, text=EVERY, calls=(number,))
        yield Output(at=began, stream="log", text=EVERY, level=text, lane=lane, call=number)


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_hostile_text_is_only_text_on_every_screen(size: tuple[int, int]) -> None:
    """In lists, details, lanes, forms, the bar and the palette: nothing that a terminal or a click would obey."""
    records = (*synthetic.preamble(), *hostile_records())
    batch = Batch(at=synthetic.START + 1_000_000_000, records=records, snapshot_done=True)

    async def test(driver: Driver) -> None:
        for mode in MODES:
            await driver.app.action_show(mode)
            for keys in (("home", "down"), ("enter",), ("down", "down"), ("y",), ("escape",), ("end",), ("x",), ("escape",)):  # fmt: skip # noqa: E501
                await driver.press(*keys)
                await driver.pilot.pause(0.05)
                assert is_harmless(driver.text()), mode
        await driver.press("3", "0", "f")
        driver.app.show_call(1)
        await driver.sees("#1")
        assert is_harmless(driver.text())
        assert is_harmless(driver.app.clipboard)
        await driver.press("escape", "ctrl+p")
        driver.app.screen.query_one(Input).value = "c"
        await driver.pilot.pause(0.3)
        assert is_harmless(driver.text())
        assert driver.app.is_running

    drive(test, target([batch]), size)


@pytest.mark.parametrize("state", ["live", "recorded", "ended"])
def test_a_session_without_a_call_says_what_to_do(state: str) -> None:
    """Every screen is there, says something, and survives its keys."""

    async def test(driver: Driver) -> None:
        for mode in MODES:
            await driver.app.action_show(mode)
            await driver.press("down", "enter", "x", "s", "f", "0", "v", "g", "y", "t", "w", "escape", "escape")
            await driver.until(lambda: len([line for line in driver.lines() if line.strip(" │")]) >= 5)
            assert driver.app._exception is None

    empty = Batch(at=synthetic.START, records=(), snapshot_done=True)
    drive(test, target([empty], state))  # type: ignore[arg-type]  # one of the states


def test_a_program_that_is_silent_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes, though something comes twenty times a second from a program that runs: the bar says so."""

    async def test(driver: Driver) -> None:
        await driver.sees("index.file")
        session = driver.app.session
        monkeypatch.setattr(type(session), "silence", property(lambda _: 4_200_000_000))
        await driver.sees("no news for 4 s: the program may be stopped")
        monkeypatch.setattr(type(session), "silence", property(lambda _: 0))
        await driver.misses("no news")

    drive(test)


def test_tasks_begin_in_their_turn() -> None:
    """On every Python: where Textual lets them begin at once, from 3.12 on, the console ended as it began."""

    async def test(_: Driver) -> None:
        began = []

        async def task() -> None:
            began.append(True)

        made = asyncio.get_running_loop().create_task(task())
        assert not began
        await made
        assert began

    drive(test)


def test_every_mode_has_a_tab() -> None:
    """No screen can be reached by its key alone."""
    assert set(ConsoleApp.MODES) == set(MODES)
