"""The Output screen."""

import pytest
from msgspec import structs

from bus.attach.protocol import Batch
from bus.trace.records import Call, Lane, Output
from console.model.outputs import KEPT
from console.tui.widgets.output_list import OutputList
from tests.console.tui.driving import LARGE, SMALL, TINY, Driver, batch, drive, target
from tests.hostile import TEXTS
from tests.synthetic import KEY, MS, START

CALL = Call(
    id=50, root=50, kind="command", name="index.file", service="indexer", lane=KEY["indexer-0"], queued=START + 1,
    started=START + 2, ended=START + 9 * MS, outcome="ok",
)  # fmt: skip
LONG = "the beginning " + "word " * 300 + "the end"


def out(number: int, text: str = "", **fields: object) -> Output:
    known = {"at": START + number * MS, "stream": "stdout", "text": text or f"line {number}"}
    return Output(**{**known, **fields})  # type: ignore[arg-type]


LINES = (
    out(1, "reading a.py", lane=KEY["indexer-0"], call=50),
    out(2, "cannot read b.py", stream="stderr", lane=KEY["indexer-1"]),
    out(3, "shop: only 3 left", stream="log", level="WARNING", lane=KEY["store-0"], call=99),
    out(4, "shop: gone", stream="log", level="ERROR"),
)


def lines_of(driver: Driver) -> OutputList:
    return driver.app.screen.query_one(OutputList)


def more(driver: Driver, first: int, count: int) -> None:
    driver.target.add(Batch(at=START + 1_000 * MS, records=tuple(out(n) for n in range(first, first + count))))


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_shows_lines_with_time_level_thread_and_call(size: tuple[int, int]) -> None:
    """The stream or level in words, the thread, the call's number; the selected line with the call's name below."""

    async def test(driver: Driver) -> None:
        await driver.press("7")
        await driver.sees("4 lines", "● following", "reading a.py", "cannot read b.py")
        words = driver.line("reading a.py").split()
        assert words[1:4] == ["stdout", "indexer-0", "#50"]
        assert driver.line("cannot read").split()[1:3] == ["stderr", "indexer-1"]
        assert driver.line("only 3 left").split()[1] == "WARNING"
        await driver.press("home")
        await driver.sees("in index.file #50")

    drive(test, target([batch(CALL, *LINES)]), size=size)


def test_the_end_is_followed_until_somebody_moves_and_again_after_end() -> None:
    """What one reads stays where it is while more is printed."""

    async def test(driver: Driver) -> None:
        await driver.press("7")
        more(driver, 1, 200)
        await driver.sees("line 200", "● following")
        await driver.press("pageup", "pageup")
        await driver.sees("End follows")
        first = lines_of(driver).rows.line(lines_of(driver).scroll_offset.y)[0]
        assert first < 160
        more(driver, 201, 300)
        await driver.sees("500 lines", f" line {first} ", f" line {first + 10} ")
        assert f" line {first - 1} " not in driver.text()
        await driver.press("end")
        await driver.sees("line 500", "● following")
        more(driver, 501, 1)
        await driver.sees("line 501")
        await driver.press("up", "down")
        await driver.sees("● following")

    drive(test, target([batch()]))


def test_a_frozen_view_does_not_change() -> None:
    """Not even when all its lines were let go; one can still scroll in it."""

    async def test(driver: Driver) -> None:
        await driver.press("7")
        more(driver, 1, 100)
        await driver.sees("line 100")
        await driver.press("space")
        more(driver, 101, KEPT + 10)
        await driver.until(lambda: not driver.target._batches)
        await driver.pilot.pause(0.3)
        assert "line 101" not in driver.text()
        await driver.press("home")
        await driver.sees(" line 1 ")
        await driver.press("space")
        await driver.sees("110 older let go")

    drive(test, target([batch()]))


