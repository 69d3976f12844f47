"""The door of a program that did not open it.

Where this Python cannot reach into another process, its part is played: the program's main thread runs the script when
a signal comes, as `sys.remote_exec` has it run at its next opportunity. On 3.14 the real one is used, too.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import bus
from bus import Bus
from bus.lifecycle import open_buses
from bus.switches import serve_all
from console.target import TargetError, injecting
from console.target.attached import AttachedTarget
from console.target.injecting import open_doors, reach
from tests.support import wait_for

ROOT = Path(bus.__file__).parents[1]
PLAYED = """\
import pathlib, signal
def come_by(*_):
    path = pathlib.Path(PLACE, "script").read_text()
    exec(compile(pathlib.Path(path).read_text(), path, "exec"), {"__name__": "__main__"})
signal.signal(signal.SIGUSR1, come_by)
"""
SHOP = """\
import time
from bus import Bus, Service, command
class Shop(Service):
    @command("sell")
    def sell(self, item: str) -> str:
        return item.upper()
first = Bus("first")
first.add(Shop())
"""
WAIT = """
print("open", flush=True)
import time
while True:
    time.sleep(0.05)
"""


@pytest.fixture(params=["played", "real"])
def start(request, monkeypatch, tmp_path):
    """Starts a program, and lets this Python reach into it."""
    real = request.param == "real"
    if real and not hasattr(sys, "remote_exec"):
        pytest.skip("sys.remote_exec is there from Python 3.14 on")
    if not real:
        monkeypatch.setattr(sys, "remote_exec", played_in(tmp_path), raising=False)
    started = []

    def run(code):
        code = ("" if real else PLAYED.replace("PLACE", repr(str(tmp_path)))) + code + WAIT
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == b"open\n"
        return process.pid

    yield run
    for process in started:
        process.kill()
        process.communicate()


def played_in(folder):
    def remote_exec(pid, script):
        (folder / "script").write_text(script)
        os.kill(pid, signal.SIGUSR1)

    return remote_exec


def left(runtime_dir):
    return [path.name for path in runtime_dir.iterdir() if path.name.startswith("open-door-")]


def test_a_program_without_an_endpoint_is_attached_to_by_its_pid(start, runtime_dir):
    """A command is executed in it, and nothing but the door stays behind."""
    pid = start(SHOP)
    target, replies = AttachedTarget(reach(str(pid)).socket), []
    target.execute("sell", ["tea"], {}, replies.append)
    wait_for(lambda: replies)
    assert replies[0].value == '"TEA"'
    target.close()
    assert left(runtime_dir) == []
    assert reach(str(pid)).name == "first", "the second time it is open already"


def test_each_bus_gets_a_door(start, runtime_dir):
    """The message lists them: which one is meant is a person's to say. One that is closed is left alone."""
    pid = start(SHOP + "second = Bus('second')\nthird = Bus('third')\nthird.close()\n")
    with pytest.raises(TargetError, match="has several buses") as caught:
        reach(str(pid))
    for name in ("first", "second"):
        path = runtime_dir / f"{name}-{pid}.sock"
        assert str(path) in str(caught.value)
        assert reach(str(path)).name == name
    assert "third" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "why"), [("", "it has not imported bus"), ("import bus\nfrom bus import Bus\n", "it has no bus yet")]
)
def test_a_program_without_a_bus_says_so(start, runtime_dir, code, why):
    """It has been reached, but there is nothing to open."""
    pid = start(code)
    with pytest.raises(TargetError, match=f"the door of process {pid} cannot be opened: {why}"):
        reach(str(pid))
    assert left(runtime_dir) == []


def test_a_door_that_cannot_be_opened_there_is_explained_here(start, runtime_dir):
    """In the words of the program."""
    pid = start(SHOP + "import os\nos.environ['XDG_RUNTIME_DIR'] = '/proc/none'\n")
    with pytest.raises(TargetError, match="cannot be opened: cannot make the directory /proc/none"):
        open_doors(pid)


