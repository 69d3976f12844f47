"""One of several programs in one view: its numbers, names and times made such that none is another program's.

A call, a lane or a registration has a number in its program; in the view it has another digit (or more) behind it,
which is the program's: call 18342 of program 2 is #183422. A name that several programs use has the program's label in
front of it. All times are those of one clock.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

import numpy as np
from msgspec import structs
from msgspec.structs import replace
from numpy.typing import NDArray

from bus.trace.records import AnyRecord, Call, Dropped, Problem, Session
from console.model.columns import Block, Column
from console.model.packing import Packed

R = TypeVar("R", bound=AnyRecord)

_NUMBERS: Final = frozenset({"id", "parent", "root", "call", "target", "caller", "lane", "key", "entry"})
_TIMES: Final = frozenset({"at", "queued", "started", "ended", "began", "begin", "end"})
_NAMES: Final = frozenset({"name", "service"})
_LARGEST: Final = (1 << 62) - 1
_NARROW: Final = frozenset({"caller", "lane", "entry"})
_LARGEST_NARROW: Final = (1 << 31) - 1
_SPECIAL: Final = re.compile(r"[^\w.-]")
"""In a label, these could make a pattern of a name."""
_LABEL: Final = 8
"""Letters of a program's name, where that is enough to tell it from the others: it stands in front of many names."""


class SharedNames:
    """Whose each name in the view is. Owned by the front end's thread.

    The label is set off with a slash, which means nothing in a filter or in a pattern.
    """

    def __init__(self, clashing: Collection[str] = ()) -> None:
        """CLASHING: the names that are known to be used by several programs; none of them has those without a label."""
        self._clashing = frozenset(clashing)
        self.origins: dict[str, tuple[int, str]] = {}
        """Program and own name of each name that is shown."""

    def shown(self, program: int, label: str, name: str) -> str:
        """The name under which NAME of a program is shown: NAME itself, if it was the first to use it."""
        own, shown = (program, name), f"{label}/{name}" if name in self._clashing else name
        while self.origins.setdefault(shown, own) != own:
            shown = f"{label}/{shown}"
        return shown


class Program:
    """Turns what one program's recording says into what the view shows."""

    def __init__(self, number: int, factor: int, label: str, shift: int, names: SharedNames) -> None:
        """NUMBER: from 1, less than FACTOR, a power of ten; SHIFT: ns from its clock to the view's."""
        self.number = number
        self.label = label
        self._factor = factor
        self._shift = shift
        self._names = names
        self._shown: dict[str, str] = {"": ""}
        self._packed_names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self._how: Mapping[str, Callable[[Any], Any]] = {
            **dict.fromkeys(_NUMBERS, self._numbered), **dict.fromkeys(_TIMES, self._timed),
            **dict.fromkeys(_NAMES, self.name),
        }  # fmt: skip

    def name(self, name: str) -> str:
        """As `SharedNames.shown`; "" is nobody's."""
        shown = self._shown.get(name)
        if shown is None:
            shown = self._shown[name] = self._names.shown(self.number, self.label, name)
        return shown

    def record(self, record: R) -> R:
        """RECORD, as the view has it."""
        how = self._how
        changes = {name: how[name](getattr(record, name)) for name in record.__struct_fields__ if name in how}
        if isinstance(record, Problem):
            changes["calls"] = tuple(map(self._numbered, record.calls))
        elif isinstance(record, Dropped) and record.kind == "event":
            changes["where"] = self.name(record.where)
        return structs.replace(record, **changes)

    def packed(self, packed: Packed) -> Packed:
        """The same for calls and waits in columns; what has no room for another digit is left out."""
        if self._packed_names[0] is not packed.names:
            self._packed_names = packed.names, tuple(map(self.name, packed.names))
        calls, fits = self._columns(packed.calls)
        waits, also_fits = self._columns(packed.waits)
        whole = (call for call in packed.whole if self._has_room(call))
        return replace(
            packed, calls=_those(calls, fits), waits=_those(waits, also_fits), names=self._packed_names[1],
            whole=tuple(map(self.record, whole)), unended=tuple(map(self.record, packed.unended)),
            damaged=packed.damaged + len(fits) - int(fits.sum()),
        )  # fmt: skip

    def _numbered(self, number: int) -> int:
        """0 is none, and stays that."""
        return number * self._factor + self.number if number else 0

    def _timed(self, moment: int) -> int:
        return moment + self._shift if moment else 0

    def _columns(self, block: Block) -> tuple[dict[str, Column], NDArray[np.bool_]]:
        changed, fits = dict(block), np.ones(len(next(iter(block.values()))), np.bool_)
        for name, values in block.items():
            if name in _NUMBERS:
                fits &= values <= self._most(name)
                changed[name] = np.where(values > 0, values * self._factor + self.number, 0)
            elif name in _TIMES:
                fits &= values <= _LARGEST - self._shift
                changed[name] = np.where(values > 0, values + self._shift, 0)
        return changed, fits

    def _has_room(self, call: Call) -> bool:
        numbers = (getattr(call, name) <= self._most(name) for name in _NUMBERS if hasattr(call, name))
        return all(numbers) and max(call.queued, call.started, call.ended) <= _LARGEST - self._shift

    def _most(self, name: str) -> int:
        return ((_LARGEST_NARROW if name in _NARROW else _LARGEST) - self.number) // self._factor


def _those(block: dict[str, Column], fits: Column) -> dict[str, Column]:
    return block if fits.all() else {name: values[fits] for name, values in block.items()}


def labels(sessions: Sequence[Session]) -> list[str]:
    """What stands in front of a name of each program: as short as can be, and each of its own."""
    numbers = [str(number) for number in range(1, len(sessions) + 1)]
    short = [_SPECIAL.sub("_", one.program[:_LABEL]) for one in sessions]
    pids = [str(one.pid) for one in sessions]
    for candidates in (short, pids):
        if all(candidates) and len(set(candidates)) == len(candidates):
            return candidates
    return [f"{name}-{number}" for name, number in zip(short, numbers, strict=True)]


def shared(names: Sequence[Collection[str]]) -> set[str]:
    """The names that several programs have."""
    counts = Counter(name for some in names for name in set(some))
    return {name for name, count in counts.items() if count > 1}
