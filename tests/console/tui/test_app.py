"""The frame around the screens: header, bar, help, palette, what happens when the program ends, and leaving."""

from typing import Any

import pytest
from textual.command import CommandList

from bus.trace.records import Entry
from bus.trace.redact import escape
from console.language.filter_parser import parse_typed
from console.tui.screens.commands import CommandsScreen
from console.tui.screens.events import EventsScreen
from console.tui.screens.help import EVERYWHERE, HelpScreen
from console.tui.screens.listing import ListScreen
from console.tui.screens.services import ServicesScreen
from tests import synthetic
from tests.console.tui.driving import LARGE, SMALL, Driver, batch, drive, target


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_header_shows_program_state_and_figures(size: tuple[int, int]) -> None:
    """Program, state, calls/s, in flight, failed and dropped; the pid where there is room."""

    async def test(driver: Driver) -> None:
        await driver.sees("sample-search", "● LIVE", "calls/s", "in flight", "failed", "dropped")
        assert ("pid 48213" in driver.lines()[0]) == (size == LARGE)

    drive(test, size=size)


def test_only_screens_that_work_are_offered() -> None:
    """A tab for each, and keys for nothing else."""

    async def test(driver: Driver) -> None:
        assert driver.lines()[1].split() == [
            "1",
            "Commands",
            "2",
            "Events",
            "3",
            "Timeline",
            "4",
            "Calls",
            "5",
            "Services",
            "6",
            "Problems",
            "7",
            "Output",
        ]
        before = driver.app.screen
        await driver.press("8", "p")
        assert driver.app.screen is before

    drive(test)


def test_when_the_program_ends_everything_stays_and_verbs_say_why_not() -> None:
    """ENDED with the reason; lists, details and timeline are still there; `x` explains itself."""

    async def test(driver: Driver) -> None:
        await driver.sees("index.file")
        driver.target.end("process 48213 was killed by SIGKILL")
        await driver.sees("ENDED", "process 48213 was killed by SIGKILL", "can still be browsed")
        await driver.press("x")
        await driver.sees("cannot execute: the program has ended")
        await driver.press("colon")
        await driver.type("scan.status")
        await driver.press("enter")
        await driver.sees("nothing can be executed")
        await driver.press("escape", "3", "0")
        await driver.sees("indexer-0", "window")
        await driver.press("space")
        assert not driver.app.frozen

    drive(test)


def test_the_bar_runs_lines_of_the_consoles_language() -> None:
    """`:` takes a command with its arguments, and shows the result above the bar."""

    async def test(driver: Driver) -> None:
        await driver.press("colon")
        await driver.type("index.file path=a.py")
        await driver.press("enter")
        await driver.until(lambda: driver.target.asked)
        assert driver.target.asked == [("execute", "index.file", (), {"path": "a.py"})]
        await driver.sees("#900001 ok")
        await driver.press("escape")
        await driver.misses("#900001 ok")

    drive(test)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("help", "execute a command and show its result"),
        ("ls file.*", "file.found"),
        ("nosuch", "nosuch"),
        ("call 1", "#1"),
    ],
)
def test_the_bar_knows_the_consoles_own_commands(line: str, said: str) -> None:
    """Listings, help and mistakes are shown above the bar."""

    async def test(driver: Driver) -> None:
        await driver.press("3", "colon")
        for char in line:
            await driver.type(char if char != "*" else "") if char != "*" else await driver.press("asterisk")
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen.query_one("#outcome").has_class("open"))
        await driver.sees(said)

    drive(test)


def test_quit_in_the_bar_leaves() -> None:
    """`:quit` is the same as `q`."""

    async def test(driver: Driver) -> None:
        await driver.press("colon")
        await driver.type("quit")
        await driver.press("enter")
        await driver.until(lambda: not driver.app.is_running)

    drive(test)


def test_the_bar_suggests_and_remembers() -> None:
    """The rest of a name is suggested, Tab takes it; up brings the last line back."""

    async def test(driver: Driver) -> None:
        await driver.press("colon")
        await driver.type("metr")
        await driver.sees("metrics.snapshot")
        await driver.press("tab", "enter")
        await driver.until(lambda: driver.target.asked)
        assert driver.target.asked[0][1] == "metrics.snapshot"
        await driver.press("colon", "up")
        await driver.sees(": metrics.snapshot")

    drive(test)


def test_help_lists_the_keys_and_goes_away() -> None:
    """`?` explains the keys of all screens, those of like screens once; Esc closes it; the screen below still runs."""

    async def test(driver: Driver) -> None:
        await driver.press("question_mark")
        await driver.sees("Everywhere", "Commands, Events", "Timeline", "previous and next call")
        await driver.press("escape")
        await driver.until(lambda: not isinstance(driver.app.screen, HelpScreen))

    drive(test)


@pytest.mark.parametrize("screen", [CommandsScreen, EventsScreen, ServicesScreen])
def test_filters_that_help_names_are_understood(screen: type[ListScreen[Any]]) -> None:
    """Each list knows the fields of which its help speaks."""
    examples = dict(screen.KEYS_IN_WORDS)["/"].partition(": ")[2].removesuffix(", …").split(", ")
    assert len(examples) > 2
    assert [example for example in examples if parse_typed(example, screen.FIELDS).problem] == []


