"""The Services screen."""

import asyncio
import threading
from pathlib import Path

import pytest
from msgspec import structs

from bus import Bus, Service
from bus.attach.protocol import Batch, Reply
from bus.trace.records import AnyRecord, Call, Depth, Frame, Lane, Stack, State, Waiting
from console.session import Session
from console.target.attached import AttachedTarget
from console.target.discover import sockets
from console.tui.app import ConsoleApp
from console.tui.widgets.details import Details
from tests import synthetic
from tests.console.tui.driving import LARGE, SMALL, TINY, Driver, batch, drive, target
from tests.hostile import TEXTS
from tests.synthetic import KEY, MS, START

SECOND = 1_000 * MS
HELD = Call(
    id=50, root=50, kind="command", name="store.put", service="store", lane=KEY["store-0"], queued=START + 1,
    started=START + 2,
)  # fmt: skip
OWN = Frame(function="Store.put", file="/home/me/sample_services/store.py", line=58, source="self._gate.wait()")
LIBRARY = Frame(function="Event.wait", file="/usr/lib/python3.11/threading.py", line=629, source="signaled = …")


def stack(lane: str, call: int = 0, name: str = "", *frames: Frame, waiting: Waiting | None = None) -> Stack:
    service = next(service for known, service, _ in synthetic.LANES if known == lane)
    return Stack(
        lane=KEY[lane], at=START + SECOND, name=lane, service=service, call=call, call_name=name,
        since=START + 2 if call else 0, waiting=waiting, frames=frames,
    )  # fmt: skip


def live_target(*records: AnyRecord, live: tuple[Call, ...] = ()) -> synthetic.FakeTarget:
    return target([structs.replace(batch(*records), live=live)])


def names(driver: Driver) -> list[str]:
    return [name.removeprefix("\0") for name in driver.app.screen.rows.keys]


async def choose(driver: Driver, name: str) -> None:
    await driver.until(lambda: name in driver.app.screen.rows.keys)
    driver.app.screen.rows.choose(name)


def row(driver: Driver, name: str) -> list[str]:
    """The words of a row of the list."""
    found = [line.split("│")[0].split() for line in driver.lines()]
    return next((words for words in found if name in words[:2] and "/" in " ".join(words)), [])


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_shows_every_service_with_what_its_threads_do(size: tuple[int, int]) -> None:
    """State, busy workers, the call that runs longest with its time, the mailbox; the others outside come last."""

    async def test(driver: Driver) -> None:
        await driver.press("5")
        await driver.sees("service", "threads", "busy", "mailbox", "indexer", "watcher")
        await driver.until(lambda: "1/1" in row(driver, "store"))
        assert "store.put" in row(driver, "store")
        assert "0/4" in row(driver, "indexer")
        assert names(driver)[-1] == "outside"

    drive(test, live_target(live=(HELD,)), size=size)


def test_the_troubled_ones_stand_first() -> None:
    """Failed, then stuck, then full; each says so in words."""
    records = (
        State(service="watcher", state="failed", at=START, error="ServiceCrash: no more"),
        Depth(service="search", at=START, depth=0, capacity=10, stuck=2),
        Depth(service="metrics", at=START, depth=10, capacity=10, dropped=7, restarts=3),
        State(service="racer", state="stopped", at=START),
    )

    async def test(driver: Driver) -> None:
        await driver.press("5")
        await driver.sees("failed", "stuck 2", "full")
        assert names(driver)[:3] == ["watcher", "search", "metrics"]
        assert names(driver)[-2:] == ["racer", "outside"]
        await driver.sees("✗ watcher", "⚠ search", "⚠ metrics", "ServiceCrash: no more")
        assert row(driver, "metrics")[-2:] == ["3", "7"]

    drive(test, live_target(*records))


def test_the_cursor_sticks_to_the_name() -> None:
    """A service that becomes stuck goes to the top; the selection stays where somebody put it."""

    async def test(driver: Driver) -> None:
        await driver.press("5", "down", "down")
        selected = driver.app.screen.rows.selected
        assert selected in names(driver)
        driver.target.add(Batch(at=START + 2 * SECOND, records=(Depth(service="trouble", at=START, depth=0, stuck=1),)))
        await driver.sees("stuck 1")
        await driver.press("s", "s")
        assert driver.app.screen.rows.selected == selected

    drive(test, live_target())


