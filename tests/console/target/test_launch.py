import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

import bus
from bus.attach.protocol import Batch, Reply
from bus.trace.records import Call, Output
from console.target import TargetError
from console.target.attached import AttachedTarget, is_running
from console.target.discover import _pids, find, sockets
from console.target.launch import command_line, launch
from tests.support import wait_for

SHOP = """
    import os, signal, sys, threading, time
    from bus import Bus, Service, command

    class Shop(Service):
        @command("sell")
        def sell(self, item: str) -> str:
            print("selling", item)
            return item.upper()

        @command("die")
        def die(self, status: int) -> None:
            print("cannot go on", file=sys.stderr, flush=True)
            os._exit(status)

        @command("hold")
        def hold(self) -> None:
            time.sleep(60)

    def make() -> Bus:
        bus = Bus("shop")
        bus.add(Shop())
        return bus
"""
SCRIPT = (
    SHOP
    + """
    try:  # from the start: the console is there as soon as there is a bus
        make()
        print("args", sys.argv[1:])
        threading.Event().wait()
    except KeyboardInterrupt:
        print("interrupted")
"""
)


CHATTER = """
    make()
    while True:
        print('x' * 1000, flush=True)
        time.sleep(0.001)
"""
ROOT = Path(bus.__file__).parents[1]


