"""The names of a namespace as one row, where there are too many to look through. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Generic, TypeVar

from console.model.slices import Sliced, parts, whole

MANY: Final = 500
"""Rows; with more of them, namespaces are closed at first."""
_ALL: Final = ".*"

Row = TypeVar("Row")


class Namespaces(Generic[Row]):
    """Which namespaces there are, and which of them are open. `index.*` is the key of the row for `index.file` etc."""

    def __init__(self, total: Callable[[str, Sequence[Row]], Row]) -> None:
        """TOTAL makes the row of a namespace, given its key and its rows."""
        self._total = total
        self._open: set[str] = set()
        self._sizes: dict[str, int] = {}
        self.version = 0
        """Counts what changes how rows look that are otherwise the same."""

    def fold(self, rows: Mapping[str, Row]) -> tuple[dict[str, Row], dict[str, dict[str, Row]]]:
        """The rows that stand alone and those of the namespaces; by the key of each open one what is in it.

        Few rows, and those of one namespace, stand as they are; so does who is alone in a namespace.
        """
        return whole(self.folding(rows))

    def folding(self, rows: Mapping[str, Row]) -> Sliced[tuple[dict[str, Row], dict[str, dict[str, Row]]]]:
        """The same in slices."""
        groups: dict[str, dict[str, Row]] = {}
        if len(rows) > MANY:
            for some in parts(tuple(rows.items())):
                for name, row in some:
                    groups.setdefault(namespace(name), {})[name] = row
                yield
        alone = {name: row for key, each in groups.items() if not key or len(each) == 1 for name, row in each.items()}
        several = {key: each for key, each in groups.items() if key and len(each) > 1}
        if len(several) + len(alone) <= 1:
            several, alone = {}, dict(rows)
        totals: dict[str, Row] = {}
        summed = 0
        for key, each in several.items():
            totals[key] = self._total(key, tuple(each.values()))
            summed += len(each)
            if summed > MANY:
                summed = 0
                yield
        self._know({key: len(each) for key, each in several.items()})
        return {**alone, **totals}, {key: each for key, each in several.items() if key in self._open}

    def _know(self, sizes: dict[str, int]) -> None:
        if sizes != self._sizes:
            self._sizes = sizes
            self.version += 1

    def size(self, key: str) -> int:
        """How many rows are in the namespace of this key; 0: it is none."""
        return self._sizes.get(key, 0)

    def home(self, name: str) -> str:
        """The key of the namespace that a row, which may be that of a namespace, is in; "" if it is in none."""
        key = name if name in self._sizes else namespace(name)
        return key if key in self._sizes else ""

    def set(self, key: str, *, opened: bool) -> None:
        """Open a namespace, or close it."""
        if opened != (key in self._open):
            self._open ^= {key}
            self.version += 1

    def toggle(self, key: str) -> None:
        """Open a namespace that is closed, and the other way round."""
        self.set(key, opened=key not in self._open)

    def title(self, name: str) -> str:
        """A row's name as it is shown: a namespace with how many it has, and below it what is left of each name."""
        if name in self._sizes:
            return f"{'▾' if name in self._open else '▸'} {name} {self._sizes[name]:,}"
        if self.home(name):
            return f"    {name.partition('.')[2]}"
        return f"  {name}" if self._sizes else name


def namespace(name: str) -> str:
    """The key of the namespace of NAME; "" if it has none."""
    head, dot, rest = name.partition(".")
    return head + _ALL if head and dot and rest else ""