def test_live_stacks_show_where_each_thread_stands() -> None:
    """The frame that is not the library's is marked, with its line; what a thread waits for stands above its frames."""
    source = live_target(live=(HELD,))
    source.standing = [
        stack("store-0", 50, "store.put", LIBRARY, OWN),
        stack("search-0", 51, "search.query", OWN, waiting=Waiting(call=50, name="store.put", lane=KEY["store-0"])),
        stack("search-1"),
    ]

    async def test(driver: Driver) -> None:
        await driver.press("5")
        await choose(driver, "store")
        await driver.sees("threads now", "store-0", "store.put #50", "▸ Store.put", "sample_services/store.py:58")
        await driver.sees("waits in threading.Event.wait", "self._gate.wait()", "who waits for whom", "search-0")
        assert "signaled" not in driver.text()
        await choose(driver, "search")
        await driver.sees("waits for store.put #50", "1 idle: search-1")

    drive(test, source)


def test_a_cycle_comes_first_whatever_is_selected() -> None:
    """It is what a person looks for."""
    source = live_target()
    source.standing = [
        stack("trouble-0", 60, "trouble.deadlock", waiting=Waiting(call=61, name="store.hold", lane=KEY["store-0"])),
        stack("store-0", 61, "store.hold", OWN, waiting=Waiting(call=62, name="x", service="trouble", timed=True)),
    ]

    async def test(driver: Driver) -> None:
        await driver.press("5")
        await choose(driver, "metrics")
        await driver.sees(
            "⚠ these wait for each other", "waits for store.hold #61", "waits for x #62, queued, for a time"
        )
        lines = driver.lines()
        cycle = next(y for y, line in enumerate(lines) if "each other" in line)
        assert cycle < next(y for y, line in enumerate(lines) if "threads now" in line)

    drive(test, source)


def test_enter_on_a_thread_shows_its_call_in_the_timeline() -> None:
    """Into the details, then to the call."""

    async def test(driver: Driver) -> None:
        await driver.press("5")
        await choose(driver, "store")
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen.query_one(Details).has_focus)
        await driver.press("enter")
        await driver.sees("window", "▸ #50 store.put")

    drive(test, live_target(live=(HELD,)))


def test_a_call_that_stands_twice_is_picked_once() -> None:
    """Moving down gets past it: the same call is in the tree and among the threads."""
    source = live_target(live=(HELD,))
    waits = Waiting(call=50, name="store.put", lane=KEY["store-0"])
    source.standing = [stack("store-0", 50, "store.put", OWN), stack("search-0", 51, "search.query", waiting=waits)]

    async def test(driver: Driver) -> None:
        await driver.press("5")
        await choose(driver, "store")
        await driver.sees("who waits for whom")
        details = driver.app.screen.query_one(Details)
        assert sorted(line.call for line in details._shown if line.call) == [50, 51]
        await driver.press("enter")
        first = details.selected
        await driver.press("down")
        assert {first, details.selected} == {50, 51}

    drive(test, source)


def test_stacks_are_asked_for_only_while_they_are_shown() -> None:
    """Not on another screen, not while the view is frozen, not of a recording."""
    source = live_target()

    async def test(driver: Driver) -> None:
        await driver.press("1")
        await driver.pilot.pause(1.2)
        assert not source.asked
        await driver.press("5")
        await driver.until(lambda: source.asked)
        await driver.press("space")
        count = len(source.asked)
        await driver.pilot.pause(1.3)
        assert len(source.asked) == count
        await driver.press("space")
        await driver.until(lambda: len(source.asked) > count)

    drive(test, source)


def test_a_recording_shows_services_without_stacks() -> None:
    """What its threads ran last, and why there are no stacks."""

    async def test(driver: Driver) -> None:
        await driver.press("5")
        await driver.sees("RECORDED", "store.put #50", "nothing is live")
        assert not driver.target.asked

    drive(test, target([structs.replace(batch(), live=(HELD,))], "recorded"))


def test_when_the_program_ends_its_last_stacks_stay() -> None:
    """With the time at which it was last asked."""
    source = live_target(live=(HELD,))
    source.standing = [stack("store-0", 50, "store.put", OWN)]

    async def test(driver: Driver) -> None:
        await driver.press("5")
        await driver.sees("▸ Store.put")
        driver.target.end("process 48213 was killed by SIGKILL")
        await driver.sees("ENDED", "▸ Store.put", "as of its last answer")

    drive(test, source)


def test_a_filter_finds_services_by_what_they_run() -> None:
    """Name, state, threads and calls are searched."""

    async def test(driver: Driver) -> None:
        await driver.press("5", "slash")
        await driver.type("store.put")
        await driver.until(lambda: names(driver) == ["store"])

    drive(test, live_target(live=(HELD,)))


