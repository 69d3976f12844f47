"""What other screens ask the timeline to show: it is large, whatever was shown before."""

import pytest

from bus.trace.records import AnyRecord, Call, Problem
from console.tui.widgets.timeline import Timeline
from tests import synthetic
from tests.console.tui.driving import LARGE, SMALL, Driver, batch, drive, target
from tests.console.tui.screens.test_problems import CYCLE

MS = synthetic.MS
AT = synthetic.START + 500 * MS


def ran(number: int, queued: int, started: int, ended: int, **more: object) -> Call:
    """A command of the service of the n-th step of the cycle; times in µs since AT."""
    step = CYCLE[number - 1]
    return Call(
        id=number, root=1, parent=number - 1, kind="command", name=step.name, service=step.service, lane=step.lane,
        queued=AT + queued * 1_000, started=AT + started * 1_000, ended=AT + ended * 1_000,
        **{"outcome": "deadlock", **more},
    )  # fmt: skip


CALLS = ran(1, -9_000, -8_000, 50), ran(2, -2_000, -1_900, 20)
DEADLOCK = Problem(rule="deadlock", at=AT, text="a cycle", calls=(1, 2), cycle=CYCLE)


def cells(driver: Driver, first: int, last: int) -> float:
    """The part of the timeline's width that [FIRST, LAST) ns takes; all of it is in view."""
    view = driver.app.screen.query_one(Timeline).viewport
    assert view.start <= first
    assert last <= view.end
    return (last - first) / view.span


async def in_timeline(driver: Driver, *said: str) -> Timeline:
    await driver.until(lambda: driver.app.current_mode == "timeline")
    await driver.sees(*said)
    return driver.app.screen.query_one(Timeline)


@pytest.mark.parametrize("size", [LARGE, SMALL])
@pytest.mark.parametrize("state", ["live", "recorded"])
def test_a_deadlock_is_shown_from_its_first_wait_to_its_end(size: tuple[int, int], state: str) -> None:
    """Two milliseconds of a program that runs for seconds take a third to a half of the width, in the middle."""

    async def test(driver: Driver) -> None:
        await driver.press("6")
        await driver.sees("deadlock")
        await driver.press("g")
        timeline = await in_timeline(driver, "◆ 2.0 ms", "✗ 1 failed", "▸ #1 trouble.deadlock")
        assert timeline.range.bounds == (AT - 2 * MS, CALLS[1].ended + 1)
        assert 1 / 3 < cells(driver, *timeline.range.bounds) < 1 / 2

    drive(test, target([batch(DEADLOCK, *CALLS)], state), size)  # type: ignore[arg-type]


def test_the_marked_call_of_a_proof_is_shown_itself() -> None:
    """In the proof `g` is for the call under the cursor, not for the whole stretch."""

    async def test(driver: Driver) -> None:
        await driver.press("6")
        await driver.sees("DEADLOCK")
        await driver.press("enter", "down", "g")
        timeline = await in_timeline(driver, "▸ #2 store.hold")
        assert timeline.range.bounds is None
        assert 1 / 3 < cells(driver, CALLS[1].queued, CALLS[1].ended) < 1 / 2

    drive(test, target([batch(DEADLOCK, *CALLS)]))


OTHERS = [
    Call(
        id=number, root=number, kind="command", name="index.file", service="indexer", lane=3, outcome="ok",
        queued=AT + number * 100 * MS, started=AT + number * 100 * MS, ended=AT + number * 100 * MS + 3_000,
    )
    for number in range(10, 16)
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (ran(1, 0, 1_000, 3_000), (0, 3_000)),
        (ran(1, -400_000, 0, 100), (-800, 100)),
        (ran(1, 0, 0, 700, outcome="expired"), (0, 700)),
        (ran(2, 0, 0, 3, outcome="ok"), (0, 3)),
        (ran(2, 5, 5, 5, outcome="ok"), (5, 5)),
    ],
    ids=["run", "queued for long", "never ran", "short", "of no length"],
)
def test_a_call_is_shown_with_its_wait_and_its_run(call: Call, shown: tuple[int, int]) -> None:
    """From the list of calls; of a wait that is much longer than the run, the end; of what is tiny, 20 µs around it."""
    first, last = (AT + moment * 1_000 for moment in shown)
    records: list[AnyRecord] = [call, *OTHERS]

    async def test(driver: Driver) -> None:
        await driver.press("3", "0", "4", "slash")
        await driver.type(f"name:{call.name}")
        await driver.press("enter")
        await driver.sees(f"#{call.id}")
        await driver.press("g")
        timeline = await in_timeline(driver, f"▸ #{call.id} {call.name}")
        more = max(0, 20_000 - (last - first)) // 2
        assert 1 / 3 < cells(driver, first - more, last + more) < 1 / 2
        assert timeline.selected == call.id

    drive(test, target([batch(*records)], "recorded"))


def test_a_running_call_is_shown_up_to_now() -> None:
    """A call that has no end yet ends now, for this; the timeline does not run on from there."""
    running = Call(
        id=7, root=7, kind="command", name="index.rebuild", service="indexer", lane=4, queued=AT, started=AT + MS
    )

    async def test(driver: Driver) -> None:
        await driver.press("4")
        await driver.sees("index.rebuild")
        await driver.press("home", "g")
        timeline = await in_timeline(driver, "▸ #7 index.rebuild", "not following")
        assert 1 / 4 < cells(driver, AT, driver.app.session.now()) < 2 / 3
        assert not timeline.viewport.follow

    some = batch(*OTHERS)
    drive(
        test, target([type(some)(at=some.at, records=some.records, live=(running,), in_flight=1, snapshot_done=True)])
    )
