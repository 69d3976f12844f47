"""The ended calls of one lane as sorted columns, with the running totals that the timeline reads."""

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from console.model.columns import Block, Column, Columns, Ints
from console.model.ends import failures
from console.model.intervals import Intervals
from console.model.totals import Totals

CALL: Final = (
    "id", "parent", "root", "queued", "started", "ended", "cpu", "waited", "text",
    "caller", "lane", "entry", "name", "service", "kind", "outcome", "by",
)  # fmt: skip
"""The columns of a call. `cpu` -1: not measured; `text`: a reference into the text heap; see `blocks.py`."""
Positions = Ints | slice | int
_BACKLOG: Final = 2_000
"""Calls of a lane of which nothing is derived until it is asked for; more would make who asks wait."""
_NOTHING: Final = 1 << 62


class Calls:
    """Ended calls sorted by one of their times, each id once.

    To need few bytes, the other times and the root's id are kept as their distances from that time and the own id.

    What is derived from the calls is brought up to date when it is asked for: of two hundred lanes few are looked at,
    and for many calls at once it takes as long as for one.
    """

    def __init__(self, key: Literal["started", "ended"]) -> None:
        self._key = key
        self._apart = {"root": "id", "queued": key, "started": key, "ended": key}
        del self._apart[key]
        self.columns = Columns({**dict.fromkeys(CALL, np.int8), key: np.int64})
        self._failures = Columns({"ended": np.int64, "id": np.int64})
        self._stale = _NOTHING
        """The position from which on nothing is derived yet."""
        self.version = 0
        """Counts the times that something changed."""
        self.moves = 0
        """Counts the times that calls changed their positions; otherwise new ones only come behind the others."""

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, name: str) -> Column:
        column: Column = self.values(name, slice(0, len(self)))
        return column

    @property
    def nbytes(self) -> int:
        """Bytes that the calls take, their texts not counted."""
        return self.columns.nbytes + self.failures.nbytes

    @property
    def failures(self) -> Columns:
        """`ended` and `id` of the failed ones, sorted by their end."""
        self._catch_up()
        return self._failures

    def values(self, name: str, positions: Positions) -> Any:
        """One column at some positions, or at one."""
        stored = self.columns[name][positions]
        base = self._apart.get(name)
        return stored if base is None else self.columns[base][positions].astype(np.int64) - stored

    def shared(self) -> "Calls":
        """The calls that there are now, without what is derived: for another thread to read."""
        other = Calls(self._key)
        other.columns = self.columns.shared()
        return other

    def add(self, block: Block) -> NDArray[np.bool_]:
        """Take in calls and say which of them are new here."""
        keys, size = block[self._key], len(self)
        last = self.columns[self._key][-1] if size else -1
        if keys[0] > last and bool(np.all(keys[1:] > keys[:-1])):
            self._extend(block)
            self._changed(size)
            return np.ones(len(keys), np.bool_)
        fresh = self._unknown(block)
        if fresh.any():
            self._extend({name: values[fresh] for name, values in block.items()})
            self.columns.select(np.lexsort((self.columns["id"], self.columns[self._key])))
            self.moves += 1
            self._changed(0)
        return fresh

    def find(self, call: int) -> int:
        """The position of a call, -1 if it is not here."""
        found = np.flatnonzero(self.columns["id"] == call)
        return int(found[0]) if len(found) else -1

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Let go of all calls but those of the mask."""
        self.columns.select(mask)
        self.moves += 1
        self._changed(0)

    def _extend(self, block: Block) -> None:
        apart = {name: block[base] - block[name] for name, base in self._apart.items()}
        self.columns.extend({**block, **apart})

    def _unknown(self, block: Block) -> NDArray[np.bool_]:
        """Which calls are not here yet; only calls from the earliest new time on can be the same."""
        first = int(np.searchsorted(self.columns[self._key], block[self._key].min()))
        seen = set(self.columns["id"][first:].tolist())
        fresh = np.zeros(len(block["id"]), np.bool_)
        for position, call in enumerate(block["id"].tolist()):
            fresh[position] = call not in seen
            seen.add(call)
        return fresh

    def _changed(self, position: int) -> None:
        """From POSITION on, what is derived is not true any more."""
        self.version += 1
        self._stale = min(self._stale, position)
        if len(self) - self._stale > _BACKLOG:
            self._catch_up()

    def _catch_up(self) -> None:
        if self._stale != _NOTHING:
            position, self._stale = self._stale, _NOTHING
            self._derive(position)

    def _derive(self, position: int) -> None:
        """Bring what is derived up to date from POSITION on."""
        kind, outcome = (self.columns[name][position:] for name in ("kind", "outcome"))
        failed = position + np.flatnonzero(failures(kind, outcome))
        block = {name: self.values(name, failed) for name in ("ended", "id")}
        if not position:
            self._failures.select(np.zeros(len(self._failures), np.bool_))
        self._failures.extend(block)
        if not position:
            self._failures.select(np.argsort(self._failures["ended"], kind="stable"))


class Runs(Calls):
    """The calls that ran on a lane, one at a time, by their start.

    Running totals: `run` ns, `computed` ns, `idle` ns (the time in front of a call in which it was queued and nothing
    ran here). Where two calls claim the same time the later one has it.
    """

    def __init__(self) -> None:
        super().__init__("started")
        self._run, self._computed, self._idle = Totals(), Totals(), Totals()
        self.waits = Intervals()
        self._guessed = Intervals()

    @property
    def nbytes(self) -> int:
        """See `Calls`; with the running totals and the waits."""
        self._catch_up()
        others = (self._run, self._computed, self._idle, self.waits, self._guessed)
        return super().nbytes + sum(other.nbytes for other in others)

    @property
    def run(self) -> Totals:
        """Ns of running."""
        self._catch_up()
        return self._run

    @property
    def computed(self) -> Totals:
        """Ns of computing."""
        self._catch_up()
        return self._computed

    @property
    def idle(self) -> Totals:
        """Ns in front of each call in which it was queued and nothing ran here."""
        self._catch_up()
        return self._idle

    @property
    def has_waits(self) -> bool:
        """Whether the lane was ever blocked."""
        self._catch_up()
        return bool(len(self.waits) or len(self._guessed))

    def blocked(self, moments: Ints) -> Ints:
        """Ns before each moment in which the lane was blocked, waiting for other calls."""
        self._catch_up()
        blocked = self.waits.until(moments)
        return blocked + self._guessed.until(moments) if len(self._guessed) else blocked

    def waits_within(self, begin: int, end: int) -> tuple[Ints, Ints]:
        """When the lane began and ceased to be blocked, each time that touches [BEGIN, END), in order."""
        self._catch_up()
        known, guessed = self.waits.touching(begin, end), self._guessed.touching(begin, end)
        began, ended = np.concatenate((known[0], guessed[0])), np.concatenate((known[1], guessed[1]))
        order = np.argsort(ended, kind="stable")
        return began[order], ended[order]

    def forget_waits(self, moment: int) -> None:
        """Let go of the waits that ended before MOMENT, but not of those of a call that ended later."""
        later = np.flatnonzero(self["ended"] > moment)[:1]
        self.waits.forget_before(min([moment, *self.columns["started"][later].tolist()]))

    def add_waits(self, began: Ints, ended: Ints) -> None:
        """Take in the times in which this thread was blocked; before the calls that they are part of, if possible."""
        late = len(self) > 0 and began.min() < self.values("ended", -1)
        self.waits.add(began, ended)
        if late:
            self._changed(0)

    def ends(self, positions: Ints) -> Ints:
        """When the calls let go of the lane."""
        return self.spans(positions)[1]

    def spans(self, positions: Ints) -> tuple[Ints, Ints]:
        """When the calls had the lane: from their start to their end, or to the next start if that is earlier."""
        all_started, following = self.columns["started"], positions + 1
        started = all_started[positions]
        ended = started - self.columns["ended"][positions]
        next_started = all_started[np.minimum(following, len(self) - 1)]
        limit = np.where(following < len(self), next_started, ended)
        return started, np.maximum(started, np.minimum(ended, limit))

    def starts(self, moments: Ints) -> Ints:
        """How many calls started before each moment."""
        before: Ints = self.columns["started"].searchsorted(moments)
        return before

    def _derive(self, position: int) -> None:
        super()._derive(position)
        if not position:
            self._guessed = Intervals()
        first = max(0, position - 1)  # a call that came after another may have cut that one short
        if first == len(self):
            return
        positions = np.arange(first, len(self))
        started, ends = self.spans(positions)
        self._guess_waits(positions, started, ends)
        blocked = self.blocked(ends) - self.blocked(started)
        free, cpu = ends - started - blocked, self.columns["cpu"][first:]
        self._run.set_from(first, ends - started)
        self._computed.set_from(first, np.where(cpu < 0, free, np.minimum(cpu, free)))
        earlier = np.concatenate((self.ends(np.array([first - 1])) if first else np.zeros(1, np.int64), ends[:-1]))
        queued = self.values("queued", slice(first, None))
        self._idle.set_from(first, np.maximum(0, started - np.maximum(queued, earlier)))

    def _guess_waits(self, positions: Ints, started: Ints, ends: Ints) -> None:
        """A call that waited, but whose waits were lost: we know how long, and say that it was at its end."""
        waited = self.columns["waited"][positions]
        missing = (waited > 0) & (self.blocked(ends) == self.blocked(started))
        if missing.any():
            began = np.maximum(started, ends - waited)
            self._guessed.add(began[missing], ends[missing])
