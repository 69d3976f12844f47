"""What watching costs the program, as the header says it."""

from bus.attach.protocol import Batch
from console.cost import Cost

MS = 1_000_000


def test_nothing_is_known_before_the_program_told() -> None:
    """A snapshot tells what was, not what it costs."""
    cost = Cost()
    cost.take([Batch(at=1 * MS), Batch(at=2 * MS, snapshot_done=True)])
    assert cost.share == 0


def test_a_turn_counts_for_as_long_as_it_took() -> None:
    """30 ms at 2 % and 10 ms at 10 % are 4 %."""
    cost = Cost()
    cost.take([Batch(at=5 * MS, snapshot_done=True), Batch(at=35 * MS, cost=0.02), Batch(at=45 * MS, cost=0.1)])
    assert round(cost.share, 9) == 0.04


def test_batches_of_one_moment_are_one_turn() -> None:
    """A turn with much to tell sends several, all with its cost."""
    cost = Cost()
    turn = [Batch(at=40 * MS, cost=0.02)] * 3
    cost.take([Batch(at=0 * MS + 1, snapshot_done=True), *turn, Batch(at=80 * MS - 1, cost=0.04)])
    assert round(cost.share, 6) == 0.03


def test_the_last_seconds_count() -> None:
    """What it cost to send the snapshot is forgotten soon."""
    cost = Cost()
    cost.take([Batch(at=40 * MS, snapshot_done=True), Batch(at=80 * MS, cost=0.9)])
    cost.take(Batch(at=80 * MS + turn * 40 * MS, cost=0.02) for turn in range(1, 60))
    assert round(cost.share, 9) == 0.02
