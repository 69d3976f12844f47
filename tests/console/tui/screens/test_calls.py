"""The Calls screen."""

from typing import Any, Literal

import pytest
from msgspec import structs
from textual.widgets import Input

from bus.attach.protocol import Batch
from bus.trace.records import Call, Entry, Error, Frame, Output, Parameter, Stack, Wait
from console.tui.screens.calls import CallsScreen
from console.tui.widgets.form import CallForm
from console.tui.widgets.timeline import Timeline
from tests import synthetic
from tests.console.tui.driving import LARGE, SMALL, TINY, Driver, batch, drive, target
from tests.hostile import TEXTS

MS = synthetic.MS
START = synthetic.START
ERROR = Error("app.errors.NoSuchFile", "a.py is gone", 'Traceback:\n  File "x.py", line 3, in read\n    open(path)')


def call(number: int, lane: str, start: float, end: float | None, **more: Any) -> Call:
    """A call that ran on LANE from START to END, in ms since the beginning; without END it runs to this day."""
    began = START + int(start * MS)
    given = {"kind": "command", "name": "index.file", "root": number, "caller": synthetic.KEY["load"], **more}
    if end is not None:
        given = {"ended": START + int(end * MS), "outcome": "ok", **given}
    return Call(
        id=number,
        service=lane.split("-", maxsplit=1)[0],
        lane=synthetic.KEY[lane],
        queued=began,
        started=began,
        **given,
    )


TOP = call(1, "indexer-0", 0, 400, args="path='a.py'", result="42", waited=200 * MS)
INNER = call(2, "store-0", 100, 300, parent=1, root=1, name="store.put", caller=synthetic.KEY["indexer-0"])
FAILED = call(3, "indexer-1", 500, 520, args="path='b.py', limit=5", outcome="error", error=ERROR)
WAITED = Wait(call=1, lane=synthetic.KEY["indexer-0"], target=2, began=START + 100 * MS, ended=START + 300 * MS)
RUNNING = call(9, "search-0", 900, None, name="search.query", args="text='x', limit=5")
SOME = batch(WAITED, INNER, TOP, FAILED)


def live(*more: Batch, at: int = 2_000) -> list[Batch]:
    """The batches, and one that says what is in flight two seconds after the beginning."""
    return [SOME, *more, Batch(at=START + at * MS, live=(RUNNING,), in_flight=1)]


def shown(driver: Driver) -> CallsScreen:
    screen = driver.app.screen
    assert isinstance(screen, CallsScreen)
    return screen


def ids(driver: Driver) -> list[int]:
    return [int(key) for key in shown(driver).rows.keys]


def row(driver: Driver, number: int) -> str:
    """What the list says of a call."""
    lines = (line.split("│")[0] for line in driver.lines())
    return next(line for line in lines if f" #{number} " in line and "·" not in line)


async def opened(driver: Driver) -> CallsScreen:
    await driver.press("4")
    await driver.sees("outcome")
    return shown(driver)


def test_a_long_queue_leaves_room_for_what_has_ended() -> None:
    """How many there are, of which some are listed; what has ended is there below them."""
    start = synthetic.START
    ended = [
        Call(id=n, root=n, kind="command", name="a", queued=start, started=start, ended=start + n, outcome="ok", lane=1)
        for n in range(1, 301)
    ]
    live = tuple(
        Call(id=n, root=n, kind="command", name="b", service="s", queued=start + n) for n in range(1_000, 1_500)
    )
    full = structs.replace(batch(*ended), live=live, in_flight=9_876)

    async def test(driver: Driver) -> None:
        await opened(driver)
        await driver.sees("100 of 9,876 in flight · 100 of 300 ended calls, newest first")
        found = ids(driver)
        assert (found[0], found[99], found[100], found[-1]) == (1_000, 1_099, 300, 201)

    drive(test, target([full], state="live"))


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_shows_what_is_in_flight_first_then_the_newest(size: tuple[int, int]) -> None:
    """Each with its number, name, lane, time and outcome."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        await driver.sees("1 in flight · 3 ended calls, newest first")
        assert ids(driver) == [9, 3, 1, 2]
        assert "running" in row(driver, 9)
        assert "NoSuchFile" in row(driver, 3)
        for part in ("#2", "store.put", "store-0", "200 ms", "ok"):
            assert part in row(driver, 2)

    drive(test, target(live()), size=size)


def test_the_time_of_a_running_call_counts() -> None:
    """Twice a second, without anything new from the program."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        before = row(driver, 9)
        await driver.until(lambda: row(driver, 9) != before)

    drive(test, target(live()))


