"""The Timeline screen."""

import re

import pytest
from msgspec import structs

from bus.trace.records import Call, Error, Lane, Problem
from console.pending import Pending
from console.tui.widgets.timeline import Timeline
from tests import synthetic
from tests.console.tui.driving import LARGE, SMALL, TINY, Driver, batch, drive, target

MS = synthetic.MS


def call(number: int, lane: str, start: int, end: int, **more: object) -> Call:
    """A call that ran on LANE from START to END, in ms since the beginning."""
    given = {"kind": "command", "name": "index.file", "outcome": "ok", "root": number, **more}
    began = synthetic.START + start * MS
    return Call(
        id=number, service=lane.split("-", maxsplit=1)[0], lane=synthetic.KEY[lane], queued=began, started=began,
        ended=synthetic.START + end * MS, **given,
    )  # fmt: skip


SOME = batch(
    call(1, "indexer-0", 0, 400, args="path='a.py'"),
    call(2, "store-0", 100, 200, parent=1, root=1, name="store.put", caller=synthetic.KEY["indexer-0"]),
    call(3, "indexer-0", 500, 600),
    call(4, "indexer-1", 700, 900, outcome="error", error=Error("ValueError", "bad")),
)


def lanes(driver: Driver) -> Timeline:
    return driver.app.screen.query_one(Timeline)


async def opened(driver: Driver) -> Timeline:
    await driver.press("3")
    await driver.sees("window")
    return lanes(driver)


@pytest.mark.parametrize("size", [LARGE, SMALL, TINY])
def test_has_a_lane_for_each_thread(size: tuple[int, int]) -> None:
    """Lanes carry the names of the threads."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        await driver.sees("load" if size == TINY else "indexer-0")

    drive(test, size=size)


def test_a_recording_opens_fitted_to_all_of_it_with_failures_marked() -> None:
    """The whole recording is shown, bars carry their names, and a failure is marked in its lane."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        await driver.sees("RECORDED", "index.file path='a.py'", "whole recording")
        assert "✗" in driver.line("indexer-1")
        assert "█" in driver.line("store-0")
        timeline = lanes(driver)
        first, last = driver.app.session.bounds()
        assert timeline.viewport.start <= first
        assert timeline.viewport.end >= last

    drive(test, target([SOME], "recorded"))


def test_a_live_program_is_followed_until_the_view_moves() -> None:
    """The window ends now; panning stops that, End takes it up again."""

    async def test(driver: Driver) -> None:
        timeline = await opened(driver)
        await driver.sees("● following")
        await driver.press("a")
        await driver.sees("not following")
        start = timeline.viewport.start
        await driver.pilot.pause(0.15)
        assert timeline.viewport.start == start
        await driver.press("end")
        await driver.sees("● following")
        assert timeline.viewport.start > start

    drive(test)


def test_keys_select_calls_and_go_to_cause_and_effect() -> None:
    """`.` and `,` go along the lane, `]` to the first effect, `[` to the cause."""

    async def test(driver: Driver) -> None:
        timeline = await opened(driver)
        await driver.press("0")
        while "▸indexer-0" not in driver.text():
            await driver.press("down")
        await driver.press("comma")
        await driver.until(lambda: timeline.selected)
        while timeline.selected != 1:
            await driver.press("comma")
        await driver.sees("▸ #1 index.file", "path='a.py'", "on indexer-0", "400 ms", "] first effect store.put #2")
        await driver.press("right_square_bracket")
        await driver.sees("▸ #2 store.put", "from index.file #1 on indexer-0", "[ cause index.file #1")
        assert "▸store-0" in driver.text()
        await driver.press("left_square_bracket", "full_stop")
        await driver.sees("▸ #3 index.file")
        await driver.press("full_stop")
        await driver.sees("▸ #3 index.file")

    drive(test, target([SOME], "recorded"))


