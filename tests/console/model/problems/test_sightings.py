"""When problems were seen to happen."""

from console.model.problems.rule import Finding, Proof
from console.model.problems.sightings import Sightings


def finding(at: int, *calls: int) -> Finding:
    return Finding(key="k", name="n", subject="s", text="t", advice="a", at=at, since=1, proof=Proof(calls=calls))


def test_the_last_times_of_each_problem_are_remembered() -> None:
    """Twenty of each, the newest first, the problem that happened last first."""
    seen = Sightings()
    for at in range(30):
        seen.note("a", "rule", finding(at, at))
    seen.note("b", "rule", finding(5, 1))
    assert [(each.problem, each.at) for each in seen.newest()][:3] == [("b", 5), ("a", 29), ("a", 28)]
    assert len(list(seen.newest())) == 21
    assert seen.version == 31


def test_the_same_call_is_no_news() -> None:
    """What a rule proves with one call again and again happened once; without a call, each time counts."""
    seen = Sightings()
    for at in (1, 2, 3):
        seen.note("a", "rule", finding(at, 7, 8))
        seen.note("b", "rule", finding(at))
    assert [(each.problem, each.at) for each in seen.newest()] == [("b", 3), ("b", 2), ("b", 1), ("a", 1)]


def test_problems_that_happened_long_ago_make_room() -> None:
    """A hundred problems have their times remembered."""
    seen = Sightings()
    for number in range(150):
        seen.note(str(number), "rule", finding(number))
        seen.note("0", "rule", finding(number))
    kept = {each.problem for each in seen.newest()}
    assert len(kept) == 100
    assert {"0", "149"} <= kept
