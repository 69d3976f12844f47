"""What was dropped, and what else the bus reports."""

from bus import Bus
from bus.trace.records import Depth, Dropped, Problem
from sample_services.accomplices import Accomplice
from tests.console.model.problems.watching import SECOND, START, Model, Watch, found


def test_events_that_a_full_mailbox_drops_are_counted(watch: Watch) -> None:
    """By service, for ten seconds after the last."""
    with Bus("test") as bus:
        bus.add(Accomplice())
        watched = watch(bus)
        for number in range(3_000):
            bus.fire_event("trouble.flooded", number)
        problem = watched.until_found("lossy")
        dropped = next(info.dropped for info in bus.services() if info.name == "accomplice")
        assert (problem.subject, problem.name) == ("accomplice  events dropped", "accomplice")
        assert problem.count == dropped > 0
        assert not problem.uncertain
        assert not found(watched.later(9), "lossy").over  # type: ignore[union-attr]
        assert found(watched.later(11), "lossy").over  # type: ignore[union-attr]


def test_records_that_were_lost_are_told_by_place() -> None:
    """The recorder's own losses, and those of this console."""
    lost = Dropped(at=START, count=7, kind="record", where="recorder")
    problems = {p.name: p for p in Model().look(lost, at=START, dropped=3).problems}
    assert {name: problem.count for name, problem in problems.items()} == {"recorder": 7, "this console": 3}
    assert "7 records lost at recorder" in problems["recorder"].text


def test_what_was_lost_before_anybody_looked_is_said_and_over() -> None:
    """A service says how many events it has lost since it began; what was told one by one is not told again."""
    model = Model()
    samples = [
        Depth(service="late", at=START, depth=0, dropped=70), Depth(service="late", at=START + 9, depth=0, dropped=90),
    ]  # fmt: skip
    lost = Dropped(at=START, count=5, kind="event", where="seen")
    report = model.look(*samples, lost, Depth(service="seen", at=START + 1, depth=0, dropped=5), at=START + SECOND)
    problems = {problem.name: problem for problem in report.problems}
    assert (problems["late"].count, problems["seen"].count) == (70, 5)
    assert problems["late"].text.startswith("70 events dropped before this was recorded, because the mailbox of late")
    report = model.look(at=START + 30 * SECOND)
    assert report.current == 0
    assert [problem.over for problem in report.problems] == [True, True]


def test_nothing_lost_is_nothing_said() -> None:
    """A mailbox that was nearly full is none of it."""
    report = Model().look(at=START)
    assert report.problems == ()
    assert (report.dropped, report.since) == (0, START)


def test_what_else_the_bus_reports_is_shown_as_it_is() -> None:
    """A refused act, a recording that stopped; each text once."""
    model = Model()
    said = Problem(rule="recording stopped", at=START, text="no space left")
    model.look(said, Problem(rule="refused act", at=START, text="by 7"), at=START)
    report = model.look(said, at=START + SECOND)
    told = {problem.subject: (problem.rule, problem.text, problem.count) for problem in report.problems}
    assert told == {
        "recording stopped": ("reported", "no space left", 2), "refused act": ("reported", "by 7", 1),
    }  # fmt: skip
    assert "reported" not in {healthy.rule for healthy in report.healthy}