def test_the_selected_call_stays_selected_when_the_view_changes() -> None:
    """Zooming, panning and fitting keep the call; Esc lets go of it."""

    async def test(driver: Driver) -> None:
        timeline = await opened(driver)
        timeline.choose(4)
        await driver.sees("▸ #4", "✗ ValueError", "bad")
        for key in ("w", "w", "s", "a", "d", "f", "0"):
            await driver.press(key)
            assert timeline.selected == 4
        await driver.press("escape")
        await driver.sees("no call selected")

    drive(test, target([SOME], "recorded"))


def test_zoom_keeps_the_moment_under_the_cursor_and_fit_shows_the_call() -> None:
    """The cursor's cell holds the same moment at every scale."""

    async def test(driver: Driver) -> None:
        timeline = await opened(driver)
        timeline.choose(3)
        moment, column = timeline._at, timeline.viewport.column(timeline._at)
        await driver.press("w", "w")
        assert timeline.viewport.column(moment) == column
        await driver.press("f")
        assert timeline.viewport.start < synthetic.START + 500 * MS
        assert timeline.viewport.end > synthetic.START + 600 * MS
        assert timeline.viewport.span < 200 * MS

    drive(test, target([SOME], "recorded"))


def test_a_click_selects_the_call_under_the_mouse_and_the_wheel_zooms() -> None:
    """Mouse and keys do the same."""

    async def test(driver: Driver) -> None:
        timeline = await opened(driver)
        y = next(y for y, line in enumerate(driver.lines()) if "indexer-0" in line)
        x = driver.lines()[y].index("index.file")
        await driver.pilot.click(offset=(x, y))
        await driver.sees("▸ #1 index.file")
        span = timeline.viewport.span
        await driver.pilot._post_mouse_events([__import__("textual.events").events.MouseScrollUp], timeline, (60, 6))
        await driver.until(lambda: timeline.viewport.span < span)

    drive(test, target([SOME], "recorded"))


def test_freezing_stops_the_view_but_not_the_program() -> None:
    """Space freezes what is shown, the header says so, records are still taken in; Space goes on."""

    async def test(driver: Driver) -> None:
        timeline = await opened(driver)
        await driver.press("space")
        await driver.sees("FROZEN")
        start = timeline.viewport.start
        driver.target.add(synthetic.Batch(at=synthetic.START + 3_000 * MS, records=(call(900_001, "indexer-3", 1, 2),)))
        await driver.until(lambda: driver.app.session.call(900_001))
        assert timeline.viewport.start == start
        await driver.press("space")
        await driver.sees("LIVE")
        await driver.until(lambda: timeline.viewport.start > start)

    drive(test)


def seconds(driver: Driver) -> tuple[float, float]:
    """Where the window of the timeline begins and ends, in s since the recording began."""
    view = lanes(driver).viewport
    return (view.start - synthetic.START) / 1e9, (view.end - synthetic.START) / 1e9


@pytest.mark.parametrize("some", [[], [batch()]], ids=["no lanes", "idle lanes"])
def test_without_calls_it_shows_seconds_and_says_what_to_do(some: list[synthetic.Batch]) -> None:
    """An empty timeline is not an empty screen, and its axis none of µs; in a recording there is nothing to execute."""

    async def live(driver: Driver) -> None:
        await opened(driver)
        await driver.sees("Nothing has run yet", "execute a command with x", "● following")
        await driver.press("0")
        await driver.sees("not following", "Nothing has run yet")
        begin, end = seconds(driver)
        assert -0.1 < begin < 2 < end < 9
        assert end - begin == pytest.approx(3, rel=0.1)
        assert driver.text().count("Nothing has run yet") == 1
        assert "no call selected" not in driver.text()

    async def recorded(driver: Driver) -> None:
        await opened(driver)
        await driver.sees("No calls were recorded", "BUS_TRACE=off", "│0.0 s", "│2.5 s")
        begin, end = seconds(driver)
        assert end - begin == pytest.approx(3, rel=0.1)

    drive(live, target([structs.replace(each, at=synthetic.START + 2_000 * MS) for each in some]))
    drive(recorded, target(some, "recorded"))


