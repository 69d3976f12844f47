"""Colours and shared `Style` objects: one accent, amber for attention, red for failure, a stable colour per service.

How a widget uses it: it takes a colour or a look from here (`SOFT`, `style(AMBER, bold=True)`) and draws with it as if
there were only the dark theme and all of Unicode. `console.tui.paint` turns these colours into those of the theme, and
glyphs into ASCII, when a line goes to the terminal: so no strip, no cache and no widget knows about themes. A colour
that is not named here would stay as it is in every theme, so there is none (a test looks for them); a new one needs its
counterpart in each table of `console.tui.themes`, a new glyph its one in `console.tui.glyphs`.

Styles are made once and shared: a frame with a style of its own for every segment costs three times as much to paint.
"""

from functools import cache
from zlib import crc32

from rich.style import Style

GROUND = "#10151c"
RAISED = "#161d28"
BAR = "#1a2331"
SELECTED = "#20314d"
RULE = "#2a3442"
FAINT = "#4b5668"
DIM = "#7d8798"
PLAIN = "#c9d0da"
BRIGHT = "#f2f5f9"
ACCENT = "#82b4ff"
AMBER = "#ffc46b"
RED = "#ff6b6b"
GREEN = "#7ddc8f"
QUEUED = "#556072"
WAITING = "#5f74a6"
ELSEWHERE = "#a58a5c"
QUEUE_GROUND = "#222b39"
WAITING_GROUND, ELSEWHERE_GROUND = "#35436a", "#5f5136"
"""Below the labels of long waits."""
WHITE, WAITING_LIT, ELSEWHERE_LIT = "#ffffff", "#a9bbec", "#e6c78d"
"""The selected call."""
INK = "#0b0f14"
"""Text on a coloured ground."""
MINIMAP = "#3d4a5f"
VIOLET = "#cfa4ff"

SERVICES = (
    "#8cc4e8", "#c2b0a0", "#62d4dc", "#d9c593", "#cfa4ff", "#f29ac4",
    "#b7bf66", "#93a5ff", "#7dd88f", "#e09be8", "#58c7a4", "#9fe0c0",
)  # fmt: skip
"""Apart from each other and from accent, amber and red."""
NO_SERVICE = "#9aa5b5"


_shared: dict[Style, Style] = {}
"""Each style that was ever made. Of two equal ones Textual would look up the second anew for each segment of it."""


@cache
def style(color: str = PLAIN, ground: str = GROUND, *, bold: bool = False, underline: bool = False) -> Style:
    """The one shared `Style` of this look; each has a ground, because Line API strips are painted as they are."""
    return only(Style(color=color, bgcolor=ground, bold=bold, underline=underline))


@cache
def on(base: Style, ground: str) -> Style:
    """The same style on another ground."""
    return only(base + Style(bgcolor=ground))


@cache
def acting(base: Style, action: str) -> Style:
    """The same style, running a Textual action when clicked; only for actions written in this program."""
    return only(base + Style.from_meta({"@click": action}))


def only(made: Style) -> Style:
    """The one that was the first to be equal to MADE, however each was asked for."""
    return _shared.setdefault(made, made)


TEXT = style()
SOFT = style(DIM)
HIDDEN = style(FAINT)
STRONG = style(BRIGHT, bold=True)
KEY = style(ACCENT, bold=True)
LINK = style(ACCENT)
WARN = style(AMBER)
FAILED = style(RED)
GOOD = style(GREEN)


class ServiceColors:
    """Gives each service a colour: by its name, so that it is the same tomorrow, without clashes if there is room."""

    def __init__(self) -> None:
        self._slots: dict[str, int] = {}

    def color(self, service: str) -> str:
        """The colour of SERVICE; grey for threads of no service."""
        if not service:
            return NO_SERVICE
        slot = self._slots.get(service)
        if slot is None:
            slot = self._slots[service] = self._choose(service)
        return SERVICES[slot]

    def style(self, service: str, *, bold: bool = False) -> Style:
        """Text in the colour of SERVICE."""
        return style(self.color(service), bold=bold)

    def _choose(self, service: str) -> int:
        first = (crc32(service.encode("utf-8", "replace")) >> 8) % len(SERVICES)
        taken = set(self._slots.values())
        order = [(first + step) % len(SERVICES) for step in range(len(SERVICES))]
        return next((slot for slot in order if slot not in taken), first)
