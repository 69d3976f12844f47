"""Figures for each name: counted once, by the batch, over any number of names."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bus.trace.records import Call
from console.model.blocks import Codec
from console.model.packing import Packer
from console.model.slices import whole
from console.model.stats import NOTHING, Stats

SECOND = 1_000_000_000


def ended(number: int, name: str, at: int, *, wait: int = 0, run: int = 0, outcome: str = "ok") -> Call:
    """A command that ended at this moment."""
    times = {"queued": at - run - wait, "started": at - run, "ended": at}
    return Call(id=number, root=number, kind="command", name=name, lane=1, outcome=outcome, **times)  # type: ignore[arg-type]


class Counted:
    """Stats and what turns calls into the numbers that they use."""

    def __init__(self) -> None:
        self.packer, self.codec, self.stats = Packer(), Codec(), Stats()

    def take(self, *calls: Call) -> None:
        self.packer.add(calls)
        self.stats.take(self.codec.take(self.packer.take()))

    def rate(self, name: str, now: int) -> float:
        return self.stats.rates("command", now)[self.number(name)]

    def number(self, name: str) -> int:
        return self.codec.names.find(name)


batches = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", *(f"name-{n}" for n in range(70))]),
            st.integers(0, 10**8), st.integers(0, 10**10), st.sampled_from(["ok", "error", "cancelled", "deadlock"]),
        ),
        min_size=1,
    ),
    max_size=6,
)  # fmt: skip


@given(batches)
def test_figures_are_those_of_all_calls(given_batches: list[list[tuple[str, int, int, str]]]) -> None:
    """Calls, errors, last call and percentiles of each name, however the calls were divided into batches."""
    counted, calls = Counted(), []
    for batch in given_batches:
        new = [
            ended(len(calls) + index + 1, name, 10**11 + wait * 7 + run, wait=wait, run=run, outcome=outcome)
            for index, (name, wait, run, outcome) in enumerate(batch)
        ]
        counted.take(*new)
        calls += new
    for name in {call.name for call in calls}:
        own = [call for call in calls if call.name == name]
        figures = counted.stats.figures("command", counted.number(name))
        assert figures.calls == len(own)
        assert figures.errors == sum(call.outcome in {"error", "deadlock"} for call in own)
        assert figures.last == max(call.ended for call in own)
        waits = [call.started - call.queued for call in own]
        exact = np.percentile(waits, [50, 99], method="inverted_cdf")
        assert [figures.wait_p50, figures.wait_p99] == pytest.approx(exact.tolist(), rel=0.03, abs=0)


def test_a_name_that_was_never_called_has_no_figures() -> None:
    """Not even a percentile of 0."""
    counted = Counted()
    counted.take(ended(1, "a", 5 * SECOND))
    assert counted.stats.figures("command", counted.number("b")) is NOTHING
    assert counted.stats.figures("event", counted.number("a")) is NOTHING


def test_last_failed_says_how_the_last_call_ended() -> None:
    """By the time of its end, not by its place in the batch."""
    counted = Counted()
    counted.take(ended(1, "a", 9 * SECOND, outcome="error"), ended(2, "a", 8 * SECOND))
    assert counted.stats.figures("command", counted.number("a")).last_failed
    counted.take(ended(3, "a", 10 * SECOND))
    assert not counted.stats.figures("command", counted.number("a")).last_failed
    assert counted.stats.failed == 1


def test_a_call_that_never_ran_counts_but_has_no_durations() -> None:
    """Cancelled in the queue: a call, but neither a wait that ended with a start nor a run."""
    counted = Counted()
    counted.take(Call(id=1, root=1, kind="command", name="a", queued=SECOND, ended=2 * SECOND, outcome="cancelled"))
    figures = counted.stats.figures("command", counted.number("a"))
    assert (figures.calls, figures.errors, figures.wait_p50, figures.run_p99) == (1, 0, None, None)


def test_the_rate_is_that_of_ten_seconds_and_decays_to_nothing() -> None:
    """100 calls a second for 20 s are 100.0; 5 s later half of it, 10 s later 0."""
    counted = Counted()
    start = 1_000 * SECOND
    for second in range(20):
        counted.take(
            *(ended(100 * second + n + 1, "a", start + second * SECOND + n * SECOND // 100) for n in range(100))
        )
    end = start + 20 * SECOND - 1
    assert counted.rate("a", end) == pytest.approx(100, rel=0.01)
    assert counted.rate("a", end + 5 * SECOND) == pytest.approx(50, rel=0.05)
    assert counted.rate("a", end + 11 * SECOND) == 0
    assert counted.stats.total_rate(end) == counted.rate("a", end)


def test_a_young_program_is_not_divided_by_ten_seconds() -> None:
    """In its third second, 50 calls a second are 50."""
    counted = Counted()
    counted.take(*(ended(n + 1, "a", 1_000 * SECOND + n * SECOND // 50) for n in range(100)))
    assert counted.rate("a", 1_002 * SECOND) == pytest.approx(50, rel=0.01)


def test_calls_from_long_ago_do_not_raise_the_rate() -> None:
    """A snapshot brings calls of the last half minute at once."""
    counted = Counted()
    counted.take(*(ended(n + 1, "a", (1_000 + n % 40) * SECOND) for n in range(400)))
    assert counted.rate("a", 1_039 * SECOND) == pytest.approx(10, rel=0.15)
    counted.take(ended(401, "a", 1_001 * SECOND))
    assert counted.rate("a", 1_039 * SECOND) == pytest.approx(10, rel=0.15)
    assert counted.stats.figures("command", counted.number("a")).calls == 401


def test_events_are_not_part_of_the_total_rate() -> None:
    """It counts handlers that ran: commands and deliveries."""
    counted = Counted()
    event = Call(id=1, root=1, kind="event", name="e", queued=SECOND, started=SECOND, ended=SECOND, outcome="ok")
    counted.take(event)
    assert counted.stats.total_rate(SECOND) == 0
    assert counted.stats.names("event") == [counted.number("e")]


@given(batches)
def test_figures_can_be_asked_for_between_two_slices(given_batches: list[list[tuple[str, int, int, str]]]) -> None:
    """Whatever is known by then; in the end it is the same as of all at once, also what was known for a while."""
    sliced, at_once = Counted(), Counted()
    names = {name for batch in given_batches for name, *_ in batch}
    number = 0
    for batch in given_batches:
        calls = []
        for name, wait, run, outcome in batch:
            number += 1
            calls.append(ended(number, name, 10**11 + wait * 7 + run, wait=wait, run=run, outcome=outcome))
        at_once.take(*calls)
        sliced.packer.add(calls)
        for _ in sliced.stats.taking(sliced.codec.take(sliced.packer.take())):
            for name in names:
                some = sliced.stats.figures("command", sliced.number(name))
                assert some.calls <= number
                assert sliced.stats.known("command", sliced.number(name)) == some
            whole(sliced.stats.refreshing("command"))
    whole(sliced.stats.refreshing("command"))
    for name in names:
        expected = at_once.stats.figures("command", at_once.number(name))
        assert sliced.stats.known("command", sliced.number(name)) == expected


def test_only_the_kinds_that_are_asked_for_are_refreshed() -> None:
    """What is known of others stays as it was."""
    counted = Counted()
    counted.take(ended(1, "a", SECOND))
    whole(counted.stats.refreshing("event", "delivery"))
    assert counted.stats.known("command", counted.number("a")) is NOTHING
    whole(counted.stats.refreshing("command"))
    assert counted.stats.known("command", counted.number("a")).calls == 1
    assert counted.stats.known("event", counted.number("a")) is NOTHING
    assert counted.stats.size == 1


def test_many_names_are_refreshed_in_slices() -> None:
    """So that nothing else waits for ten thousand of them."""
    counted = Counted()
    counted.take(*(ended(number, f"name-{number}", SECOND) for number in range(1, 1_001)))
    assert len(list(counted.stats.refreshing("command"))) == 5
    assert not list(counted.stats.refreshing("command"))


def test_a_delivery_that_was_dropped_is_lost_and_not_failed() -> None:
    """It is no call, has no rate, and is not what happened last. A command that was refused did fail."""
    counted = Counted()
    dropped = Call(
        id=3, root=3, kind="delivery", name="a", outcome="rejected", queued=9 * SECOND, ended=9 * SECOND, caller=1
    )
    done = structs.replace(dropped, id=2, started=8 * SECOND, ended=8 * SECOND, outcome="ok", lane=1)
    counted.take(done, dropped, structs.replace(dropped, id=4), structs.replace(dropped, id=5, kind="command"))
    figures = counted.stats.figures("delivery", counted.number("a"))
    assert (figures.calls, figures.errors, figures.lost) == (1, 0, 2)
    assert (figures.last, figures.last_failed) == (8 * SECOND, False)
    figures = counted.stats.figures("command", counted.number("a"))
    assert (figures.calls, figures.errors, figures.lost) == (1, 1, 0)
    assert counted.stats.failed == 1
    assert counted.stats.total_rate(10 * SECOND) == pytest.approx(2 / 2)
    counted.take(structs.replace(dropped, id=6))
    assert counted.stats.figures("delivery", counted.number("a")).lost == 3
