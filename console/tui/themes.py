"""The themes: for every colour of the look, what stands in its place. Pure.

The look is written in the colours of the dark theme; another theme is a table from those to its own. In the safe pair
failure, attention, accent and success stay apart for people who see red and green alike, as do the services.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from console.tui import look


class ColorTheme(Struct, frozen=True):
    """A name to choose it by, what it is, and its colours: those of the look to its own, all of them."""

    name: str
    about: str
    dark: bool
    colors: Mapping[str, str]
    has_colors: bool = True

    def __getitem__(self, color: str) -> str:
        """What stands in the place of COLOR; the same for one that is not of the look."""
        return self.colors.get(color, color)


def _table(services: tuple[str, ...], **changed: str) -> Mapping[str, str]:
    """The colours that are CHANGED, by their names in the look; the others stay."""
    colors = {value: value for value in _named().values()}
    colors |= dict(zip(look.SERVICES, services, strict=True))
    return MappingProxyType(colors | {getattr(look, name): value for name, value in changed.items()})


def _named() -> dict[str, str]:
    """All colours of the look that have a name."""
    return {name: value for name, value in vars(look).items() if isinstance(value, str) and value.startswith("#")}


_LIGHT_BASE: Final = {
    "GROUND": "#fafaf7", "RAISED": "#edeff1", "BAR": "#e3e7ec", "SELECTED": "#cfe0f8", "RULE": "#cbd1d8",
    "FAINT": "#8d96a3", "DIM": "#5b6674", "PLAIN": "#2b323b", "BRIGHT": "#0e1116", "NO_SERVICE": "#66707d",
    "QUEUED": "#9aa4b2", "WAITING": "#7288bd", "ELSEWHERE": "#a8843c", "QUEUE_GROUND": "#e2e5ea",
    "WAITING_GROUND": "#cfd8f0", "ELSEWHERE_GROUND": "#efe0bf",
    "WHITE": "#050608", "WAITING_LIT": "#30468a", "ELSEWHERE_LIT": "#6b4d0e", "INK": "#fdfdfb", "MINIMAP": "#b3bcc8",
}  # fmt: skip

DARK: Final = ColorTheme("dark", "light on dark", dark=True, colors=_table(look.SERVICES))
LIGHT: Final = ColorTheme(
    "light", "dark on light", dark=False,
    colors=_table(
        ("#1c5c7c", "#6b4929", "#1d8973", "#768038", "#7a3fa8", "#bf2972",
         "#5c6b12", "#3a3ec4", "#158e1b", "#a8209f", "#0f7a5a", "#47806a"),
        **_LIGHT_BASE, ACCENT="#1f5fbf", AMBER="#955800", RED="#c4242b", GREEN="#1d7a3a",
    ),
)  # fmt: skip
SAFE_DARK: Final = ColorTheme(
    "safe-dark", "light on dark, for eyes that see red and green alike", dark=True,
    colors=_table(
        ("#b0cafa", "#dac6ad", "#9192d1", "#f7ea79", "#998cf0", "#c7729a",
         "#cfc43b", "#8b70f6", "#9ccc78", "#d06750", "#f6fab8", "#c77070"),
        ACCENT="#4f97e8", AMBER="#fcd92d", RED="#f47a45", GREEN="#b5e7ed",
    ),
)  # fmt: skip
SAFE_LIGHT: Final = ColorTheme(
    "safe-light", "dark on light, for eyes that see red and green alike", dark=False,
    colors=_table(
        ("#2586d7", "#5c442b", "#468c88", "#3c1d19", "#1e22dc", "#255e86",
         "#4e8652", "#304fcd", "#195253", "#191483", "#1d1542", "#164894"),
        **_LIGHT_BASE, ACCENT="#163f8f", AMBER="#8a7300", RED="#8f2200", GREEN="#2f8078",
    ),
)  # fmt: skip
MONO: Final = ColorTheme(
    "mono", "no colours: bold, dim and reverse only, as with NO_COLOR", dark=True, colors=DARK.colors, has_colors=False
)

THEMES: Final[Mapping[str, ColorTheme]] = MappingProxyType(
    {theme.name: theme for theme in (DARK, LIGHT, SAFE_DARK, SAFE_LIGHT, MONO)}
)
"""All themes by name, in the order in which they are offered."""


def css_variables(theme: ColorTheme) -> dict[str, str]:
    """What the stylesheet calls THEME's colours: `$ground`, `$bright`, … by their names in the look, in lower case."""
    return {f"look-{name.lower().replace('_', '-')}": theme[value] for name, value in _named().items()}
