"""Mailboxes that fill faster than they are emptied."""

import pytest

from bus.trace.records import AnyRecord, Call, Depth, Dropped, State
from console.model.problems import Settings
from console.model.problems.queues import QueueLimits
from tests.console.model.problems.watching import SECOND, START, Model, call, found

TENTH = SECOND // 10


def growing(seconds: int, per_second: int, done: int, *, first: int = 0, drop_from: int = 1 << 60) -> list[AnyRecord]:
    """A service that gets PER_SECOND calls and does DONE of them, sampled ten times a second."""
    records: list[AnyRecord] = [State(service="s", state="running", at=START, workers=2)]
    depth, number = first, 0
    for tenth in range(1, 10 * seconds + 1):
        at = START + tenth * TENTH
        more = (per_second - done) // 10
        kept = min(more, max(0, drop_from - depth))
        depth += kept
        records += [Depth(service="s", at=at, depth=depth)]
        if kept < more:
            records += [Dropped(at=at, count=more - kept, kind="event", where="s")]
        records += [call(number := number + 1, at - 2_000) for _ in range(done // 10)]
    return records


def test_a_queue_grows_that_gets_more_than_it_does() -> None:
    """Depth, arrivals and completions are told, and how many workers it has; it is over when it shrinks."""
    model = Model()
    running = call(9_000, START + SECOND, outcome=None, lane=7)
    queued = Call(id=9_001, root=9_001, kind="command", name="n", service="s", queued=START + SECOND)
    problem = found(model.look(*growing(6, 150, 100), live=[running, queued]), "queue growth")
    assert problem is not None
    assert (problem.subject, problem.severity, problem.count) == ("s", "warning", 1)
    assert problem.text == "300 calls are queued: 150/s come, 100/s are done"
    assert "more than 2 workers" in problem.advice
    assert problem.proof.calls == (9_000, 9_001)
    end = START + 7 * SECOND
    report = model.look(Depth(service="s", at=end, depth=20), at=end)
    assert found(report, "queue growth") is not None
    assert found(report, "queue growth").over  # type: ignore[union-attr]


def test_what_a_full_mailbox_drops_counts_as_if_it_were_queued() -> None:
    """The depth does not rise any more, but the trouble does."""
    problem = found(Model().look(*growing(6, 500, 100, drop_from=200)), "queue growth")
    assert problem is not None
    assert "200 calls are queued: 500/s come, 100/s are done; it has dropped 2,200 events" in problem.text


@pytest.mark.parametrize(
    ("seconds", "come", "done", "first"),
    [(4, 200, 100, 0), (6, 110, 100, 200), (6, 100, 100, 500), (6, 110, 90, 0)],
    ids=["for 4 s only", "less than 1.2 times as many", "long, but not growing", "growing, but not yet 100"],
)
def test_a_queue_that_is_not_in_trouble(seconds: int, come: int, done: int, first: int) -> None:
    """Each condition of the rule alone is not enough."""
    records = growing(seconds, come, done, first=first)
    if seconds == 6 and come == 110 and done == 90:
        records = [record for record in records if not isinstance(record, Depth) or record.depth < 100]
    assert found(Model().look(*records), "queue growth") is None


def test_a_burst_that_is_worked_off_is_no_trouble() -> None:
    """A thousand at once, then fewer and fewer."""
    samples = [Depth(service="s", at=START + n * TENTH, depth=1_000 - 10 * n) for n in range(1, 90)]
    model = Model()
    for sample in samples:
        assert found(model.look(sample, call(sample.depth, sample.at - 5_000), at=sample.at), "queue growth") is None


def test_growth_is_found_the_same_in_one_go_and_step_by_step() -> None:
    """A recording that is read at once is looked at piece by piece."""
    records = growing(8, 150, 100)
    model = Model()
    for first in range(0, len(records), 50):
        some = records[first : first + 50]
        last = found(model.look(*some), "queue growth")
    whole = found(Model().look(*records), "queue growth")
    assert last is not None
    assert whole is not None
    assert (whole.subject, whole.count) == (last.subject, last.count) == ("s", 1)
    assert abs(whole.since - last.since) <= SECOND


def test_the_limits_can_be_set() -> None:
    """A queue of 50 in a second."""
    settings = Settings({"queue growth": QueueLimits(depth=50, seconds=1.0)})
    assert found(Model(settings).look(*growing(2, 150, 100)), "queue growth") is not None
