"""Which lanes stand where."""

from console.model.views import LaneHead
from console.tui.widgets.timeline_rows import LaneRows


def lanes(*services: str) -> list[LaneHead]:
    return [LaneHead(key, f"{service}-{key}", service) for key, service in enumerate(services, 1)]


def keys(rows: list[LaneHead | None]) -> list[int | None]:
    return [row.key if row else None for row in rows]


def test_lanes_of_a_service_stand_together_with_a_gap_between_services() -> None:
    """In the order in which the services came; without gaps where there is no room."""
    given = lanes("a", "b", "a")
    assert keys(LaneRows().shown(given, 0, 4)) == [1, 3, None, 2]
    assert keys(LaneRows().shown(given, 0, 3)) == [1, 3, 2]


def test_services_of_one_lane_stand_together() -> None:
    """A gap sets a group apart from its neighbours, not every single lane from the next one."""
    assert keys(LaneRows().shown(lanes("a", "b", "c", "c", "d", "e"), 0, 9)) == [1, 2, None, 3, 4, None, 5, 6]


def test_pinned_lanes_stand_on_top() -> None:
    """In the order in which they were pinned, apart from the others; pinned again, they go back."""
    rows = LaneRows()
    rows.pin(3)
    rows.pin(2)
    assert keys(rows.shown(lanes("a", "b", "a", "c"), 0, 9)) == [3, 2, None, 1, 4]
    rows.pin(3)
    assert keys(rows.shown(lanes("a", "b", "a", "c"), 0, 9)) == [2, None, 1, 3, None, 4]


def test_the_current_lane_is_in_view() -> None:
    """More lanes than lines scroll with the cursor, and by themselves without one."""
    rows, many = LaneRows(), lanes(*"abcdefgh")
    assert keys(rows.shown(many, 8, 3)) == [6, 7, 8]
    assert keys(rows.shown(many, 7, 3)) == [6, 7, 8]
    assert keys(rows.shown(many, 2, 3)) == [2, 3, 4]
    rows.scroll(3)
    assert keys(rows.shown(many, 0, 3)) == [5, 6, 7]
    rows.scroll(50)
    assert keys(rows.shown(many, 0, 3)) == [6, 7, 8]
    rows.scroll(-50)
    assert keys(rows.shown(many, 0, 3)) == [1, 2, 3]