def test_what_was_let_go_is_counted() -> None:
    """The oldest lines go first; who reads the oldest ones sees those that are left."""

    async def test(driver: Driver) -> None:
        await driver.press("7")
        more(driver, 1, KEPT)
        await driver.sees(f"{KEPT:,} lines")
        await driver.press("home")
        await driver.sees(" line 1 ")
        more(driver, KEPT + 1, 1_234)
        await driver.sees("1,234 older let go", " line 1235 ")

    drive(test, target([batch()]))


def test_a_flood_formats_only_what_is_seen() -> None:
    """A hundred thousand lines cost the screen no more than a few screens of them."""

    async def test(driver: Driver) -> None:
        await driver.press("7")
        await driver.sees("4 lines")
        drawn: list[int] = []
        original = OutputList._line
        widget = lines_of(driver)
        widget._line = lambda line, width, ground: drawn.append(1) or original(widget, line, width, ground)  # type: ignore[method-assign]
        for first in range(1, 100_001, 10_000):
            more(driver, first, 10_000)
            await driver.until(lambda: not driver.target._batches)
        await driver.sees("line 100000", "● following")
        assert 0 < len(drawn) < 60 * LARGE[1]

    drive(test, target([batch(CALL, *LINES)]))


def test_a_filter_finds_lines_and_a_mistake_leaves_what_is_shown() -> None:
    """Words, streams, levels; what cannot be understood is said beside it, while it is typed."""

    async def test(driver: Driver) -> None:
        await driver.press("7", "slash")
        await driver.type("read")
        await driver.until(lambda: len(lines_of(driver).rows) == 2)
        await driver.press("escape")
        await driver.until(lambda: len(lines_of(driver).rows) == 4)
        await driver.press("slash")
        await driver.press(*"level", "colon")
        await driver.sees("write a value right after level:")
        await driver.press(*"err")
        await driver.until(lambda: len(lines_of(driver).rows) == 1)
        await driver.press("enter")
        await driver.sees("only lines like “level:err”", "shop: gone")
        await driver.press("escape")
        await driver.sees("reading a.py")

    drive(test, target([batch(CALL, *LINES)]))


def test_a_filter_that_nothing_matches_says_so() -> None:
    """An empty list says what to do."""

    async def test(driver: Driver) -> None:
        await driver.press("7", "slash", *"zzz", "enter")
        await driver.sees("No line is like “zzz”.", "Esc shows everything.")

    drive(test, target([batch(CALL, *LINES)]))


def test_enter_shows_the_call_in_the_timeline() -> None:
    """The one that printed the line; where there is none, or it is not kept, that is said."""

    async def test(driver: Driver) -> None:
        await driver.press("7")
        await driver.sees("shop: gone")
        await driver.press("enter")
        await driver.sees("printed outside of all calls")
        await driver.press("up", "enter")
        await driver.sees("call #99 is not kept any more")
        await driver.press("home", "enter")
        await driver.sees("window", "▸ #50 index.file")

    drive(test, target([batch(CALL, *LINES)]))


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_a_long_line_is_cut_and_w_shows_all_of_it(size: tuple[int, int]) -> None:
    """Two lines of it stand below the list, then all of it, scrolled where there is no room."""

    async def test(driver: Driver) -> None:
        await driver.press("7")
        await driver.sees("the beginning", "w shows all")
        assert "the end" not in driver.text()
        assert driver.line("the beginning").rstrip().endswith("…")
        await driver.press("w")
        await driver.misses("w shows all")
        await driver.press("end")
        await driver.sees("the end")
        await driver.press("escape")
        await driver.misses("the end")
        await driver.sees("w shows all")
        assert lines_of(driver).has_focus

    drive(test, target([batch(out(1, LONG))]), size=size)


