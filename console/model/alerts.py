"""Where in the lanes the problems are: what the bus itself reported, and what the rules found."""

from collections.abc import Mapping
from itertools import islice

from msgspec import Struct

from bus.trace.records import Call
from console.model.problems import Problems, Sighting
from console.model.store import Store

_MOST = 500


class Alert(Struct, frozen=True):
    """A moment (ns) at which a problem was seen in a lane. `problem`: the id of its `ProblemView`."""

    at: int
    problem: str
    rule: str
    subject: str


class Alerts:
    """The last sightings of problems, by lane. What has no lane, or is allowed, is only in the list of problems."""

    def __init__(self, store: Store, problems: Problems) -> None:
        self._store = store
        self._problems = problems
        self._version = -1
        self._placed: dict[Sighting, tuple[int, int]] = {}
        self._by_lane: dict[int, tuple[Alert, ...]] = {}

    def by_lane(self) -> Mapping[int, tuple[Alert, ...]]:
        """The newest first. A call is looked up once a sighting, as that is a search."""
        if self._problems.version != self._version:
            self._version = self._problems.version
            self._gather()
        return self._by_lane

    def _gather(self) -> None:
        placed: dict[Sighting, tuple[int, int]] = {}
        by_lane: dict[int, list[Alert]] = {}
        for sighting in islice(self._problems.sightings(), _MOST):
            lane, at = placed[sighting] = self._placed.get(sighting) or self._place(sighting)
            if lane:
                alert = Alert(at, sighting.problem, sighting.rule, sighting.subject)
                by_lane.setdefault(lane, []).append(alert)
        self._placed = placed
        self._by_lane = {lane: tuple(alerts) for lane, alerts in by_lane.items()}

    def _place(self, sighting: Sighting) -> tuple[int, int]:
        """The lane that the problem names, else that of its first call that is kept, else the service's; and when.

        In the lane of that call it is within the call: rules that look at many calls find them a while later.
        """
        call = next((call for each in sighting.calls if (call := self._store.call(each))), None)
        home = _home(call) if call is not None else 0
        lane = sighting.lane or home or self._first_lane(sighting.service)
        if call is None or lane != home:
            return lane, sighting.at
        return lane, max(call.queued, min(sighting.at, call.ended or sighting.at))

    def _first_lane(self, service: str) -> int:
        lanes = [lane for lane in self._store.lanes.values() if lane.service == service] if service else []
        return min(lanes, key=lambda lane: (lane.worker, -lane.key)).key if lanes else 0


def _home(call: Call) -> int:
    return call.lane or call.caller
