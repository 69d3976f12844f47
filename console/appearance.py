"""What the command line and the screens agree on: light enough to be read before any UI library is."""

from dataclasses import dataclass

THEME_NAMES = ("dark", "light", "safe-dark", "safe-light", "mono")
"""What `console.tui.themes` has, in its order."""
ATTACH_AGAIN = -1
"""What the screens return when the person wants to attach to the program that runs again."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """`theme`: one of THEME_NAMES; NO_COLOR in the environment overrules it. `ascii_only`: no glyph beyond ASCII."""

    theme: str = THEME_NAMES[0]
    ascii_only: bool = False
