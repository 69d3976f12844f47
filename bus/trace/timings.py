"""Timings, which the hot path leaves of calls that went well: as records, and with what their keys stand for."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from bus.context import Delivered, Fired, Timed, Timing, Waited, label_of
from bus.trace.records import AnyRecord, Call, CallKind, Natural, Wait
from bus.trace.redact import bounded

NAME_LIMIT = 400
"""Bytes of a name."""
Label = tuple[CallKind, str, str, int]
"""What a record says of a source: of which kind its calls are, its name, its service, the id of its registration."""
_LABELS = 1 << 15
"""Sources whose labels are kept, some 250 bytes each: more than a program has. Of ten thousand commands that are called
in turns, a cache of the last four thousand never holds the next one."""
TIMINGS: frozenset[type] = frozenset({Timed, Fired, Delivered, Waited})
Makers = Mapping[type, Callable[[Any], AnyRecord]]


class Legend(Struct, frozen=True, array_like=True, gc=False):
    """What the `key` of timings stands for: a `Label`."""

    key: Natural
    kind: CallKind
    name: str
    service: str
    entry: Natural


class _Labels(dict[int, Label]):
    """The labels of this process; the same ones come with every call. Each step on it is atomic."""

    def __missing__(self, key: int) -> Label:
        kind, name, service, entry = label_of(key)
        label = kind, bounded(name, NAME_LIMIT), bounded(service, NAME_LIMIT), entry
        if len(self) >= _LABELS:
            self.clear()  # most sources of a program that makes so many are gone
        self[key] = label  # type: ignore[assignment]  # the bus knows no other kinds
        return label  # type: ignore[return-value]  # as above


LABELS = _Labels()


def makers(labels: Mapping[int, Label]) -> Makers:
    """What makes the record of a timing, for each type of them; LABELS says what their keys stand for.

    With what is not a default, one takes a third of the time of a `Call` with all its fields. Lines written from a
    template, without any record, would take twice as long as record and encoder together.
    """

    def of_timed(timed: Timed) -> Call:
        kind, name, service, entry = labels[timed.key]
        caller, parent, root, _ = timed.origin
        return Call(
            timed.id, root or timed.id, kind, name, timed.queued, parent, service, entry, caller, timed.lane,
            timed.started, timed.ended, timed.waited, "ok",
        )  # fmt: skip

    def of_delivered(delivered: Delivered) -> Call:
        kind, name, service, entry = labels[delivered.key]
        event = delivered.event
        return Call(
            delivered.id, event.root, kind, name, event.at, event.id, service, entry, event.lane, delivered.lane,
            delivered.started, delivered.ended, 0, "ok",
        )  # fmt: skip

    def of_fired(event: Fired) -> Call:
        kind, name, service, entry = labels[event.key]
        at, lane = event.at, event.lane
        return Call(event.id, event.root, kind, name, at, event.parent, service, entry, lane, lane, at, at, 0, "ok")

    def of_waited(wait: Waited) -> Wait:
        return Wait(call=wait.call, lane=wait.lane, target=wait.target, began=wait.began, ended=wait.ended)

    return {Timed: of_timed, Delivered: of_delivered, Fired: of_fired, Waited: of_waited}


def legends(timings: Iterable[Timing], told: set[int]) -> tuple[Legend, ...]:
    """What the keys of TIMINGS stand for, but of those that were TOLD, to which they are added."""
    keys = {timing.key for timing in timings if timing.__class__ is not Waited}  # type: ignore[union-attr]  # as above
    fresh = keys - told
    told |= fresh
    return tuple(Legend(key, *LABELS[key]) for key in sorted(fresh))
