"""Where in the lanes problems were seen."""

from bus.trace.records import Call, Depth, Lane, Problem, State
from console.model.alerts import Alerts
from tests.console.model.problems.watching import SECOND, START, Model, call


def moments(alerts: Alerts) -> dict[int, list[int]]:
    return {lane: [alert.at for alert in some] for lane, some in alerts.by_lane().items()}


def test_a_report_of_the_bus_is_in_the_lane_of_its_first_call_that_is_known() -> None:
    """Where it ran; where it was called from, if it never ran. Each time that it happened, the newest first."""
    model = Model()
    alerts = Alerts(model.store, model.problems)
    assert alerts.by_lane() == {}
    ran = Call(id=1, root=1, kind="command", name="n", lane=3, queued=1, started=1, ended=9, outcome="ok")
    never = Call(id=2, root=2, kind="command", name="n", caller=4, queued=1, ended=9, outcome="deadlock")
    model.look(
        Lane(key=3, name="a"), Lane(key=4, name="b"), ran, never,
        Problem(rule="odd", at=5, text="x", calls=(77, 1, 2)), Problem(rule="odd", at=6, text="x", calls=(2,)), at=500,
    )  # fmt: skip
    assert moments(alerts) == {3: [5], 4: [6]}
    model.look(Problem(rule="odd", at=7, text="x", calls=(1,)), at=600)
    assert moments(alerts) == {3: [7, 5], 4: [6]}


def test_what_a_rule_found_is_in_the_lane_of_the_call_that_proves_it() -> None:
    """Within that call, whenever the rule looked; what the alert names is the problem in the list."""
    model = Model()
    failures = [call(n, START + n, name="a", outcome="error") for n in range(1, 7)]
    report = model.look(*failures, at=START + SECOND)
    alerts = Alerts(model.store, model.problems)
    best = model.store.call(report.problems[0].proof.calls[0])
    assert best is not None
    [alert] = alerts.by_lane()[best.lane]
    assert (alert.problem, alert.rule) == (report.problems[0].id, "failing")
    assert best.queued <= alert.at <= best.ended


def test_what_goes_on_is_told_once() -> None:
    """A call that is stuck for a minute is one sighting, when it was noticed."""
    model = Model()
    going = Call(id=9, root=9, kind="command", name="n", service="s", lane=3, queued=START, started=START)
    for second in range(29, 60):
        model.look(Lane(key=3, name="s-0", service="s"), at=START + second * SECOND, live=[going])
    assert moments(Alerts(model.store, model.problems)) == {3: [START + 31 * SECOND]}


def test_what_is_wrong_with_a_service_is_in_the_lane_of_its_first_worker() -> None:
    """If no call proves it; what has no lane at all is in none."""
    model = Model()
    lanes = [Lane(key=7, name="s-1", service="s", worker=1), Lane(key=8, name="s-0", service="s")]
    model.look(*lanes, State(service="s", state="running", at=START), at=START)
    for second in range(20):
        model.look(Depth(service="s", at=START + second * SECOND, depth=100 * second), at=START + second * SECOND)
    assert [problem.rule for problem in model.problems.report().problems] == ["queue growth"]
    assert set(moments(Alerts(model.store, model.problems))) == {8}


def test_what_is_allowed_is_not_shown() -> None:
    """From the moment on at which it is allowed."""
    model = Model()
    model.look(*[call(n, START + n, name="a", outcome="error") for n in range(1, 7)], at=START + SECOND)
    alerts = Alerts(model.store, model.problems)
    assert alerts.by_lane()
    model.problems.allow("failing", "a")
    assert alerts.by_lane() == {}
