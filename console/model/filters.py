"""A filter over calls, twice from one meaning: of one record (live calls, exports), and of the columns of a store."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from msgspec import Struct, field

from bus.trace.records import Call, Outcome
from console.language.filter_fields import ENDED, FAILED, IN_FLIGHT, QUEUED, RUNNING
from console.language.filters import And, Between, Compare, Filter, Is, Match, Not, Or, Phrase, Word
from console.model import blocks
from console.model.call_rows import CallRows, Mask
from console.model.columns import Column, Ints
from console.model.lane import Calls
from console.model.predicates import ORDERS, Predicate, Reader, predicate, searched, text_test
from console.model.split import CallParts, parts
from console.model.store import Store
from console.model.text_search import Side, search

_SIDES: Final[Mapping[tuple[str, ...], Side]] = {("arg",): "args", ("result",): "result"}
_CODES: Final[Mapping[str, tuple[str, ...]]] = {"kind": blocks.KINDS, "by": blocks.ORIGINS}
_FEW: Final = 500
"""Calls of a lane of which each is looked at sooner than all texts are searched."""
BARE: Final = ("name",)
QUOTED: Final = ("name", "arg", "result", "error")


def of_call(what: Filter, lane_name: Callable[[int], str], until: Callable[[Call], int]) -> Predicate[Call]:
    """Whether a call is what WHAT asks for.

    Args:
        what: The filter.
        lane_name: The name of a lane; that of lane 0, which is none, is "".
        until: The moment up to which the time of a call counts that has not ended.
    """
    return predicate(what, _reader(lane_name, until))


def _reader(lane_name: Callable[[int], str], until: Callable[[Call], int]) -> Reader[Call]:
    def part(pick: Callable[[CallParts], int | None]) -> Callable[[Call], int | None]:
        return lambda call: pick(parts(call, 0 if call.outcome else until(call)))

    return Reader(
        texts={
            "name": lambda call: (call.name,), "service": lambda call: (call.service,),
            "lane": lambda call: (lane_name(call.lane),), "caller": lambda call: (lane_name(call.caller),),
            "arg": lambda call: (call.args,), "result": lambda call: (call.result,),
            "error": lambda call: (call.error.type, call.error.message) if call.error else (),
        },
        choices={
            "outcome": lambda call: _states(call.outcome, started=call.started > 0),
            "kind": lambda call: (call.kind,), "by": lambda call: (call.by,),
        },
        numbers={
            "took": part(lambda of: of.queued + of.computing + of.waiting + of.elsewhere),
            "run": part(lambda of: of.computing + of.waiting + of.elsewhere),
            "queued": part(lambda of: of.queued), "waiting": part(lambda of: of.waiting),
            "computing": part(lambda of: of.computing if of.measured else None),
            "elsewhere": part(lambda of: of.elsewhere if of.measured else None),
            "id": lambda call: call.id, "parent": lambda call: call.parent, "root": lambda call: call.root,
        },
        bare=BARE,
        quoted=QUOTED,
    )  # fmt: skip


def _states(outcome: Outcome | None, *, started: bool = True) -> tuple[str, ...]:
    """All that `outcome:` says of a call."""
    if outcome is None:
        return IN_FLIGHT, RUNNING if started else QUEUED
    return (outcome, ENDED, FAILED) if outcome in blocks.FAILED else (outcome, ENDED)


class _Asked(Struct, frozen=True):
    """Those of the first SIZE calls of a lane that were found, as long as nothing else than STATE says."""

    state: tuple[int, int] = (0, 0)
    size: int = 0
    positions: Ints = field(default_factory=lambda: np.zeros(0, np.int64))


class StoreFilter:
    """A filter over the ended calls of a store. Asked again, it looks only at what came since.

    Names, lanes, outcomes and times of a million calls take some 10 ms each; texts (arguments, results) are searched
    where they are packed, once for all lanes, in 0.1 to 1 s. Calls that are kept whole are looked at one by one.
    """

    def __init__(self, what: Filter, store: Store) -> None:
        self._what = what
        self._store = store
        self._asked: dict[Calls, _Asked] = {}
        self._found: dict[Phrase | Match, tuple[int, Ints]] = {}

    def positions(self, calls: Calls) -> Ints:
        """Which of some of the store's calls are what is asked for, ascending."""
        state = calls.moves, len(self._store.lanes)  # a lane may get its name later
        known = self._asked.get(calls)
        if known is None or known.state != state:
            known = _Asked(state)
        if known.size < len(calls):
            fresh = known.size + np.flatnonzero(self._mask(self._what, CallRows(calls, known.size)))
            known = _Asked(state, len(calls), np.concatenate((known.positions, fresh)))
            self._asked[calls] = known
        return known.positions

    def _mask(self, what: Filter, rows: CallRows) -> Mask:
        match what:
            case Not(of):
                return ~self._mask(of, rows)
            case And(of):
                return self._all(of, rows)
            case Or(of):
                found: Mask = np.logical_or.reduce([self._mask(each, rows) for each in of])
                return found
            case Word() | Phrase() | Match():
                return self._texts(what, rows)
            case _:
                return _valued(what, rows)

    def _all(self, of: tuple[Filter, ...], rows: CallRows) -> Mask:
        """Texts last: a few calls that are left are looked at one by one, and none are not looked at."""
        left = np.ones(len(rows), np.bool_)
        for each in sorted(of, key=_is_slow):
            count = int(np.count_nonzero(left))
            if not count:
                break
            if count <= _FEW and _is_slow(each):
                self._look(each, rows, left)
            else:
                left &= self._mask(each, rows)
        return left

    def _look(self, what: Filter, rows: CallRows, left: Mask) -> None:
        """Take out of LEFT the calls that are not what is asked for."""
        fits = of_call(what, self._store.lane_name, lambda call: call.ended)
        for position in np.flatnonzero(left).tolist():
            left[position] = fits(self._store.codec.unpack(rows.calls, rows.first + position))

    def _texts(self, what: Word | Phrase | Match, rows: CallRows) -> Mask:
        test = text_test(what)
        fields = searched(what, BARE, QUOTED)
        if len(fields) == 1 and fields[0] in ("lane", "caller"):
            return rows.where(fields[0], lambda key: test(self._store.lane_name(key)))
        if len(fields) == 1 and fields[0] in ("name", "service"):
            return rows.where(fields[0], lambda number: test(self._store.codec.names[number]))
        assert not isinstance(what, Word)
        found = self._packed(what, fields, rows)
        if "name" in fields:
            found |= rows.where("name", lambda number: test(self._store.codec.names[number]))
        return found

    def _packed(self, what: Phrase | Match, fields: tuple[str, ...], rows: CallRows) -> Mask:
        """By argument, result or error: in the heap, and in the calls that are kept whole."""
        references = rows.column("text")
        found = np.zeros(len(rows), np.bool_)
        if fields != ("error",):
            found = _among(references, self._references(what, _SIDES.get(fields, "both")))
            found[references == 0] = text_test(what)("")
        whole = references < 0
        self._look(what, rows, whole)
        return found | whole

    def _references(self, what: Phrase | Match, side: Side) -> Ints:
        """All pairs of the heap that fit."""
        heap = self._store.codec.heap
        end, found = self._found.get(what, (1, np.zeros(0, np.int64)))
        if end < heap.end:
            found = np.concatenate((found, search(heap, what, side, end)))
            self._found[what] = heap.end, found
        return found


def _valued(what: Is | Compare | Between, rows: CallRows) -> Mask:
    """By a choice, a time or a number."""
    match what:
        case Is("outcome", choice):
            return rows.where("outcome", lambda code: choice in _states(blocks.OUTCOMES[code]))
        case Is(field, choice):
            return rows.where(field, lambda code: _CODES[field][code] == choice)
        case Compare(field, op, value):
            values, known = rows.numbers(field)
            return np.asarray(ORDERS[op](values, value) & known)
        case Between(field, least, most):
            values, known = rows.numbers(field)
            return np.asarray((values >= least) & (values <= most) & known)


def _is_slow(what: Filter) -> bool:
    match what:
        case Phrase() | Match("arg" | "result" | "error"):
            return True
        case Not(of):
            return _is_slow(of)
        case And(of) | Or(of):
            return any(map(_is_slow, of))
    return False


def _among(references: Column, found: Ints) -> Mask:
    """Which of REFERENCES are in FOUND, which is sorted."""
    if not len(found):
        return np.zeros(len(references), np.bool_)
    at = np.minimum(np.searchsorted(found, references.astype(np.int64)), len(found) - 1)
    return np.asarray(found[at] == references)
