"""The Commands screen."""

import pytest
from textual.widgets import Input

from bus.attach.protocol import Batch, Reply
from bus.trace.records import Call, Entry, Error, Parameter
from console import format as fmt
from console.pending import Pending
from console.tui.widgets.form import CallForm
from console.tui.widgets.rows import RowList
from tests import synthetic
from tests.console.tui.driving import LARGE, SMALL, TINY, Driver, batch, drive, played, target
from tests.hostile import TEXTS

ERROR = Error("builtins.ValueError", "no such kind", 'Traceback:\n  File "x.py", line 3\nValueError: no such kind')


def rows(driver: Driver) -> RowList[object]:
    return driver.app.screen.query_one(RowList)


def names(driver: Driver) -> list[str]:
    found = rows(driver)
    return [found.key(row) for row in found._rows]


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_shows_every_command_with_its_figures(size: tuple[int, int]) -> None:
    """Name, service, rate and failures of each command stand in its row."""

    async def test(driver: Driver) -> None:
        await driver.sees("sample-search", "LIVE", "index.file", "search.query")
        row = next(r for r in driver.app.session.commands() if r.name == "trouble.fail")
        line = driver.line("✗ trouble.fail").split("│")[0].split()
        assert line[2] == row.service
        assert str(row.errors) in line[4:]

    drive(test, size=size)


def test_the_troubled_ones_stand_first() -> None:
    """A command whose last call failed stands above busier ones."""

    async def test(driver: Driver) -> None:
        await driver.sees("index.file")
        assert names(driver)[0] == "trouble.fail"

    drive(test)


def test_what_has_a_problem_stands_before_all_others() -> None:
    """A command that is stuck has never failed and is not busy: its mark is that of its problem."""
    stuck = Call(
        id=9_000, root=9_000, kind="command", name="watch.stop", service="watcher", lane=11, caller=1,
        queued=synthetic.START, started=synthetic.START,
    )  # fmt: skip
    later = synthetic.START + 60_000_000_000
    going = Batch(at=later, records=tuple(synthetic.preamble()), live=(stuck,), snapshot_done=True)

    async def test(driver: Driver) -> None:
        await driver.sees("⚠ watch.stop")
        assert names(driver)[0] == "watch.stop"

    drive(test, target([going]))


def test_the_cursor_stays_on_the_name_when_the_order_changes() -> None:
    """Sorting moves the row; the selection moves with it."""

    async def test(driver: Driver) -> None:
        await driver.press("down", "down", "down")
        selected, place = rows(driver).selected, names(driver).index(rows(driver).selected)
        await driver.press("s", "S")
        assert rows(driver).selected == selected
        assert names(driver) == sorted(names(driver), reverse=True)
        assert names(driver).index(selected) != place

    drive(test)


def test_the_cursor_is_on_the_first_row_until_somebody_moves_it() -> None:
    """Whatever the order becomes, an untouched list is looked at from the top."""

    async def test(driver: Driver) -> None:
        await driver.sees("index.file")
        await driver.press("s", "S")
        assert rows(driver).selected == names(driver)[0] == max(names(driver))
        await driver.press("S")
        assert rows(driver).selected == names(driver)[0] == min(names(driver))
        await driver.press("down", "S")
        assert rows(driver).selected == sorted(names(driver))[1]

    drive(test)


def test_a_filter_shows_only_what_contains_it_and_escape_shows_all() -> None:
    """`/` filters at every key; Esc takes the filter away."""

    async def test(driver: Driver) -> None:
        await driver.press("slash")
        await driver.type("sear")
        await driver.until(lambda: set(names(driver)) == {"store.search", "search.query", "search.suggest"})
        await driver.press("escape")
        await driver.until(lambda: len(names(driver)) == len(synthetic.COMMANDS))

    drive(test)


def test_a_filter_asks_for_the_columns_too() -> None:
    """By service and by figures; while a quote or bracket is open it counts already."""

    async def test(driver: Driver) -> None:
        await driver.press("slash")
        await driver.type('service:store not (name:"sto')
        await driver.until(lambda: names(driver) == [])
        await driver.press("escape", "slash")
        await driver.type("failed>0 trouble")
        await driver.until(lambda: names(driver) == ["trouble.fail"])
        await driver.press("enter")
        await driver.sees("only rows with “failed>0 trouble”")

    drive(test)


