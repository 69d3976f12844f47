"""What goes to the terminal in each theme, with and without ASCII."""

import pytest
from rich.segment import Segment
from textual.color import Color

from console.appearance import Appearance
from console.tui import look, paint
from console.tui.themes import DARK, LIGHT, MONO, THEMES
from tests.console.tui.driving import SMALL, Driver, drive, target

BLACK = Color(0, 0, 0)


def painted(segment: Segment, name: str, *, ascii_only: bool = False) -> Segment:
    segments = [segment]
    for each in paint.filters(THEMES[name], ascii_only=ascii_only):
        segments = each.apply(segments, BLACK)
    return segments[0]


def test_the_default_costs_nothing() -> None:
    """The dark theme in all of Unicode goes through no filter."""
    assert paint.filters(DARK, ascii_only=False) == []


def test_a_style_is_made_once_and_shared() -> None:
    """Two lines with one look have one style object, and a click still does what it did."""
    clickable = look.acting(look.SOFT, "app.help")
    theme = paint.filters(LIGHT, ascii_only=False)[0]
    (one,), (other,) = (theme.apply([Segment(text, clickable)], BLACK) for text in ("a", "b"))
    assert one.style is other.style
    assert one.style is not None
    assert one.style.color is not None
    assert one.style.color.name == LIGHT[look.DIM]
    assert one.style.meta == clickable.meta


@pytest.mark.parametrize(
    ("style", "attribute"),
    [
        (look.style(look.RED), "bold"),
        (look.SOFT, "dim"),
        (look.style(look.BRIGHT, look.SELECTED), "reverse"),
        (look.style(look.INK, look.SERVICES[0]), "reverse"),
    ],
)
def test_without_colours_attributes_say_it(style: object, attribute: str) -> None:
    """Failures are bold, what is not news is dim, selections are reversed, and no colour is left."""
    made = painted(Segment("x", style), "mono").style  # type: ignore[arg-type]  # a rich Style
    assert made is not None
    assert getattr(made, attribute)
    assert made.color is None
    assert made.bgcolor is None


def colors(driver: Driver) -> set[str]:
    strips = driver.app.screen._compositor.render_strips()
    found = [part for strip in strips for _, style, _ in strip if style for part in (style.color, style.bgcolor)]
    return {part.name for part in found if part is not None}


@pytest.mark.parametrize("mode", ["1", "2", "3", "question_mark", "ctrl+p", "colon"])
def test_ascii_reaches_every_screen(mode: str) -> None:
    """With --ascii no line of any screen, list, palette or bar has a glyph beyond ASCII."""

    async def test(driver: Driver) -> None:
        await driver.press(mode)
        await driver.until(lambda: all(line.isascii() for line in driver.lines()))
        assert driver.text().strip()

    drive(test, appearance=Appearance(ascii_only=True))


def test_a_theme_is_chosen_in_the_palette() -> None:
    """Ctrl+P, its name, Enter: every colour on the screen is of the theme then."""

    async def test(driver: Driver) -> None:
        await driver.press("ctrl+p")
        await driver.type("theme light")
        await driver.press("enter")
        await driver.until(lambda: driver.app.theme == "light" and LIGHT[look.GROUND] in colors(driver))
        await driver.until(lambda: not colors(driver) & {look.GROUND, look.PLAIN, look.RAISED, look.DIM})

    drive(test)


def test_no_color_means_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR overrules the theme: what is drawn by hand has no colour at all, not even grey."""
    monkeypatch.setenv("NO_COLOR", "1")

    async def test(driver: Driver) -> None:
        await driver.sees("index.file")
        assert driver.app.theme == MONO.name
        assert not colors(driver)

    drive(test, target(), SMALL, appearance=Appearance(theme="light"))