def test_a_line_that_is_cut_says_so_beside_the_scrollbar() -> None:
    """The last cell is the scrollbar's: the sign for "there is more" stands before it."""

    async def test(driver: Driver) -> None:
        await driver.press("7")
        await driver.sees("beginning")
        assert all(line[-2] == "…" for line in driver.lines() if "the beginning" in line and "stdout" in line)

    drive(test, target([batch(*(out(number, LONG) for number in range(1, 60)))]), size=SMALL)


def test_y_copies_the_line() -> None:
    """All of it, also what is cut."""

    async def test(driver: Driver) -> None:
        await driver.press("7")
        await driver.sees("the beginning")
        await driver.press("y")
        await driver.sees("copied: the beginning")
        assert driver.app.clipboard.endswith("the end")

    drive(test, target([batch(out(1, LONG))]))


def test_a_click_selects_a_line_and_the_wheel_stops_following() -> None:
    """The mouse does what the keys do."""

    async def test(driver: Driver) -> None:
        await driver.press("7")
        more(driver, 1, 200)
        await driver.until(lambda: driver.text().count(" line 200 ") == 2)  # in the list, and below it
        y = next(y for y, line in enumerate(driver.lines()) if " line 190 " in line)
        await driver.pilot.click(offset=(60, y))
        await driver.until(lambda: lines_of(driver).line and lines_of(driver).line.text == "line 190")
        await driver.press("end")
        await driver.sees("● following")
        widget = lines_of(driver)
        widget.scroll_to(y=3, animate=False, force=True, immediate=True)
        await driver.sees("End follows", " line 4 ")
        widget.scroll_to(y=10_000, animate=False, force=True, immediate=True)
        await driver.sees("● following")

    drive(test, target([batch()]))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("live", "Nothing was printed or logged so far."),
        ("recorded", "No output was recorded."),
        ("connecting", "Connecting to the program …"),
    ],
)
def test_an_empty_screen_says_what_to_do(state: str, said: str) -> None:
    """How output gets into a recording."""

    async def test(driver: Driver) -> None:
        await driver.press("7", "enter", "up", "home", "w", "y")
        await driver.sees(said)

    drive(test, target([batch()], state))  # type: ignore[arg-type]


def test_a_recording_and_an_ended_program_show_their_output() -> None:
    """All of it, without following."""

    async def recorded(driver: Driver) -> None:
        await driver.press("7")
        await driver.sees("RECORDED", "reading a.py", "shop: gone")
        assert "following" not in driver.text()

    async def ended(driver: Driver) -> None:
        await driver.press("7")
        await driver.sees("● following")
        driver.target.end("process 48213 ended")
        await driver.sees("ENDED", "reading a.py")
        await driver.misses("following")

    drive(recorded, target([batch(CALL, *LINES)], "recorded"))
    drive(ended, target([batch(CALL, *LINES)]))


def test_a_screen_that_is_not_shown_takes_in_nothing() -> None:
    """When it is shown again, it has all that came."""

    async def test(driver: Driver) -> None:
        await driver.press("7")
        await driver.sees("4 lines")
        view = lines_of(driver).rows
        await driver.press("1")
        more(driver, 5, 3)
        await driver.until(lambda: not driver.target._batches)
        await driver.pilot.pause(0.3)
        assert view.seen == 4
        await driver.press("7")
        await driver.sees("7 lines")

    drive(test, target([batch(CALL, *LINES)]))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("size", [LARGE, TINY])
def test_hostile_lines_are_harmless(text: str, size: tuple[int, int]) -> None:
    """Whatever a program prints, and whatever its threads and levels are called."""
    lane = Lane(key=90, name=text, service=text)
    call = structs.replace(CALL, name=text, service=text)
    lines = (out(1, text, lane=90, call=50), out(2, text, stream="log", level=text, lane=90))

    async def test(driver: Driver) -> None:
        await driver.press("7")
        await driver.until(lambda: len(lines_of(driver).rows) == 2)
        await driver.press("w", "up")
        assert all(line.isprintable() for line in driver.lines())

    drive(test, target([batch(lane, call, *lines)]), size=size)
