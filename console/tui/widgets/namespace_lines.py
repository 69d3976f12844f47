"""What stands beside the row of a namespace."""

from textual.strip import Strip

from console import format as fmt
from console.tui.lines import Line
from console.tui.look import KEY, SOFT, STRONG


def about_namespace(width: int, key: str, size: int, noun: str) -> list[Strip]:
    """How many it has, and how to see them."""
    keys = Line(width).put("Enter", KEY).put(" opens and closes it   ", SOFT)
    keys.put("/", KEY).put(" finds a name in all", SOFT)
    return [
        Line(width).put(key, STRONG).put(f"  {fmt.plural(size, noun)}", SOFT).strip(),
        keys.strip(),
    ]
