"""What is said of services, on made-up records."""

import numpy as np
import pytest
from msgspec import structs

from bus.attach.protocol import Batch
from bus.trace.records import AnyRecord, Call, Depth, Dropped, Error, Lane, State
from console.model.services import Services
from console.model.store import Store
from console.model.views import ServiceRow, ThreadRow
from tests import synthetic
from tests.synthetic import MS, START

SECOND = 1_000 * MS
LANES = [Lane(key=key, name=f"a-{key - 1}", service="a", worker=key - 1) for key in (1, 2)]
RUNNING = State(service="a", state="running", at=START, workers=2)


def call(
    number: int, *, lane: int = 1, started: int = 0, ended: int = 0, outcome: str | None = "ok", kind: str = "command"
) -> Call:
    """A call of the service a; times in ms since the beginning."""
    return Call(
        id=number, root=number, kind=kind, name="a.do", service="a" if kind != "event" else "", lane=lane,  # type: ignore[arg-type]
        queued=START + started * MS, started=START + started * MS, ended=START + ended * MS if outcome else 0,
        outcome=outcome, error=Error("E") if outcome == "error" else None,  # type: ignore[arg-type]
    )  # fmt: skip


def rows(*records: AnyRecord, live: tuple[Call, ...] = (), at: int = 10_000) -> dict[str, ServiceRow]:
    """The rows by name, AT ms after the beginning."""
    store = Store()
    services = Services(store)
    fresh = store.take(Batch(at=START + at * MS, records=records, live=live))
    if fresh is not None:
        services.take(fresh)
    return {row.name: row for row in services.rows(START + at * MS)}


def test_every_service_of_a_session_has_its_row() -> None:
    """State, workers, threads and figures; calls and failures are those of the records."""
    records = synthetic.session(2_000)
    found = rows(*records, at=60_000)
    assert set(found) == {service for _, service, _ in synthetic.LANES}
    calls = [one for one in records if isinstance(one, Call) and one.kind != "event"]
    for name, row in found.items():
        own = [one for one in calls if one.service == name]
        if name:
            assert (row.calls, row.errors) == (len(own), sum(one.outcome != "ok" for one in own))
    assert (found["indexer"].state, found["indexer"].workers) == ("running", 4)
    assert [thread.name for thread in found["indexer"].threads] == [f"indexer-{n}" for n in range(4)]
    assert {thread.name for thread in found[""].threads} == {"MainThread", "load"}
    assert list(found)[-1] == ""


def test_a_thread_says_what_it_runs_and_since_when() -> None:
    """The one that has been at it for the longest is first; an idle one runs nothing."""
    live = (call(7, lane=2, started=400, outcome=None), call(8, lane=1, started=900, outcome=None))
    row = rows(*LANES, RUNNING, live=live)["a"]
    assert row.threads == (
        ThreadRow(1, "a-0", 8, "a.do", START + 900 * MS), ThreadRow(2, "a-1", 7, "a.do", START + 400 * MS),
    )  # fmt: skip
    assert [thread.call for thread in row.running] == [7, 8]
    assert rows(*LANES, RUNNING)["a"].running == ()


@pytest.mark.parametrize(
    ("calls", "live", "busy"),
    [
        ([], (), 0.0),
        ([call(1, started=0, ended=5_000)], (), 0.25),
        ([call(1, started=0, ended=10_000), call(2, lane=2, started=0, ended=10_000)], (), 1.0),
        ([call(1, started=0, ended=1_000)], (call(2, lane=2, started=2_000, outcome=None),), 0.45),
        ([call(1, started=-90_000, ended=-50_000)], (), 0.0),
        ([call(1, started=-90_000, ended=5_000)], (), 0.25),
    ],
)
def test_busy_is_the_part_of_the_last_ten_seconds(calls: list[Call], live: tuple[Call, ...], busy: float) -> None:
    """Of all its threads on average, with the calls that still run; what was before does not count."""
    assert rows(*LANES, RUNNING, *calls, live=live)["a"].busy == pytest.approx(busy, abs=0.002)


def test_rate_counts_what_ended_in_the_last_seconds() -> None:
    """Commands and deliveries; an event that is fired is nobody's."""
    calls = [call(n, started=n, ended=n + 1) for n in range(1, 51)]
    row = rows(*LANES, RUNNING, *calls, call(60, started=60, ended=60, kind="event"), at=5_000)["a"]
    assert (row.calls, row.errors) == (50, 0)
    assert row.rate == pytest.approx(10, rel=0.1)