@pytest.fixture
def script(tmp_path):
    def write(text=SCRIPT, name="shop.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return write


@pytest.fixture
def start():
    made = []

    def run(path, *args):
        target = launch(command_line(str(path), args), name="starting", env={"PYTHONPATH": str(ROOT)})
        made.append(target)
        return target

    yield run
    for target in made:
        target.close()


class Watch:
    """Drains a target and keeps what came."""

    def __init__(self, target):
        self.target = target
        self.batches: list[Batch] = []

    def until(self, done):
        def take():
            self.batches.extend(self.target.drain())
            return done()

        wait_for(take, 20)

    def texts(self, stream):
        records = [record for batch in self.batches for record in batch.records]
        return [record.text for record in records if isinstance(record, Output) and record.stream == stream]


def ask(target, name, *args):
    """The reply; a bus can be attached to before its services are there."""

    def reply():
        replies: list[Reply] = []
        target.execute(name, args, {}, replies.append)
        wait_for(lambda: replies)
        error = replies[0].error
        return None if error is not None and error.type.endswith("CommandNotFound") else replies[0]

    return wait_for(reply)


def test_a_script_becomes_live(script, start):
    """First it is starting, with a name and a pid; then it is what it says it is."""
    target = start(script(), "--flag", "x")
    assert target.info.state in {"connecting", "live"}
    assert target.info.session.pid == target.pid
    watch = Watch(target)
    watch.until(lambda: target.info.state == "live")
    assert target.info.session.program == "shop"
    assert target.info.session.level == "full"
    assert ask(target, "sell", "tea").value == '"TEA"'
    watch.until(lambda: "selling tea" in watch.texts("stdout"))
    assert "args ['--flag', 'x']" in watch.texts("stdout")
    watch.until(lambda: any(isinstance(record, Call) for batch in watch.batches for record in batch.records))


@pytest.mark.parametrize(("said", "level"), [("", "full"), ("times", "times")])
def test_the_environment_says_how_much_is_recorded(script, start, monkeypatch, said, level):
    """Everything, unless it says less: arguments that are not to be recorded are not."""
    monkeypatch.setenv("BUS_TRACE", said)
    target = start(script())
    Watch(target).until(lambda: target.info.state == "live")
    assert target.info.session.level == level


def test_a_line_of_a_child_is_one_record_with_its_call(script, start):
    """Once, from the child itself; what it does not know of comes from its streams, also without a bus to say it."""
    target = start(script(SCRIPT + "    os.system('echo from outside')\n"))
    watch = Watch(target)
    watch.until(lambda: target.info.state == "live")
    reply = ask(target, "sell", "tea")
    watch.until(lambda: "selling tea" in watch.texts("stdout"))
    os.kill(target.pid, signal.SIGINT)
    watch.until(lambda: target.info.state == "ended" and "from outside" in watch.texts("stdout"))
    watch.until(lambda: not target.drain())
    said = [record for batch in watch.batches for record in batch.records if isinstance(record, Output)]
    assert [(one.text, one.call) for one in said if one.text == "selling tea"] == [("selling tea", reply.call)]
    assert sorted(one.text for one in said) == ["args []", "from outside", "interrupted", "selling tea"]


def test_the_last_words_of_a_child_that_could_not_send_them_are_there(script, start):
    """What it printed and recorded in its last moment comes from its streams."""
    target = start(script())
    watch = Watch(target)
    watch.until(lambda: target.info.state == "live")
    target.execute("die", [3], {}, lambda _: None)
    watch.until(lambda: "cannot go on" in watch.texts("stderr"))


def test_what_is_asked_before_there_is_a_bus_is_refused(script, start):
    """With the reason."""
    target = start(script("import time\ntime.sleep(60)"))
    with pytest.raises(TargetError, match="waiting for the program to make its bus"):
        target.execute("sell", ["x"], {}, print)
    assert target.info.state == "connecting"
    target.cancel(1)


def test_a_killed_child_is_ended_and_everything_stays(script, start):
    """The reason names the signal; what was pending gets an answer; no socket is left behind."""
    target = start(script())
    watch, replies = Watch(target), []
    watch.until(lambda: target.info.state == "live")
    target.execute("hold", [], {}, replies.append)
    watch.until(lambda: watch.batches and watch.batches[-1].in_flight == 1)
    os.kill(target.pid, signal.SIGKILL)
    watch.until(lambda: target.info.state == "ended")
    wait_for(lambda: replies)
    assert target.info.reason == f"process {target.pid} was killed by SIGKILL"
    assert "no answer came" in replies[0].error.message
    assert target.info.session.program == "shop"
    watch.until(lambda: True)
    assert [call.name for call in watch.batches[-1].live] == ["hold"]


def test_a_child_that_fails_says_how(script, start):
    """Exit status and the last line that it wrote to stderr."""
    target = start(script())
    Watch(target).until(lambda: target.info.state == "live")
    target.execute("die", [3], {}, lambda _: None)
    wait_for(lambda: target.info.state == "ended")
    assert target.info.reason == f"process {target.pid} ended with exit status 3: cannot go on"


def test_a_child_that_never_makes_a_bus_says_so(script, start):
    """A traceback is in the output, its last line in the reason."""
    target = start(script("print('hello')\nraise SystemExit(0)"))
    watch = Watch(target)
    watch.until(lambda: target.info.state == "ended")
    watch.until(lambda: watch.texts("stdout") == ["hello"])
    assert "before the console saw a bus" in target.info.reason
    broken = start(script("import nothing_like_this"))
    wait_for(lambda: broken.info.state == "ended")
    assert "ModuleNotFoundError: No module named 'nothing_like_this'" in broken.info.reason


def test_closing_ends_the_child_and_leaves_nothing(script, start, runtime_dir):
    """By ^C first, so that it can say goodbye."""
    before = set(threading.enumerate())
    target = start(script())
    watch = Watch(target)
    watch.until(lambda: target.info.state == "live")
    target.close()
    assert target.info.state == "ended"
    assert not is_running(target.pid)
    assert list(runtime_dir.iterdir()) == []
    wait_for(lambda: set(threading.enumerate()) <= before)
    watch.until(lambda: "interrupted" in watch.texts("stdout"))
    target.close()


def test_closing_ends_a_child_that_does_not_want_to(script, start, monkeypatch, runtime_dir):
    """Asked three times, the last time so that it cannot refuse; its children go with it."""
    monkeypatch.setattr("console.target.launch._LEAVE", ((2, 0.1), (15, 0.1), (9, 5.0)))
    stubborn = """
    import signal, subprocess, sys
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print("child", child.pid)
    """
    target = start(script(stubborn + SCRIPT))
    watch = Watch(target)
    watch.until(lambda: target.info.state == "live" and watch.texts("stdout"))
    grandchild = int(watch.texts("stdout")[0].split()[1])
    target.close()
    assert "SIGKILL" in target.info.reason
    wait_for(lambda: not is_running(grandchild))
    assert list(runtime_dir.glob("*.sock")) == []


def test_a_child_outlives_a_console_that_was_killed(script, tmp_path):
    """It goes on printing to nobody, and does not notice."""
    path = script(SHOP + CHATTER)
    console = f"""
import time
from console.target.launch import command_line, launch
target = launch(command_line({str(path)!r}), name="x")
print(target.pid, flush=True)
time.sleep(60)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", console], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_for(sockets, 20)
        parent.kill()
        parent.wait()
    target = AttachedTarget(find(str(child)).socket)
    assert ask(target, "sell", "tea").value == '"TEA"'
    os.kill(child, signal.SIGKILL)
    wait_for(lambda: target.info.state == "ended")
    assert target.info.reason == f"process {child} ended"
    target.close()


def test_a_factory_is_run_as_a_program(script, start, monkeypatch, tmp_path):
    """`module:factory` returns a bus; ^C closes it."""
    script(SHOP, "shopmodule.py")
    monkeypatch.chdir(tmp_path)
    argv = command_line("shopmodule:make")
    target = launch(argv, name="x", env={"PYTHONPATH": str(ROOT)})
    Watch(target).until(lambda: target.info.state == "live")
    assert ask(target, "sell", "tea").value == '"TEA"'
    target.close()
    assert target.info.reason == f"process {target.pid} ended with exit status 0"


@pytest.mark.parametrize(("spec", "said"), [("missing.py", "there is no file"), ("/", "this is no file:")])
def test_file_that_is_missing_or_none_is_named(spec, said):
    """A path that leads nowhere is said to."""
    with pytest.raises(TargetError, match=f"{said} {spec}; give a Python file"):
        command_line(spec)


@pytest.mark.parametrize("spec", ["no/such:thing:at all", "a:b c"])
def test_what_is_neither_a_file_nor_a_factory_is_refused(spec):
    """Before anything is started."""
    with pytest.raises(TargetError, match="neither a Python file nor"):
        command_line(spec)


def test_a_module_is_run_as_python_does_it():
    """With its arguments; what is no name of a module is refused before anything is started."""
    assert command_line("a.b", ["-x"], module=True) == [sys.executable, "-m", "a.b", "-x"]
    with pytest.raises(TargetError, match="a/b is no name of a module"):
        command_line("a/b", module=True)
    with pytest.raises(TargetError, match=r"to run the module, write: -m shop$"):
        command_line("shop")


def test_a_file_is_run_by_what_it_is_made_for(tmp_path):
    """Python files by this Python, whatever their mode; what else is executable by itself."""
    for name, mode, by in (("a.py", 0o755, [sys.executable]), ("b", 0o644, [sys.executable]), ("c.sh", 0o755, [])):
        path = tmp_path / name
        path.write_text("")
        path.chmod(mode)
        assert command_line(str(path), ["x"]) == [*by, str(path), "x"]


def test_a_door_is_told_by_the_number_in_its_name():
    """The last one, or the one before it: there may be several buses, and a bus may have a number in its name."""
    assert _pids(Path("/r/shop-12.sock")) == {12}
    assert _pids(Path("/r/shop-7-1234.tcp")) == {1234}
    assert _pids(Path("/r/shop-1234-2.sock")) == {1234, 2}
    assert _pids(Path("/r/shop.sock")) == set()


def test_a_command_that_cannot_be_started_is_explained():
    """With the system's own words."""
    with pytest.raises(TargetError, match="cannot start /no/such/thing: No such file"):
        launch(["/no/such/thing"], name="x")


def test_a_runtime_directory_with_too_long_a_path_is_said_at_once(tmp_path, monkeypatch):
    """The program could not open its door there, and the console would wait for ever."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 100)))
    with pytest.raises(TargetError, match="set XDG_RUNTIME_DIR to a shorter directory"):
        launch([sys.executable, "-c", "pass"], name="never")


def test_why_there_is_no_door_is_said_while_the_console_waits(script, start, runtime_dir):
    """The last line that the program wrote to stderr stands beside what is waited for."""
    text = """
        import sys, time
        print("cannot open the door: no room", file=sys.stderr, flush=True)
        time.sleep(60)
    """
    target = start(script(text))
    said = "waiting for the program to make its bus: cannot open the door: no room"
    wait_for(lambda: target.info.reason == said)
