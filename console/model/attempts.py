"""Retries: the same call made again by the same cause, after it had failed."""

from collections.abc import Iterable
from operator import attrgetter, itemgetter

import numpy as np

from bus.trace.records import Call
from console.model.codes import FAILED
from console.model.lane import Calls
from console.model.store import Store

_NEAR = 40
"""Calls without a cause that are looked at around one."""
_Said = tuple[str, str]


def series(calls: Iterable[Call]) -> list[list[Call]]:
    """CALLS of one cause, in the order they were queued, as series of attempts; most have one call only.

    A call is one more attempt when the last one of the same name with the same arguments had failed before it was
    queued. Where arguments were not recorded, nothing is known to be the same.
    """
    found: list[list[Call]] = []
    last: dict[_Said, list[Call]] = {}
    for call in calls:
        before = last.get((call.name, call.args))
        if before is not None and _again(before[-1], call):
            before.append(call)
            continue
        last[call.name, call.args] = one = [call]
        found.append(one)
    return found


def around(store: Store, call: Call) -> tuple[Call, ...]:
    """The attempts that CALL, which no other call caused, is one of; () when it is the only one.

    They are made by one thread; looks at the 40 of its name that this thread made at about the same time.
    """
    near: list[tuple[int, Calls, int]] = []
    for calls in (*store.runs.values(), *store.instants.values()):
        same = (calls["name"] == store.codec.names.find(call.name)) & (calls["parent"] == 0)
        positions = np.flatnonzero(same & (calls["caller"] == call.caller))
        apart = np.abs(calls.values("queued", positions) - call.queued)
        some = np.argpartition(apart, _NEAR)[:_NEAR] if len(apart) > _NEAR else np.arange(len(apart))
        near += zip(apart[some].tolist(), [calls] * len(some), positions[some].tolist(), strict=True)
    near.sort(key=itemgetter(0))
    live = [other for other in store.live.values() if _who(other) == _who(call)]
    known = [*live, *(store.codec.unpack(calls, at) for _, calls, at in near[:_NEAR]), call]
    return of(call, sorted({other.id: other for other in known}.values(), key=attrgetter("queued", "id")))


def of(call: Call, calls: Iterable[Call]) -> tuple[Call, ...]:
    """The attempts that CALL is one of; () when it is the only one."""
    mine = next((one for one in series(calls) if any(other.id == call.id for other in one)), [])
    return tuple(mine) if len(mine) > 1 else ()


def _again(before: Call, call: Call) -> bool:
    known = bool(call.args) or call.cpu is not None
    return known and before.outcome in FAILED and call.queued >= before.ended


def _who(call: Call) -> tuple[str, int, int]:
    return call.name, call.parent, call.caller
