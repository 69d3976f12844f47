"""Rich renderables (`console.render`) as strips in this UI's colours."""

from functools import cache

from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from console.tui.look import ACCENT, AMBER, BRIGHT, DIM, GREEN, PLAIN, RED, VIOLET, style

_COLORS = {"green": GREEN, "red": RED, "cyan": ACCENT, "yellow": AMBER, "magenta": VIOLET, "blue": ACCENT}


def strips(renderable: RenderableType, width: int) -> list[Strip]:
    """RENDERABLE in lines of WIDTH cells."""
    console = Console(width=max(1, width), color_system="truecolor", force_terminal=True, _environ={})
    lines = console.render_lines(renderable, console.options.update_width(max(1, width)), pad=False)
    return [_strip(line, width) for line in lines]


def _strip(line: list[Segment], width: int) -> Strip:
    return Strip([Segment(text, _look(look)) for text, look, _ in line]).adjust_cell_length(width, style())


@cache
def _look(look: Style | None) -> Style:
    """Named colours and "dim" in the colours of this UI, on its ground."""
    if look is None:
        return style()
    name = look.color.name.removeprefix("bright_") if look.color else ""
    color = _COLORS.get(name, BRIGHT if look.bold else PLAIN)
    return style(DIM if look.dim else color, bold=bool(look.bold), underline=bool(look.underline))
