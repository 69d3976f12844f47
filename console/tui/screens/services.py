"""Screen 5: every service with what its threads are doing now, live stacks, and who waits for whom."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from rich.style import Style
from textual.strip import Strip

from bus.trace.records import Parameter
from console import format as fmt
from console.clock import clock
from console.language.filter_fields import SERVICES, Fields
from console.model.predicates import Reader
from console.model.row_filters import SERVICE_ROWS
from console.model.slices import Sliced
from console.model.views import OUTSIDE_NAME, ServiceRow
from console.model.waiting import WaitLine, waits
from console.session import Session
from console.tui.lines import Line, wrapped
from console.tui.live_stacks import LiveStacks
from console.tui.look import ACCENT, AMBER, FAILED, HIDDEN, SOFT, TEXT, WARN, ServiceColors, style
from console.tui.order import Sort, bucket
from console.tui.screens.listing import ListScreen
from console.tui.widgets.details import Shown
from console.tui.widgets.rows import Column, RowList
from console.tui.widgets.service_lines import (
    LONG,
    about_service,
    sparkline,
    state_of,
    thread_lines,
    wait_lines,
)

_OUTSIDE_KEY = "\0outside"
"""No name of a service: those are escaped."""
_SILENT = 3.0
"""Seconds after which a program that does not answer is said not to."""


def trouble(row: ServiceRow) -> int:
    """What is the matter: 3 failed, 2 stuck, 1 full, 0 nothing; less for what is gone or no service."""
    if not row.name or row.gone:
        return -1 - (not row.name)
    return 3 if row.failed else 2 if row.stuck else int(row.full)


SORTS: tuple[Sort[ServiceRow], ...] = (
    Sort("", lambda row: (trouble(row), bucket(row.busy * 10), bucket(row.rate))),
    Sort("service", lambda row: row.name, downwards=False),
    Sort("busy", lambda row: row.busy),
    Sort("now", lambda row: -min((thread.since for thread in row.running), default=1 << 62)),
    Sort("mailbox", lambda row: row.depth),
    Sort("calls/s", lambda row: row.rate),
    Sort("failed", lambda row: row.errors),
    Sort("restarts", lambda row: row.restarts),
    Sort("lost", lambda row: row.dropped),
)


class ServicesScreen(ListScreen[ServiceRow]):
    """All services; the stacks are asked for only while this screen is shown, and not while it is frozen."""

    MODE = "services"
    SORTS: ClassVar[Sequence[Sort[ServiceRow]]] = SORTS
    FIELDS: ClassVar[Fields] = SERVICES
    READER: ClassVar[Reader[Any]] = SERVICE_ROWS
    KEYS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("/", "filter", "screen.filter"),
        ("s S", "sort", "screen.sort(1)"),
        ("⏎", "threads", "screen.enter"),
    )
    KEYS_IN_WORDS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("↑ ↓ PgUp PgDn", "move"),
        ("/", "only rows that match: a word, state:stuck, busy>50, …"),
        ("s S", "sort by the next column, the other way round"),
        ("Enter", "to the threads; there, Enter shows what one runs in the timeline"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._live: LiveStacks | None = None

    @property
    def live(self) -> LiveStacks:
        """What the threads were doing when they were last asked."""
        if self._live is None:
            self._live = LiveStacks(self.console_app.session)
        return self._live

    def tick(self, *, changed: bool) -> None:
        """Ask and take answers, ten times a second; a question is asked once in a second at most."""
        super().tick(changed=changed)
        if not self.console_app.frozen and self.live.turn():
            self.refresh_side()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A service is nothing that can be executed."""
        return False if action == "act" else super().check_action(action, parameters)

    def make_rows(self) -> RowList[ServiceRow]:
        """The list of services."""
        app = self.console_app
        return RowList(columns(app.service_colors, app.session), self.key_of, id="list")

    def key_of(self, row: ServiceRow) -> str:
        """The threads outside have no name of their own."""
        return row.name or _OUTSIDE_KEY

    def known_names(self) -> Iterable[str]:
        """All services."""
        return self.console_app.session.names().services

    def fetching(self) -> Sliced[list[ServiceRow]]:
        """All services, with the newest figures."""
        yield from ()
        return self.console_app.session.services()

    def empty(self) -> Sequence[tuple[str, Style]]:
        """How a program gets services."""
        return [("The program has no service yet.", TEXT), ("bus.add(Service(…)) starts one.", SOFT)]

    def copied(self) -> str:
        """The call that is marked on the right, else the name."""
        return super().copied().removeprefix("\0")

    def parameters(self, row: ServiceRow) -> tuple[Sequence[Parameter] | None, str]:
        """There is no form."""
        del row
        return None, ""

    def about(self, width: int, row: ServiceRow) -> list[Strip]:
        """State and figures."""
        return about_service(width, row, self.console_app.service_colors)

    def below(self, width: int, row: ServiceRow) -> list[Shown]:
        """Cycles, the threads with their stacks, then the waits that this service has to do with."""
        now = self.console_app.session.now()
        tree = _concerning(waits(self.live.stacks), row.name)
        waiting = self._waits(width, tree)
        threads = [*self._stacks_title(width), *thread_lines(width, row, self.live.stacks, now)]
        blank = [Shown(Line(width).strip())] if waiting else []
        in_cycles = any(line.cycle for line in tree)
        return list(_once([*waiting, *blank, *threads] if in_cycles else [*threads, *blank, *waiting]))

    def _waits(self, width: int, tree: Sequence[WaitLine]) -> list[Shown]:
        """As of the answer: by now some of these waits are over."""
        if not tree:
            return []
        title = Line(width).put("who waits for whom", SOFT).strip()
        return [Shown(title), *wait_lines(width, tree, self.console_app.service_colors, self.live.at)]

    def _stacks_title(self, width: int) -> list[Shown]:
        """`threads now`; or how old the stacks are, and why there are none newer."""
        live, session = self.live, self.console_app.session
        said, why = "", ""
        if session.info.state != "live":
            said = "as of its last answer" if live.at else "without stacks: nothing is live"
        elif live.refused:
            said, why = "without stacks", live.refused
        elif live.silent > _SILENT:
            said = f"no answer for {live.silent:.0f} s"
        if said and live.at:
            said += f", {clock(live.at, session.info.session)}"
        more = f"{live.left_out:,} more left out" if live.left_out else ""
        loud = said and session.info.state != "recorded"
        title = Line(width).put("threads now  ", SOFT).put(said or more, WARN if loud else SOFT)
        return [
            Shown(title.strip()),
            *(Shown(Line(width).put(text, SOFT).strip()) for text in wrapped(why, width) if why),
        ]


