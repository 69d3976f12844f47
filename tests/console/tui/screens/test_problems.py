"""Screen 6: what is wrong, with the proof, driven by keys and read as text."""

import pytest

from bus.attach.protocol import Batch
from bus.trace.records import AnyRecord, Call, Depth, Dropped, Entry, Error, Frame, Lane, Problem, Stack, State, Step
from console.tui.screens.problems import ProblemsScreen
from tests import synthetic
from tests.console.tui.driving import SMALL, TINY, Driver, batch, drive, target
from tests.hostile import EVERY, is_harmless

MS = synthetic.MS
AT = synthetic.START + 500 * MS
CYCLE = (
    Step(
        call=1, name="trouble.deadlock", service="trouble", lane=12, thread="trouble-0",
        where="/x/sample/trouble.py:62", waits_for="store.hold", target=2,
    ),
    Step(
        call=2, name="store.hold", service="store", lane=7, thread="store-0", where="/x/sample/store.py:88",
        waits_for="trouble.ack", target=3,
    ),
)  # fmt: skip
DEADLOCK = Problem(rule="deadlock", at=AT, text="a cycle", calls=(1, 2), cycle=CYCLE)
BROKEN = Error("app.BadInput", "no such thing", "Traceback\n  File ...", where="/x/app/shop.py:7 in sell")


def failed(number: int, name: str = "index.file") -> Call:
    return Call(
        id=number, root=number, kind="command", name=name, service="indexer", lane=3, caller=1, queued=AT + number,
        started=AT + number, ended=AT + number + MS, outcome="error", error=BROKEN,
    )  # fmt: skip


def trouble() -> list[AnyRecord]:
    calls = [failed(number) for number in range(10, 16)]
    deadlocked = [
        Call(
            id=number, root=1, parent=number - 1, kind="command", name=step.name, service=step.service, lane=step.lane,
            caller=1, queued=AT - 9 * MS, started=AT - 9 * MS, ended=AT, outcome="deadlock",
        )
        for number, step in enumerate(CYCLE, 1)
    ]  # fmt: skip
    return [DEADLOCK, *deadlocked, *calls, Dropped(at=AT, count=7, kind="event", where="metrics")]


def source(*records: AnyRecord, state: str = "live"):
    return target([batch(*(records or trouble()))], state)  # type: ignore[arg-type]


def screen(driver: Driver) -> ProblemsScreen:
    found = driver.app.screen
    assert isinstance(found, ProblemsScreen)
    return found


def test_the_list_has_the_worst_first_and_healthy_rules_below() -> None:
    """Rule, subject, since when, how often; the header and the tab count them. What is healthy has no rows."""

    async def test(driver: Driver) -> None:
        await driver.press("6")
        await driver.sees("3 problems, worst first", "⚠ 3 problems", "6 Problems ⚠3")
        rules = [line.split("│")[0].split()[1:] for line in driver.lines()[6:9]]
        assert [words[0] for words in rules] == ["deadlock", "failing", "lossy"]
        assert driver.lines()[9].split("│")[0].isspace()
        assert driver.lines()[10].startswith(" healthy: stuck · starved · queue growth")
        assert "index.file  BadInput" in driver.line("✗ failing")
        assert "6×" in driver.line("✗ failing")

    drive(test, source())


def test_the_proof_of_a_deadlock_is_its_cycle_and_what_to_do() -> None:
    """Threads, calls, the line where each waits; Enter there opens a call, t its tree, g the stretch of time."""

    async def test(driver: Driver) -> None:
        await driver.press("6")
        await driver.sees(
            "DEADLOCK  refused in trouble.deadlock #1", "┌▶ trouble-0  runs trouble.deadlock #1",
            "waits at sample/trouble.py:62", "for store.hold #2", "waits at sample/store.py:88",
            "for trouble.ack #3, which trouble-0 would have to run", "what to do", "return the promise",
        )  # fmt: skip
        await driver.press("enter", "down", "enter")
        await driver.until(lambda: driver.app.current_mode == "calls")
        await driver.sees("store.hold")
        await driver.press("6", "t")
        await driver.until(lambda: driver.app.current_mode == "calls" and driver.app.screen.has_class("treed"))
        await driver.press("6", "escape", "g")
        await driver.until(lambda: driver.app.current_mode == "timeline")
        await driver.sees("◆ 9.0 ms   2 calls", "▸ #1 trouble.deadlock")

    drive(test, source())


def test_calls_that_prove_it_stand_in_columns() -> None:
    """Threads below each other, however long the names before them are."""

    async def test(driver: Driver) -> None:
        await driver.press("6")
        await driver.sees("DEADLOCK", "opens one")
        lines = driver.lines()
        first = next(y for y, line in enumerate(lines) if "opens one" in line)
        columns = {line.rindex("deadlock") for line in lines[first + 1 : first + 3]}
        assert len(columns) == 1

    drive(test, source())


