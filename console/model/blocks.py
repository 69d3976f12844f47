"""Packed calls to a store's own names and texts, and columns back to records."""

import numpy as np
from msgspec import structs

from bus.trace.records import Call, Error
from console.model.codes import FAILED, KINDS, ORIGINS, OUTCOMES
from console.model.columns import Block, Ints
from console.model.lane import CALL, Calls
from console.model.packing import Packed, plausible
from console.model.texts import Names, TextHeap

__all__ = ["FAILED", "KINDS", "ORIGINS", "OUTCOMES", "Codec", "plausible"]

_QUOTA = 20_000
_KNOWN_ERRORS = 2_000


class _Whole(dict[int, Call]):
    """The newest calls of a sort as whole records, the oldest of them let go when there are more than the quota."""

    def keep(self, call: Call) -> None:
        self[call.id] = call
        if len(self) > _QUOTA:
            del self[next(iter(self))]


class Codec:
    """Takes in packed calls and unpacks them one at a time.

    Failed calls are kept whole besides, the newest 20,000 of them; so are cancelled ones, and those with marks or a
    client. `damaged` counts calls with numbers that cannot be, as a damaged line may have; they are left out.
    """

    def __init__(self) -> None:
        self.names = Names()
        self.heap = TextHeap()
        self.failed = _Whole()
        self.damaged = 0
        self._special = _Whole()
        # The names of whoever packed the last calls, and the numbers that they have here.
        self._others: tuple[str, ...] = ()
        self._ours = np.zeros(0, np.int32)
        self._errors: dict[Error, Error] = {}

    def shared(self) -> "Codec":
        """What unpacks the calls that there are now, also on another thread."""
        other = Codec()
        other.names, other.heap = self.names, self.heap.shared()
        other.failed.update(self.failed)
        other._special.update(self._special)
        return other

    def take(self, packed: Packed) -> Block:
        """The calls of PACKED, whose names and texts are ours from now on."""
        self.damaged += packed.damaged
        for call in packed.whole:
            if call.outcome in FAILED:
                self.failed.keep(self._share_error(call))
            else:
                self._special.keep(call)
        if self._others is not packed.names:
            self._others, numbers = packed.names, map(self.names.number, packed.names)
            self._ours = np.fromiter(numbers, np.int32, len(packed.names))
        block = packed.calls
        return {
            **block, "name": self._ours[block["name"]], "service": self._ours[block["service"]],
            "text": self.heap.add(packed.texts, block["text"]),
        }  # fmt: skip

    def arguments(self, call: int, reference: int) -> str:
        """The arguments of a call, by its id and its text's reference."""
        if reference >= 0:
            return self.heap.get(reference)[0]
        whole = self.failed.get(call) or self._special.get(call)
        return whole.args if whole else ""

    def unpack(self, kept: Calls, position: int) -> Call:
        """The call at a position."""
        call = kept.values("id", position).item()
        return self.failed.get(call) or self._special.get(call) or self._from_row(
            *(kept.values(name, position).item() for name in CALL)
        )  # fmt: skip

    def text(self, kept: Calls, position: int) -> tuple[str, str]:
        """Arguments and result of the call at a position; quicker than `unpack`."""
        reference = kept.values("text", position).item()
        if reference >= 0:
            return self.heap.get(reference)
        call = self.unpack(kept, position)
        return call.args, call.result

    def _share_error(self, call: Call) -> Call:
        """The same call; equal errors, which often come by the thousand, are one object."""
        if call.error is None:
            return call
        if len(self._errors) > _KNOWN_ERRORS:
            self._errors.clear()
        return structs.replace(call, error=self._errors.setdefault(call.error, call.error))

    def unpacked(self, kept: Calls, positions: Ints) -> list[Call]:
        """The calls at some positions; many together take a fifth of the time of as many alone."""
        whole, special = self.failed, self._special
        rows = zip(*(kept.values(name, positions).tolist() for name in CALL), strict=True)
        return [whole.get(row[0]) or special.get(row[0]) or self._from_row(*row) for row in rows]

    def _from_row(  # noqa: PLR0917  in the order of `CALL`
        self, number: int, parent: int, root: int, queued: int, started: int, ended: int, cpu: int, waited: int,
        text: int, caller: int, lane: int, entry: int, name: int, service: int, kind: int, outcome: int, by: int,
    ) -> Call:  # fmt: skip
        args, result = self.heap.get(text)
        return Call(
            number, root, KINDS[kind], self.names[name], queued, parent, self.names[service], entry, caller, lane,
            started, ended, waited, OUTCOMES[outcome], None if cpu < 0 else cpu, None, args, result, ORIGINS[by],
        )  # fmt: skip
