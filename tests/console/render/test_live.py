"""What the program is doing, as text."""

import io

import pytest
from rich.console import Console

from bus.trace.records import Frame, Letter, Stack, Waiting
from console.commands import LetterList, ServiceList, StackList, ThreadList, WaitsShown
from console.model.views import ServiceRow, ThreadRow
from console.model.waiting import waits
from console.render import results
from tests.hostile import TEXTS

SECOND = 1_000_000_000
NOW = 100 * SECOND
OWN = Frame(function="Store.put", file="/home/me/store.py", line=58, source="self._gate.wait()")
LIBRARY = Frame(function="Event.wait", file="/usr/lib/python3.11/threading.py", line=629, source="signaled = …")
BUS = Frame(function="Promise.result", file="/home/me/bus/promise.py", line=3, source="x", bus=True)


def text(result: object, width: int = 120) -> str:
    """What a plain console prints for RESULT."""
    shown = io.StringIO()
    Console(file=shown, width=width, highlight=False, markup=False, emoji=False).print(results.outcome(result))  # type: ignore[arg-type]
    return shown.getvalue()


def stack(lane: int, *frames: Frame, waiting: Waiting | None = None, more: int = 0) -> Stack:
    return Stack(
        lane=lane, at=NOW, name=f"store-{lane}", service="store", call=100 + lane, call_name="store.put",
        since=NOW - 3 * SECOND, frames=frames, waiting=waiting, more=more,
    )  # fmt: skip


def test_services_are_a_table() -> None:
    """The word for the worst that is the matter, the figures, and what has been running for the longest."""
    rows = (
        ServiceRow(
            "a", state="running", workers=2, threads=(ThreadRow(1, "a-0", 7, "a.do", NOW - 2 * SECOND),), busy=0.5
        ),
        ServiceRow("b", state="failed", restarts=3),
        ServiceRow("c", state="running", depth=9, capacity=9, dropped=1_234),
        ServiceRow("d", state="running", stuck=2),
    )
    shown = text(ServiceList(rows, NOW)).splitlines()
    assert shown[0].split()[:4] == ["service", "state", "threads", "busy"]
    assert shown[1].split() == ["a", "running", "1/2", "50%", "0", "0", "0", "0", "0", "2.00", "s", "a.do"]
    assert "✗ failed" in shown[2]
    assert shown[3].split()[:2] == ["c", "full"]
    assert "1,234" in shown[3]
    assert "stuck 2" in shown[4]
    assert "no service yet" in text(ServiceList((), NOW))


def test_threads_say_what_they_run_and_where() -> None:
    """Those that were asked, and what is known of the others."""
    rows = (ServiceRow("store", threads=(ThreadRow(1, "store-1", 101, "old"), ThreadRow(2, "store-2"))),)
    shown = text(ThreadList(rows, (stack(1, BUS, LIBRARY, OWN), stack(5)), NOW, left_out=3))
    line = next(line for line in shown.splitlines() if line.startswith("store-1"))
    assert line.split() == ["store-1", "3.00", "s", "store.put", "#101", "/home/me/store.py:58"]
    assert next(line for line in shown.splitlines() if line.startswith("store-2")).split() == ["store-2", "idle"]
    assert "store-5" in shown
    assert "3 more were left out" in shown
    assert "no thread is known yet" in text(ThreadList((), (), NOW))


@pytest.mark.parametrize("width", [80, 120])
def test_who_runs_a_call_comes_first_and_keeps_its_name(width: int) -> None:
    """The longest running one on top, idle threads below, also in a narrow terminal."""
    threads = (ThreadRow(1, "accomplice-0"), ThreadRow(2, "b-0", 5, "b.do", NOW - 1), ThreadRow(3, "c-0", 6, "c.do", 1))
    shown = text(ThreadList((ServiceRow("x", threads=threads),), (stack(4, OWN),), NOW), width).splitlines()
    assert [line.split()[0] for line in shown] == ["thread", "c-0", "store-4", "b-0", "accomplice-0"]


def test_threads_outside_that_did_not_answer_have_ended() -> None:
    """Without any answer they are listed: nothing better is known."""
    rows = (ServiceRow("", threads=(ThreadRow(9, "gone"),)),)
    assert "gone" not in text(ThreadList(rows, (stack(1),), NOW))
    assert "gone" in text(ThreadList(rows, (), NOW))