def test_the_oldest_running_call_stands_on_top_and_is_shown() -> None:
    """A stuck call is seen without doing anything; what passes by on top is not shown beside the list."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        await driver.sees("text='x', limit=5", "caused by load")

    drive(test, target(live()))


def test_of_calls_that_pass_by_none_is_shown_until_one_is_chosen() -> None:
    """The right side says how to choose one; the list stands still from then on."""

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        await driver.sees("choose a call")
        await driver.press("down")
        await driver.sees("held, Home follows", "#1 index.file")
        chosen, order = screen.rows.selected, ids(driver)
        driver.target.add(Batch(at=START + 3_000 * MS, records=(call(7, "indexer-2", 2_500, 2_600),)))
        await driver.until(lambda: driver.app.session.record(7))
        await driver.pilot.pause(0.6)
        assert (screen.rows.selected, ids(driver)) == (chosen, order)
        await driver.press("home")
        await driver.until(lambda: ids(driver)[0] == 7)
        assert screen.rows.selected == "7"

    drive(test, target([SOME]))


def test_a_call_that_ends_while_the_list_stands_still_says_so() -> None:
    """It stays in its place."""

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        await driver.press("down")
        await driver.sees("held")
        ended = call(9, "search-0", 900, 2_400, name="search.query")
        driver.target.add(Batch(at=START + 3_000 * MS, records=(ended,)))
        await driver.until(lambda: "running" not in row(driver, 9))
        assert "1.50 s ok" in row(driver, 9)
        assert ids(driver) == [9, 3, 1, 2]
        assert screen.rows.selected == "3"

    drive(test, target(live()))


def test_a_frozen_view_stands_still() -> None:
    """Space: the list, too; the program runs on."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        await driver.press("space")
        await driver.sees("FROZEN")
        before = row(driver, 9)
        driver.target.add(Batch(at=START + 3_000 * MS, records=(call(7, "indexer-2", 2_500, 2_600),)))
        await driver.until(lambda: driver.app.session.record(7))
        await driver.pilot.pause(0.6)
        assert row(driver, 9) == before
        assert 7 not in ids(driver)
        await driver.press("space")
        await driver.until(lambda: 7 in ids(driver))

    drive(test, target(live()))


def test_sorts_by_run_time_by_wait_and_failed_first() -> None:
    """`s` goes through the orders, `S` back."""
    waited = Call(
        id=4, root=4, kind="command", name="index.file", service="indexer", lane=synthetic.KEY["indexer-2"],
        queued=START, started=START + 450 * MS, ended=START + 460 * MS, outcome="ok",
    )  # fmt: skip

    async def test(driver: Driver) -> None:
        await opened(driver)
        assert ids(driver) == [3, 4, 1, 2]
        await driver.press("s")
        await driver.sees("slowest first")
        assert ids(driver) == [1, 2, 3, 4]
        await driver.press("s")
        await driver.sees("longest wait first")
        assert ids(driver)[0] == 4
        await driver.press("s")
        await driver.sees("failed first")
        assert ids(driver) == [3, 4, 1, 2]
        await driver.press("S", "S")
        await driver.sees("slowest first")

    drive(test, target([SOME, Batch(at=START, records=(waited,))], "recorded"))


