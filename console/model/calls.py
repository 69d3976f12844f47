"""One call: what caused it, what it caused, and what its lane ran before and after."""

from typing import Final

import numpy as np

from bus.trace.records import Call, Entry
from console.model.columns import Ints
from console.model.lane import Runs
from console.model.split import parts
from console.model.store import Store
from console.model.views import CallDetail

EFFECTS_SHOWN: Final = 200
_LAST: Final = 5_000
"""Calls of a lane that are looked at for how long a listener takes."""


def detail(store: Store, call_id: int, now: int) -> CallDetail | None:
    """A call with its neighbours in the causal tree; None if it is not kept."""
    call = store.call(call_id)
    if call is None:
        return None
    effects, more = _effects(store, call_id)
    return CallDetail(
        call=call, parts=parts(call, now), lane=store.lane_name(call.lane), caller_lane=store.lane_name(call.caller),
        cause=store.call(call.parent) if call.parent else None, effects=effects, more_effects=more,
        output=store.outputs.of(call_id),
    )  # fmt: skip


def recent(store: Store, name: str, limit: int) -> list[Call]:
    """The last calls of a name: those in flight, the newest first, then the ended ones, the last to end first."""
    live = [call for call in store.live.values() if call.name == name]
    live.sort(key=lambda call: (call.started > 0, call.queued), reverse=True)
    ended, _ = store.matching("name", store.codec.names.find(name), limit, newest=True)
    return (live + ended)[:limit]


def listener_p99(store: Store, listener: Entry) -> int | None:
    """Ns that 99 of 100 of a listener's last deliveries ran at most, of those that are kept; None if none is."""
    took: list[Ints] = []
    for key, runs in store.runs.items():
        lane = store.lanes.get(key)
        if lane is not None and lane.service != listener.service:
            continue
        first = max(0, len(runs) - _LAST)
        mine = first + np.flatnonzero(runs.columns["entry"][first:] == listener.entry)
        took.append(runs.values("ended", mine) - runs.values("started", mine))
    times = np.concatenate(took) if took else np.zeros(0, np.int64)
    return int(np.percentile(times, 99, method="inverted_cdf")) if len(times) else None


def neighbour(store: Store, call_id: int, step: int) -> int:
    """The next (+1) or previous (-1) call in the same lane, a running one last; 0 when there is none."""
    live = store.live.get(call_id)
    if live is not None:
        runs = store.runs.get(live.lane)
        return int(runs.values("id", -1)) if step < 0 and live.started and runs is not None and len(runs) else 0
    place = store.find(call_id)
    if place is None or not isinstance(place.calls, Runs):
        return 0
    position = place.position + step
    if 0 <= position < len(place.calls):
        return int(place.calls.values("id", position))
    running = (call.id for call in store.live.values() if call.started and call.lane == place.lane)
    return next(running, 0) if step > 0 else 0


def _effects(store: Store, call_id: int) -> tuple[tuple[Call, ...], int]:
    """The first calls that a call caused, by the time they were queued; and how many more there are."""
    live = [call for call in store.live.values() if call.parent == call_id]
    ended, total = store.matching("parent", call_id, EFFECTS_SHOWN, newest=False)
    both = sorted([*live, *ended], key=lambda call: (call.queued, call.id))[:EFFECTS_SHOWN]
    return tuple(both), len(live) + total - len(both)