def test_more_lanes_than_lines_scroll_with_the_cursor() -> None:
    """In a small terminal the cursor's lane is always shown."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        await driver.sees("of 14 lanes")
        await driver.press(*["down"] * 14)
        await driver.sees("▸main-0")
        await driver.press(*["up"] * 14)
        await driver.sees("▸MainThread")

    drive(test, size=SMALL)


def test_escape_closes_the_result_first_and_lets_go_of_the_call_then() -> None:
    """Esc leaves what was opened last: the result of a line, then the selected call."""

    async def test(driver: Driver) -> None:
        timeline = await opened(driver)
        timeline.choose(4)
        await driver.sees("▸ #4")
        await driver.press("colon")
        await driver.type("nosuch")
        await driver.press("enter")
        await driver.sees("no command is called", "nosuch")
        await driver.press("escape")
        await driver.misses("nosuch")
        assert timeline.selected == 4
        await driver.press("escape")
        await driver.sees("no call selected")

    drive(test, target([SOME], "recorded"))


def test_a_call_made_in_the_bar_is_cancelled_with_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """On every screen, Ctrl+C cancels what was typed into the bar and still runs, instead of quitting."""

    async def test(driver: Driver) -> None:
        pending = Pending()
        pending.request = 41
        monkeypatch.setattr(driver.app.session, "execute", lambda *_: pending)
        await opened(driver)
        await driver.press("colon")
        await driver.type("trouble.slow 9")
        await driver.press("enter")
        await driver.sees("running", "Ctrl+C cancels")
        await driver.press("ctrl+c")
        assert driver.target.cancelled == [41]
        assert driver.app.is_running

    drive(test)


async def drag(driver: Driver, timeline: Timeline, begin: tuple[int, int], end: tuple[int, int]) -> None:
    """Press at BEGIN, move to END, let go; in cells of the timeline."""
    await driver.pilot.mouse_down(timeline, offset=begin)
    await driver.pilot.hover(timeline, offset=end)
    await driver.pilot.mouse_up(timeline, offset=end)
    await driver.pilot.pause()


def test_a_drag_marks_a_range_and_says_what_happened_in_it() -> None:
    """How many calls, how busy, failures, the slowest; f fits it, g goes to that call, Esc lets go of it."""

    async def test(driver: Driver) -> None:
        timeline = await opened(driver)
        right = timeline.size.width - 1
        await drag(driver, timeline, (timeline.label, 4), (right, 6))
        await driver.sees("4 calls", "✗ 1 failed", "slowest index.file #1 400 ms", "busy")
        await drag(driver, timeline, (timeline.label, 4), (timeline.label + 10, 4))
        await driver.sees("1 call ", "none failed")
        await driver.press("f")
        assert timeline.viewport.end < synthetic.START + 200 * MS
        await driver.press("g")
        await driver.sees("▸ #1 index.file")
        await driver.press("escape")
        await driver.misses("none failed")
        assert timeline.selected == 1

    drive(test, target([SOME], "recorded"))


def test_keys_mark_a_range() -> None:
    """`v` begins at the cursor, the arrows move its other end, `v` ends it."""

    async def test(driver: Driver) -> None:
        timeline = await opened(driver)
        timeline.choose(1)
        await driver.press("v", "shift+right", "shift+right", "v")
        await driver.sees("2 calls ", "slowest index.file #1")
        bounds = timeline.range.bounds
        await driver.press("right")
        assert timeline.range.bounds == bounds

    drive(test, target([SOME], "recorded"))


def test_the_axis_shows_the_time_of_day_on_request() -> None:
    """`t` goes back and forth between that and the time since the beginning."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        assert "│0.2 s" in driver.lines()[5]
        await driver.press("t")
        await driver.until(lambda: re.search(r"│\d\d:\d\d:\d\d\.\d", driver.lines()[5]))
        await driver.press("t")
        await driver.until(lambda: "│0.2 s" in driver.lines()[5])

    drive(test, target([SOME], "recorded"))