def test_filters_with_the_language_of_filters() -> None:
    """At every key; a mistake is said and the last good filter stays; Esc shows all."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        await driver.press("slash")
        line = driver.app.screen.query_one("#line", Input)
        line.value = "outcome:failed"
        await driver.until(lambda: ids(driver) == [3])
        line.value = "outcome:failed took>x"
        await driver.sees("took is a length of time")
        assert ids(driver) == [3]
        await driver.press("escape")
        await driver.until(lambda: ids(driver) == [3, 1, 2])

    drive(test, target([SOME], "recorded"))


def test_a_filter_that_nothing_matches_says_so() -> None:
    """And what to do."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        await driver.press("slash")
        await driver.type("zzz")
        await driver.press("enter")
        await driver.sees("No call matches “zzz”", "Esc shows all")
        await driver.press("escape")
        await driver.until(lambda: len(ids(driver)) == 3)

    drive(test, target([SOME], "recorded"))


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_details_say_all_about_a_call(size: tuple[int, int]) -> None:
    """Arguments, result, the four parts of its time, what caused it, what it caused, and the critical path."""

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("1")
        await driver.press("enter")
        await driver.sees(
            "#1 index.file", "on indexer-0", "400 ms", "running 200 · waiting 200", "path='a.py'", "42",
            "what decided when it ended", "50 %", "caused by load", "caused 1 call in all", "#2 store.put",
        )  # fmt: skip
        await driver.press("escape")
        assert screen.rows.has_focus

    drive(test, target([SOME], "recorded"), size=size)


def test_details_have_a_sequence_diagram() -> None:
    """Of the call and what it caused, when there is room."""

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("1")
        await driver.press("enter")
        await driver.sees("sequence", "store.put()", "┄")

    drive(test, target([SOME], "recorded"))


def test_a_failure_shows_its_traceback_and_who_called() -> None:
    """From the innermost frame to the thread that began."""
    inner = call(
        5, "store-0", 40, 50, parent=4, root=4, outcome="error", error=ERROR, caller=synthetic.KEY["indexer-0"]
    )
    outer = call(4, "indexer-0", 30, 60, name="scan.folder")

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("5")
        await driver.sees(
            "✗ NoSuchFile: a.py is gone", 'File "x.py", line 3, in read', "called by #4 scan.folder on indexer-0",
            "called by load",
        )  # fmt: skip
        await driver.press("enter", "enter")
        await driver.until(lambda: screen.rows.selected == "4")

    drive(test, target([batch(inner, outer)], "recorded"))


def test_attempts_are_shown() -> None:
    """The same call made again after a failure; Enter goes to the other one."""
    again = [
        call(n, "indexer-0", 10 * n, 10 * n + 5, args="x=1", outcome="error" if n < 3 else "ok") for n in (1, 2, 3)
    ]

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("2")
        await driver.sees("attempt 2 of 3", "▸ #2")
        await driver.press("enter", "end", "enter")
        await driver.sees("attempt 3 of 3")
        assert screen.rows.selected == "3"

    drive(test, target([batch(*again)], "recorded"))


def test_what_a_call_printed_is_shown() -> None:
    """With its level, where it was logged."""
    said = Output(at=START + 5, stream="log", text="half done", level="WARNING", call=1)

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("1")
        await driver.sees("WARNING half done")

    drive(test, target([batch(said, INNER, TOP)], "recorded"))


def test_the_tree_marks_the_path_and_goes_to_a_call() -> None:
    """`t`: what caused what; the cursor moves in it, Enter selects that call; Esc and `t` close it."""

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("1")
        await driver.press("t")
        await driver.sees(
            "causal tree of #1 · 2 calls", "● #1 index.file", "● └─ #2 store.put", "took", "on path", "when"
        )
        assert driver.line("● #1").count("200 ms") == 1  # its own part of 400 ms
        await driver.press("down", "enter")
        await driver.sees("caused by", "#1 index.file")
        assert screen.rows.selected == "2"
        await driver.press("t")
        await driver.sees("causal tree of #2")
        await driver.press("t")
        await driver.misses("causal tree")
        await driver.press("t")
        await driver.sees("causal tree of #2")
        await driver.press("escape")
        await driver.misses("causal tree")

    drive(test, target([SOME], "recorded"))


