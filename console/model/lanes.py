"""In which order lanes are shown."""

from collections.abc import Callable, Mapping

from bus.trace.records import Lane


def order(lanes: Mapping[int, Lane]) -> Callable[[int], tuple[int, int, int]]:
    """A sort key for lane keys: threads outside of services first, then service by service, the oldest first."""
    first: dict[str, int] = {}
    for key, lane in sorted(lanes.items()):
        first.setdefault(lane.service, key if lane.service else 0)

    def rank(key: int) -> tuple[int, int, int]:
        lane = lanes.get(key)
        return (first[lane.service], lane.worker, key) if lane else (0, 0, key)

    return rank
