"""Records of calls and waits to columns, on whichever thread has them: what a store takes in without looking at each.

Records are packed a few hundred at a time, right after they were read, while they are still in the processor's cache:
made by the ten thousand and looked at later, they take more than twice as long.
"""

import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import DTypeLike, NDArray

from bus.attach.protocol import Batch
from bus.context import Delivered, Fired, Timed, Timing, Waited
from bus.trace.records import AnyRecord, Call, CallKind, Origin, Outcome, Wait
from bus.trace.timings import Label
from console.model.codes import CANCELLED, KINDS, ORIGINS, OUTCOMES
from console.model.columns import Block, Column, Ints
from console.model.texts import BETWEEN, Names, packed_texts

_FIELDS: Final = ("id", "parent", "root", "queued", "started", "ended", "waited", "cpu", "caller", "lane", "sort")
_CODED: Final[Mapping[str, DTypeLike]] = {
    "name": np.int32, "service": np.int32, "entry": np.int64, "kind": np.int8, "outcome": np.int8, "by": np.int8,
}  # fmt: skip
_NARROW: Final = ("caller", "lane")
_WAIT_FIELDS: Final = ("lane", "began", "ended")
_CALL, _WAIT = struct.Struct(f"{len(_FIELDS)}q").pack, struct.Struct(f"{len(_WAIT_FIELDS)}q").pack
_LARGEST_WIDE, _LARGEST_NARROW = (1 << 62) - 1, (1 << 31) - 1
_WHOLE: Final = 1 << 32
"""Marks the sorts of calls that are kept as records besides."""
_NONE: Final = np.zeros(0, np.int64)
_AT_ONCE = 800
"""Calls; each is looked at for its numbers, and again for its texts."""
_MOST_SORTS = 20_000
"""Remembered at once; a program has a few dozen."""


class Packed(Struct, frozen=True):
    """Ended calls and waits as columns, with names and texts of their own.

    `calls`: the columns of `lane.CALL`; `name` and `service` are numbers in `names`, `text` is 1 + the place in `texts`
    where the call's texts begin, or 0 where it has none, or -1 where the call is in `whole`.
    `waits`: lane, began, ended. `unended`: calls of which this is no end. `damaged`: calls that were left out, because
    their numbers cannot be.
    """

    calls: Block
    names: tuple[str, ...]
    texts: bytes
    whole: tuple[Call, ...]
    waits: Block
    unended: tuple[Call, ...]
    damaged: int

    @property
    def latest(self) -> int:
        """The last moment that a call tells of, 0 without calls."""
        times = (self.calls[name] for name in ("queued", "started", "ended"))
        return max((int(some.max()) for some in times if len(some)), default=0)


class Portion(Batch, frozen=True, kw_only=True):
    """A batch whose calls and waits are packed already; its `records` are the others.

    `origins`: where several programs are in one view, the program and the own name of each name that is shown.
    """

    packed: Packed
    origins: Mapping[str, tuple[int, str]] = MappingProxyType({})


class _Sort(NamedTuple):
    """What many calls have in common, as it is in a record."""

    kind: CallKind
    name: str
    service: str
    outcome: Outcome | None
    by: Origin
    entry: int
    plain: bool
    """The columns have a place for all that is known of it."""