def test_a_pinned_lane_stands_on_top() -> None:
    """`p` pins the current lane, with a mark; `p` lets go of it again."""

    async def test(driver: Driver) -> None:
        timeline = await opened(driver)
        timeline.choose(4)
        await driver.press("p")
        await driver.until(lambda: "indexer-1" in driver.lines()[6])
        await driver.press("escape")
        await driver.sees("◆indexer-1")
        timeline.choose(4)
        await driver.press("p")
        await driver.until(lambda: "indexer-1" not in driver.lines()[6])

    drive(test, target([SOME], "recorded"))


def test_a_problem_is_marked_in_its_lane() -> None:
    """What the bus itself saw go wrong has a sign where it was, over whatever else is there."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        await driver.until(lambda: "⚠" in driver.line("indexer-0"))

    problem = Problem(rule="deadlock", at=synthetic.START + 200 * MS, text="a waits for b", calls=(1,))
    records = (*SOME.records, problem)
    drive(test, target([structs.replace(SOME, records=records)], "recorded"))


THREADS = batch(*(Lane(key=100 + n, name=f"helper-{n}") for n in range(20)))
"""Twenty threads outside of all services; the n-th ran something at n seconds."""


def helper_call(number: int) -> Call:
    at = synthetic.START + number * 1_000 * MS
    return Call(
        id=50 + number, root=50 + number, kind="command", name="help", lane=100 + number, queued=at, started=at,
        ended=at + 10 * MS, outcome="ok",
    )  # fmt: skip


def test_lanes_of_threads_that_were_not_there_are_one_line_until_they_are_asked_for() -> None:
    """`h` or a click on that line shows them, `h` leaves them out; the lane with the cursor stays."""

    async def test(driver: Driver) -> None:
        timeline = await opened(driver)
        await driver.sees("helper-0", "helper-19")
        timeline.choose(53)
        await driver.press("f")
        await driver.sees("+19 others", "h shows them", "helper-3", "indexer-0")
        assert "helper-4" not in driver.text()
        await driver.press("d", "d", "d", "d")
        await driver.sees("helper-3")
        await driver.press("h")
        await driver.sees("helper-4", "helper-19")
        await driver.press("h")
        await driver.misses("helper-19")
        y = next(y for y, line in enumerate(driver.lines()) if "+19 others" in line)
        await driver.pilot.click(offset=(30, y))
        await driver.sees("helper-19")

    records = (*THREADS.records, *map(helper_call, range(20)))
    drive(test, target([structs.replace(THREADS, records=records)], "recorded"))


def test_a_problem_that_a_rule_found_is_marked_and_leads_to_the_list() -> None:
    """With the cursor on its sign it is named below; Enter, or another click, goes to it."""

    async def test(driver: Driver) -> None:
        timeline = await opened(driver)
        await driver.until(lambda: "⚠" in driver.line("indexer-1"))
        y = next(y for y, line in enumerate(driver.lines()) if "indexer-1" in line)
        place = (driver.lines()[y].index("⚠"), y)
        await driver.pilot.click(offset=place)
        await driver.sees("⚠ failing", "Enter shows what is wrong")
        await driver.press("enter")
        await driver.sees("FAILING")
        assert driver.app.screen.query_one("#list").selected.startswith("failing")
        await driver.press("3")
        timeline.action_unselect()
        await driver.pilot.click(offset=place)
        await driver.pilot.pause(0.6)
        await driver.sees("⚠ failing")
        await driver.pilot.click(offset=place)
        await driver.sees("FAILING")

    bad = Error("ValueError", "bad")
    failures = [call(60 + n, "indexer-1", 100 * n, 100 * n + 50, outcome="error", error=bad) for n in range(7)]
    drive(test, target([batch(*failures)], "recorded"))