def test_the_proof_of_failures_is_the_own_frame() -> None:
    """The exception, the program's own place, the traceback, the calls."""

    async def test(driver: Driver) -> None:
        await driver.press("6", "down")
        await driver.sees(
            "FAILING  BadInput: no such thing, raised at app/shop.py:7 in sell", "/x/app/shop.py:7 in sell",
            "#15 index.file", "✗ BadInput  1.0 ms",
        )  # fmt: skip

    drive(test, source())


def test_a_problem_can_be_allowed() -> None:
    """It leaves the list and the counts; the bar says how to keep it so."""

    async def test(driver: Driver) -> None:
        await driver.press("6", "down")
        await driver.sees("✗ failing")
        await driver.press("a")
        await driver.sees('[problems.failing] allow = ["index.file"]', "2 problems", "1 allowed")
        await driver.misses("✗ failing")

    drive(test, source())


def test_filter_and_sort() -> None:
    """A text in any part of it; by rule, newest, most often."""

    async def test(driver: Driver) -> None:
        await driver.press("6", "slash")
        await driver.type("metrics")
        await driver.press("enter")
        await driver.sees("⚠ lossy", "filtered out", "only problems with “metrics”")
        await driver.misses("✗ failing")
        await driver.press("slash")
        await driver.type("zzz")
        await driver.press("enter")
        await driver.sees("No problem contains “metricszzz”.", "Esc shows all.")
        await driver.press("escape")
        await driver.sees("✗ failing")
        await driver.press("s")
        await driver.until(lambda: "deadlock" in driver.lines()[6])
        await driver.press("s", "s")
        await driver.until(lambda: "7×" in driver.lines()[6])

    drive(test, source())


def test_nothing_wrong() -> None:
    """It says since when, and that nothing was dropped; beside it stands what is looked for."""

    async def test(driver: Driver) -> None:
        await driver.press("6")
        await driver.sees("Nothing wrong since ", "(0 dropped)", "0 problems")
        assert "6 Problems ⚠" not in driver.text()
        await driver.sees(" healthy: lossy · deadlock", "what is watched", "Found by the bus, before it blocks.")
        for key in ("a", "t", "g", "y"):
            await driver.press(key)
        await driver.sees("nothing is selected")

    drive(test, source(failed(1)))


def test_a_small_terminal_says_what_is_watched_when_asked() -> None:
    """Nothing is wrong: Enter goes to what is watched for, Escape back; in the list the rules are few lines."""

    async def test(driver: Driver) -> None:
        await driver.press("6")
        await driver.sees("Nothing wrong since ", " healthy: lossy · deadlock")
        await driver.press("enter")
        await driver.sees("what is watched", "Found by the bus")
        await driver.press("escape")
        await driver.sees("Nothing wrong since ")

    drive(test, source(failed(1)), SMALL)


def test_what_is_over_is_not_called_healthy_beside_it() -> None:
    """One line says that a rule found something and that this is over; a second one would contradict it."""
    later = AT + 60_000 * MS
    quiet = Call(id=1, root=1, kind="command", name="a", queued=later, started=later, ended=later, outcome="ok", lane=1)

    async def test(driver: Driver) -> None:
        await driver.press("6")
        await driver.sees("lossy", "over", " healthy: deadlock · stuck")

    drive(test, source(Dropped(at=AT, count=7, kind="event", where="metrics"), quiet))


def test_healthy_rules_stand_aside_for_problems() -> None:
    """Where the list needs the room, they are one line that says how many; no name of one is ever broken."""
    problems = [Problem(rule=f"own {number}", at=AT, text="x") for number in range(30)]

    async def test(driver: Driver) -> None:
        await driver.press("6")
        await driver.sees("30 problems, worst first", "healthy: 15 other rules")
        await driver.press("end")
        await driver.sees("own 9 ", "healthy: 15 other rules")

    drive(test, source(*problems), SMALL)