def test_a_filter_is_completed() -> None:
    """What could come next stands behind what is typed; Tab takes it."""

    async def test(driver: Driver) -> None:
        await driver.press("slash")
        await driver.type("serv")
        await driver.sees("/ service:")
        await driver.press("tab")
        await driver.type("tr")
        await driver.sees("/ service:trouble")
        await driver.press("tab")
        await driver.until(lambda: set(names(driver)) == {"trouble.fail", "trouble.slow"})

    drive(test)


def test_a_filter_that_cannot_be_understood_is_not_used() -> None:
    """What can be is used, and a sentence says what is wrong, also when Enter was pressed."""

    async def test(driver: Driver) -> None:
        await driver.press("slash")
        await driver.type("search")
        await driver.until(lambda: len(names(driver)) == 3)
        await driver.type(" servce:x")
        await driver.sees("there is no field servce: did you mean service?")
        assert len(names(driver)) == 3
        await driver.press("enter")
        await driver.sees("only rows with “search”: there is no field servce")
        await driver.press("escape")
        await driver.until(lambda: len(names(driver)) == len(synthetic.COMMANDS))

    drive(test)


def test_what_is_wrong_with_a_filter_has_room_in_a_small_terminal() -> None:
    """It is more than a word that is seen of it."""

    async def test(driver: Driver) -> None:
        await driver.press("slash")
        await driver.type("failed>0 outcome:x")
        await driver.sees("failed>0 outcome:x ", "there is no field outcome: write name")

    drive(test, size=SMALL)


def test_a_filter_that_nothing_matches_says_so() -> None:
    """An empty list says what to do."""

    async def test(driver: Driver) -> None:
        await driver.press("slash")
        await driver.type("zzz")
        await driver.press("enter")
        await driver.sees("Nothing here matches “zzz”", "Esc shows everything")

    drive(test)


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_details_show_schema_place_and_last_calls(size: tuple[int, int]) -> None:
    """Enter shows signature, doc, file:line, percentiles and the last calls of the selected command."""

    async def test(driver: Driver) -> None:
        rows(driver).choose("index.file")
        await driver.press("enter")
        await driver.sees(
            "(path: Path) → int", "Do the work of index.file", "sample_services/indexer.py:30", "last calls"
        )
        await driver.press("escape")
        assert rows(driver).has_focus

    drive(test, size=size)


def test_details_show_how_wait_and_run_time_are_spread() -> None:
    """Percentiles of both, and a histogram of each over one scale."""

    async def test(driver: Driver) -> None:
        rows(driver).choose("index.file")
        await driver.sees("│ index.file(", "p50", "p95", "p99", "max")
        wait, run = driver.line("│ wait "), driver.line("│ run ")
        assert all(any(glyph in line.split("│")[1] for glyph in "▁▂▃▄▅▆▇█") for line in (wait, run))
        row = next(row for row in driver.app.session.commands() if row.name == "index.file")
        assert fmt.duration(row.run_p99) in run

    drive(test)


def test_a_call_of_the_details_opens_in_the_timeline() -> None:
    """Enter on one of the last calls goes to the timeline, where it is selected."""

    async def test(driver: Driver) -> None:
        rows(driver).choose("index.file")
        await driver.press("enter", "down")
        call = driver.app.screen.query_one("#details").selected
        await driver.press("enter")
        await driver.sees("window", f"#{call} index.file")

    drive(test)


def test_executes_with_the_arguments_of_the_form() -> None:
    """`x`, a value, Ctrl+R: the command is executed with it, text without quotes, and the result is shown."""

    async def test(driver: Driver) -> None:
        rows(driver).choose("search.query")
        await driver.press("x")
        await driver.sees("str, required", "int = 20", "Ctrl+R execute")
        await driver.type("thread pool")
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.target.asked)
        assert driver.target.asked == [("execute", "search.query", (), {"text": "thread pool"})]
        await driver.sees("#900001 ok", "└ 'ok'")

    drive(test)