def test_depth_losses_restarts_and_stuck_workers_are_what_the_program_says() -> None:
    """A full mailbox is known by its capacity."""
    row = rows(RUNNING, Depth(service="a", at=START, depth=9, capacity=9, dropped=4, restarts=2, stuck=1))["a"]
    assert (row.depth, row.capacity, row.dropped, row.restarts, row.stuck) == (9, 9, 4, 2, 1)
    assert row.full
    assert row.depths[-1] == 9
    assert not rows(Depth(service="a", at=START, depth=8, capacity=9))["a"].full
    assert not rows(Depth(service="a", at=START, depth=8))["a"].full
    assert rows(RUNNING, Dropped(at=START, count=3, kind="event", where="a"))["a"].dropped == 3


def test_a_service_that_failed_or_went_says_so() -> None:
    """With the error, and with all that was counted."""
    row = rows(RUNNING, State(service="a", state="failed", at=START + 1, error="ServiceCrash: x"))["a"]
    assert (row.failed, row.gone, row.error) == (True, False, "ServiceCrash: x")
    assert rows(State(service="a", state="stopped", at=START))["a"].gone


def test_threads_that_were_replaced_or_sent_away_are_not_listed() -> None:
    """After a restart a number belongs to the newest lane; one that still runs a call stays, whoever has its place."""
    lanes = [*LANES, Lane(key=5, name="a-0", service="a", worker=0), Lane(key=6, name="a-2", service="a", worker=2)]
    row = rows(*lanes, RUNNING)["a"]
    assert [thread.lane for thread in row.threads] == [5, 2]
    stuck = call(1, lane=1, started=5, outcome=None)
    assert [thread.lane for thread in rows(*lanes, RUNNING, live=(stuck,))["a"].threads] == [1, 5, 2]


def test_lanes_that_come_later_are_found() -> None:
    """They are grouped anew when there are more."""
    store = Store()
    services = Services(store)
    store.take(Batch(at=START, records=(RUNNING, LANES[0])))
    assert len(services.rows(START)[0].threads) == 1
    store.take(Batch(at=START, records=(LANES[1],)))
    assert len(services.rows(START)[0].threads) == 2


def test_two_hundred_lanes_are_no_work() -> None:
    """Rows of a large program stay within what a screen may take twice a second."""
    lanes = [Lane(key=n + 1, name=f"s{n % 20}-{n // 20}", service=f"s{n % 20}", worker=n // 20) for n in range(200)]
    calls = [
        Call(
            id=n, root=n, kind="command", name=f"c{n % 7}", service=f"s{n % 20}", lane=n % 200 + 1, queued=START + n,
            started=START + n, ended=START + n + 1, outcome="ok",
        )
        for n in range(1, 20_000)
    ]  # fmt: skip
    found = rows(*lanes, *calls, at=1_000)
    assert len(found) == 20
    assert {len(row.threads) for row in found.values()} == {10}
    assert sum(row.calls for row in found.values()) == len(calls)


def test_counting_does_not_change_the_block() -> None:
    """Others count it, too."""
    store = Store()
    block = store.take(Batch(at=START, records=tuple(synthetic.session(300))))
    assert block is not None
    before = {name: values.copy() for name, values in block.items()}
    Services(store).take(block)
    assert all(np.array_equal(values, before[name]) for name, values in block.items())


def test_threads_that_have_ended_are_not_listed() -> None:
    """Neither a worker of a service that was stopped nor one outside, from the batch on that says so."""
    store = Store()
    services = Services(store)
    guest, worker = Lane(key=8, name="guest", began=5), Lane(key=9, name="a-0", service="a", began=5)
    store.take(Batch(at=START, records=(RUNNING, worker, guest)))
    assert [[thread.name for thread in row.threads] for row in services.rows(START)] == [["a-0"], ["guest"]]
    gone = [structs.replace(lane, ended=9) for lane in (worker, guest)]
    store.take(Batch(at=START, records=(State(service="a", state="stopped", at=START), *gone)))
    assert [(row.name, row.threads) for row in services.rows(START)] == [("a", ())]
