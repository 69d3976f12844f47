"""What happened between two moments, against a count of every call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.attach.protocol import Batch
from bus.trace.records import Call, Lane
from console.model.ranges import summary
from console.model.store import Store

LANES = (Lane(key=1, name="a-0", service="a"), Lane(key=2, name="b-0", service="b"))
NOW = 5_000


def stored(*calls: Call, live: tuple[Call, ...] = ()) -> Store:
    store = Store()
    store.take(Batch(at=NOW, records=(*LANES, *calls), live=live, snapshot_done=True))
    return store


def one(number: int, lane: int, started: int, ended: int, outcome: str = "ok") -> Call:
    return Call(
        id=number, root=number, kind="command", name="n", lane=lane, queued=started, started=started, ended=ended,
        outcome=outcome,  # type: ignore[arg-type]  # one of the words
    )  # fmt: skip


@st.composite
def recordings(draw: st.DrawFn) -> list[Call]:
    """Calls of two lanes, one at a time in each."""
    calls: list[Call] = []
    for lane in (1, 2):
        at = 100
        for gap, length, failed in draw(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 30), st.booleans()), max_size=12)):  # fmt: skip # noqa: E501
            at += gap
            calls.append(one(len(calls) + 1, lane, at, at + length, "error" if failed else "ok"))
            at += length
    return calls


@given(recordings(), st.integers(90, 400), st.integers(1, 300))
def test_a_range_is_what_its_calls_are(calls: list[Call], begin: int, length: int) -> None:
    """Count, failures, the part of the time in which lanes ran, and the slowest: as counted call by call."""
    end = begin + length
    found = summary(stored(*calls), begin, end, NOW)
    within = [call for call in calls if call.started < end and (call.ended > begin or call.started >= begin)]
    lanes = len({call.lane for call in calls})
    ran = sum(max(0, min(call.ended, end) - max(call.started, begin)) for call in calls)
    assert found.calls == len(within)
    assert found.failed == sum(call.outcome == "error" and begin <= call.ended < end for call in calls)
    assert found.busy == pytest.approx(ran / (length * lanes) if lanes else 0)
    longest = max((call.ended - call.started for call in within), default=None)
    assert (found.slowest.ended - found.slowest.started if found.slowest else None) == longest


def test_a_call_in_flight_counts_until_now() -> None:
    """It has run since it started, and is the slowest if that is longest."""
    running = Call(id=9, root=9, kind="command", name="n", lane=2, queued=1_000, started=1_000)
    found = summary(stored(one(1, 1, 100, 300), live=(running,)), 2_000, 3_000, NOW)
    assert (found.calls, found.failed, found.busy) == (1, 0, 0.5)
    assert found.slowest is not None
    assert found.slowest.id == running.id


def test_of_nothing_there_is_nothing() -> None:
    """An empty recording, and a range after the end."""
    assert summary(stored(), 0, 100, NOW).slowest is None
    found = summary(stored(one(1, 1, 100, 300)), 400, 500, NOW)
    assert (found.calls, found.busy, found.slowest) == (0, 0.0, None)