def test_enter_in_the_last_field_runs_it() -> None:
    """Enter goes to the next field, and runs after the last."""

    async def test(driver: Driver) -> None:
        rows(driver).choose("search.query")
        await driver.press("x")
        await driver.type("a")
        await driver.press("enter")
        await driver.type("5")
        assert not driver.target.asked
        await driver.press("enter")
        await driver.until(lambda: driver.target.asked)
        assert driver.target.asked[0][3] == {"text": "a", "limit": 5}

    drive(test)


def test_a_missing_value_is_said_under_its_field_and_nothing_is_sent() -> None:
    """The form is checked before anything is sent."""

    async def test(driver: Driver) -> None:
        rows(driver).choose("index.file")
        await driver.press("x", "ctrl+r")
        await driver.sees("required; write")
        assert driver.app.screen.query_one("CallForm Input").has_focus
        assert not driver.target.asked

    drive(test)


def test_a_value_of_the_wrong_type_is_said_under_its_field() -> None:
    """By the annotation, before anything is sent; corrected, it runs."""

    async def test(driver: Driver) -> None:
        rows(driver).choose("search.query")
        await driver.press("x")
        await driver.type("a")
        await driver.press("down")
        await driver.type("many")
        await driver.press("ctrl+r")
        await driver.sees("write a whole number")
        assert not driver.target.asked
        await driver.press("ctrl+u")
        await driver.type("7")
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.target.asked)
        assert driver.target.asked[0][3] == {"text": "a", "limit": 7}
        await driver.misses("write a whole number")

    drive(test)


def test_a_form_turns_into_a_line_and_back() -> None:
    """Ctrl+T: fields as text, text as fields; a line that does not fit stays a line and says why."""

    async def test(driver: Driver) -> None:
        rows(driver).choose("search.query")
        await driver.press("x")
        await driver.type("thread pool")
        await driver.press("ctrl+t")
        await driver.sees('text="thread pool"', "Ctrl+T as fields")
        await driver.type(" limt=5")
        await driver.press("ctrl+t")
        await driver.sees("did you mean limit?")
        await driver.press("backspace", "backspace", "backspace")
        await driver.type("it=5")
        await driver.press("ctrl+t")
        await driver.sees("Ctrl+T as text")
        inputs = [field.value for field in driver.app.screen.query("CallForm Input").results(Input)]
        assert inputs == ["thread pool", "5"]
        await driver.press("ctrl+t", "ctrl+r")
        await driver.until(lambda: driver.target.asked)
        assert driver.target.asked[0][3] == {"text": "thread pool", "limit": 5}

    drive(test)


def test_a_form_remembers_what_was_run() -> None:
    """↑ in the first field brings the last values back, and ↓ what was being typed."""

    async def test(driver: Driver) -> None:
        rows(driver).choose("search.query")
        await driver.press("x")
        await driver.type("one")
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.target.asked)
        await driver.press("escape", "x", "ctrl+u")
        await driver.type("two")
        await driver.press("up")
        assert driver.app.screen.query(Input).first().value == "one"
        await driver.press("ctrl+down")
        assert driver.app.screen.query(Input).first().value == "two"

    drive(test)


def test_a_result_opens_in_the_timeline() -> None:
    """Its first line stands for the call: Enter shows it there."""
    records = [record for each in played() for record in each.records]
    call = next(each.id for each in records if isinstance(each, Call) and each.name == "search.query" and each.ended)

    async def test(driver: Driver) -> None:
        rows(driver).choose("search.query")
        await driver.press("x")
        await driver.type("a")
        await driver.press("ctrl+r")
        await driver.sees(f"#{call} ok", "Enter shows it in the timeline")
        await driver.press("escape", "enter")
        await driver.sees("window", f"▸ #{call} search.query")

    drive(test, target(answers={"search.query": Reply(request=1, call=call, value="5")}))


