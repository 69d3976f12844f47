"""Programs on a system without Unix sockets, simulated: found, attached to and acted on as anywhere else."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import bus
from console.target import TargetError
from console.target.attached import AttachedTarget
from console.target.discover import find, programs
from console.target.launch import launch
from tests.bus.attach.unixless import hide_from_children
from tests.support import wait_for

ROOT = Path(bus.__file__).parents[1]
SHOP = """\
import threading
from bus import Bus, Service, command
class Shop(Service):
    @command("sell")
    def sell(self, item: str) -> str:
        return item.upper()
with Bus("shop") as bus:
    bus.add(Shop())
    print("open", flush=True)
    threading.Event().wait()
"""


@pytest.fixture
def environment(tmp_path):
    return {**os.environ, "PYTHONPATH": os.pathsep.join((hide_from_children(tmp_path / "site"), str(ROOT)))}


@pytest.fixture
def shop(environment, tmp_path):
    wanted = {**environment, "BUS_CONSOLE": "1"}
    with subprocess.Popen([sys.executable, "-c", SHOP], env=wanted, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"open\n"
        yield process
        process.send_signal(signal.SIGINT)
        process.wait(10)


def test_it_is_listed_and_found(shop, runtime_dir):
    """By name, by pid, by its file, by being the only one."""
    (program,) = programs(services=True)
    assert (program.name, program.pid, program.services) == ("shop", shop.pid, ("shop",))
    assert program.socket == runtime_dir / f"shop-{shop.pid}.tcp"
    for spec in (None, "shop", str(shop.pid), str(program.socket)):
        assert (find(spec).pid, find(spec).socket) == (shop.pid, program.socket)


def test_it_is_attached_to(shop):
    """A command is executed, and the program's end is seen."""
    target, replies = AttachedTarget(find("shop").socket), []
    target.execute("sell", ["tea"], {}, replies.append)
    wait_for(lambda: replies)
    assert replies[0].value == '"TEA"'
    shop.send_signal(signal.SIGINT)
    wait_for(lambda: target.info.state == "ended")
    target.close()


def test_the_command_line_lists_it_and_sends_it_lines(shop, environment):
    """`ps` and `repl`, on such a system themselves."""

    def console(*args, said=""):
        done = subprocess.run(
            [sys.executable, "-m", "console", *args],
            env=environment, input=said, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert f"shop-{shop.pid}.tcp" in console("ps")
    assert "TEA" in console("repl", "shop", said='sell "tea"\n')


def test_it_is_started_by_the_console(environment, runtime_dir):
    """`run` finds the door of its child; nothing stays behind."""
    target = launch([sys.executable, "-c", SHOP], name="x", env=environment)
    wait_for(lambda: target.info.state == "live", 20)
    target.close()
    assert list(runtime_dir.iterdir()) == []


def test_a_token_that_was_replaced_is_refused(shop, runtime_dir):
    """By the program, in its own words."""
    path = find("shop").socket
    path.write_text(path.read_text().replace('token":"', 'token":"0'))
    with pytest.raises(TargetError, match=r"refused: the token is not the one"):
        AttachedTarget(path)


def test_a_file_that_is_none_is_explained(tmp_path):
    """What is wrong, and what to do."""
    (tmp_path / "x.tcp").write_text("[]")
    with pytest.raises(TargetError, match="does not say where a program listens; `bus-console ps`"):
        AttachedTarget(tmp_path / "x.tcp")