def test_nothing_can_be_executed_here_and_y_copies_the_name() -> None:
    """`x` is no key of this screen."""

    async def test(driver: Driver) -> None:
        await driver.press("5", "x", "y")
        await driver.sees("copied:")
        assert not driver.target.asked or driver.target.asked[0][0] == "stacks"

    drive(test, live_target())


def test_a_program_without_services_says_how_to_get_one() -> None:
    """An empty list says what to do."""

    async def test(driver: Driver) -> None:
        await driver.press("5")
        await driver.sees("The program has no service yet.", "bus.add(Service(…)) starts one.")

    drive(test, target([Batch(at=START, snapshot_done=True)]))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("size", [LARGE, TINY])
def test_hostile_names_and_frames_are_harmless(text: str, size: tuple[int, int]) -> None:
    """Whatever a program calls its services, threads, functions and files."""
    frame = Frame(function=text, file=text, line=1, source=text)
    records = (
        Lane(key=90, name=text, service=text), State(service=text, state="failed", at=START, error=text),
    )  # fmt: skip
    call = structs.replace(HELD, name=text, service=text, lane=90)
    source = live_target(*records, live=(call,))
    waiting = Waiting(call=50, name=text, service=text, lane=90)
    source.standing = [
        Stack(lane=90, at=START, name=text, service=text, call=50, call_name=text, frames=(frame,), waiting=waiting)
    ]

    async def test(driver: Driver) -> None:
        await driver.press("5")
        await driver.until(lambda: driver.app.screen.live.stacks)
        await driver.press("enter")
        assert all(line.isprintable() for line in driver.lines())

    drive(test, source, size=size)


def test_two_hundred_lanes_are_shown_quickly() -> None:
    """Only what is visible is drawn, and one service has only its own threads beside it."""
    lanes = [
        Lane(key=500 + n, name=f"pool{n % 20}-{n // 20}", service=f"pool{n % 20}", worker=n // 20) for n in range(200)
    ]
    states = [State(service=f"pool{n}", state="running", at=START, workers=10) for n in range(20)]
    live = tuple(
        structs.replace(HELD, id=1_000 + lane.key, root=1, lane=lane.key, service=lane.service) for lane in lanes
    )
    source = live_target(*lanes, *states, live=live)
    source.standing = [
        Stack(
            lane=lane.key, at=START, name=lane.name, service=lane.service, call=1_000 + lane.key, call_name="c",
            since=START, frames=(LIBRARY, OWN),
        )
        for lane in lanes
    ]  # fmt: skip

    async def test(driver: Driver) -> None:
        await driver.press("5")
        await choose(driver, "pool7")
        await driver.sees("10/10", "pool7-9", "pool7-0", "▸ Store.put")
        assert "pool8-0" not in driver.text()
        assert driver.text().count("Store.put") == 1  # threads at the same place stand above one stack

    drive(test, source)


def test_a_line_asks_the_program_and_shows_the_answer_when_it_comes() -> None:
    """Until then it says that it asks; the screen goes on meanwhile."""

    class Slow(synthetic.FakeTarget):
        def stacks(self, lanes, calls, on_reply):  # type: ignore[no-untyped-def]
            self.on_reply = on_reply
            return 1

    source = Slow([batch()], state="live")

    async def test(driver: Driver) -> None:
        await driver.press("1", "colon", *"waits", "enter")
        await driver.sees("the program is asked")
        waiting = Waiting(call=50, name="store.put", lane=KEY["store-0"])
        source.on_reply(Reply(request=1, stacks=(stack("search-0", 51, "search.query", waiting=waiting),)))
        await driver.sees("waits for store.put #50")

    drive(test, source)


def test_a_thread_that_is_stuck_in_a_real_program_is_shown_with_its_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From a running bus, over the socket, to the line of this file at which its handler stands."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    leave = threading.Event()

    def hold() -> None:
        leave.wait(30)

    async def test() -> None:
        source = AttachedTarget(sockets()[0], role="read")
        session = Session(source)
        app = ConsoleApp(session)
        async with app.run_test(size=LARGE) as pilot:
            driver = Driver(pilot, app, source)  # type: ignore[arg-type]  # it is only read
            await driver.press("5")
            await driver.sees("1/1", "▸ ", "hold", f"{Path(__file__).name}:", "leave.wait(30)")
        session.close()

    with Bus("stuck", trace="full") as bus:
        bus.add(Service("pump"))
        bus.register_command("pump.hold", hold, service="pump")
        bus.serve()
        bus.execute_command("pump.hold")
        try:
            asyncio.run(test())
        finally:
            leave.set()
