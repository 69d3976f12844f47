"""`bus-console run`, as a process in a terminal: what starts, what it is given, how it ends."""

import os
import re
import signal
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.target.attached import is_running
from tests.e2e.terminal import Terminal
from tests.support import wait_for

SHOP = """\
import os, signal, subprocess, sys, threading, time
from bus import Bus, Service, command
class Shop(Service):
    @command("leave")
    def leave(self, status: int) -> None:
        os._exit(status)
    @command("kill_me")
    def kill_me(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
def serve():
    with Bus("shop") as bus:
        bus.add(Shop())
        Path("pids").write_text(f"{os.getpid()}")
        threading.Event().wait()
from pathlib import Path
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder for programs, and a runtime directory and a home of their own."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(Path.cwd()), os.environ.get("PYTHONPATH", ""))))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


def write(place, name, text):
    path = place / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


@contextmanager
def run(*args, said=""):
    """In a terminal, and ended in order; SAID: how a shell gives it something to read, as in `printf x |`."""
    argv = [sys.executable, "-m", "console", "run", *args]
    with Terminal(["/bin/sh", "-c", f'{said} "$@"', "sh", *argv] if said else argv) as terminal:
        try:
            yield terminal
        finally:
            if terminal.exit_code is None:
                os.killpg(terminal.pid, signal.SIGTERM)  # a console that is killed leaves its program running
                terminal.wait()


def execute(terminal, line):
    """Type LINE into the command bar, when its command is listed."""
    terminal.see("LIVE")
    terminal.see(re.escape(line.partition(" ")[0]))
    terminal.send(f":{line}\r")


def left_behind(place):
    return [path.name for path in place.glob("run/**/*") if path.is_file() or path.is_socket()]


@pytest.mark.parametrize("status", [0, 3])
def test_the_exit_status_of_a_program_is_ours(place, status):
    """Whether it says that all is well or not; the screens stay until they are left."""
    write(place, "prog.py", "import shop\nshop.serve()\n")
    with run("prog.py") as terminal:
        execute(terminal, f"leave {status}")
        terminal.see("ENDED")
        terminal.send("q")
        assert terminal.wait() == status
    assert left_behind(place) == []


def test_a_program_killed_by_a_signal_has_the_status_that_a_shell_gives_it(place):
    """128 and the signal's number."""
    write(place, "prog.py", "import shop\nshop.serve()\n")
    with run("prog.py") as terminal:
        execute(terminal, "kill_me")
        terminal.see("ENDED")
        terminal.send("q")
        assert terminal.wait() == 128 + signal.SIGTERM


def test_a_module_is_run_with_its_arguments(place):
    """As by `python -m`: options among them are the program's; the current directory is where it is looked for."""
    write(place, "pack/__init__.py", "")
    write(place, "pack/server.py", "import sys, shop\nprint(sys.argv[1:], __name__, __package__)\nshop.serve()\n")
    with run("-m", "pack.server", "--port", "80", "-m", "x", "--theme", "y") as terminal:
        terminal.see("LIVE")
        terminal.send("7")
        terminal.see(r"\['--port', '80', '-m', 'x', '--theme', 'y'\] __main__ pack")


def test_options_before_it_are_ours(place):
    """Also together with -m."""
    write(place, "prog.py", "import sys, shop\nprint('args', sys.argv[1:])\nshop.serve()\n")
    with run("--ascii", "-m", "prog", "--ascii") as terminal:
        terminal.see("LIVE")
        terminal.send("7")
        terminal.see(r"args \['--ascii'\]")


def test_what_a_pipe_brings_is_handed_on(place):
    """And the screens read the terminal, as a pager does."""
    write(place, "prog.py", "import sys, shop\nprint('read', sys.stdin.read().split())\nshop.serve()\n")
    with run("prog.py", said="printf 'one\\ntwo\\n' |") as terminal:
        terminal.see("LIVE")
        terminal.send("7")
        terminal.see(r"read \['one', 'two'\]")
        terminal.send("q")
        terminal.wait()


def test_the_terminal_is_the_consoles_alone(place):
    """A program that reads from it finds the end at once."""
    write(place, "prog.py", "import sys, shop\nprint('read', sys.stdin.read().split())\nshop.serve()\n")
    with run("prog.py") as terminal:
        terminal.see("LIVE")
        terminal.send("7")
        terminal.see(r"read \[\]")


def test_the_python_of_a_wrapper_is_found(place):
    """A shell script that starts it, and waits; its status is the wrapper's."""
    write(place, "prog.py", "import shop\nshop.serve()\n")
    wrapper = write(place, "start.sh", f"#!/bin/sh\n{sys.executable} prog.py\nexit $(($? + 40))\n")
    wrapper.chmod(0o755)
    with run("start.sh") as terminal:
        execute(terminal, "leave 2")
        terminal.see("ENDED")
        wait_for(lambda: not is_running(int((place / "pids").read_text())))
        terminal.send("q")
        assert terminal.wait() == 42
    assert left_behind(place) == []


def test_leaving_ends_the_wrapper_and_its_python(place):
    """The whole group is asked to go."""
    write(place, "prog.py", "import shop\nshop.serve()\n")
    write(place, "start.py", "import subprocess, sys\nsys.exit(subprocess.run([sys.executable, 'prog.py']).returncode)")
    with run("start.py") as terminal:
        terminal.see("LIVE")
        terminal.send("q")
        terminal.wait()
    wait_for(lambda: not is_running(int((place / "pids").read_text())))
    assert left_behind(place) == []


def test_a_program_that_goes_on_in_a_fork_is_still_the_program(place):
    """Its parent ends at once, and well; commands are executed in the fork, and leaving ends it."""
    write(place, "prog.py", "import os, time, shop\nif os.fork():\n    os._exit(0)\ntime.sleep(0.3)\nshop.serve()\n")
    with run("prog.py") as terminal:
        terminal.see("LIVE")
        terminal.send("q")
        terminal.wait()
    wait_for(lambda: not is_running(int((place / "pids").read_text())))
    assert left_behind(place) == []


def test_a_fork_beside_the_program_does_not_take_its_place(place):
    """The child of the console is the one that is shown, however many others have a bus."""
    write(place, "prog.py", """\
        import os, shop
        from bus import Bus
        reading, writing = os.pipe()
        if not os.fork():
            with Bus("beside"):
                os.close(writing)
                os.read(reading, 1)
            os._exit(0)
        os.close(reading)
        shop.serve()
    """)  # fmt: skip
    with run("prog.py") as terminal:
        terminal.see("LIVE")
        execute(terminal, "leave 5")
        terminal.see("ENDED")
        terminal.send("q")
        assert terminal.wait() == 5


def test_a_module_that_is_missing_is_said_by_python(place):
    """With its exit status."""
    with run("-m", "nothing.here") as terminal:
        assert terminal.wait() == 1
        terminal.see("No module named 'nothing'")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-"])
def test_a_stream_that_is_closed_is_no_terminal(place, closed):
    """One sentence, whatever the shell has closed."""
    write(place, "prog.py", "import shop\nshop.serve()\n")
    for subcommand in ("run", "record -o x.jsonl"):
        command = f"{sys.executable} -m console {subcommand} {'prog.py' if subcommand == 'run' else 'nobody'} {closed}"
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith("bus-console: ")
        assert "Traceback" not in done.stderr
