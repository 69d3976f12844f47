"""The Events screen."""

import pytest
from msgspec import structs

from bus.attach.protocol import Reply
from bus.trace.records import Call, Entry
from tests import synthetic
from tests.console.tui.driving import LARGE, SMALL, Driver, batch, drive, target


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_shows_events_and_their_listeners_in_order(size: tuple[int, int]) -> None:
    """Each event with its figures; the details name the listeners in the order of delivery, globs too."""

    async def test(driver: Driver) -> None:
        await driver.press("2")
        await driver.sees("file.found", "file.changed", "file.indexed", "deliveries/s")
        await driver.press("enter")
        await driver.sees("2 listeners, in this order", "1 indexer", "2 metrics", "as *")

    drive(test, size=size)


def test_the_receivers_are_shown_before_firing_and_named_after() -> None:
    """`x` shows who will get it; Ctrl+R fires with the values of the line."""
    answer = Reply(request=0, call=8, receivers=("indexer.on_event", "metrics.on_event"))

    async def test(driver: Driver) -> None:
        await driver.press("2", "x")
        await driver.sees("2 listeners, in this order", "Ctrl+R fire")
        assert not driver.target.asked
        await driver.type("path=a.py 3")
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.target.asked)
        assert driver.target.asked == [("fire", "file.found", (3,), {"path": "a.py"})]
        await driver.sees("#8 ok", "delivered to 2 listeners: indexer.on_event,", "metrics.on_event")

    drive(test, target(answers={"file.found": answer}))


def test_arguments_that_cannot_be_understood_are_not_fired() -> None:
    """What is wrong with the line stands below it."""

    async def test(driver: Driver) -> None:
        await driver.press("2", "x", "quotation_mark", "a", "ctrl+r")
        await driver.sees("this text never ends")
        assert not driver.target.asked

    drive(test)


def test_what_an_event_was_fired_with_can_be_read() -> None:
    """The last arguments in some lines, and those of each time it was fired, also where they are long."""
    args = "where='/srv/" + "folder/" * 9 + "a.py', size=12_345, because='somebody saved it'"
    fired = [
        Call(
            id=number, root=number, kind="event", name="file.found", caller=1, queued=synthetic.START + number,
            started=synthetic.START + number, ended=synthetic.START + number, outcome="ok", args=text,
        )
        for number, text in ((5, "'b.py'"), (6, args))
    ]  # fmt: skip

    async def test(driver: Driver) -> None:
        await driver.press("2", "enter")
        await driver.sees("last where='/srv/folder", "because='somebody saved it'", "'b.py'")
        await driver.sees("…/folder/folder/folder/folder/folder/folder/a.py'")

    drive(test, target([batch(*fired)]))


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_each_listener_says_how_long_it_takes(size: tuple[int, int]) -> None:
    """At its right edge; of thousands of listeners the first ones stand there, and how many more there are."""
    many = [
        Entry(entry=100 + n, kind="listener", name="tick", service="store", callback=f"on_tick_{n}") for n in range(300)
    ]
    took = Call(
        id=7, root=6, kind="delivery", name="tick", service="store", entry=101, lane=7, queued=synthetic.START,
        started=synthetic.START, ended=synthetic.START + 12 * synthetic.MS, outcome="ok",
    )  # fmt: skip

    async def test(driver: Driver) -> None:
        await driver.press("2")
        await driver.sees("tick")
        driver.app.screen.rows.choose("tick")
        await driver.press("enter")
        await driver.sees("301 listeners, in this order", "run p99", "on_tick_1")
        line = next(line for line in driver.lines() if "on_tick_1 " in line)
        assert line.rstrip().endswith("12 ms")
        await driver.sees(f"and {285 if size == LARGE else 297} more")

    drive(test, target([batch(*many, took)]), size=size)


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_what_a_full_mailbox_dropped_is_lost(size: tuple[int, int]) -> None:
    """Amber and counted apart from failures; what waits says for whom."""
    one = Call(
        id=7, root=7, kind="delivery", name="file.found", service="indexer", caller=1, queued=synthetic.START + 5,
        ended=synthetic.START + 6, outcome="rejected",
    )  # fmt: skip
    waits = structs.replace(one, id=9, ended=0, outcome=None)
    records = [one, structs.replace(one, id=8)]

    async def test(driver: Driver) -> None:
        await driver.press("2")
        await driver.sees("⚠ file.found")
        await driver.misses("✗ file.found")
        await driver.press("enter")
        await driver.sees("⚠ 2 lost before a listener got it", "rejected", "for indexer")
        assert driver.app.session.header().failed == 0

    drive(test, target([structs.replace(batch(*records), live=(waits,))]), size=size)


def test_an_event_that_reaches_nobody_is_marked() -> None:
    """An event fired without a listener says so, in the list and in the details."""
    start = synthetic.START
    lost = Call(
        id=4,
        root=4,
        kind="event",
        name="file.chnaged",
        caller=1,
        queued=start,
        started=start,
        ended=start,
        outcome="ok",
    )

    some = batch(lost)
    records = tuple(record for record in some.records if getattr(record, "name", "") != "*")

    async def test(driver: Driver) -> None:
        await driver.press("2")
        await driver.sees("file.chnaged")
        driver.app.screen.rows.choose("file.chnaged")
        await driver.sees("⚠ 0", "no listener: firing it reaches nobody")

    drive(test, target([structs.replace(some, records=records)]))


def test_a_click_on_a_tab_and_on_a_row_does_what_the_keys_do() -> None:
    """The mouse reaches tabs and rows."""

    async def test(driver: Driver) -> None:
        tabs = driver.lines()[1]
        await driver.pilot.click(offset=(tabs.index("Events") + 1, 1))
        await driver.sees("deliveries/s")
        y = next(y for y, line in enumerate(driver.lines()) if "file.indexed" in line)
        await driver.pilot.click(offset=(6, y))
        await driver.until(lambda: driver.app.screen.rows.selected == "file.indexed")

    drive(test)


def fired(number: int, at: int) -> Call:
    """file.found, fired AT ms after the beginning."""
    moment = synthetic.START + at * synthetic.MS
    return Call(
        id=number, root=number, kind="event", name="file.found", caller=1, args=f"path='{number}.py'",
        queued=moment, started=moment, ended=moment, outcome="ok",
    )  # fmt: skip


def test_listening_shows_an_event_each_time_it_is_fired() -> None:
    """`l`: the newest first, with its arguments, as it comes; `l` or Esc ends it."""

    async def test(driver: Driver) -> None:
        await driver.press("2", "l")
        await driver.sees("● listening", "#901", "path='901.py'")
        driver.target._batches.append(batch(fired(902, 10)))
        await driver.sees("path='902.py'")
        shown = [line.split("│")[1] for line in driver.lines() if "│" in line]
        numbers = [next((n for n in ("#901", "#902") if n in line), "") for line in shown]
        assert [number for number in numbers if number] == ["#902", "#901"]
        await driver.press("escape")
        await driver.misses("● listening")

    drive(test, target([batch(fired(901, 5))]))


def test_a_flood_is_listened_to_in_part_and_says_so() -> None:
    """When more comes than fits, the rate is exact, and it is said that only the last ones are shown."""
    flood = [fired(number, number % 900) for number in range(1, 2_001)]

    async def test(driver: Driver) -> None:
        await driver.press("2", "l")
        await driver.sees("● listening", "the last 45 of them are shown")
        assert driver.text().count("path='") <= 45

    drive(test, target([batch(*flood)]))
