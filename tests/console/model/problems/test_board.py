"""What is remembered of what the rules find."""

import pytest

from bus.attach.protocol import Batch
from bus.trace.records import Call, Dropped, Problem
from console.model.problems import RULES, Settings, setting_name
from console.model.problems import board as board_module
from tests import synthetic
from tests.console.model.problems.watching import SECOND, Model, batches, call, found, rules
from tests.synthetic import START

FIFTEEN = (
    "lossy", "deadlock", "stuck", "starved", "queue growth", "waits more than works", "failing", "swallowed",
    "no listener", "never matched", "listener leak", "loop", "storm", "long tail", "blocked elsewhere",
)  # fmt: skip


def failing(first: int, name: str, at: int) -> list[Call]:
    return [call(first + n, at + n, name=name, outcome="error") for n in range(5)]


def test_there_are_fifteen_rules_and_what_else_is_reported() -> None:
    """All of the table; each has a name for the config file, and settings with defaults."""
    assert tuple(rule.name for rule in RULES) == (*FIFTEEN, "reported")
    assert setting_name("waits more than works") == "waits_more_than_works"
    for rule in RULES:
        assert rule.settings()
        assert rule(rule.settings())


def test_worst_and_newest_first_and_over_last() -> None:
    """An error before a warning, a later one before an earlier one; what is over stands at the end."""
    model = Model()
    model.look(*failing(1, "a", START), Dropped(at=START, count=1, kind="event", where="s"), at=START + 5)
    model.look(*failing(11, "b", START + SECOND), at=START + SECOND + 5)
    shown = [(problem.rule, problem.name) for problem in model.problems.report().problems]
    assert shown == [("failing", "b"), ("failing", "a"), ("lossy", "s")]
    assert model.problems.count() == 3
    report = model.look(*[call(100 + n, START + 30 * SECOND + n, name="b") for n in range(100)])
    assert [(problem.name, problem.over) for problem in report.problems] == [("a", False), ("b", True), ("s", True)]
    assert (report.current, model.problems.count()) == (1, 1)


def test_healthy_rules_say_since_when() -> None:
    """Since we look, or since their last problem was over."""
    model = Model()
    report = model.look(call(1, START), at=START + SECOND)
    assert {healthy.since for healthy in report.healthy} == {START}
    assert [healthy.rule for healthy in report.healthy] == list(FIFTEEN)
    assert (report.problems, report.since, report.dropped) == ((), START, 0)
    lost = START + 5 * SECOND
    report = model.look(Dropped(at=lost, count=1, kind="event", where="s"), at=lost)
    assert "lossy" not in {healthy.rule for healthy in report.healthy}
    report = model.look(at=lost + 20 * SECOND)
    assert next(healthy.since for healthy in report.healthy if healthy.rule == "lossy") == lost
    assert report.since == lost


def test_a_name_can_be_allowed() -> None:
    """By the config file or while it is looked at; it is not counted, and can still be seen."""
    model = Model(Settings(allowed={"failing": ("test.*",)}))
    report = model.look(*failing(1, "test.fail", START), *failing(11, "shop.fail", START))
    assert [problem.name for problem in report.problems] == ["shop.fail"]
    assert [problem.name for problem in report.allowed] == ["test.fail"]
    model.problems.allow("failing", "shop.fail")
    report = model.problems.report()
    assert report.problems == ()
    assert {problem.name for problem in report.allowed} == {"test.fail", "shop.fail"}
    assert model.problems.count() == 0
    assert "failing" in {healthy.rule for healthy in report.healthy}


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are over go first."""
    monkeypatch.setattr(board_module, "_MOST", 3)
    model = Model()
    model.look(Dropped(at=START, count=1, kind="event", where="old"), at=START)
    late = START + 60 * SECOND
    for number in range(5):
        model.look(Problem(rule="refused act", at=late + number, text=f"by {number}"), at=late + number)
    assert [problem.text for problem in model.problems.report().problems] == ["by 4", "by 3", "by 2"]


def test_a_healthy_program_has_no_problems() -> None:
    """The made-up session of the sample program, 20,000 calls of it, but for the failures that are asked for."""
    records = [
        record for record in synthetic.session(20_000) if not (isinstance(record, Call) and record.outcome == "error")
    ]
    model = Model()
    for batch in synthetic.batches(records, every=SECOND):
        model.take(batch)
        model.problems.look()
    assert model.problems.report().problems == ()
    whole = Model()
    for batch in batches(records, 8_000):
        whole.take(batch)
    whole.problems.look()
    assert whole.problems.report().problems == ()


def test_a_recording_in_one_go_has_the_problems_that_it_had_live() -> None:
    """The same rules, the same counts."""
    trouble = [
        *failing(1, "a", START), *failing(11, "a", START + 70 * SECOND),
        *(call(99 + n, START + 20 * SECOND + n * 1_000, parent=99 * (n > 0), root=99) for n in range(1_500)),
        Dropped(at=START + 30 * SECOND, count=5, kind="event", where="s"),
    ]  # fmt: skip
    trouble.sort(key=lambda record: getattr(record, "ended", 0) or getattr(record, "at", 0))
    live, whole = Model(), Model()
    for batch in synthetic.batches(trouble, every=SECOND // 2):
        live.take(batch)
        live.problems.look()
    report = whole.look(*trouble)
    assert rules(report) == rules(live.problems.report()) == {"failing", "storm", "lossy"}
    for rule in ("failing", "storm", "lossy"):
        one, other = found(report, rule), found(live.problems.report(), rule)
        assert one is not None
        assert other is not None
        assert (one.count, one.since, one.subject) == (other.count, other.since, other.subject)


def test_a_session_without_calls_is_healthy() -> None:
    """Nothing has come yet, or nothing ever does."""
    model = Model()
    model.problems.look()
    assert model.problems.report().problems == ()
    assert len(model.problems.report().healthy) == 15


def test_the_rules_look_in_slices() -> None:
    """What has been found is told between two of them; in the end it is the same as when they look at once."""
    records = [*failing(1, "a", START), *failing(11, "b", START), Dropped(at=START, count=1, kind="event", where="s")]
    at_once, sliced = Model(), Model()
    expected = at_once.look(*records, at=START + 5)
    sliced.take(Batch(at=START + 5, records=tuple(records)))
    told = [sliced.problems.report().current for _ in sliced.problems.looking()]
    assert len(told) == len(RULES) // 4
    assert told[0] == 1
    assert sliced.problems.report() == expected
