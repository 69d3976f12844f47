"""Call records to columns and back."""

from collections.abc import Callable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, Final, get_args

import numpy as np
from msgspec import structs
from numpy.typing import DTypeLike

from bus.trace.records import Call, CallKind, Error, Origin, Outcome
from console.model.columns import Block, Column, Ints
from console.model.lane import CALL, CANCELLED, Calls
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
_LARGEST_WIDE, _LARGEST_NARROW = (1 << 62) - 1, (1 << 31) - 1
_QUOTA = 20_000
_AT_ONCE = 400
"""Calls; each is looked at for every column, and so few stay in the processor's cache meanwhile."""
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
        parts = [self._pack(calls[first : first + _AT_ONCE]) for first in range(0, max(1, len(calls)), _AT_ONCE)]
        if len(parts) == 1:
            return parts[0]
        block = {name: np.concatenate([part[name] for _, part in parts]) for name in parts[0][1]}
        return list(chain.from_iterable(some for some, _ in parts)), block

    def _pack(self, calls: Sequence[Call]) -> tuple[Sequence[Call], dict[str, Column]]:
        block = _numeric(calls)
        if block is None:
            good = [call for call in calls if plausible(call)]
            self.damaged += len(calls) - len(good)
            calls, block = good, _numeric(good) or {}
        block["name"] = _coded(calls, "name", self.names.number, np.int32)
        block["service"] = _coded(calls, "service", self.names.number, np.int32)
        block["kind"] = _coded(calls, "kind", _KIND.__getitem__, np.int8)
        block["outcome"] = _coded(calls, "outcome", _OUTCOME.__getitem__, np.int8)
        block["by"] = _coded(calls, "by", _ORIGIN.__getitem__, np.int8)
        block["text"] = self._texts(calls, block["outcome"])
        return calls, block

    def unpack(self, kept: Calls, position: int) -> Call:
        """The call at a position."""
        call = kept.values("id", position).item()
        return self.failed.get(call) or self._special.get(call) or self._from_row(kept, position)

    def text(self, kept: Calls, position: int) -> tuple[str, str]:
        """Arguments and result of the call at a position; quicker than `unpack`."""
        reference = kept.values("text", position).item()
        if reference >= 0:
            return self.heap.get(reference)
        call = self.unpack(kept, position)
        return call.args, call.result

    def _texts(self, calls: Sequence[Call], outcomes: Column) -> Ints:
        """References into the heap; -1: the call is kept whole."""
        references = self.heap.put([(call.args, call.result) for call in calls])
        for position in np.flatnonzero(outcomes > CANCELLED).tolist():
            self.failed.keep(self._share_error(calls[position]))
            references[position] = -1
        special = [position for position, call in enumerate(calls) if call.marks or call.client]
        for position in (*special, *np.flatnonzero(outcomes == CANCELLED).tolist()):
            self._special.keep(calls[position])
            references[position] = -1
        return references

    def _share_error(self, call: Call) -> Call:
        """The same call; equal errors, which often come by the thousand, are one object."""
        if call.error is None:
            return call
        if len(self._errors) > _KNOWN_ERRORS:
            self._errors.clear()
        return structs.replace(call, error=self._errors.setdefault(call.error, call.error))

    def _from_row(self, kept: Calls, position: int) -> Call:
        row = {name: kept.values(name, position).item() for name in CALL}
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
        # Column by column: four times as fast as a table made of rows.
        numbers = np.stack([_coded(calls, name, None, np.int64) for name in _NUMBERS])
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


def _coded(calls: Sequence[Call], name: str, code: Callable[[Any], int] | None, dtype: DTypeLike) -> Column:
    """A field of all calls as a column of its codes, or as it is."""
    values = map(attrgetter(name), calls)
    return np.fromiter(values if code is None else map(code, values), dtype, len(calls))