def test_help_says_all_at_80_columns() -> None:
    """What does not fit into a line goes on in the next one, beside the scrollbar."""

    async def test(driver: Driver) -> None:
        await driver.press("question_mark")
        await driver.sees("Everywhere")
        said = " ".join(driver.text().split())
        assert all(" ".join(words.split()) in said for _, words in EVERYWHERE)

    drive(test, size=(80, 60))


def test_what_is_selected_is_copied() -> None:
    """`y` takes the name in a list, the call in the timeline, the result while one is shown; and says what it took."""

    async def test(driver: Driver) -> None:
        await driver.press("end", "y")
        last = driver.app.screen.query_one("#list").selected  # type: ignore[attr-defined]  # it is a RowList
        assert driver.app.clipboard == last
        await driver.sees(f"copied: {last}")
        await driver.press("colon")
        await driver.type("index.file path=a.py")
        await driver.press("enter")
        await driver.sees("#900001 ok")
        await driver.press("y")
        assert "#900001 ok" in driver.app.clipboard
        await driver.press("escape", "3", "y")
        await driver.sees("nothing is selected")
        call = driver.app.session.recent("index.file")[0]
        driver.app.show_call(call.id)
        await driver.sees(f"▸ #{call.id}")
        await driver.press("y")
        assert driver.app.clipboard.startswith(f"#{call.id} index.file {call.args}")

    drive(test)


def test_what_is_copied_cannot_reach_the_terminal_raw() -> None:
    """A hostile name is escaped before it is copied: pasted into a shell it is only text."""

    async def test(driver: Driver) -> None:
        name = driver.app.screen.query_one("#list").selected  # type: ignore[attr-defined]  # as above
        assert name == "\x1b[31mevil\n"
        await driver.press("y")
        assert driver.app.clipboard == escape(name)

    entry = Entry(entry=1, kind="command", name="\x1b[31mevil\n", service="a", parameters=())
    drive(test, target([batch(entry)]))


def test_export_asks_for_a_file_on_every_screen() -> None:
    """`e` opens the bar with the word that writes a file."""

    async def test(driver: Driver) -> None:
        for screen in "123":
            await driver.press(screen, "e")
            await driver.sees(": export")
            await driver.press("escape")

    drive(test)


def test_the_palette_survives_keys_in_a_terminal_without_room_for_its_list() -> None:
    """A page up or down in a list of which nothing is seen does nothing."""

    async def test(driver: Driver) -> None:
        await driver.press("ctrl+p")
        await driver.type("c")
        for size in ((20, 4), (10, 2), (40, 6)):
            await driver.pilot.resize_terminal(*size)
            await driver.press("pagedown", "pageup", "down", "pagedown")
        await driver.pilot.resize_terminal(*LARGE)
        await driver.press("down", "pagedown", "escape")
        await driver.sees("index.file")

    drive(test)


def test_the_palette_finds_commands_by_name() -> None:
    """Ctrl+P, a few letters, Enter: the command is selected in its list."""

    async def test(driver: Driver) -> None:
        await driver.press("ctrl+p")
        await driver.type("storeput")
        await driver.sees("command store.put")
        await driver.press("enter")
        await driver.until(lambda: getattr(getattr(driver.app.screen, "rows", None), "selected", "") == "store.put")

    drive(test)


def test_the_palette_offers_the_best_of_ten_thousand_names() -> None:
    """Not all that match: the list would take a second to fill. What is meant is found by more letters of it."""
    names = [f"area{number % 100:02}.work{number:04}" for number in range(10_000)]
    entries = [Entry(entry=at, kind="command", name=name, service="main") for at, name in enumerate(names, 1_000)]

    async def test(driver: Driver) -> None:
        await driver.press("ctrl+p")
        await driver.type("work")
        await driver.until(lambda: driver.app.screen.query_one(CommandList).option_count == 100)
        await driver.type("7777")
        await driver.sees("command area77.work7777")
        await driver.press("enter")
        await driver.until(lambda: "work7777" in getattr(getattr(driver.app.screen, "rows", None), "selected", ""))

    drive(test, target([batch(*entries)]))


def test_the_palette_does_what_keys_do() -> None:
    """Those who do not know that `e` exports find it by its name."""

    async def test(driver: Driver) -> None:
        await driver.press("ctrl+p")
        await driver.type("export")
        await driver.sees("calls to a file, for another tool")
        await driver.press("enter")
        await driver.sees(": export")

    drive(test)


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
def test_leaves_with(key: str) -> None:
    """Three keys leave, with status 0."""

    async def test(driver: Driver) -> None:
        await driver.press(key)
        await driver.until(lambda: not driver.app.is_running)
        assert driver.app.return_value in {0, None}

    drive(test)


def test_damage_and_connecting_are_said() -> None:
    """A recording with damaged lines says how many; a program that is starting says that too."""

    async def damaged(driver: Driver) -> None:
        await driver.sees("3 damaged lines of this recording were left out")

    async def connecting(driver: Driver) -> None:
        await driver.sees("CONNECTING", "connecting to the program", "Connecting to the program …")

    drive(damaged, synthetic.FakeTarget(synthetic.batches(synthetic.session(50)), damaged=3))
    drive(connecting, target([], "connecting"))


def test_a_screen_that_is_not_shown_does_no_work() -> None:
    """Only the current screen asks the session for figures."""

    async def test(driver: Driver) -> None:
        await driver.press("3")
        await driver.sees("window")
        asked: list[str] = []
        driver.app.session.commands = lambda: asked.append("commands") or []  # type: ignore[method-assign]
        await driver.pilot.pause(0.7)
        assert not asked

    drive(test)