def test_the_main_thread_may_hold_any_lock(start):
    """What it is interrupted in goes on; the work is done beside it."""
    pid = start(SHOP + "from bus import switches, lifecycle\nswitches._lock.acquire()\n" + RELEASE)
    assert len(open_doors(pid)) == 1


RELEASE = """
import threading
main_goes_on = threading.Timer(0.5, switches._lock.release)
main_goes_on.daemon = True
main_goes_on.start()
"""

# ---- where it cannot be done


def test_without_the_function_it_is_said_what_to_do_instead(monkeypatch):
    """Which Python has it, and the two ways that any has."""
    monkeypatch.delattr(sys, "remote_exec", raising=False)
    with pytest.raises(TargetError) as caught:
        reach(str(os.getpid()))
    for words in ("did not open the endpoint", "BUS_CONSOLE=1", "bus.serve()", "Python 3.14"):
        assert words in str(caught.value)


@pytest.mark.parametrize("spec", [None, "shop", "0", "99999999999", "4194304", "-1", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_what_is_no_running_process_is_answered_as_before(monkeypatch, spec):
    """There is nothing to reach into."""
    monkeypatch.setattr(sys, "remote_exec", lambda *_: pytest.fail("reached into"), raising=False)
    with pytest.raises(TargetError, match="no program can be attached to"):
        reach(spec)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(1, "Operation not permitted"), "the system does not let you into process"),
        (RuntimeError("Can't determine the Python version"), "Can't determine the Python version.*it must be a Python"),
        (OSError(3, "No such process"), "No such process"),
    ],
)
def test_a_system_that_refuses_is_explained(monkeypatch, runtime_dir, error, words):
    """And no script stays."""

    def refuse(pid, script):
        assert Path(script).stat().st_mode & 0o777 == 0o600
        raise error

    monkeypatch.setattr(sys, "remote_exec", refuse, raising=False)
    with pytest.raises(TargetError, match=words):
        open_doors(os.getpid())
    assert left(runtime_dir) == []


def test_a_program_of_another_user_is_left_alone(monkeypatch):
    """Even by root: the door would not let it in."""
    monkeypatch.setattr(sys, "remote_exec", lambda *_: pytest.fail("reached into"), raising=False)
    uid = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with pytest.raises(TargetError, match="belongs to another user"):
        open_doors(os.getpid())


def test_one_that_does_not_come_by_is_not_opened_later(monkeypatch, runtime_dir):
    """What it finds when it comes does nothing but remove itself; else it is removed when the program is gone."""
    monkeypatch.setattr(injecting, "SECONDS", 0.1)
    scripts = []
    monkeypatch.setattr(sys, "remote_exec", lambda _, script: scripts.append(Path(script)), raising=False)
    for _ in range(2):
        with pytest.raises(TargetError, match="did not come by in 0 s: its main thread waits"):
            open_doors(os.getpid())
    late, later = scripts
    exec(late.read_text(), {})
    assert not late.exists()
    gone = later.rename(later.with_name(later.name.replace(str(os.getpid()), "4194304")))
    injecting._remove_old(runtime_dir)
    assert not gone.exists()


def test_an_answer_that_is_none_is_an_error(monkeypatch, runtime_dir):
    """Whatever wrote it."""

    def lie(_pid, script):
        Path(script).with_suffix(".said").write_text("[" * 100)

    monkeypatch.setattr(sys, "remote_exec", lie, raising=False)
    with pytest.raises(TargetError, match="its answer is not understood"):
        open_doors(os.getpid())


def test_all_buses_of_a_process_are_served_once(runtime_dir):
    """Those that have a door keep it, and closed ones get none."""
    with Bus("one") as one, Bus("two") as two, Bus("three") as three:
        three.close()
        assert {one, two} <= set(open_buses())
        assert three not in open_buses()
        one.serve()
        doors, error = serve_all()
        assert (sorted(Path(door).name for door in doors), error) == (
            sorted(f"{name}-{os.getpid()}.sock" for name in ("one", "two")),
            "",
        )
        assert serve_all()[0] == doors
