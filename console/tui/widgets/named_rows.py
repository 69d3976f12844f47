"""Rows that have names; those of namespaces can be opened by a click on their sign."""

from collections.abc import Sequence
from typing import Final, TypeVar

from console.tui.namespaces import Namespaces
from console.tui.widgets.rows import Column, RowList

Row = TypeVar("Row")
_SIGN: Final = range(3, 5)
"""The cells of the sign and of the blank behind it."""


class NamedRows(RowList[Row]):
    """A `RowList` by name."""

    def __init__(self, columns: Sequence[Column[Row]], namespaces: Namespaces[Row]) -> None:
        super().__init__(columns, lambda row: row.name, id="list")  # type: ignore[attr-defined]  # all rows here have one
        self._namespaces = namespaces

    def is_sign(self, key: str, x: int) -> bool:
        """See `RowList`."""
        return x in _SIGN and self._namespaces.size(key) > 0
