"""Call records to columns and back."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Final, get_args

import numpy as np
from msgspec import structs

from bus.trace.records import Call, CallKind, Error, Origin, Outcome
from console.model.columns import Block, Column, Ints, Rows
from console.model.lane import CALL, CANCELLED
from console.model.texts import Names, TextHeap

KINDS: Final[tuple[CallKind, ...]] = get_args(CallKind)
OUTCOMES: Final[tuple[Outcome | None, ...]] = (
    None, "ok", "cancelled", "error", "expired", "rejected", "aborted", "deadlock",
)  # fmt: skip
"""From `error` on they are failures; a cancelled call is what somebody asked for."""
FAILED: Final = frozenset(OUTCOMES[3:])
ORIGINS: Final[tuple[Origin, ...]] = get_args(Origin)

_KIND = {kind: code for code, kind in enumerate(KINDS)}
_OUTCOME = {outcome: code for code, outcome in enumerate(OUTCOMES)}
_ORIGIN = {origin: code for code, origin in enumerate(ORIGINS)}
_WIDE = ("id", "parent", "root", "queued", "started", "ended", "waited")
_NARROW = ("caller", "lane", "entry")
_NUMBERS = (*_WIDE, *_NARROW)
_numbers = attrgetter(*_NUMBERS)
_LARGEST_WIDE, _LARGEST_NARROW = (1 << 62) - 1, (1 << 31) - 1
_QUOTA = 20_000
_KNOWN_ERRORS = 2_000


class _Whole(dict[int, Call]):
    """The newest calls of a sort as whole records, the oldest of them let go when there are more than the quota."""

    def keep(self, call: Call) -> None:
        self[call.id] = call
        if len(self) > _QUOTA:
            del self[next(iter(self))]


class Codec:
    """Packs calls into blocks of columns and unpacks them one at a time.

    Failed calls are kept whole besides, the newest 20,000 of them; so are cancelled ones, and those with marks or a
    client. `damaged` counts calls with numbers that cannot be, as a damaged line may have; they are left out.
    """

    def __init__(self) -> None:
        self.names = Names()
        self.heap = TextHeap()
        self.failed = _Whole()
        self.damaged = 0
        self._special = _Whole()
        self._errors: dict[Error, Error] = {}

    def pack(self, calls: Sequence[Call]) -> tuple[Sequence[Call], Block]:
        """Those of the calls that make sense, and their columns."""
        block = _numeric(calls)
        if block is None:
            good = [call for call in calls if plausible(call)]
            self.damaged += len(calls) - len(good)
            calls, block = good, _numeric(good) or {}
        number = self.names.number
        block["name"] = np.array([number(call.name) for call in calls], np.int32)
        block["service"] = np.array([number(call.service) for call in calls], np.int32)
        block["kind"] = np.array([_KIND[call.kind] for call in calls], np.int8)
        block["outcome"] = np.array([_OUTCOME[call.outcome] for call in calls], np.int8)
        block["by"] = np.array([_ORIGIN[call.by] for call in calls], np.int8)
        block["text"] = self._texts(calls, block["outcome"])
        return calls, block

    def unpack(self, columns: Rows, position: int) -> Call:
        """The call at a position."""
        call = columns["id"][position].item()
        return self.failed.get(call) or self._special.get(call) or self._from_row(columns, position)

    def text(self, columns: Rows, position: int) -> tuple[str, str]:
        """Arguments and result of the call at a position; quicker than `unpack`."""
        reference = columns["text"][position].item()
        if reference >= 0:
            return self.heap.get(reference)
        call = self.unpack(columns, position)
        return call.args, call.result

    def _texts(self, calls: Sequence[Call], outcomes: Column) -> Ints:
        """References into the heap; -1: the call is kept whole."""
        references = np.array(self.heap.put((call.args, call.result) for call in calls), np.int64)
        for position in np.flatnonzero(outcomes > CANCELLED).tolist():
            self.failed.keep(self._share_error(calls[position]))
            references[position] = -1
        for position, call in enumerate(calls):
            if call.marks or call.client or call.outcome == "cancelled":
                self._special.keep(call)
                references[position] = -1
        return references

    def _share_error(self, call: Call) -> Call:
        """The same call; equal errors, which often come by the thousand, are one object."""
        if call.error is None:
            return call
        if len(self._errors) > _KNOWN_ERRORS:
            self._errors.clear()
        return structs.replace(call, error=self._errors.setdefault(call.error, call.error))

    def _from_row(self, columns: Rows, position: int) -> Call:
        row = {name: columns[name][position].item() for name in CALL}
        args, result = self.heap.get(row["text"])
        return Call(
            **{name: row[name] for name in _NUMBERS},
            kind=KINDS[row["kind"]],
            name=self.names[row["name"]],
            service=self.names[row["service"]],
            cpu=None if row["cpu"] < 0 else row["cpu"],
            outcome=OUTCOMES[row["outcome"]],
            by=ORIGINS[row["by"]],
            args=args,
            result=result,
        )


def plausible(call: Call) -> bool:
    """Whether the numbers fit their columns."""
    return _numeric([call]) is not None


def _numeric(calls: Sequence[Call]) -> dict[str, Column] | None:
    """The columns that are numbers already; None if one of them cannot be."""
    try:
        numbers = np.array([_numbers(call) for call in calls], np.int64).reshape(-1, len(_NUMBERS)).T
        cpu = np.array([-1 if call.cpu is None else call.cpu for call in calls], np.int64)
    except OverflowError:
        return None
    narrow = numbers[len(_WIDE) :]
    if len(calls) and (
        numbers.min() < 0 or numbers.max() > _LARGEST_WIDE or narrow.max() > _LARGEST_NARROW
        or numbers[0].min() < 1 or cpu.min() < -1 or cpu.max() > _LARGEST_WIDE
    ):  # fmt: skip
        return None
    return {**dict(zip(_NUMBERS, numbers, strict=True)), "cpu": cpu}