def test_a_stack_has_its_frames_and_the_one_to_look_at_is_marked() -> None:
    """With its line of source; those of libraries have none."""
    waiting = Waiting(call=9, name="x.y", service="x")
    shown = text(StackList((stack(1, BUS, LIBRARY, OWN, waiting=waiting, more=4), Stack(lane=2, at=NOW, name="idle"))))
    assert shown.splitlines() == [
        "store-1  3.00 s store.put #101", "  waits for x.y #9", "  Promise.result  /home/me/bus/promise.py:3",
        "  Event.wait  /usr/lib/python3.11/threading.py:629", "▸ Store.put  /home/me/store.py:58",
        "    self._gate.wait()", "  … 4 frames more", "idle", "  waits for something to do",
    ]  # fmt: skip


def test_waits_are_a_tree_with_the_cycle_in_words() -> None:
    """And nothing, if nobody waits."""
    a = stack(1, waiting=Waiting(call=102, name="store.put", lane=2, timed=True))
    b = stack(2, waiting=Waiting(call=101, name="store.put", lane=1))
    assert text(WaitsShown(waits((a, b)), NOW)).splitlines() == [
        "these wait for each other:", "store-1  store.put #101  3.00 s", "└ waits for store.put #102, for a time",
        "  store-2  store.put #102  3.00 s", "  └ waits for store.put #101", "    store-1  again",
    ]  # fmt: skip
    assert "nobody waits" in text(WaitsShown((), NOW))
    lost = stack(1, waiting=Waiting(what="room", service="mailbox"))
    assert "└ waits for room in mailbox" in text(WaitsShown(waits((lost,)), NOW))
    assert "mailbox is with nobody yet" in text(WaitsShown(waits((lost,)), NOW))


def test_dead_letters_are_listed_newest_first() -> None:
    """How long ago, what, and why; how many there were before."""
    letters = tuple(
        Letter(at=NOW - age * SECOND, kind="event", name=f"e{age}", reason="no listener") for age in (90, 5)
    )
    shown = text(LetterList(letters, 12, NOW)).splitlines()
    assert [line.split()[-4:] for line in shown[1:3]] == [
        ["event", "e5", "no", "listener"], ["event", "e90", "no", "listener"],
    ]  # fmt: skip
    assert "12 earlier ones" in shown[3]
    assert "no dead letters" in text(LetterList((), 0, NOW))


@pytest.mark.parametrize("hostile", TEXTS.values(), ids=TEXTS)
def test_hostile_text_is_harmless(hostile: str) -> None:
    """Whatever services, threads, functions, files and events are called."""
    hostile = hostile[:5_000]
    frame = Frame(function=hostile, file=hostile, line=1, source=hostile)
    waiting = Waiting(call=9, name=hostile, service=hostile)
    one = Stack(
        lane=1, at=NOW, name=hostile, service=hostile, call=1, call_name=hostile, frames=(frame,), waiting=waiting
    )
    row = ServiceRow(
        hostile, state=hostile, threads=(ThreadRow(1, hostile, 1, hostile), ThreadRow(2, hostile, 1, hostile))
    )
    letter = Letter(at=NOW, kind="event", name=hostile, reason=hostile)
    for result in (
        ServiceList((row,), NOW), ThreadList((row,), (), NOW), ThreadList((row,), (one,), NOW), StackList((one,)),
        WaitsShown(waits((one,)), NOW), LetterList((letter,), 0, NOW),
    ):  # fmt: skip
        assert text(result).replace("\n", "").isprintable()


def test_a_thread_that_waits_in_pythons_own_code_is_said_to() -> None:
    """In the table and in the stack."""
    frame = Frame(function="Queue.get", file="/usr/lib/python3.12/queue.py", line=171)
    rows = (ServiceRow("store", threads=(ThreadRow(1, "store-1", 101, "store.put"),)),)
    assert "store.put #101 waits in queue.Queue.get" in text(ThreadList(rows, (stack(1, frame, OWN),), NOW))
    assert "\n  waits in queue.Queue.get\n" in text(StackList((stack(1, frame, OWN),)))