def test_an_error_is_shown_with_its_traceback() -> None:
    """A failed call shows type, message and traceback, in the form as in the bar."""
    source = target(answers={"trouble.fail": Reply(request=0, call=7, error=ERROR, outcome="error")})

    async def test(driver: Driver) -> None:
        rows(driver).choose("trouble.fail")
        await driver.press("x", "ctrl+r")
        await driver.sees("#7 ✗ error", "✗ ValueError: no such kind", 'File "x.py", line 3')
        await driver.press("escape", "colon")
        await driver.type("trouble.fail")
        await driver.press("enter")
        await driver.until(lambda: driver.text().count('File "x.py", line 3') > 1)

    drive(test, source)


def test_a_long_call_shows_its_time_and_is_cancelled_with_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the answer is to come, Ctrl+C cancels instead of quitting."""

    async def test(driver: Driver) -> None:
        pending = Pending()
        pending.request = 41
        monkeypatch.setattr(driver.app.session, "execute", lambda *_: pending)
        rows(driver).choose("trouble.slow")
        await driver.press("x")
        await driver.type("9")
        await driver.press("ctrl+r")
        await driver.sees("running", "Ctrl+C cancels")
        await driver.press("ctrl+c")
        assert driver.target.cancelled == [41]
        assert driver.app.is_running
        pending.set_result(Reply(request=41, call=3, outcome="cancelled", error=Error("CallCancelled", "by hand")))
        await driver.sees("CallCancelled: by hand")

    drive(test)


def test_a_form_keeps_what_was_typed() -> None:
    """Closing and opening the form again brings the values back."""

    async def test(driver: Driver) -> None:
        rows(driver).choose("index.file")
        await driver.press("x")
        await driver.type("abc")
        await driver.press("escape", "x")
        await driver.until(lambda: driver.app.screen.query(CallForm))
        assert driver.app.screen.query_one("CallForm Input", Input).value == "abc"

    drive(test)


def test_a_recording_has_no_verbs_that_act() -> None:
    """`x` says why it cannot; the footer does not offer it."""

    async def test(driver: Driver) -> None:
        await driver.sees("RECORDED")
        assert "execute" not in driver.lines()[-1]
        await driver.press("x")
        await driver.sees("cannot execute: this is a recording")
        assert not driver.app.screen.query(CallForm)

    drive(test, target(state="recorded"))


def test_hostile_names_are_drawn_escaped() -> None:
    """ESC, markup and bidi marks in names, docs and arguments reach the screen as visible text only."""
    name = TEXTS["action"] + TEXTS["OSC 52"] + TEXTS["markup"] + TEXTS["bidi"]
    parameter = Parameter(name="p\x1b[2J", kind="positional_or_keyword", annotation="[/y]", default="\x9b")
    entry = Entry(
        entry=99, kind="command", name=name, service="s\x1b", parameters=(parameter,), doc="[/z]\x1b[31m", where="\x07"
    )
    start = synthetic.START
    call = Call(
        id=5, root=5, kind="command", name=name, service="s\x1b", lane=2, queued=start, started=start, ended=start + 9,
        outcome="error", args="\x1b[5m", error=Error("E\x1b", "[/e]\u202e", "t\x1b\n[/t]"),
    )  # fmt: skip

    async def test(driver: Driver) -> None:
        rows(driver).choose(name)
        await driver.sees("[@click=app.quit]x[/]\\x1b")
        await driver.press("x")
        await driver.sees("p\\x1b[2J", "[/y] = \\x9b", "[/z]\\x1b[31m", "[/e]\\u202e", "[/t]")
        assert all(line.isprintable() for line in driver.lines())
        await driver.press("escape", "3", "down", "full_stop")
        await driver.sees("window")
        assert all(line.isprintable() for line in driver.lines())

    drive(test, target([batch(entry, call)]))


def test_an_empty_program_says_what_to_do() -> None:
    """Without commands the list explains how a program gets some."""

    async def test(driver: Driver) -> None:
        await driver.sees("No command is registered", "bus.register_command")

    drive(test, target([]))


def test_survives_any_size() -> None:
    """From 160×45 to 40×10 to one cell and back, on every screen, with a form open or not."""

    async def test(driver: Driver) -> None:
        for keys in ((), ("x",), ("escape", "escape", "2"), ("3",)):
            await driver.press(*keys)
            for size in (SMALL, TINY, (1, 1), (20, 4), LARGE):
                await driver.pilot.resize_terminal(*size)
                await driver.pilot.pause(0.02)
        await driver.sees("whole recording")

    drive(test)


def test_forty_by_ten_shows_state_and_rows() -> None:
    """In a tiny terminal the essentials are still there."""

    async def test(driver: Driver) -> None:
        await driver.sees("sample-search", "LIVE", "trouble.fail", "failed")

    drive(test, size=TINY)


def many_commands(spaces: int = 20, each: int = 50) -> list[Entry]:
    return [
        Entry(entry=1_000 + number, kind="command", name=f"area{number % spaces:02}.work{number:04}", service="main")
        for number in range(spaces * each)
    ]


def test_a_thousand_commands_are_shown_by_namespace_and_opened_by_key_and_mouse() -> None:
    """`→` and Enter open, `←` closes from within; a click on the sign and a double click do both."""

    async def test(driver: Driver) -> None:
        await driver.sees("▸ area07.* 50", "▸ area19.* 50")
        assert " work0007 " not in driver.text()
        screen = driver.app.screen
        screen.rows.choose("area07.*")
        await driver.sees("area07.*  50 commands")
        await driver.press("x")
        await driver.sees("this is a namespace: Enter opens it")
        await driver.press("right")
        await driver.sees("▾ area07.* 50", " work0007 ")
        await driver.press("down", "down")
        assert screen.rows.selected == "area07.work0027"
        await driver.press("left")
        await driver.sees("▸ area07.* 50")
        assert screen.rows.selected == "area07.*"
        assert " work0007 " not in driver.text()
        await driver.press("enter")
        await driver.sees(" work0007 ")
        await driver.press("enter")
        await driver.misses(" work0007 ")
        y = next(y for y, line in enumerate(driver.lines()) if "▸ area03.* 50" in line)
        x = driver.lines()[y].index("▸")
        await driver.pilot.click(offset=(x, y))
        await driver.sees(" work0003 ")
        await driver.pilot.pause(0.6)
        await driver.pilot.click(offset=(x, y))
        await driver.misses(" work0003 ")
        await driver.pilot.pause(0.6)
        await driver.pilot.click(offset=(x + 12, y), times=2)
        await driver.sees(" work0003 ")

    drive(test, target([batch(*many_commands())]))


def test_a_filter_finds_commands_in_closed_namespaces() -> None:
    """They are listed flat; without the filter the namespaces are as they were. Whoever asks for a name sees it."""

    async def test(driver: Driver) -> None:
        await driver.sees("▸ area07.* 50")
        await driver.press("slash")
        await driver.type("work0007")
        await driver.press("enter")
        await driver.sees("area07.work0007")
        assert "▸" not in driver.text()
        await driver.press("escape")
        await driver.sees("▸ area07.* 50")
        assert "work0007" not in driver.text()
        await driver.app.action_find("commands", "area07.work0027")
        await driver.until(lambda: driver.app.screen.rows.selected == "area07.work0027")
        await driver.sees("▾ area07.* 50", " work0027 ")

    drive(test, target([batch(*many_commands())]))


def test_a_namespace_has_the_figures_of_its_commands() -> None:
    """Calls and failures are added up; a failed last call is shown at its namespace."""

    async def test(driver: Driver) -> None:
        await driver.sees("▸ area05.* 50")
        line = driver.line("▸ area05.*")
        assert line.split("area05.*")[0].strip() == "✗ ▸"
        assert " 3 " in line

    calls = [
        Call(
            id=n, root=n, kind="command", name=f"area05.work{20 * n + 5:04}", service="main", lane=13,
            queued=synthetic.START, started=synthetic.START + n, ended=synthetic.START + n + 1,
            outcome="error" if n == 2 else "ok",
        )
        for n in range(1, 4)
    ]  # fmt: skip
    drive(test, target([batch(*many_commands(), *calls)], "recorded"))
