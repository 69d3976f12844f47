"""Which calls the list of calls shows: those in flight, then the ended ones, as a person asked for them."""

from typing import Final

from msgspec import Struct

from bus.trace.records import Call
from console import format as fmt
from console.language.filters import ALL, And, Filter, Is
from console.model.queries import FoundCalls, Order
from console.model.split import parts
from console.session import Session
from console.tui.pace import Pace

SHOWN: Final = 200
"""Calls in the list while the program lives: the list is made anew twice a second."""
_BROWSED: Final = 2_000
"""Calls in the list of what has ended."""
_LOOKED_UP: Final = 8
_REFRESHES: Final = 2
"""A second."""
SORTS: Final = ("newest", "slowest", "longest wait", "failed")
_ORDERS: Final[tuple[Order, ...]] = ("newest", "run", "queued", "newest")
_FAILED: Final = Is("outcome", "failed")


class CallRow(Struct, frozen=True):
    """A call with where it came from and where it runs; `wait` and `run` in ns, so far if it has not ended."""

    call: Call
    caller: str
    lane: str
    wait: int
    run: int


class CallList:
    """The rows, and what they are of. While it is held, the same calls stay in the same places and only change."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.rows: list[CallRow] = []
        self.what: Filter = ALL
        self.sort = 0
        self.held = False
        self._found = FoundCalls()
        self._pace = Pace()

    @property
    def slow(self) -> bool:
        """Whether the last search took longer than a key press may take."""
        return self._pace.took > 0.05  # noqa: PLR2004  s

    def refresh(self, *, at_once: bool = False) -> None:
        """Take the newest calls, if they are not held and it is not too early for a costly search; AT_ONCE: even so."""
        if self.held and self.rows and not at_once:
            self._renew()
        elif at_once or self._pace.due:
            with self._pace:
                self._found = self._find(SHOWN if self._session.info.state == "live" else _BROWSED)
            self.rows = [self._row(call, self._session.now()) for call in self._found.calls]
        else:
            self._renew()

    def include(self, call_id: int) -> None:
        """Show this call whatever was asked for: at its place if it is there, else after the others."""
        if any(row.call.id == call_id for row in self.rows):
            return
        call = self._session.record(call_id)
        if call is not None:
            self.rows = [*self.rows, self._row(call, self._session.now())]

    def said(self) -> str:
        """What is shown, of how many."""
        found, header = self._found, self._session.header()
        going = max(found.in_flight, header.in_flight) if self.what == ALL and found.going else found.in_flight
        some = f"{found.going:,} of " if found.going < going else ""
        flight = f"{some}{going:,} in flight · " if going else ""
        ended = len(found.calls) - found.going
        return f"{self._aside()}{flight}{self._ended(ended, found.total - found.in_flight, header.calls_per_second)}"

    def _ended(self, shown: int, total: int, rate: float) -> str:
        matching = " that match" if self.what != ALL else ""
        first = f", {SORTS[self.sort]} first"
        if total <= shown:
            return f"{fmt.plural(total, 'ended call')}{matching}{first}"
        sampled = self._session.info.state == "live" and not self.sort and not matching and rate > SHOWN * _REFRESHES
        if sampled:
            return f"showing {shown:,} of {fmt.rate(rate)}/s{first} · {total:,} kept"
        return f"{shown:,} of {total:,} ended calls{matching}{first}"

    def _aside(self) -> str:
        if self.held:
            return "held, Home follows · "
        late = self._session.info.state == "live" and self._pace.age > 2  # noqa: PLR2004  s
        return f"as of {fmt.age(self._pace.age)} ago · " if late else ""

    def _find(self, limit: int) -> FoundCalls:
        order = _ORDERS[self.sort]
        found = self._session.find_calls(self.what, limit=limit, order=order)
        if SORTS[self.sort] != "failed":
            return found
        failed = self._session.find_calls(And((self.what, _FAILED)), limit=limit)
        live, ended = found.calls[: found.going], found.calls[found.going :]
        known = {call.id for call in failed.calls}
        others = [call for call in ended if call.id not in known]
        return FoundCalls((*live, *failed.calls, *others)[:limit], found.total, found.in_flight, found.going)

    def _renew(self) -> None:
        """The times of what is in flight go on; of what was, a few at a time, what became of it."""
        live, now = self._session.in_flight, self._session.now()
        left = _LOOKED_UP
        for at, row in enumerate(self.rows):
            if row.call.outcome is not None:
                continue
            call = live.get(row.call.id)
            if call is None and left:
                left, call = left - 1, self._session.record(row.call.id)
            if call is not None:
                self.rows[at] = self._row(call, now)

    def _row(self, call: Call, now: int) -> CallRow:
        where = parts(call, now)
        name = self._session.lane_name
        run = where.computing + where.waiting + where.elsewhere
        return CallRow(call, name(call.caller), name(call.lane), where.queued, run)
