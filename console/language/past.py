"""What was written before: the values that each parameter was given, for completion to offer them again."""

from collections import deque
from typing import Final

from console.language.grammar import Execute, Fire

_LINES: Final = 50
_NAMES: Final = 1_000
_LONGEST: Final = 200
"""Characters of a value that is worth to be offered."""


class Past:
    """Of each command and event the last requests, as they were written. Owned by the front end's thread."""

    def __init__(self) -> None:
        self._by_name: dict[str, deque[_Written]] = {}

    def add(self, request: Execute | Fire) -> None:
        """Remember REQUEST, if a line said it; not one that gives a secret away: that is for the caller to see."""
        source = request.source
        if source is None or not (source.args or source.kwargs):
            return
        args = tuple(source.line[slice(*span)] for span in source.args)
        kwargs = {key: source.line[slice(*span)] for key, span in source.kwargs.items()}
        lines = self._by_name.pop(request.name, None) or deque(maxlen=_LINES)
        lines.appendleft((args, kwargs))
        self._by_name[request.name] = lines
        if len(self._by_name) > _NAMES:
            del self._by_name[next(iter(self._by_name))]

    def values(self, name: str, parameter: str, place: int) -> list[str]:
        """The words that were written for a parameter, by its name or at its PLACE, the last one first."""
        found: dict[str, None] = {}
        for args, kwargs in self._by_name.get(name, ()):
            text = kwargs.get(parameter) or (args[place] if 0 <= place < len(args) else "")
            if text and len(text) <= _LONGEST:
                found[text] = None
        return list(found)


_Written = tuple[tuple[str, ...], dict[str, str]]
