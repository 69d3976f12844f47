"""The styles of what is printed as rich renderables, by what they mean."""

from typing import Final

GOOD: Final = "green"
BAD: Final = "red"
WARN: Final = "yellow"
NEWS: Final = "bold"
QUIET: Final = "dim"
NAME: Final = "cyan"
