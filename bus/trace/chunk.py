"""What the pump hands to ring and sinks: some items of one moment, turned into records only when a sink asks."""

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from msgspec import structs

from bus.context import Call as LiveCall
from bus.context import Timing, label_of
from bus.trace.records import AnyRecord, Call, Output, Wait
from bus.trace.redact import bounded

WaitItem = tuple[int, int, int, int, int]
"""What becomes a `Wait`: call, lane, target, began, ended. A tuple, because it is made on the way of a call."""
Detail = tuple[Timing, int | None, str | None, str, str, str, str, tuple[str, ...]]
"""What becomes a `Call` and is more than a timing: that, cpu, outcome, arguments, result, by, client, marks."""
Item = Timing | Detail | WaitItem | AnyRecord

NAME_LIMIT = 400
"""Bytes of a name."""
_TIMING_BYTES = 312
"""What a timing keeps alive in memory (measured: the tuple, two ids, three times)."""
_DETAIL_BYTES = 480
"""The same with its details, the texts not counted."""
_WAIT_BYTES = 240
_RECORD_BYTES = 600
# Which kind of tuple an item is, is told by its length.
_TIMING, _WAIT = 10, 5


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
            records = tuple(_records(self.items))
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
        others = [item for item in self.items if item.__class__ is not tuple or len(item) != _TIMING]
        return (len(self.items) - len(others)) * _TIMING_BYTES + sum(map(_size, others))


def detail_of(call: LiveCall) -> Detail:
    """All that there is to tell of CALL but its error; keeps none of its values alive."""
    marks = call.marks
    return call.timing(), call.cpu, call.outcome, call.args_text, call.result_text, call.by, call.client, marks


def call_record(detail: Detail) -> Call:
    """A call as a record."""
    timing, cpu, outcome, args, result, by, client, marks = detail
    number, parent, root, caller, key, lane, queued, started, ended, waited = timing
    kind, name, service, entry = _label(key)
    return Call(
        number, root, kind, name, queued, parent, service, entry, caller, lane, started, ended, waited, outcome, cpu,  # type: ignore[arg-type]  # the bus knows no others
        None, args, result, by, client, marks,  # type: ignore[arg-type]  # as above
    )  # fmt: skip


@lru_cache(4_096)
def _label(key: int) -> tuple[str, str, str, int]:
    """What a record says of a source; the same few come with every call."""
    kind, name, service, entry = label_of(key)
    return kind, bounded(name, NAME_LIMIT), bounded(service, NAME_LIMIT), entry


def unended_record(call: LiveCall) -> Call:
    """A call in flight as a record, even if it has ended since."""
    return structs.replace(call_record(detail_of(call)), ended=0, cpu=None, outcome=None, result="")


def ended_ids(items: Sequence[Item]) -> set[int]:
    """The ids of the calls whose ends are among ITEMS."""
    ended: set[int] = set()
    for item in items:
        if isinstance(item, tuple):
            if len(item) == _TIMING:
                ended.add(cast("Timing", item)[0])
            elif len(item) != _WAIT:
                ended.add(cast("Detail", item)[0][0])
        elif type(item) is Call:
            ended.add(item.id)
    return ended


def _records(items: Sequence[Item]) -> list[AnyRecord]:
    """Nearly all items are timings: made here, with what is not a default, one takes a third of `call_record`'s time.

    Lines written from a template, without any record, would take twice as long as record and encoder together.
    """
    made, labels = list[AnyRecord](), dict[int, tuple[str, str, str, int]]()
    for item in items:
        if item.__class__ is not tuple or len(item) != _TIMING:
            made.append(_record(item))
            continue
        number, parent, root, caller, key, lane, queued, started, ended, waited = cast("Timing", item)
        label = labels.get(key)
        if label is None:
            label = labels[key] = _label(key)
        kind, name, service, entry = label
        made.append(
            Call(
                number, root, kind, name, queued, parent, service, entry, caller, lane, started, ended, waited, "ok",  # type: ignore[arg-type]
            )
        )  # fmt: skip
    return made


def timing_of(item: Item) -> Timing | None:
    """The timing of the call whose end ITEM is, None when it is something else or a record already."""
    if not isinstance(item, tuple) or len(item) == _WAIT:
        return None
    return cast("Timing", item) if len(item) == _TIMING else cast("Detail", item)[0]


def _record(item: Item) -> AnyRecord:
    if not isinstance(item, tuple):
        return item
    if len(item) == _WAIT:
        call, lane, target, began, ended = cast("WaitItem", item)
        return Wait(call=call, lane=lane, target=target, began=began, ended=ended)
    return call_record(cast("Detail", item))


def _size(item: Item) -> int:
    if isinstance(item, tuple):
        if len(item) == _WAIT:
            return _WAIT_BYTES
        _, _, _, args, result, *_ = cast("Detail", item)
        return _DETAIL_BYTES + len(args) + len(result)
    if type(item) is Call and item.error is not None:
        return _RECORD_BYTES + len(item.args) + len(item.error.message) + len(item.error.traceback)
    return _RECORD_BYTES + (len(item.text) if type(item) is Output else 0)
