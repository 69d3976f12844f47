"""What stands in the place of every glyph beyond ASCII where the terminal or its font knows only ASCII. Pure.

All glyphs that this program draws are in the table. Other characters, which come from the program that is looked at,
lose their accents, or become as many `?` as they take cells: a line stays as wide as it was.
"""

import unicodedata
from typing import Final

from rich.cells import get_character_cell_size

GLYPHS: Final = {
    "█": "#", "▓": "%", "▒": "=", "░": ":",
    "▁": "_", "▂": "_", "▃": ".", "▄": "-", "▅": "-", "▆": "+", "▇": "*",
    "▏": "|", "▎": "|", "▍": "|", "▌": "[", "▋": "[", "▊": "#", "▉": "#", "▕": "|", "▐": "]",
    "✗": "x", "✓": "v", "⚠": "!", "●": "*", "○": "o", "■": "#", "◆": "+", "‖": "=", "·": "-", "•": "*",
    "▸": ">", "▶": ">", "◂": "<", "◀": "<", "▾": "v", "▴": "^", "▼": "v", "▲": "^", "›": ">", "‹": "<",
    "→": ">", "←": "<", "↑": "^", "↓": "v", "⇄": "&", "⏎": "<", "↵": "<",
    "│": "|", "─": "-", "└": "`", "├": "|", "┌": "+", "┐": "+", "┘": "+", "┤": "|", "┬": "+", "┴": "+", "┼": "+",
    "┄": "-", "┆": ":", "━": "=", "┃": "|", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "═": "=",
    "…": "~", "–": "-", "—": "-", "×": "x", "µ": "u", "μ": "u", "“": '"', "”": '"', "\u2019": "'", "\u2018": "'",
}  # fmt: skip
"""One cell for one cell, so that nothing moves."""


class _Table(dict[int, str]):
    """For `str.translate`: what is asked for once is remembered, and there are only so many characters."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = found = char if char.isascii() else GLYPHS.get(char) or _other(char)
        return found


def _other(char: str) -> str:
    base = unicodedata.normalize("NFKD", char)[0]
    cells = get_character_cell_size(char)
    return base if base.isascii() and base.isprintable() and cells == 1 else "?" * cells


_TABLE: Final = _Table()


def to_ascii(text: str) -> str:
    """TEXT in ASCII, in as many cells."""
    return text if text.isascii() else text.translate(_TABLE)