def test_long_names_of_a_cycle_stand_there_in_full() -> None:
    """Threads, commands and places go on in the next line, behind the rail."""
    long = "shop.orders_of_customers_that_pay_later." + "and_so_on." * 7 + "end"
    cycle = tuple(
        Step(
            call=number, name=f"{long}{number}", service="s", lane=number, thread=f"{'thread' * 12}{number}",
            where=f"/x/{'folder' * 9}/{'file' * 9}.py:8{number}", waits_for=f"{long}{3 - number}", target=number + 10,
        )
        for number in (1, 2)
    )  # fmt: skip

    async def test(driver: Driver) -> None:
        await driver.press("6")
        await driver.sees("⚠ deadlock")
        await driver.press("enter")
        await driver.sees("what to do")
        rails = [line.lstrip(" │┌└─▶") for line in driver.lines() if line.strip().startswith(("┌", "│", "└"))]
        said = "".join(row.rstrip("▁▂▃▄▅▆▇█ ") for row in rails)
        for step in cycle:
            for text in (step.thread, f"{step.name} #{step.call}".replace(" ", ""), step.where[3:], step.waits_for):
                assert text in said.replace(" ", "")

    drive(test, source(Problem(rule="deadlock", at=AT, text="a cycle", calls=(1, 2), cycle=cycle)), (80, 50))


@pytest.mark.parametrize("size", [SMALL, TINY])
def test_small_terminals_show_the_list_or_the_proof(size: tuple[int, int]) -> None:
    """Enter goes to the proof, Escape back."""

    async def test(driver: Driver) -> None:
        await driver.press("6", "down")
        await driver.sees("failing")
        await driver.press("enter")
        await driver.sees("FAILING")
        await driver.press("escape")
        await driver.misses("FAILING")

    drive(test, source(), size)


def test_a_service_that_is_late_shows_what_its_threads_do() -> None:
    """Queue growth names the service; where its threads stand at this moment says why, and Enter opens their calls."""
    state = State(service="shop", at=AT, state="running", workers=1)
    lane = Lane(key=40, name="shop-0", service="shop")
    depths = [Depth(service="shop", at=AT + n * 100 * MS, depth=150 + 10 * n, capacity=1_000) for n in range(80)]
    held = Call(
        id=90, root=90, kind="command", name="shop.sell", service="shop", lane=40, caller=1, queued=AT, started=AT
    )
    records = (*synthetic.preamble(), state, lane, *depths)
    driven = target([Batch(at=AT + 8_000 * MS, records=records, live=(held,), snapshot_done=True)])
    frame = Frame(file="/x/shop.py", line=7, function="Shop.sell", source="with self.lock:")
    driven.standing = [
        Stack(lane=40, name="shop-0", service="shop", at=AT, call=90, call_name="shop.sell", since=AT, frames=(frame,))
    ]  # fmt: skip

    async def test(driver: Driver) -> None:
        await driver.press("6")
        await driver.sees(
            "QUEUE GROWTH", "threads of shop now", "shop-0", "shop.sell #90", "▸ Shop.sell", "with self.lock:"
        )
        await driver.press("enter", "down", "enter")
        await driver.until(lambda: driver.app.current_mode == "calls")
        await driver.sees("#90 shop.sell")

    drive(test, driven)


def test_copy_and_export() -> None:
    """The problem as text; the bar has the line that exports the evidence."""

    async def test(driver: Driver) -> None:
        await driver.press("6", "y")
        await driver.sees("copied: deadlock: trouble ⇄ store")
        assert "waits at /x/sample/store.py:88" in driver.app.clipboard
        await driver.press("e")
        await driver.sees("export deadlock.txt #1")

    drive(test, source())


def test_a_live_program_finds_more_while_one_looks() -> None:
    """The cursor stays on its problem."""

    async def test(driver: Driver) -> None:
        await driver.press("6", "down", "down")
        await driver.sees("LOSSY")
        more = [failed(number, "scan.folder") for number in range(30, 40)]
        driver.target.add(Batch(at=AT + 2_000 * MS, records=tuple(more)))
        await driver.sees("scan.folder  BadInput", "4 problems")
        assert screen(driver).problem.rule == "lossy"  # type: ignore[union-attr]

    drive(test, source())


def test_hostile_text_stays_text() -> None:
    """In names, errors, places and cycles: none of it reaches the terminal or becomes markup."""
    evil = EVERY
    cycle = (Step(call=1, name=evil, service=evil, lane=1, thread=evil, where=evil, waits_for=evil, target=2),)
    records: list[AnyRecord] = [
        Problem(rule="deadlock", at=AT, text=evil, calls=(1,), cycle=cycle),
        Problem(rule=evil, at=AT, text=evil), Dropped(at=AT, count=1, kind="event", where=evil),
        *(
            Entry(entry=number, kind="listener", name=evil, service=evil, callback=evil, where=evil, at=AT)
            for number in range(1, 13)
        ),
    ]  # fmt: skip

    async def test(driver: Driver) -> None:
        await driver.press("6")
        await driver.sees("4 problems")
        for _ in range(4):
            await driver.press("down", "y")
            assert is_harmless(driver.text())
            assert is_harmless(driver.app.clipboard)

    drive(test, source(*records))
