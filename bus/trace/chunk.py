"""What the pump hands to ring and sinks: some items of one moment, turned into records only when a sink asks."""

from collections.abc import Sequence
from functools import lru_cache

from msgspec import structs

from bus.context import Call as LiveCall
from bus.trace.records import AnyRecord, Call, Wait
from bus.trace.redact import bounded

WaitItem = tuple[int, int, int, int, int]
"""What becomes a `Wait`: call, lane, target, began, ended. A tuple, because it is made on the way of a call."""
Item = LiveCall | WaitItem | AnyRecord

NAME_LIMIT = 400
"""Bytes of a name."""
_CALL_BYTES = 480
"""What an ended call keeps alive in memory, its texts not counted (measured: slots, four times, two ids)."""
_RECORD_BYTES = 600


class Chunk:
    """Immutable, shared by the ring and all sinks. Texts of a call are final before it gets here.

    `at`: monotonic ns. `live`: calls queued or running at that moment, oldest first. `cost`: see `protocol.Batch`.
    """

    __slots__ = ("_records", "at", "cost", "items", "live")

    def __init__(self, at: int, items: Sequence[Item], live: Sequence[LiveCall] = (), cost: float = 0.0) -> None:
        self.at = at
        self.items = items
        self.live = live
        self.cost = cost
        # Written by whichever sink's thread asks first; two at once do the same work and keep either result.
        self._records: tuple[AnyRecord, ...] | None = None

    def records(self) -> tuple[AnyRecord, ...]:
        """All items as records."""
        records = self._records
        if records is None:
            records = tuple(map(_record, self.items))
            self._records = records
        return records

    def unended(self, limit: int | None = None) -> tuple[Call, ...]:
        """The calls in flight as unended records, the first LIMIT of them."""
        return tuple(map(unended_record, self.live[:limit]))

    def history(self) -> "Chunk":
        """The same items without the calls in flight, which keep their arguments alive."""
        if not self.live:
            return self
        kept = Chunk(self.at, self.items, (), self.cost)
        kept._records = self._records
        return kept

    def size(self) -> int:
        """About how many bytes the items keep alive."""
        return sum(map(_size, self.items))


def call_record(call: LiveCall) -> Call:
    """The record of a call that ended without an error (`recorder` makes those with one when they end)."""
    return Call(
        id=call.id,
        parent=call.parent,
        root=call.root,
        kind=call.kind,  # type: ignore[arg-type]  # the bus knows no others
        name=_name(call.name),
        service=_name(call.service),
        caller=call.caller,
        lane=call.lane,
        queued=call.queued,
        started=call.started,
        ended=call.ended,
        cpu=call.cpu,
        waited=call.waited,
        outcome=call.outcome,  # type: ignore[arg-type]  # as above
        args=call.args_text,
        result=call.result_text,
        by=call.by,  # type: ignore[arg-type]  # as above
        client=call.client,
        entry=call.entry,
        marks=call.marks,
    )


@lru_cache(4_096)
def _name(name: str) -> str:
    """The same few names come with every call."""
    return bounded(name, NAME_LIMIT)


def unended_record(call: LiveCall) -> Call:
    """A call in flight as a record, even if it has ended since."""
    return structs.replace(call_record(call), ended=0, cpu=None, outcome=None, result="")


def _record(item: Item) -> AnyRecord:
    if type(item) is LiveCall:
        return call_record(item)
    if isinstance(item, tuple):
        call, lane, target, began, ended = item
        return Wait(call=call, lane=lane, target=target, began=began, ended=ended)
    return item  # type: ignore[return-value]  # the exact type was tested: Call has no subclasses


def _size(item: Item) -> int:
    if type(item) is LiveCall:
        return _CALL_BYTES + len(item.args_text) + len(item.result_text)
    if type(item) is Call and item.error is not None:
        return _RECORD_BYTES + len(item.args) + len(item.error.message) + len(item.error.traceback)
    return _RECORD_BYTES
