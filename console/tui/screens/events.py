"""Screen 2: every event, who listens to it, and firing one by hand."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.strip import Strip

from bus.trace.records import Parameter
from console import format as fmt
from console.language.filter_fields import EVENTS, Fields
from console.model.predicates import Reader
from console.model.row_filters import EVENT_ROWS
from console.model.slices import Sliced
from console.model.views import EventRow
from console.tui.lines import brief
from console.tui.look import FAILED, HIDDEN, SOFT, TEXT, WARN
from console.tui.order import Sort, bucket
from console.tui.screens.base import BusScreen
from console.tui.screens.listing import ListScreen
from console.tui.widgets.command_lines import about_event, last_fired, listened
from console.tui.widgets.details import Shown
from console.tui.widgets.form import CallForm
from console.tui.widgets.named_rows import NamedRows
from console.tui.widgets.rows import Column, RowList

SORTS: tuple[Sort[EventRow], ...] = (
    Sort("", lambda row: (row.failed > 0, row.lost > 0, bucket(row.rate), bucket(row.fired))),
    Sort("event", lambda row: row.name, downwards=False),
    Sort("fired/s", lambda row: row.rate),
    Sort("deliveries/s", lambda row: row.delivery_rate),
    Sort("listeners", lambda row: len(row.listeners)),
    Sort("failed", lambda row: row.failed),
    Sort("lost", lambda row: row.lost),
)


class EventsScreen(ListScreen[EventRow]):
    """All events."""

    MODE = "events"
    VERB = "fire"
    NOUN = "event"
    SORTS: ClassVar[Sequence[Sort[EventRow]]] = SORTS
    FIELDS: ClassVar[Fields] = EVENTS
    READER: ClassVar[Reader[Any]] = EVENT_ROWS
    ACTING: ClassVar[tuple[tuple[str, str, str], ...]] = (("x", "fire", "screen.act"),)
    KEYS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("/", "filter", "screen.filter"),
        ("s S", "sort", "screen.sort(1)"),
        ("⏎", "details", "screen.enter"),
    )
    LIVE: ClassVar[tuple[tuple[str, str, str], ...]] = (("l", "listen", "screen.listen"), *BusScreen.LIVE)
    KEYS_IN_WORDS: ClassVar[tuple[tuple[str, str], ...]] = (
        *ListScreen.KEYS_IN_WORDS,
        ("l", "listen to an event: each time it is fired, with its arguments"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("l", "listen", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self._listened = ""

    def make_rows(self) -> RowList[EventRow]:
        """The list of events."""
        return NamedRows(columns(self.namespaces.title), self.namespaces)

    def known_names(self) -> Iterable[str]:
        """All events."""
        return self.console_app.session.names().events

    def fetching(self) -> Sliced[list[EventRow]]:
        """All events, with the newest figures."""
        return (yield from self.console_app.session.gathering_events())

    def empty(self) -> Sequence[tuple[str, Style]]:
        """How a program gets events."""
        return [("No event was fired, and nobody listens.", TEXT), ("bus.fire_event(…) or @listener makes one.", SOFT)]

    def total(self, key: str, rows: Sequence[EventRow]) -> EventRow:
        """Sums."""
        return EventRow(
            name=key, fired=sum(row.fired for row in rows), rate=sum(row.rate for row in rows),
            delivery_rate=sum(row.delivery_rate for row in rows), failed=sum(row.failed for row in rows),
            last=max(row.last for row in rows), last_args="",
            listeners=tuple(entry for row in rows for entry in row.listeners), lost=sum(row.lost for row in rows),
        )  # fmt: skip

    def parameters(self, row: EventRow) -> tuple[Sequence[Parameter] | None, str]:
        """Events have no schema: a free line; the first listener's parameters are the hint."""
        known = next((entry.parameters for entry in row.listeners if entry.parameters), ())
        names = " ".join(f"{p.name}=" for p in known if not p.kind.startswith("var_"))
        return None, names or "value … name=value …"

    def about(self, width: int, row: EventRow) -> list[Strip]:
        """Figures, and who gets it when it is fired."""
        most = max(4, self.size.height * 6 // 10 - 11)  # what there is room for below the figures, see app.tcss
        receivers = self.console_app.session.receivers(row.name, most)
        return about_event(width, row, receivers, self.console_app.service_colors)

    def below(self, width: int, row: EventRow) -> list[Shown]:
        """When it was fired last; while it is listened to, as often as there is room for."""
        session = self.console_app.session
        if row.name == self._listened:
            return listened(width, row, session.recent(row.name, 2 * self.size.height), session, self.size.height)
        return last_fired(width, self.recent(row.name), session)

    def tick(self, *, changed: bool) -> None:
        """What is listened to is shown as it comes."""
        super().tick(changed=changed)
        if changed and self._listened and not self.console_app.frozen:
            self.refresh_side()

    def action_listen(self) -> None:
        """Listen to the selected event, or cease to."""
        self._listened = "" if self._listened == self.rows.selected else self.rows.selected
        self.refresh_side()

    async def action_back(self) -> None:
        """Cease to listen first."""
        if self._listened and not self.query(CallForm):
            self._listened = ""
        await super().action_back()


def columns(title: Callable[[str], str]) -> list[Column[EventRow]]:
    """The columns; the last arguments go first when there is no room."""
    return [
        Column("", 1, 99, _mark),
        Column("event", 0, 100, lambda row: (title(row.name), TEXT), least=18),
        Column("fired/s", 8, 90, lambda row: (fmt.rate(row.rate), TEXT if row.rate else HIDDEN), right=True),
        Column("deliveries/s", 13, 60, _deliveries, right=True),
        Column("fired", 9, 50, lambda row: (fmt.count(row.fired), _figure(row.fired)), right=True),
        Column("listeners", 10, 80, _listeners, right=True),
        Column("failed", 7, 85, lambda row: (fmt.count(row.failed), FAILED if row.failed else HIDDEN), right=True),
        Column("lost", 7, 45, lambda row: (fmt.count(row.lost), WARN if row.lost else HIDDEN), right=True),
        Column("  last arguments", 19, 10, lambda row: ("  " + brief(row.last_args, 17), SOFT)),
    ]


def _mark(row: EventRow) -> tuple[str, Style]:
    if row.failed:
        return "✗", FAILED
    return ("⚠", WARN) if row.lost else (" ", SOFT)


def _deliveries(row: EventRow) -> tuple[str, Style]:
    return fmt.rate(row.delivery_rate), _figure(row.delivery_rate)


def _figure(figure: float) -> Style:
    return TEXT if figure else HIDDEN


def _listeners(row: EventRow) -> tuple[str, Style]:
    """An event that is fired and reaches nobody is worth a look."""
    if row.listeners:
        return fmt.count(len(row.listeners)), TEXT
    return "⚠ 0", WARN if row.fired else HIDDEN
