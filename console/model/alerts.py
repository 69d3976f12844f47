"""Where in the lanes the bus itself saw something go wrong."""

from collections.abc import Mapping
from itertools import islice

from bus.trace.records import Problem
from console.model.store import Store

_MOST = 50


class Alerts:
    """The last problems that the bus reported, by the lane in which their first call ran or waited."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: Problem | None = None
        self._by_lane: dict[int, tuple[int, ...]] = {}

    def by_lane(self) -> Mapping[int, tuple[int, ...]]:
        """Moments (ns) by lane; calls are looked up only when there is a new problem, as that is a search."""
        problems = self._store.problems
        if problems and problems[-1] is not self._last:
            self._last = problems[-1]
            self._by_lane = {}
            for problem in islice(reversed(problems), _MOST):
                lane = next((lane for call in problem.calls if (lane := self._lane(call))), 0)
                self._by_lane[lane] = (*self._by_lane.get(lane, ()), problem.at)
        return self._by_lane

    def _lane(self, call_id: int) -> int:
        call = self._store.call(call_id)
        return (call.lane or call.caller) if call else 0
