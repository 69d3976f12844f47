"""Call records to columns and back."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final, get_args

import numpy as np
from msgspec import structs

from bus.trace.records import Call, CallKind, Error, Origin, Outcome
from console.model.columns import Block, Rows
from console.model.lane import CALL
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
_numbers = attrgetter(*_WIDE, *_NARROW)
_LARGEST_WIDE, _LARGEST_NARROW = 1 << 62, (1 << 31) - 1
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

    Failed calls, and those with marks or a client, are kept whole besides, the newest 20,000 of each sort.
    """

    def __init__(self) -> None:
        self.names = Names()
        self.heap = TextHeap()
        self.failed = _Whole()
        self._marked = _Whole()
        self._errors: dict[Error, Error] = {}

    def pack(self, calls: Sequence[Call]) -> Block:
        """The columns of some calls with plausible numbers (see `plausible`)."""
        number = self.names.number
        numbers = np.array([_numbers(call) for call in calls], np.int64).T
        block: dict[str, Any] = dict(zip((*_WIDE, *_NARROW), numbers, strict=True))
        block["cpu"] = np.array([-1 if call.cpu is None else call.cpu for call in calls], np.int64)
        block["text"] = np.array([self._text(call) for call in calls], np.int64)
        block["name"] = np.array([number(call.name) for call in calls], np.int32)
        block["service"] = np.array([number(call.service) for call in calls], np.int32)
        block["kind"] = np.array([_KIND[call.kind] for call in calls], np.int8)
        block["outcome"] = np.array([_OUTCOME[call.outcome] for call in calls], np.int8)
        block["by"] = np.array([_ORIGIN[call.by] for call in calls], np.int8)
        return block

    def unpack(self, columns: Rows, position: int) -> Call:
        """The call at a position."""
        call = columns["id"][position].item()
        return self.failed.get(call) or self._marked.get(call) or self._from_row(columns, position)

    def text(self, columns: Rows, position: int) -> tuple[str, str]:
        """Arguments and result of the call at a position; quicker than `unpack`."""
        reference = columns["text"][position].item()
        if reference >= 0:
            return self.heap.get(reference)
        call = self.unpack(columns, position)
        return call.args, call.result

    def _text(self, call: Call) -> int:
        """A reference into the heap; -1: the call is kept whole."""
        if call.outcome in FAILED or call.error is not None:
            self.failed.keep(self._share_error(call))
            return -1
        if call.marks or call.client:
            self._marked.keep(call)
            return -1
        return self.heap.put(call.args, call.result)

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
            **{name: row[name] for name in (*_WIDE, *_NARROW)},
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
    """Whether the numbers fit their columns; a damaged line can hold anything."""
    return (
        call.id > 0
        and all(0 <= getattr(call, name) < _LARGEST_WIDE for name in _WIDE)
        and all(0 <= getattr(call, name) <= _LARGEST_NARROW for name in _NARROW)
        and 0 <= (call.cpu or 0) < _LARGEST_WIDE
    )
