"""Glyphs in ASCII: one cell for one cell, whatever comes."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import console
from console.appearance import Appearance
from console.tui.glyphs import GLYPHS, to_ascii
from tests.console.tui.driving import SMALL, Driver, drive


@given(st.text())
def test_any_text_becomes_ascii_in_as_many_cells(text: str) -> None:
    """Accents are lost, what has no counterpart is a `?` a cell, and nothing moves."""
    made = to_ascii(text)
    assert made.isascii()
    assert len(made) == sum(1 if char.isascii() else cell_len(char) for char in text)


def test_a_name_keeps_its_letters() -> None:
    """What a person can still read stays: letters without their accents."""
    assert to_ascii("Zoë's café 日本 … ok") == "Zoe's cafe ???? ~ ok"


def test_every_glyph_that_the_console_draws_is_in_the_table() -> None:
    """None of our own becomes a question mark."""
    folder = Path(console.__file__).parent
    files = [*(folder / "tui").rglob("*.py"), folder / "format.py", *(folder / "render").glob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    assert set(re.findall(r"[^\x00-\x7f]", text)) - set(GLYPHS) <= set("ëé")
    assert all(len(made) == 1 and made.isascii() and cell_len(glyph) == 1 for glyph, made in GLYPHS.items())


def test_the_enter_key_is_a_word_where_there_is_only_ascii() -> None:
    """`<` would be another key; with all of Unicode its sign is shorter."""

    async def test(driver: Driver) -> None:
        await driver.press("6")
        await driver.sees("Enter proof" if driver.app.ascii_only else "⏎ proof")

    drive(test, size=SMALL)
    drive(test, size=SMALL, appearance=Appearance(ascii_only=True))
