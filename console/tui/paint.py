"""The last step before the terminal: colours become those of the theme, glyphs become ASCII where that is wanted.

Textual applies these filters to each new line once and keeps what came of it with the line. The default, the dark theme
in all of Unicode, needs none.
"""

from typing import Final

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor
from textual.filter import LineFilter
from textual.theme import Theme

from console.tui import look
from console.tui.glyphs import to_ascii
from console.tui.themes import DARK, ColorTheme, css_variables

_FAINT: Final = {look.FAINT, look.DIM, look.RULE, look.QUEUED, look.MINIMAP}
_LOUD: Final = {look.RED, look.AMBER}
_PLAIN_GROUNDS: Final = {look.GROUND, look.RAISED, look.BAR, look.QUEUE_GROUND, None}


class _Styles(dict[Style | None, Style | None]):
    """Each style of the look made into the theme's once, so that those are shared, too."""

    def __init__(self, theme: ColorTheme) -> None:
        self._theme = theme

    def __missing__(self, style: Style | None) -> Style | None:
        self[style] = made = None if style is None else look.only(self._made(style))
        return made

    def _made(self, style: Style) -> Style:
        if not self._theme.has_colors:
            return _colorless(style)
        color, ground = _hex(style.color), _hex(style.bgcolor)
        return style + Style(
            color=self._theme[color] if color else None, bgcolor=self._theme[ground] if ground else None
        )


def _hex(color: Color | None) -> str | None:
    return color.triplet.hex if color is not None and color.triplet is not None else None


def _colorless(style: Style) -> Style:
    """What colour says, in bold, dim and reverse. Failures and selections keep a glyph or a word beside it."""
    color, ground = _hex(style.color), _hex(style.bgcolor)
    made = Style(
        bold=bool(style.bold) or color in _LOUD, dim=color in _FAINT, underline=style.underline,
        reverse=bool(style.reverse) or ground not in _PLAIN_GROUNDS,
    )  # fmt: skip
    return made + Style.from_meta(style.meta) if style.meta else made


class ThemeFilter(LineFilter):
    """The colours of a theme in place of those of the look."""

    def __init__(self, theme: ColorTheme) -> None:
        super().__init__()
        self._styles = _Styles(theme)

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:  # noqa: ARG002  Textual's form
        """SEGMENTS in the theme's colours."""
        styles = self._styles
        return [Segment(text, styles[style], control) for text, style, control in segments]


class AsciiFilter(LineFilter):
    """ASCII in place of glyphs."""

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:  # noqa: ARG002  as above
        """SEGMENTS in ASCII, in as many cells."""
        return [Segment(to_ascii(text), style, control) for text, style, control in segments]


def filters(theme: ColorTheme, *, ascii_only: bool) -> list[LineFilter]:
    """What a line goes through."""
    made: list[LineFilter] = [] if theme is DARK else [ThemeFilter(theme)]
    return [*made, AsciiFilter()] if ascii_only else made


def textual_theme(theme: ColorTheme) -> Theme:
    """THEME for Textual's own widgets and the stylesheet."""
    return Theme(
        name=theme.name, dark=theme.dark, primary=theme[look.ACCENT], secondary=theme[look.DIM],
        accent=theme[look.ACCENT], warning=theme[look.AMBER], error=theme[look.RED], success=theme[look.GREEN],
        foreground=theme[look.PLAIN], background=theme[look.GROUND], surface=theme[look.RAISED],
        panel=theme[look.BAR], variables=css_variables(theme),
    )  # fmt: skip
