"""Which lanes were there in a stretch of time: as their records say, else as far as can be told."""

from collections.abc import Collection, Iterable, Mapping

from bus.trace.records import Call, Lane
from console.model.lane import Runs
from console.model.store import Store

_GONE = ("stopped", "failed")
_FOR_EVER = float("inf")


def present(lanes: Iterable[Lane], running: Collection[int], workers: int) -> set[int]:
    """The keys of the threads that a service has now: those that have not ended, and whoever still runs something.

    Where that is not known, of each number the newest. LANES: all that it ever had, the oldest first. WORKERS: how many
    it has, 0: not known.
    """
    left = [lane for lane in lanes if not lane.ended or lane.key in running]
    newest = {lane.worker: lane.key for lane in left if not workers or lane.worker < workers}
    return {*newest.values(), *(lane.key for lane in left if lane.key in running or lane.began)}


def absent(store: Store, keys: Iterable[int], begin: int, end: int, running: Mapping[int, Call]) -> set[int]:
    """Those of the lanes KEYS that were not there in [BEGIN, END) ns, as far as can be told; RUNNING: calls by lane.

    If no record says it, a service's own workers are there until it stops, and another thread was there from the first
    to the last thing that is known of it.
    """
    kept: dict[int, float] | None = None
    found: set[int] = set()
    for key in keys:
        lane = store.lanes.get(key)
        if lane is not None and lane.began:
            first, last = lane.began, float(lane.ended or _FOR_EVER)
        else:
            kept = _kept_until(store, running) if kept is None else kept
            first, last = (0, kept[key]) if key in kept else _life(store, key)
        if key not in running and not (first < end and last >= begin):
            found.add(key)
    return found


def _kept_until(store: Store, running: Collection[int]) -> dict[int, float]:
    """For the workers that each service has, or had when it stopped: until when."""
    services: dict[str, list[Lane]] = {}
    for _, lane in sorted(store.lanes.items()):
        if lane.service:
            services.setdefault(lane.service, []).append(lane)
    kept: dict[int, float] = {}
    for service, lanes in services.items():
        state = store.states.get(service)
        until = float(state.at) if state is not None and state.state in _GONE else _FOR_EVER
        kept.update(dict.fromkeys(present(lanes, running, state.workers if state else 0), until))
    return kept


def _life(store: Store, key: int) -> tuple[int, int]:
    """First and last moment (ns) of what a lane ran, waited for, or made and could not run; (0, -1): nothing is kept.

    Where calls overlap, the last one to start is taken for the last one to end.
    """
    moments: list[int] = []
    runs, instants = store.runs.get(key), store.instants.get(key)
    if runs is not None:
        moments += [*_edges(runs), *runs.waits.bounds]
    if instants is not None and len(instants):
        moments += [int(instants.values("ended", 0)), int(instants.values("ended", -1))]
    return (min(moments), max(moments)) if moments else (0, -1)


def _edges(runs: Runs) -> tuple[int, ...]:
    return (int(runs.values("started", 0)), int(runs.values("ended", -1))) if len(runs) else ()
