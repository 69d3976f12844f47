"""Random keys, clicks, drags, wheels and sizes, the same ones for the same seed, over every screen."""

import random
from contextlib import suppress
from typing import Final

from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import OutOfBounds

from tests.console.tui.driving import Driver

SIZES: Final = ((300, 80), (160, 45), (80, 24), (40, 10), (20, 4), (200, 12))
KEYS: Final = (
    *"1234567abcdefghijklmnoprstuvwxyz0", *"SGLNV", "space", "slash", "colon", "comma", "full_stop", "question_mark",
    "left_square_bracket", "right_square_bracket", "plus", "minus", "quotation_mark", "equals_sign", "underscore",
    "up", "down", "left", "right", "shift+left", "shift+right", "pageup", "pagedown", "home", "end", "enter", "escape",
    "tab", "shift+tab", "backspace", "delete", "ctrl+p", "ctrl+r", "ctrl+t", "ctrl+u", "ctrl+up", "ctrl+down", "q",
    "ctrl+c", "f5", "ä", "日",
)  # fmt: skip
_SHOWN_ROUNDS = 25
"""Every so many events it is looked whether the screen is whole, and another screen is gone to."""


async def play(driver: Driver, seed: int, count: int) -> None:
    """COUNT events; after some of them the screen must have as many lines as the terminal, each as wide."""
    chance = random.Random(seed)
    driver.app.exit = lambda *_args, **_more: None  # type: ignore[method-assign]  # or the first q ends it
    for number in range(count):
        if number % _SHOWN_ROUNDS == 0:
            await _look(driver)
            await driver.pilot.press("escape", "escape", chance.choice("1234567"))
        event = chance.choices((_press, _click, _drag, _wheel, _resize), (70, 12, 5, 8, 2))[0]
        with suppress(OutOfBounds):  # the screen became smaller than where the mouse was
            await event(driver, chance)
    await _look(driver)


async def _look(driver: Driver) -> None:
    await driver.pilot.pause()
    lines = driver.lines()
    _, height = driver.app.size
    assert len(lines) == height
    assert driver.app.is_running
    assert driver.app._exception is None


async def _press(driver: Driver, chance: random.Random) -> None:
    await driver.pilot.press(chance.choice(KEYS))


async def _click(driver: Driver, chance: random.Random) -> None:
    await driver.pilot.click(offset=_place(driver, chance), times=chance.choice((1, 1, 1, 2)))


async def _drag(driver: Driver, chance: random.Random) -> None:
    await driver.pilot.mouse_down(offset=_place(driver, chance))
    await driver.pilot.hover(offset=_place(driver, chance))
    await driver.pilot.mouse_up(offset=_place(driver, chance))


async def _wheel(driver: Driver, chance: random.Random) -> None:
    await driver.pilot._post_mouse_events(
        [chance.choice((MouseScrollUp, MouseScrollDown))], None, _place(driver, chance), shift=chance.random() < 0.3
    )


async def _resize(driver: Driver, chance: random.Random) -> None:
    await driver.pilot.resize_terminal(*chance.choice(SIZES))


def _place(driver: Driver, chance: random.Random) -> tuple[int, int]:
    width, height = driver.app.size
    return chance.randrange(max(1, width)), chance.randrange(max(1, height))
