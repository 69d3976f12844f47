"""The themes: complete, readable, and in the safe pair apart for every eye."""

import re
from pathlib import Path

import pytest

import console.tui
from console.appearance import THEME_NAMES
from console.tui import look
from console.tui.themes import DARK, THEMES, ColorTheme
from tests.console.tui.vision import EYES, closest, contrast

COLORED = [theme for theme in THEMES.values() if theme.has_colors]
NAMED = {name: value for name, value in vars(look).items() if isinstance(value, str) and value.startswith("#")}


def meanings(theme: ColorTheme) -> list[str]:
    return [theme[color] for color in (look.RED, look.AMBER, look.ACCENT, look.GREEN)]


def services(theme: ColorTheme) -> list[str]:
    return [theme[color] for color in look.SERVICES]


def test_the_command_line_offers_what_there_is() -> None:
    """The names that can be given are those of the themes, in their order."""
    assert tuple(THEMES) == THEME_NAMES


def test_every_colour_that_is_drawn_with_is_in_the_look() -> None:
    """No file but the look and the themes writes a colour: it would be the same in every theme."""
    folder = Path(console.tui.__file__).parent
    found = [
        f"{path.name}: {color}"
        for path in folder.rglob("*")
        if path.suffix in {".py", ".tcss"} and path.name not in {"look.py", "themes.py"}
        for color in re.findall(r"#[0-9a-fA-F]{6}\b", path.read_text(encoding="utf-8"))
    ]
    assert not found


@pytest.mark.parametrize("theme", COLORED, ids=lambda theme: theme.name)
def test_a_theme_has_a_colour_for_each_of_the_look(theme: ColorTheme) -> None:
    """Named colours and services; a theme on a light ground leaves none of them as it was."""
    assert set(theme.colors) >= {*NAMED.values(), *look.SERVICES}
    if not theme.dark:
        same = [name for name, color in NAMED.items() if theme[color] == color]
        assert not same


@pytest.mark.parametrize("theme", COLORED, ids=lambda theme: theme.name)
def test_a_colour_that_was_made_is_not_made_again(theme: ColorTheme) -> None:
    """Textual's own widgets bring the theme's colours already: none of them is one of the look with another meaning."""
    assert not [color for color in theme.colors.values() if theme[color] != color]


@pytest.mark.parametrize("theme", COLORED, ids=lambda theme: theme.name)
def test_text_can_be_read(theme: ColorTheme) -> None:
    """Contrast of at least 7 for text, 4.5 for what is softer or means something, 3.5 for a service, 2.5 for hints."""
    ground = theme[look.GROUND]
    assert min(contrast(theme[color], ground) for color in (look.PLAIN, look.BRIGHT)) >= 7
    assert min(contrast(color, ground) for color in [theme[look.DIM], *meanings(theme)]) >= 4.4
    assert min(contrast(color, ground) for color in services(theme)) >= 3.5
    assert contrast(theme[look.FAINT], ground) >= 2.4
    assert min(contrast(theme[look.INK], color) for color in services(theme)) >= 3.5
    assert contrast(theme[look.BRIGHT], theme[look.SELECTED]) >= 7


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("name", ["safe-dark", "safe-light"])
def test_the_safe_pair_is_apart_for_every_eye(name: str, eye: str) -> None:
    """Failure, attention, accent and success, and any two services, differ by more than is just noticeable (2.3)."""
    assert closest(meanings(THEMES[name]), eye) >= 14
    assert closest(services(THEMES[name]), eye) >= 8


def test_the_ordinary_dark_theme_is_the_look_itself() -> None:
    """Nothing has to be made of it, so it costs nothing."""
    assert all(color == made for color, made in DARK.colors.items())