def _once(lines: Sequence[Shown]) -> Iterator[Shown]:
    """A call can be picked at one place; where it stands a second time, it is just said."""
    seen: set[int] = set()
    for line in lines:
        yield Shown(line.strip) if line.call in seen else line
        seen.add(line.call)


def _concerning(lines: Sequence[WaitLine], service: str) -> list[WaitLine]:
    """The cycles, and the trees in which SERVICE has a part."""
    trees: list[list[WaitLine]] = []
    for line in lines:
        if line.level == 0:
            trees.append([])
        trees[-1].append(line)
    return [line for tree in trees if any(one.cycle or one.service == service for one in tree) for line in tree]


def columns(colors: ServiceColors, session: Session) -> list[Column[ServiceRow]]:
    """The columns; what has nearly always nothing to say goes first where there is no room."""
    return [
        Column("", 1, 99, _glyph),
        Column("service", 0, 100, lambda row: (row.name or OUTSIDE_NAME, _name_look(row, colors)), least=10),
        Column("state", 8, 85, state_of),
        Column("threads", 7, 78, _threads, right=True),
        Column("busy", 4, 80, _busy, right=True),
        Column("now", 16, 75, lambda row: _now(row, session)),
        Column("mailbox", 7, 90, _depth, right=True),
        Column("last min", 10, 40, lambda row: (sparkline(row.depths), style(ACCENT) if row.full else SOFT)),
        Column("calls/s", 7, 60, lambda row: (fmt.rate(row.rate) if row.name else "", _figure(row.rate)), right=True),
        Column("failed", 6, 70, lambda row: _count(row.errors, FAILED), right=True),
        Column("restarts", 8, 20, lambda row: _count(row.restarts, WARN), right=True),
        Column("lost", 5, 30, _lost, right=True),
    ]


def _glyph(row: ServiceRow) -> tuple[str, Style]:
    what = trouble(row)
    return ("✗", FAILED) if row.failed else ("⚠", style(AMBER)) if what > 0 else (" ", SOFT)


def _name_look(row: ServiceRow, colors: ServiceColors) -> Style:
    return HIDDEN if row.gone else colors.style(row.name)


def _busy(row: ServiceRow) -> tuple[str, Style]:
    """The part of the last ten seconds in which its threads ran something."""
    if not row.name or row.gone:
        return "", HIDDEN
    return f"{row.busy * 100:.0f}%", TEXT if row.busy >= 0.005 else HIDDEN  # noqa: PLR2004  less is shown as 0 %


def _threads(row: ServiceRow) -> tuple[str, Style]:
    """`3/4`: how many run something now; outside of services only how many have called something."""
    if row.gone:
        return "", HIDDEN
    if not row.name:
        return fmt.count(len(row.threads)) if row.threads else "", SOFT
    return f"{len(row.running)}/{row.workers}", TEXT if row.running else HIDDEN


def _now(row: ServiceRow, session: Session) -> tuple[str, Style]:
    """The call that has been running for the longest, its time first: names may be cut, times not."""
    if not row.running:
        return "", HIDDEN
    longest = row.running[0]
    took = max(0, session.now() - longest.since)
    more = f" +{len(row.running) - 1}" if len(row.running) > 1 else ""
    return f"{fmt.duration(took)} {longest.call_name}{more}", WARN if took >= LONG else TEXT


def _depth(row: ServiceRow) -> tuple[str, Style]:
    look = WARN if row.full else TEXT if row.depth else HIDDEN
    return fmt.count(row.depth) if row.name else "", look


def _count(number: int, look: Style) -> tuple[str, Style]:
    return (fmt.count(number), look) if number else ("", HIDDEN)


def _lost(row: ServiceRow) -> tuple[str, Style]:
    many = row.dropped >= 10_000  # noqa: PLR2004  what the column has room for; beside the list it is said in full
    return (f"{row.dropped // 1_000}k", WARN) if many else _count(row.dropped, WARN)


def _figure(figure: float) -> Style:
    return TEXT if figure else HIDDEN
