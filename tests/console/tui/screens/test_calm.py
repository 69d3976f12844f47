"""Lists of many rows: shown in slices, with keys handled between two of them."""

from collections.abc import Callable

import pytest
from textual import events

from console.model.slices import Sliced
from console.model.views import CommandRow
from console.tui import messages
from console.tui.screens.commands import CommandsScreen
from console.tui.widgets.rows import RowList
from tests.console.tui.driving import Driver, batch, drive, target
from tests.console.tui.screens.test_commands import many_commands


class Watched:
    """How often the commands were gathered; after the first slice of the first time, `between` is done."""

    def __init__(self, driver: Driver, monkeypatch: pytest.MonkeyPatch, between: Callable[[], None]) -> None:
        self.times = 0
        self._between = between
        self._gathering = driver.app.session.gathering_commands
        monkeypatch.setattr(driver.app.session, "gathering_commands", self._watched)

    def _watched(self) -> Sliced[list[CommandRow]]:
        self.times += 1
        work = self._gathering()
        next(work)
        if self.times == 1:
            self._between()
        yield
        return (yield from work)


def rows(driver: Driver) -> RowList[CommandRow]:
    return driver.app.screen.query_one(RowList)


def test_a_key_is_handled_while_many_rows_are_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor has moved when they are shown."""

    async def test(driver: Driver) -> None:
        await driver.sees("▸ area00.* 50")
        shown, show, before = list[str](), rows(driver).show, rows(driver).selected

        def note(*given: object, **more: object) -> None:
            if watched.times:  # another one may still have been under way
                shown.append(rows(driver).selected)
            show(*given, **more)  # type: ignore[arg-type]

        watched = Watched(driver, monkeypatch, lambda: driver.app.post_message(events.Key("down", None)) and None)
        monkeypatch.setattr(rows(driver), "show", note)
        await driver.until(lambda: shown)
        assert shown[0] != before

    drive(test, target([batch(*many_commands())]))


def test_what_is_asked_for_meanwhile_is_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter that comes while rows are worked out is not overwritten by them, nor later; an order is kept, too."""

    async def test(driver: Driver) -> None:
        await driver.sees("▸ area00.* 50")
        screen = driver.app.screen
        watched = Watched(driver, monkeypatch, lambda: screen.post_message(messages.FilterChanged("work017")) and None)
        await driver.sees("area10.work0170", "area19.work0179")
        await driver.until(lambda: watched.times >= 4)
        assert sorted(rows(driver).keys) == [f"area{number % 20}.work{number:04}" for number in range(170, 180)]
        await driver.press("s")
        await driver.until(lambda: rows(driver).keys == sorted(rows(driver).keys))
        await driver.press("S")
        await driver.until(lambda: rows(driver).keys == sorted(rows(driver).keys, reverse=True))
        await driver.press("escape")
        await driver.sees("▸ area00.* 50", "▸ area19.* 50")

    drive(test, target([batch(*many_commands())]))


def test_a_frozen_view_takes_no_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is worked out until it goes on."""

    async def test(driver: Driver) -> None:
        await driver.sees("▸ area00.* 50")
        await driver.press("space")
        await driver.sees("FROZEN")
        watched = Watched(driver, monkeypatch, lambda: None)
        frames = driver.app.frames
        await driver.until(lambda: driver.app.frames > frames + 12)
        assert watched.times == 0
        await driver.press("space")
        await driver.until(lambda: watched.times >= 2)

    drive(test, target([batch(*many_commands())]))


def test_who_leaves_while_many_rows_are_worked_out_just_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The widgets go one by one then, and rows for one that is gone are nobody's."""

    async def test(driver: Driver) -> None:
        await driver.sees("▸ area00.* 50")
        screen, gathering = driver.app.screen, driver.app.session.gathering_commands
        assert isinstance(screen, CommandsScreen)

        def leaving() -> Sliced[list[CommandRow]]:
            driver.app._running = False  # as the app does first of all
            rows(driver).remove()
            while screen.query(RowList):
                yield
            return (yield from gathering())

        monkeypatch.setattr(driver.app.session, "gathering_commands", leaving)
        await driver.until(lambda: not screen.query(RowList) and not screen._under_way)

    drive(test, target([batch(*many_commands())]))
