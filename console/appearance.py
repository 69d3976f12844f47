"""What the command line and the screens agree on: light enough to be read before any UI library is."""

from pathlib import Path

import platformdirs
from msgspec import Struct

THEME_NAMES = ("dark", "light", "safe-dark", "safe-light", "mono")
"""What `console.tui.themes` has, in its order."""
ATTACH_AGAIN = -1
"""What the screens return when the person wants to attach to the program that runs again."""


class Appearance(Struct, frozen=True):
    """`theme`: one of THEME_NAMES; NO_COLOR in the environment overrules it. `ascii_only`: no glyph beyond ASCII."""

    theme: str = THEME_NAMES[0]
    ascii_only: bool = False


def config_path() -> Path:
    """Where the user's config file is, if there is one. `console.config` reads it."""
    return platformdirs.user_config_path("bus-console", appauthor=False) / "config.toml"


def remembered_theme() -> str:
    """The theme that was chosen in the palette last; "" where none was, or it is none of ours any more."""
    try:
        name = _memory().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return name if name in THEME_NAMES else ""


def remember_theme(name: str) -> None:
    """Begin with the theme NAME the next time. Where that cannot be kept, it is chosen again: nothing else is lost."""
    path = _memory()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    except OSError:
        return


def _memory() -> Path:
    return platformdirs.user_state_path("bus-console", appauthor=False) / "theme"