def test_what_is_folded_in_the_tree_is_opened_by_key_and_mouse() -> None:
    """With the cursor on the first of what was folded; a fold that is left can be opened, too."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        driver.app.open_tree(1)
        await driver.sees("causal tree of #1", "… 288 more   Enter shows them")
        pane = driver.app.screen.pane
        while pane.selected != -14:
            await driver.press("down")
        assert driver.app.screen.chosen() == 1
        await driver.press("enter")
        await driver.sees("#14 store.put", "causal tree of #1")
        assert pane.selected == 14
        await driver.press("end")
        await driver.sees("… 188 more")
        y = next(y for y, line in enumerate(driver.lines()) if "… 188 more" in line)
        await driver.pilot.click(offset=(12, y))
        await driver.sees("#114 store.put")
        assert pane.selected == 114

    many = [call(number, "store-0", number, number, name="store.put", parent=1, root=1) for number in range(2, 302)]
    drive(test, target([batch(call(1, "indexer-0", 0, 400), *many)], "recorded"))


def test_the_tree_fits_into_a_small_terminal() -> None:
    """Without the bars, with all figures."""

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("2")
        await driver.press("t")
        await driver.sees("#1 index.file", "└─ #2 store.put")
        for part in ("200 ms", "ok"):
            assert part in driver.line("#2 store.put")

    drive(test, target([SOME], "recorded"), size=SMALL)


def test_shows_the_live_stack_of_a_running_call() -> None:
    """`w`: what its thread does, asked anew; it ends with the call, and for others it says why there is none."""
    frames = (Frame(function="wait_for_page", file="/app/search.py", line=12, source="page.wait()"),)
    source = target(live())
    source.standing = [Stack(lane=synthetic.KEY["search-0"], at=START, name="search-0", call=9, frames=frames)]

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("9")
        await driver.press("w")
        await driver.sees("live stack search-0", "wait_for_page", "app/search.py:12", "page.wait()")
        source.standing = [structs.replace(source.standing[0], frames=(structs.replace(frames[0], function="later"),))]
        await driver.sees("later  ")
        assert {asked[2] for asked in source.asked} == {((), (9,))}
        await driver.press("w")
        await driver.misses("live stack")
        await driver.sees("held, Home follows")
        await driver.press("home")
        await driver.misses("held")
        await driver.press("w")
        await driver.sees("live stack")
        ended = call(9, "search-0", 900, 2_400, name="search.query")
        source.add(Batch(at=START + 3_000 * MS, records=(ended,)))
        await driver.misses("live stack")
        await driver.press("w")
        await driver.sees("#9 has ended")

    drive(test, source)


def test_goes_to_the_timeline_and_back() -> None:
    """`g` shows the call in its lane; Enter there comes back to its details."""

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("2")
        await driver.press("g")
        await driver.sees("window", "▸ #2 store.put")
        driver.app.screen.query_one(Timeline).choose(3)
        await driver.press("enter")
        await driver.sees("#3 index.file", "a.py is gone")
        assert shown(driver).rows.selected == "3"

    drive(test, target([SOME], "recorded"))


def test_a_call_from_elsewhere_is_found_whatever_the_list_shows() -> None:
    """Although the filter leaves it out, and stays in the list while it is the selected one."""

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        await driver.press("slash")
        await driver.type("store")
        await driver.press("enter")
        await driver.until(lambda: ids(driver) == [9, 2] or ids(driver) == [2])
        driver.app.open_call(3)
        await driver.until(lambda: screen.rows.selected == "3")
        await driver.sees("#3 index.file", "a.py is gone")
        await driver.pilot.pause(0.6)
        assert screen.rows.selected == "3"

    drive(test, target(live()))


def test_a_call_that_is_far_away_is_shown_with_what_is_around_it() -> None:
    """Not at the edge of the list; a step of the cursor still scrolls by one line."""
    many = [call(number, "indexer-0", number, number + 0.5) for number in range(1, 200)]

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        driver.app.open_call(60)
        await driver.until(lambda: screen.rows.selected == "60")
        top, room = screen.rows.scroll_offset.y, screen.rows.size.height
        await driver.until(lambda: 5 < ids(driver).index(60) - screen.rows.scroll_offset.y < room - 5)
        top = screen.rows.scroll_offset.y
        for _ in range(room):
            await driver.press("down")
            assert screen.rows.scroll_offset.y - top in {0, 1}
            top = screen.rows.scroll_offset.y

    drive(test, target([batch(*many)], "recorded"))


def test_a_narrow_list_tells_what_a_call_was_given() -> None:
    """Where it came from goes before that does; the name is what the cursor lifts."""

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        await driver.sees("arguments", "path=")
        assert "caller" not in driver.text()
        screen.rows.choose("1")
        await driver.pilot.pause()
        strips = driver.app.screen._compositor.render_strips()
        (name,) = [part for strip in strips for part in strip if "index.file" in part.text and "#1 " in strip.text]
        assert name.style
        assert name.style.bold

    drive(test, target([SOME], "recorded"), size=SMALL)


def test_runs_the_same_call_again_when_asked_twice() -> None:
    """`r` puts the call into the bar, Enter makes it; Esc would not."""

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("9")
        await driver.press("r")
        await driver.sees("search.query text=x limit=5", "Enter makes the call again")
        assert not driver.target.asked
        await driver.press("escape")
        assert not driver.target.asked
        await driver.press("r", "enter")
        await driver.until(lambda: driver.target.asked)
        assert driver.target.asked == [("execute", "search.query", (), {"text": "x", "limit": 5})]
        await driver.sees("#900001 ok")

    drive(test, target(live()))


def test_what_is_not_known_any_more_is_asked_for() -> None:
    """Arguments that were cut: the form has the others, says what is missing, and sends nothing by itself."""
    cut = call(4, "search-0", 600, 610, name="search.query", args="text='aaa'… +300, limit=7")

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("4")
        await driver.press("r")
        await driver.sees("of #4 this is not known any more: text")
        assert [field.value for field in screen.query("CallForm Input").results(Input)] == ["", "7"]
        await driver.type("b")
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.target.asked)
        assert driver.target.asked == [("execute", "search.query", (), {"text": "b", "limit": 7})]
        await driver.press("escape")
        await driver.until(lambda: not screen.query(CallForm))

    drive(test, target(live(batch(cut))))


def test_x_opens_an_empty_form_for_the_same_command() -> None:
    """As on the Commands screen."""

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("9")
        await driver.press("x")
        await driver.sees("str, required", "int = 20")
        assert [field.value for field in screen.query("CallForm Input").results(Input)] == ["", ""]

    drive(test, target(live()))


def test_an_event_is_fired_again_and_a_delivery_is_not() -> None:
    """A delivery is made by its event only: it says where to go."""
    event = call(4, "scanner-0", 600, 600, kind="event", name="file.found", args="path='a'")
    heard = call(5, "indexer-0", 600, 610, kind="delivery", name="file.found", parent=4, root=4)

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("5")
        await driver.press("r")
        await driver.sees("only its event makes a delivery: go to #4")
        screen.rows.choose("4")
        await driver.press("r", "enter")
        await driver.until(lambda: driver.target.asked)
        assert driver.target.asked == [("fire", "file.found", (), {"path": "a"})]

    drive(test, target(live(batch(event, heard))))


@pytest.mark.parametrize(("state", "why"), [("recorded", "this is a recording"), ("ended", "the program has ended")])
def test_what_has_ended_is_browsed_only(state: Any, why: str) -> None:
    """`r` and `x` say why they cannot; nothing in flight hides the ended calls."""

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("1")
        await driver.press("r")
        await driver.sees(f"cannot run it again: {why}")
        await driver.press("x")
        await driver.sees(f"cannot execute: {why}")
        assert not screen.query(CallForm)
        assert ids(driver) == [3, 1, 2]

    drive(test, target([SOME], state))


def test_copies_and_exports_the_call() -> None:
    """`y` copies it in a line; `e` has the line for its sequence diagram."""

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        screen.rows.choose("1")
        await driver.press("y")
        assert driver.app.clipboard == "#1 index.file path='a.py' ok"
        await driver.press("e")
        assert screen.query_one("#line", Input).value == "export call-1.txt #1"

    drive(test, target([SOME], "recorded"))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("live", "Nothing was called yet"),
        ("recorded", "No calls were recorded."),
        ("connecting", "Connecting to the program"),
    ],
)  # fmt: skip
def test_an_empty_list_says_what_to_do(state: Any, said: str) -> None:
    """An empty list is not an empty screen, and no key does any harm."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        await driver.sees(said)
        for key in ("enter", "t", "g", "r", "x", "y", "s", "home", "end", "down"):
            await driver.press(key)
        await driver.press("escape", "escape")
        await driver.sees(said)

    drive(test, target([], state))


