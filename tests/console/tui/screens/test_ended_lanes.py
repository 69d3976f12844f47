"""Threads that have ended, in the timeline: told by the bus, seen on the screen."""

import threading
import time
from pathlib import Path

from msgspec import structs

from bus import Bus, Service, lanes
from bus.trace.records import AnyRecord, Lane
from console.target.recorded import RecordedTarget
from console.tui.widgets.timeline import Timeline
from tests import synthetic
from tests.console.tui.driving import Driver, batch, drive, target
from tests.console.tui.screens.test_timeline import helper_call
from tests.support import wait_for

MS = synthetic.MS
START = synthetic.START


def guest(key: int, ended: int = 0) -> Lane:
    """A thread outside of all services, there from the beginning; ENDED in ms, 0: it has not."""
    return Lane(key=key, name=f"guest-{key}", began=START, ended=START + ended * MS if ended else 0)


def column(driver: Driver, name: str) -> int:
    """The cell from which on the lane of this name says that its thread has ended; -1: it does not."""
    timeline = driver.app.screen.query_one(Timeline)
    return driver.line(name).find("┤ ended") - timeline.label if "┤ ended" in driver.line(name) else -1


def test_a_thread_that_ended_is_shown_so_from_when_it_did() -> None:
    """And one that is only idle is not; a worker is no exception."""
    records: list[AnyRecord] = [
        guest(100, 2_500), guest(101), helper_call(0), helper_call(1),
        Lane(key=200, name="old-0", service="old", began=START, ended=START + 400 * MS),
    ]  # fmt: skip

    async def test(driver: Driver) -> None:
        await driver.press("3")
        await driver.sees("guest-100", "guest-101")
        view = driver.app.screen.query_one(Timeline).viewport
        assert column(driver, "guest-100") == view.column(START + 2_500 * MS)
        assert column(driver, "guest-101") == -1
        assert column(driver, "old-0") == view.column(START + 400 * MS)
        await driver.press("w", "d", "d", "d", "d", "d", "d")
        await driver.sees("┤ ended")
        assert column(driver, "guest-100") == 0, "it had ended before all that is shown"

    late = structs.replace(batch(*records), at=START + 4_000 * MS)
    drive(test, target([late], "recorded"))


def test_a_thread_ends_while_one_looks() -> None:
    """What the program says of it later is seen at once."""

    async def test(driver: Driver) -> None:
        await driver.press("3")
        await driver.sees("guest-100")
        assert column(driver, "guest-100") == -1
        driver.target.add(synthetic.Batch(at=START + 3_000 * MS, records=(guest(100, 2_900),)))
        await driver.until(lambda: column(driver, "guest-100") >= 0)

    drive(test, target([batch(guest(100), helper_call(0))]))


def test_threads_that_had_ended_are_folded_and_idle_ones_are_not() -> None:
    """Those whose end is known stand no longer for what they did last: an idle thread is there."""
    ended = [guest(key, 1_500) for key in range(110, 114)]
    records = [*ended, guest(100), *(helper_call(number) for number in (0, *range(10, 14)))]
    records = [structs.replace(each, queued=START, started=START, ended=START + MS) if not isinstance(each, Lane)
               else each for each in records]  # fmt: skip

    async def test(driver: Driver) -> None:
        await driver.press("3")
        await driver.sees("guest-100", "guest-110")
        await driver.press("w", "d", "d", "d", "d", "d", "d")
        await driver.sees("+4 others", "guest-100")
        assert "guest-110" not in driver.text()
        await driver.press("h")
        await driver.sees("guest-113")
        assert column(driver, "guest-113") == 0

    drive(test, target([structs.replace(batch(*records), at=START + 4_000 * MS)], "recorded"))


def test_what_a_real_program_recorded_says_which_of_its_threads_had_ended(tmp_path: Path) -> None:
    """From the thread that ends to the screen; the main thread and the worker live as long as the recording."""
    keys: list[int] = []

    def guest() -> None:
        keys.append(lanes.current_lane())
        bus.execute_command("work").result(10)

    with Bus("shop") as bus:
        bus.add(Service("one"))
        bus.register_command("lane", lanes.current_lane, service="one")
        bus.register_command("work", lambda: time.sleep(0.02), service="one")  # so long that who asks waits
        with bus.record(tmp_path / "s.jsonl"):
            thread = threading.Thread(target=guest, name="guest")
            thread.start()
            thread.join(10)
            wait_for(lambda: any(lane == keys[0] for lane, _ in lanes.ends_since(None)))
            worker = bus.execute_command("lane").result(10)

    async def test(driver: Driver) -> None:
        await driver.press("3")
        await driver.sees("guest", "one-0")
        found = {lane.key: lane for lane in driver.app.session.threads()}
        assert found[keys[0]].name == "guest"
        assert found[keys[0]].began < found[keys[0]].ended
        assert found[worker].began
        assert not found[worker].ended
        timeline = driver.app.screen.query_one(Timeline)
        heads = {head.key: head.ended for head in timeline._lineup.lanes}
        assert heads[keys[0]] == found[keys[0]].ended
        assert heads[worker] == 0

    drive(test, RecordedTarget(tmp_path / "s.jsonl"))  # type: ignore[arg-type]
