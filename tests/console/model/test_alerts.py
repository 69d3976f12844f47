"""Where the bus itself saw something go wrong."""

from bus.attach.protocol import Batch
from bus.trace.records import AnyRecord, Call, Lane, Problem
from console.model.alerts import Alerts
from console.model.store import Store


def taken(store: Store, *records: AnyRecord) -> None:
    store.take(Batch(at=500, records=records, snapshot_done=True))


def test_a_problem_is_in_the_lane_of_its_first_call_that_is_known() -> None:
    """Where it ran; where it was called from, if it never ran."""
    store = Store()
    alerts = Alerts(store)
    assert alerts.by_lane() == {}
    ran = Call(id=1, root=1, kind="command", name="n", lane=3, queued=1, started=1, ended=9, outcome="ok")
    never = Call(id=2, root=2, kind="command", name="n", caller=4, queued=1, ended=9, outcome="deadlock")
    taken(store, Lane(key=3, name="a"), Lane(key=4, name="b"), ran, never)
    taken(store, Problem(rule="deadlock", at=5, text="x", calls=(77, 1, 2)), Problem(rule="deadlock", at=6, text="x", calls=(2,)))  # fmt: skip # noqa: E501
    assert {lane: moments for lane, moments in alerts.by_lane().items() if lane} == {3: (5,), 4: (6,)}
    taken(store, Problem(rule="deadlock", at=7, text="x", calls=(1,)))
    assert set(alerts.by_lane()[3]) == {5, 7}