class _Sorts(dict[tuple[object, ...], int]):
    """A number for each sort of calls, which is looked up once a call, and the columns that follow from it."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names
        self._rows: list[tuple[int, ...]] = []
        self._table = np.zeros((0, len(_CODED)), np.int64)

    def __missing__(self, key: tuple[object, ...]) -> int:
        sort = _Sort(*key)  # type: ignore[arg-type]  # as `Packer` makes them
        if not 0 <= sort.entry <= _LARGEST_NARROW:
            raise OverflowError
        name, service, outcome = self._names.number(sort.name), self._names.number(sort.service), sort.outcome
        code = OUTCOMES.index(outcome)
        self._rows.append((name, service, sort.entry, KINDS.index(sort.kind), code, ORIGINS.index(sort.by)))
        number = len(self) | (0 if 0 < code < CANCELLED and sort.plain else _WHOLE)
        self[key] = number
        return number

    def columns(self, numbers: Ints) -> dict[str, Column]:
        """The codes of each number, by the names of `_CODED`."""
        if len(self._table) < len(self._rows):
            self._table = np.array(self._rows, np.int64)
        columns = self._table[numbers & ~_WHOLE].T
        return {name: some.astype(dtype) for (name, dtype), some in zip(_CODED.items(), columns, strict=True)}


class Packer:
    """Packs the records that it is given, until somebody takes what there is. Owned by one thread at a time."""

    def __init__(self) -> None:
        self._names = Names()
        self._sorts = _Sorts(self._names)
        self._keys: dict[int, int] = {}
        self._begin()

    def add(self, records: Sequence[AnyRecord]) -> list[AnyRecord]:
        """Pack the calls and waits among RECORDS, and return the others."""
        # By exact type, one kind after the other: nothing else is as quick, and nothing here has subclasses.
        calls = [record for record in records if type(record) is Call]
        waits = [record for record in records if type(record) is Wait]
        for first in range(0, len(calls), _AT_ONCE):
            self._add_calls(calls[first : first + _AT_ONCE])
        if waits:
            self._waits.append(_wait_rows(waits))
        if len(calls) + len(waits) == len(records):
            return []
        return [record for record in records if type(record) is not Call and type(record) is not Wait]

    def add_timings(self, timings: Sequence[Timing], labels: Mapping[int, Label]) -> None:
        """Pack TIMINGS; LABELS says what their keys, which are never used again, stand for."""
        waits = [timing for timing in timings if type(timing) is Waited]
        if waits:
            self._waits.append(b"".join([_WAIT(wait.lane, wait.began, wait.ended) for wait in waits]))
        try:
            rows = _timing_rows(timings, self._keys)
        except KeyError:
            self._keys.update(
                (key, self._sort_of(labels[key])) for key in sorted(_keys_of(timings) - self._keys.keys())
            )
            rows = _timing_rows(timings, self._keys)
        self._calls.append(rows)
        self._references.append(np.zeros(len(timings) - len(waits), np.int64))

    def _sort_of(self, label: Label) -> int:
        kind, name, service, entry = label
        try:
            return self._sorts[kind, name, service, "ok", "code", entry, True]
        except OverflowError:
            return self._sorts[kind, name, service, "ok", "code", 0, True]

    def take(self) -> Packed:
        """All that was packed since this was last asked."""
        table = _table(self._calls, _FIELDS)
        block = dict(zip(_FIELDS, table, strict=True))
        block |= self._sorts.columns(block.pop("sort"))
        block["text"] = np.concatenate([_NONE, *self._references])
        good = _plausible(block)
        kept = good & (block["outcome"] > 0)
        if not kept.all():
            block = {name: values[kept] for name, values in block.items()}
        damaged = self._damaged + len(good) - int(good.sum())
        whole = tuple(self._whole if good.all() else filter(plausible, self._whole))
        waits = dict(zip(_WAIT_FIELDS, _table(self._waits, _WAIT_FIELDS), strict=True))
        packed = Packed(
            block, self._names.all(), b"".join(self._texts), whole, waits, tuple(self._unended), damaged
        )  # fmt: skip
        self._begin()
        return packed

    def _begin(self) -> None:
        self._calls: list[bytes] = []
        self._waits: list[bytes] = []
        self._texts: list[bytes] = []
        self._references: list[Ints] = []
        self._text_bytes = 0
        self._whole: list[Call] = []
        self._unended: list[Call] = []
        self._damaged = 0
        if len(self._sorts) > _MOST_SORTS or len(self._keys) > _MOST_SORTS:
            self._sorts, self._keys = _Sorts(self._names), {}

    def _add_calls(self, calls: Sequence[Call]) -> None:
        try:
            rows = _call_rows(calls, self._sorts)
        except (struct.error, OverflowError):
            good = [call for call in calls if plausible(call)]
            self._damaged += len(calls) - len(good)
            calls, rows = good, _call_rows(good, self._sorts)
        self._calls.append(rows)
        texts, references = packed_texts([f"{call.args}{BETWEEN}{call.result}" for call in calls])
        references[references > 0] += self._text_bytes
        self._texts.append(texts)
        self._references.append(references)
        self._text_bytes += len(texts)
        sorts = np.frombuffer(rows, np.int64)[len(_FIELDS) - 1 :: len(_FIELDS)]
        for position in np.flatnonzero(sorts >= _WHOLE).tolist():
            call = calls[position]
            (self._whole if call.outcome else self._unended).append(call)
            references[position] = -1


def plausible(call: Call) -> bool:
    """Whether the numbers fit their columns."""
    wide = call.parent, call.root, call.queued, call.started, call.ended, call.waited, call.cpu or 0
    narrow = call.caller, call.lane, call.entry
    return (
        1 <= call.id <= _LARGEST_WIDE
        and all(0 <= number <= _LARGEST_WIDE for number in wide)
        and all(0 <= number <= _LARGEST_NARROW for number in narrow)
    )


def _plausible(block: Block) -> NDArray[np.bool_]:
    """Which calls are; their entries are known to be."""
    good = (block["id"] >= 1) & (block["cpu"] >= -1)
    for name in _FIELDS[:-1]:
        good &= block[name] <= (_LARGEST_NARROW if name in _NARROW else _LARGEST_WIDE)
        if name != "cpu":
            good &= block[name] >= 0
    return good


def _call_rows(calls: Sequence[Call], sorts: _Sorts) -> bytes:
    """The numbers of all calls, in the order of `_FIELDS`; a column at a time would take twice as long."""
    return b"".join([
        _CALL(
            call.id, call.parent, call.root, call.queued, call.started, call.ended, call.waited,
            -1 if call.cpu is None else call.cpu, call.caller, call.lane,
            sorts[
                call.kind, call.name, call.service, call.outcome, call.by, call.entry,
                not call.marks and not call.client and call.error is None,
            ],
        )
        for call in calls
    ])  # fmt: skip


def _timing_rows(timings: Sequence[Timing], sorts: Mapping[int, int]) -> bytes:
    """The same of calls that went well, in their order: those of a lane follow each other."""
    return b"".join([
        _CALL(
            one.id, one.origin[1], one.origin[2] or one.id, one.queued, one.started, one.ended, one.waited, -1,
            one.origin[0], one.lane, sorts[one.key],
        )
        if type(one) is Timed
        else _CALL(
            one.id, one.event.id, one.event.root, one.event.at, one.started, one.ended, 0, -1, one.event.lane, one.lane,
            sorts[one.key],
        )
        if type(one) is Delivered
        else _CALL(one.id, one.parent, one.root, one.at, one.at, one.at, 0, -1, one.lane, one.lane, sorts[one.key])
        if type(one) is Fired
        else b""
        for one in timings
    ])  # fmt: skip


def _keys_of(timings: Sequence[Timing]) -> set[int]:
    return {timing.key for timing in timings if type(timing) is not Waited}  # type: ignore[union-attr]  # mypy does not narrow by what it is not


def _wait_rows(waits: Sequence[Wait]) -> bytes:
    """A wait with numbers that cannot be is left out; that does no harm, see `Runs`."""
    try:
        return b"".join([_WAIT(wait.lane, wait.began, wait.ended) for wait in waits])
    except struct.error:
        return b"".join([_WAIT(wait.lane, wait.began, wait.ended) for wait in waits if _is_short(wait)])


def _is_short(wait: Wait) -> bool:
    return all(0 <= number <= _LARGEST_WIDE for number in (wait.lane, wait.began, wait.ended))


def _table(rows: Sequence[bytes], fields: Sequence[str]) -> Column:
    """Columns of numbers, shape (fields, rows)."""
    return np.ascontiguousarray(np.frombuffer(b"".join(rows), np.int64).reshape(-1, len(fields)).T)
