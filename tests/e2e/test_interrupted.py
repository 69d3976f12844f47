"""A program that is stopped, goes on, is killed and started again, as a console that is attached to it shows it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.terminal import Terminal
from tests.support import wait_for

ROOT = Path(__file__).parents[2]


@contextmanager
def program(folder: Path, env: dict[str, str]) -> Iterator[int]:
    """The sample program in a process of its own; killed at the end."""
    command = [sys.executable, "-m", "sample_services", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | env | {"BUS_CONSOLE": "1"}) as running:
        try:
            yield running.pid
        finally:
            running.kill()


def attached(env: dict[str, str], pid: int) -> Terminal:
    waits = "import sys, time; from console.target.discover import programs\n"
    waits += f"while not any(one.pid == {pid} for one in programs()): time.sleep(0.05)"
    subprocess.run([sys.executable, "-c", waits], cwd=ROOT, env=os.environ | env, timeout=60, check=True)
    return Terminal([sys.executable, "-m", "console", "attach", str(pid)], env=env)


def test_a_stopped_program_is_said_to_be_silent_until_it_goes_on(tmp_path: Path, env: dict[str, str]) -> None:
    """SIGSTOP: the bar says for how long there is no news, and keys work on; SIGCONT: it is as before."""
    with program(tmp_path, env) as pid, attached(env, pid) as terminal:
        terminal.see(rf"pid {pid} .*LIVE")
        # It counts as silent once it was heard for a moment.
        terminal.send("3")
        terminal.see("whole recording")
        heard = time.monotonic() + 3
        wait_for(lambda: time.monotonic() > heard)
        terminal.send("1")
        terminal.see("run p50")
        os.kill(pid, signal.SIGSTOP)
        try:
            terminal.see(r"no news for \d+ s: the program may be stopped")
            terminal.send("3")
            terminal.see("whole recording")
        finally:
            os.kill(pid, signal.SIGCONT)
        terminal.see("press : for a command")
        terminal.see("LIVE")


def test_a_program_that_was_killed_and_runs_again_is_gone_on_with(tmp_path: Path, env: dict[str, str]) -> None:
    """ENDED, with all that was recorded; then it says that it runs again, and A attaches to that."""
    with program(tmp_path, env) as first, attached(env, first) as terminal:
        terminal.see(rf"pid {first} .*LIVE")
        os.kill(first, signal.SIGKILL)
        terminal.see("ENDED")
        terminal.send("2")
        terminal.see("file.found")
        with program(tmp_path, env) as second:
            terminal.see(rf"it runs again, as pid {second}: A attaches to it", timeout=60)
            terminal.send("A")
            terminal.see(rf"pid {second} .*LIVE", timeout=60)
            terminal.send("q")
            assert terminal.wait() == 0
