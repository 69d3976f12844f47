"""What the pump hands to ring and sinks: some items of one moment, turned into records only when a sink asks."""

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from bus.context import Call as LiveCall
from bus.context import Delivered, Fired, Timed, Timing
from bus.trace.records import AnyRecord, Call, Output
from bus.trace.timings import LABELS, TIMINGS, Makers, makers

Detail = tuple[Timed, int | None, str | None, str, str, str, str, tuple[str, ...]]
"""What becomes a `Call` and is more than a timing: that, cpu, outcome, arguments, result, by, client, marks."""
Item = Timing | Detail | AnyRecord

_TIMING_BYTES = 312
"""What a timing keeps alive in memory, about (the tuple, one that it shares, two ids, three times)."""
_DETAIL_BYTES = 480
"""The same with its details, the texts not counted."""
_RECORD_BYTES = 600
_ENDS: frozenset[type] = frozenset({Timed, Fired, Delivered, Call})


class Chunk:
    """Immutable, shared by the ring and all sinks. Texts of a call are final before it gets here.

    `at`: monotonic ns. `live`: calls queued or running at that moment, oldest first. `unlisted`: more that are
    queued. `cost`: see `protocol.Batch`.
    """

    __slots__ = ("_parts", "_records", "at", "cost", "items", "live", "unlisted")

    def __init__(
        self, at: int, items: Sequence[Item], live: Sequence[LiveCall] = (), cost: float = 0.0, unlisted: int = 0
    ) -> None:
        self.at = at
        self.items = items
        self.live = live
        self.cost = cost
        self.unlisted = unlisted
        # Written by whichever sink's thread asks first; two at once do the same work and keep either result.
        self._records: tuple[AnyRecord, ...] | None = None
        self._parts: tuple[Sequence[Timing], Sequence[Detail | AnyRecord]] | None = None

    def records(self) -> tuple[AnyRecord, ...]:
        """All items as records."""
        records = self._records
        if records is None:
            records = tuple([_MAKERS.get(item.__class__, _as_it_is)(item) for item in self.items])
            self._records = records
        return records

    def timings(self) -> Sequence[Timing]:
        """The items that are nothing but a timing, which are nearly all."""
        return self._split()[0]

    def others(self) -> tuple[AnyRecord, ...]:
        """The other items as records."""
        return tuple([_MAKERS.get(item.__class__, _as_it_is)(item) for item in self._split()[1]])

    def unended(self, limit: int | None = None) -> tuple[Call, ...]:
        """The calls in flight as unended records, oldest first; LIMIT of them: those that run, then who is queued."""
        live = self.live
        if limit is not None and len(live) > limit:
            live = sorted(live, key=_is_queued)[:limit]
            live.sort(key=_queued_at)
        return tuple(map(unended_record, live))

    def history(self) -> "Chunk":
        """The same items without the calls in flight, which keep their arguments alive."""
        if not self.live:
            return self
        kept = Chunk(self.at, self.items, (), self.cost)
        kept._records, kept._parts = self._records, self._parts
        return kept

    def size(self) -> int:
        """About how many bytes the items keep alive."""
        timings, others = self._split()
        return len(timings) * _TIMING_BYTES + sum(map(_size, others))

    def _split(self) -> tuple[Sequence[Timing], Sequence[Detail | AnyRecord]]:
        parts = self._parts
        if parts is None:
            items = self.items
            others = [item for item in items if item.__class__ not in TIMINGS]
            if not others or others[-1] is items[len(others) - 1]:  # what is no call comes first
                timings = items[len(others) :]
            else:
                timings = [item for item in items if item.__class__ in TIMINGS]
            parts = self._parts = timings, others  # type: ignore[assignment]  # mypy does not narrow by the class
        return parts  # type: ignore[return-value]  # as above


def detail_of(call: LiveCall) -> Detail:
    """All that there is to tell of CALL but its error; keeps none of its values alive."""
    marks = call.marks
    return call.timing(), call.cpu, call.outcome, call.args_text, call.result_text, call.by, call.client, marks


def call_record(detail: Detail) -> Call:
    """A call as a record."""
    timing, cpu, outcome, args, result, by, client, marks = detail
    caller, parent, root, _ = timing.origin
    kind, name, service, entry = LABELS[timing.key]
    return Call(
        timing.id, root or timing.id, kind, name, timing.queued, parent, service, entry, caller, timing.lane,
        timing.started, timing.ended, timing.waited, outcome, cpu, None, args, result, by, client, marks,  # type: ignore[arg-type]  # the bus knows no others
    )  # fmt: skip


def unended_record(call: LiveCall) -> Call:
    """A call in flight as a record, even if it has ended since."""
    promise = call.waiting_for
    waiting_for = promise.id if promise is not None else 0
    record = call_record(detail_of(call))
    return structs.replace(record, ended=0, cpu=None, outcome=None, result="", waiting_for=waiting_for)


def ended_ids(items: Sequence[Item]) -> set[int]:
    """The ids of the calls whose ends are among ITEMS."""
    ended: set[int] = set()
    for item in items:
        kind = item.__class__  # two thirds of `isinstance`'s time, 25 times a second for all that happened
        if kind is tuple:
            ended.add(item[0].id)  # type: ignore[index]  # mypy does not narrow by the class
        elif kind in _ENDS:
            ended.add(item.id)  # type: ignore[union-attr]  # as above
    return ended


def length_of(item: Item) -> tuple[int, int] | None:
    """The id of the call whose end ITEM is, and ns since it was queued; None when it is something else, or a record."""
    end = item[0] if isinstance(item, tuple) else item
    if isinstance(end, Timed):
        return end.id, end.ended - end.queued
    if isinstance(end, Delivered):
        return end.id, end.ended - end.event.at
    return (end.id, 0) if isinstance(end, Fired) else None


def _is_queued(call: LiveCall) -> bool:
    return not call.started


def _queued_at(call: LiveCall) -> int:
    return call.queued


def _as_it_is(record: Any) -> AnyRecord:
    return record  # type: ignore[no-any-return]  # what is none of the others is a record already


_MAKERS: Makers = {**makers(LABELS), tuple: call_record}


def _size(item: Item) -> int:
    if isinstance(item, tuple):
        _, _, _, args, result, *_ = item
        return _DETAIL_BYTES + len(args) + len(result)
    if type(item) is Call and item.error is not None:
        return _RECORD_BYTES + len(item.args) + len(item.error.message) + len(item.error.traceback)
    return _RECORD_BYTES + (len(item.text) if type(item) is Output else 0)
