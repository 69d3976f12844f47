"""What the pump hands to ring and sinks: some items of one moment, turned into records only when a sink asks."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import structs

from bus.context import Call as LiveCall
from bus.context import Delivered, Fired, Timed, Timing, Waited, label_of
from bus.trace.records import AnyRecord, Call, Output, Wait
from bus.trace.redact import bounded

Detail = tuple[Timed, int | None, str | None, str, str, str, str, tuple[str, ...]]
"""What becomes a `Call` and is more than a timing: that, cpu, outcome, arguments, result, by, client, marks."""
Item = Timing | Detail | AnyRecord

NAME_LIMIT = 400
"""Bytes of a name."""
_TIMING_BYTES = 312
"""What a timing keeps alive in memory, about (the tuple, one that it shares, two ids, three times)."""
_DETAIL_BYTES = 480
"""The same with its details, the texts not counted."""
_RECORD_BYTES = 600
_LABELS = 1 << 15
"""Sources whose labels are kept, some 250 bytes each: more than a program has. Of ten thousand commands that are called
in turns, a cache of the last four thousand never holds the next one."""
_TIMINGS: frozenset[type] = frozenset({Timed, Fired, Delivered, Waited})
_ENDS: frozenset[type] = frozenset({Timed, Fired, Delivered, Call})


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
        others = [item for item in self.items if item.__class__ not in _TIMINGS]
        return (len(self.items) - len(others)) * _TIMING_BYTES + sum(map(_size, others))


def detail_of(call: LiveCall) -> Detail:
    """All that there is to tell of CALL but its error; keeps none of its values alive."""
    marks = call.marks
    return call.timing(), call.cpu, call.outcome, call.args_text, call.result_text, call.by, call.client, marks


def call_record(detail: Detail) -> Call:
    """A call as a record."""
    timing, cpu, outcome, args, result, by, client, marks = detail
    caller, parent, root, _ = timing.origin
    kind, name, service, entry = _labels[timing.key]
    return Call(
        timing.id, root or timing.id, kind, name, timing.queued, parent, service, entry, caller, timing.lane,  # type: ignore[arg-type]  # the bus knows no others
        timing.started, timing.ended, timing.waited, outcome, cpu, None, args, result, by, client, marks,  # type: ignore[arg-type]  # as above
    )  # fmt: skip


class _Labels(dict[int, tuple[str, str, str, int]]):
    """What a record says of a source; the same ones come with every call. Each step on it is atomic."""

    def __missing__(self, key: int) -> tuple[str, str, str, int]:
        kind, name, service, entry = label_of(key)
        label = kind, bounded(name, NAME_LIMIT), bounded(service, NAME_LIMIT), entry
        if len(self) >= _LABELS:
            self.clear()  # most sources of a program that makes so many are gone
        self[key] = label
        return label


_labels = _Labels()


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


def _records(items: Sequence[Item]) -> list[AnyRecord]:
    """Nearly all items are timings: with what is not a default, one takes a third of `call_record`'s time.

    Lines written from a template, without any record, would take twice as long as record and encoder together.
    """
    makers = _MAKERS
    return [makers.get(item.__class__, _as_it_is)(item) for item in items]


def _of_timed(timed: Timed) -> Call:
    kind, name, service, entry = _labels[timed.key]
    caller, parent, root, _ = timed.origin
    return Call(
        timed.id, root or timed.id, kind, name, timed.queued, parent, service, entry, caller, timed.lane,  # type: ignore[arg-type]  # the bus knows no other kinds
        timed.started, timed.ended, timed.waited, "ok",
    )  # fmt: skip


def _of_delivered(delivered: Delivered) -> Call:
    kind, name, service, entry = _labels[delivered.key]
    event = delivered.event
    return Call(
        delivered.id, event.root, kind, name, event.at, event.id, service, entry, event.lane, delivered.lane,  # type: ignore[arg-type]  # as above
        delivered.started, delivered.ended, 0, "ok",
    )  # fmt: skip


def _of_fired(event: Fired) -> Call:
    kind, name, service, entry = _labels[event.key]
    at, lane = event.at, event.lane
    return Call(event.id, event.root, kind, name, at, event.parent, service, entry, lane, lane, at, at, 0, "ok")  # type: ignore[arg-type]  # as above


def _of_wait(wait: Waited) -> Wait:
    return Wait(call=wait.call, lane=wait.lane, target=wait.target, began=wait.began, ended=wait.ended)


def _of_detail(detail: Detail) -> Call:
    return call_record(detail)


def _as_it_is(record: Any) -> AnyRecord:
    return record  # type: ignore[no-any-return]  # what is none of the others is a record already


_MAKERS: dict[type, Callable[[Any], AnyRecord]] = {
    Timed: _of_timed, Delivered: _of_delivered, Fired: _of_fired, Waited: _of_wait, tuple: _of_detail,
}  # fmt: skip


def _size(item: Item) -> int:
    if isinstance(item, tuple):
        _, _, _, args, result, *_ = item
        return _DETAIL_BYTES + len(args) + len(result)
    if type(item) is Call and item.error is not None:
        return _RECORD_BYTES + len(item.args) + len(item.error.message) + len(item.error.traceback)
    return _RECORD_BYTES + (len(item.text) if type(item) is Output else 0)
