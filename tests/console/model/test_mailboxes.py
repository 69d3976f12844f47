"""The depth of a mailbox over the last minute, against a plain account of the same samples."""

from hypothesis import given
from hypothesis import strategies as st

from bus.trace.records import Depth, Dropped
from console.model.mailboxes import WINDOW, Mailboxes

SECOND = 1_000_000_000


def of(samples: list[tuple[int, int]]) -> Mailboxes:
    made = Mailboxes()
    for at, depth in samples:
        made.take(Depth(service="s", at=at, depth=depth))
    return made


SAMPLES = st.lists(st.tuples(st.integers(0, 240), st.integers(0, 9)), max_size=60).map(sorted)


@given(SAMPLES, st.integers(0, 130 * SECOND))
def test_each_part_tells_the_deepest_moment_in_it(samples: list[tuple[int, int]], late: int) -> None:
    """Also of a depth that was reached before and held since, and of a short peak between two others."""
    samples = [(half * SECOND // 2, depth) for half, depth in samples]
    now = (samples[-1][0] if samples else 0) + late
    told = of(samples).history("s", now, 12)
    part = WINDOW // 12
    first = (now // part + 1 - 12) * part
    for index, deepest in enumerate(told):
        begin, end = first + index * part, first + (index + 1) * part
        before = [depth for at, depth in samples if at < begin]
        inside = [depth for at, depth in samples if begin <= at < end]
        held = before[-1:] if not inside or samples[len(before)][0] > begin else []
        # The depth at the very beginning counts, too, where the first sample comes in the middle of a part.
        assert max(inside, default=0) <= deepest <= max([*inside, *before[-1:]], default=0)
        assert deepest >= max([*inside, *held], default=0)


def test_a_short_peak_is_not_lost() -> None:
    """It came and went between two drawings."""
    made = of([(1 * SECOND, 1), (1 * SECOND + 1, 90), (1 * SECOND + 2, 1)])
    assert max(made.history("s", 2 * SECOND, 12)) == 90
    assert made.last("s").depth == 1


def test_a_sample_from_before_changes_nothing() -> None:
    """The snapshot of a program may repeat what came already."""
    made = of([(5, 3), (4, 9)])
    assert made.last("s").depth == 3
    assert max(made.history("s", 10, 6)) == 3


def test_the_parts_do_not_move_while_time_goes_on() -> None:
    """They begin at round times, so that a row is drawn anew only when a part is over."""
    made = of([(51 * SECOND, 5), (52 * SECOND, 2)])
    assert made.history("s", 56 * SECOND, 12) == made.history("s", 59 * SECOND, 12)
    assert made.history("s", 56 * SECOND, 12) != made.history("s", 60 * SECOND, 12)


def test_losses_are_what_the_program_counted_or_what_was_told() -> None:
    """A console that came late knows the first, one of an older program the second."""
    made = Mailboxes()
    assert (made.dropped("s"), made.last("s").depth, made.history("s", 5, 4)) == (0, 0, (0, 0, 0, 0))
    made.take_dropped(Dropped(at=1, count=3, kind="event", where="s"))
    assert made.dropped("s") == 3
    made.take(Depth(service="s", at=2, depth=0, dropped=40))
    assert made.dropped("s") == 40
    assert list(made.services) == ["s"]
