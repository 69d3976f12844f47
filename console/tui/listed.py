"""Which of its rows a list shows, and in which order: worked out in slices, as they may be ten thousand. Pure."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from console.model.predicates import Predicate
from console.model.slices import Sliced, parts
from console.tui.namespaces import Namespaces
from console.tui.order import CalmOrder, Sort

Row = TypeVar("Row")


class Wish(Struct, Generic[Row], frozen=True):
    """How a person wants it: rows that fit (None: all), sorted by something, or the other way round.

    `touches` counts cursor moves; `used` is the filter as text.
    """

    sort: Sort[Row]
    turned: bool = False
    fits: Predicate[Row] | None = None
    used: str = ""
    touches: int = 0

    @property
    def asked(self) -> Hashable:
        """What asks for a new order at once, when it is another than before."""
        return self.sort.title, self.turned, self.used


class Listed(Generic[Row]):
    """Remembers the order, which changes only when nobody is moving in the list."""

    def __init__(self, key: Callable[[Row], str], namespaces: Namespaces[Row]) -> None:
        self._key = key
        self._namespaces = namespaces
        self._order = CalmOrder()
        self._inner: defaultdict[str, CalmOrder] = defaultdict(CalmOrder)

    def listing(self, rows: Sequence[Row], wish: Wish[Row]) -> Sliced[list[Row]]:
        """From the top; below the row of an open namespace those that are in it."""
        fitting: dict[str, Row] = {}
        for some in parts(rows):
            fitting.update((self._key(row), row) for row in some if wish.fits is None or wish.fits(row))
            yield
        # What matches a filter is shown, in whatever namespace it is.
        top, inner = yield from self._namespaces.folding(fitting if wish.fits is None else {})
        if wish.fits is not None:
            top = fitting
        listed: list[Row] = []
        for name in (yield from self._ordered(self._order, top, wish)):
            listed.append(top[name])
            if name in inner:
                listed += [
                    inner[name][each] for each in (yield from self._ordered(self._inner[name], inner[name], wish))
                ]
        return listed

    def _ordered(self, order: CalmOrder, rows: Mapping[str, Row], wish: Wish[Row]) -> Sliced[list[str]]:
        names = sorted(rows)
        ranks: dict[str, object] = {}
        for some in parts(names):
            ranks.update((name, wish.sort.key(rows[name])) for name in some)
            yield
        names.sort(key=ranks.__getitem__, reverse=wish.sort.downwards != wish.turned)  # type: ignore[arg-type]
        yield
        return order.arrange(names, wish.touches, wish.asked)
