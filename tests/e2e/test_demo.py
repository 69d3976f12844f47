"""The thin line, end to end: the real console in a pty, on the real sample program in a process of its own."""

import os
import signal
import sys
from pathlib import Path

import platformdirs
import pytest

from tests.e2e.terminal import ENTER, Terminal, close_outcome, type_line
from tests.support import wait_for

CTRL_C, CTRL_R, CTRL_P = "\x03", "\x12", "\x10"
LIGHT = "edeff1"
"""Behind the first line, in the theme of that name."""


def program_pid(terminal: Terminal) -> int:
    return int(terminal.see(r"pid (\d+)").group(1))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def sockets() -> list[Path]:
    return list(Path(platformdirs.user_runtime_dir("bus-console")).glob("*.sock"))


def test_line_goes_through_from_thread_to_lane_and_back(console: Terminal) -> None:
    """The lane of indexer-0 is seen; a search finds the files; an event is fired; a failure is seen."""
    console.send("30")
    console.see(r"indexer-0.*[░█▒▓▌▍▎▏▁▂▃▄▅▆▇]")

    type_line(console, 'search.query "thread pool" limit=3')
    console.see(r"#\d+ ok .* [mµ]s")
    console.see(r"module_\d\d\.py")
    close_outcome(console)

    type_line(console, "fire file.changed path=module_00.py")
    console.see(r"delivered to 2 listeners")
    close_outcome(console)

    type_line(console, "trouble.fail")
    console.see(r"ValueError.*trouble was asked for")
    close_outcome(console)
    console.send("1")
    console.see(r"✗ +trouble\.fail")
    console.see(r"1 failed")
    console.send("3")
    console.see(r"trouble-0.*✗")


def test_form_executes_a_command(console: Terminal) -> None:
    """A form made from the signature executes, and the result stands below it."""
    console.send("1")
    console.send("/")
    console.send("search.query")
    console.send(ENTER)
    console.see(r"The best LIMIT files that hold all words")
    console.send("x")
    console.see(r"str, required")
    console.send("thread pool")
    console.send(CTRL_R)
    console.see(r"#\d+ ok")
    console.see(r"module_\d\d\.py")


def test_console_outlives_the_program(console: Terminal) -> None:
    """After kill -9 the console says ENDED, keeps what it has, and can be browsed; it leaves no socket."""
    pid = program_pid(console)
    console.send("3")
    console.see(r"indexer-0")
    os.kill(pid, signal.SIGKILL)
    console.see(r"ENDED")
    console.see(r"SIGKILL|signal 9|killed")
    console.send("1")
    console.see(r"store\.put +store")
    console.send("2")
    console.see(r"file\.indexed")
    console.send("q")
    console.wait()
    assert not is_running(pid)
    assert sockets() == []


def test_program_does_not_notice_that_the_console_dies(console: Terminal, env: dict[str, str]) -> None:
    """After kill -9 of the console the program goes on, and another console can be attached to it."""
    pid = program_pid(console)
    os.kill(console.pid, signal.SIGKILL)
    assert console.wait() == -signal.SIGKILL
    try:
        with Terminal([sys.executable, "-m", "console", "attach", str(pid)], env=env) as second:
            second.see(rf"sample-search +pid {pid} .*LIVE")
            second.see(r"search\.query +search")
            second.send("q")
            assert second.wait() == 0
        assert is_running(pid)
    finally:
        os.kill(pid, signal.SIGINT)
    wait_for(lambda: sockets() == [])


@pytest.mark.parametrize("keys", ["q", CTRL_C])
def test_leaving_leaves_nothing_behind(console: Terminal, keys: str) -> None:
    """Leaving the console of a program that it started ends the program, and leaves no process and no socket."""
    pid = program_pid(console)
    assert len(sockets()) == 1
    console.send(keys)
    assert console.wait() == 0
    wait_for(lambda: not is_running(pid))
    assert sockets() == []


def test_small_terminal_and_resizing(console: Terminal) -> None:
    """80×24 shows the lists, 40×10 neither crashes nor hangs, and after all of it the large one is whole again."""
    for columns, rows in ((80, 24), (40, 10), (20, 3), (80, 24)):
        console.resize(columns, rows)
    console.see(r"search\.query")
    console.send("3")
    console.see(r"indexer-0")
    console.resize(160, 45)
    console.see(r"elsewhere \(I/O")


def test_recording_opens(folder: Path, env: dict[str, str], tmp_path: Path) -> None:
    """What a program wrote by BUS_TRACE_FILE opens as RECORDED, also when the file was cut in the middle of a line."""
    path = tmp_path / "session.jsonl"
    with Terminal(
        [sys.executable, "-m", "console", "demo", str(folder)], env=env | {"BUS_TRACE_FILE": str(path)}
    ) as one:
        one.see(r"search\.query +search")
        one.send("q")
        assert one.wait() == 0
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 20])
    with Terminal([sys.executable, "-m", "console", "open", str(path)], env=env) as two:
        two.see(r"sample-search .*RECORDED")
        two.see(r"search\.query +search")
        two.send("3")
        two.see(r"indexer-0.*[░█▒▓▌▍▎▏▁▂▃▄▅▆▇]")
        two.send("q")
        assert two.wait() == 0


def test_a_chosen_theme_is_the_one_of_the_next_time(folder: Path, env: dict[str, str]) -> None:
    """Chosen in the palette, it is there again when the console is started anew."""
    command = [sys.executable, "-m", "console", "demo", str(folder)]
    with Terminal(command, env=env) as terminal:
        terminal.see("LIVE")
        terminal.send(CTRL_P)
        terminal.see("Search")
        terminal.send("theme light")
        terminal.see("Theme light")
        terminal.send(ENTER)
        wait_for(lambda: terminal.ground(0, 20) == LIGHT)
        terminal.send("q")
        assert terminal.wait() == 0
    with Terminal(command, env=env) as terminal:
        terminal.see("LIVE")
        assert terminal.ground(0, 20) == LIGHT
        terminal.send("q")
        assert terminal.wait() == 0