def test_a_busy_program_is_sampled_visibly() -> None:
    """The list has 200 of what passes by, and says so."""
    many = [call(n, f"indexer-{n % 4}", 1_000 + n / 5, 1_000 + n / 5 + 0.1) for n in range(1, 5_001)]

    async def test(driver: Driver) -> None:
        await opened(driver)
        await driver.sees("showing 200 of ", "5,000 kept")
        assert len(ids(driver)) == 200

    batches = [Batch(at=START + 2_000 * MS, records=(*synthetic.preamble(), *many), snapshot_done=True)]
    drive(test, target(batches))


def test_hostile_text_is_drawn_escaped_everywhere() -> None:
    """In list, details, tree, stack of callers, form and filter: nothing but visible text."""
    name = TEXTS["action"] + TEXTS["OSC 52"] + TEXTS["markup"] + TEXTS["bidi"]
    parameter = Parameter(name="p\x1b[2J", kind="positional_or_keyword", annotation="[/y]", default="\x9b")
    entry = Entry(entry=99, kind="command", name=name, service="s\x1b", parameters=(parameter,), where="\x07")
    error = Error("E\x1b[31m", "[/e]\u202e", "t\x1b\n[/t]")
    outer = call(4, "indexer-0", 10, 90, name=name, args="\x1b[5m" + TEXTS["lines"])
    inner = call(5, "store-0", 20, 30, parent=4, root=4, name=name, outcome="error", error=error, result="\x9b")
    said = Output(at=START, stream="stdout", text=name, call=4)

    async def test(driver: Driver) -> None:
        screen = await opened(driver)
        for number in ("4", "5"):
            screen.rows.choose(number)
            await driver.sees("\\x1b")
            for key in ("enter", "t", "escape", "r", "escape", "x", "escape", "escape", "y"):
                await driver.press(key)
                assert all(line.isprintable() for line in driver.lines()), key
        assert driver.app.clipboard.isprintable()
        assert driver.app.is_running

    drive(test, target(live(batch(entry, said, inner, outer))))


def test_survives_any_size() -> None:
    """From 160×45 to one cell and back: list, details, tree, form."""

    async def test(driver: Driver) -> None:
        await opened(driver)
        for keys in ((), ("down", "enter"), ("t",), ("escape", "x"), ("escape", "escape")):
            await driver.press(*keys)
            for size in (SMALL, TINY, (1, 1), (20, 4), LARGE):
                await driver.pilot.resize_terminal(*size)
                await driver.pilot.pause(0.02)
        await driver.sees("ended calls")

    drive(test)


@pytest.mark.parametrize(("level", "said"), [("times", True), ("full", False)])
def test_why_there_are_no_arguments_is_said(level: Literal["times", "full"], said: bool) -> None:
    """At the level `times` nothing of them is recorded; a live program can be told to."""
    source = synthetic.FakeTarget([batch(structs.replace(TOP, args="", result=""))], state="live")
    source.info = structs.replace(source.info, session=synthetic.session_record(level))

    async def test(driver: Driver) -> None:
        await driver.press("4", "down", "enter")
        await driver.sees("caused by")
        hint = "no arguments recorded: :set level full records them"
        await (driver.sees(hint) if said else driver.misses(hint))

    drive(test, source)
