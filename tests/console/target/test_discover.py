import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import bus
from bus import Bus, Service
from bus.attach.door import is_stale
from console.target import TargetError
from console.target.connecting import Connection
from console.target.discover import find, programs


@pytest.fixture
def shop():
    with Bus("shop") as made:
        made.add(Service("sales"))
        made.add(Service("gone"))
        made.remove("gone")
        made.serve()
        yield made


def test_programs_are_found_with_their_services(shop, runtime_dir):
    """Name, pid, age in seconds, services that have not stopped, socket."""
    (program,) = programs(services=True)
    assert (program.name, program.pid, program.services) == ("shop", os.getpid(), ("sales",))
    assert 0 <= program.age < 10
    assert program.socket.parent == runtime_dir


def test_without_programs_there_are_none(runtime_dir):
    """The directory need not exist."""
    assert programs() == []
    with pytest.raises(TargetError, match="no program can be attached to; start one with BUS_CONSOLE=1"):
        find()


def test_what_dead_programs_left_behind_is_not_listed(shop, runtime_dir):
    """Nor what is no endpoint, nor what does not answer."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(runtime_dir / "dead-1.sock"))
    (runtime_dir / "note.sock").write_text("")
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(str(runtime_dir / "silent-2.sock"))
    silent.listen()
    assert [program.name for program in programs()] == ["shop"]
    silent.close()


def test_a_program_is_meant_by_name_pid_socket_or_by_being_alone(shop):
    """All four give the same one."""
    expected = programs()[0].socket
    for spec in (None, "shop", str(os.getpid()), str(expected)):
        assert find(spec).socket == expected


def test_more_than_one_is_a_question(shop):
    """The answer is a pid, so the message lists them."""
    with Bus("shop") as other, Bus("store") as third:
        other.serve()
        third.serve()
        with pytest.raises(TargetError, match=rf"more than one .* shop {os.getpid()}, shop {os.getpid()}; say which"):
            find("shop")
        with pytest.raises(TargetError, match="more than one"):
            find()
        assert find("store").name == "store"


def test_two_processes_of_one_name_are_told_apart_by_their_pids(tmp_path):
    """Each has a socket of its own; one that was killed does not stand in the other's way."""
    program = "import sys\nfrom bus import Bus\nwith Bus('shop'):\n  print('open', flush=True)\n  sys.stdin.read()"
    environment = {**os.environ, "PYTHONPATH": str(Path(bus.__file__).parents[1]), "BUS_CONSOLE": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    both = [subprocess.Popen([sys.executable, "-c", program], env=environment, **pipes) for _ in range(2)]
    for one in both:
        assert one.stdout.readline() == b"open\n"
    with pytest.raises(TargetError, match="more than one program can be meant"):
        find("shop")
    assert [find(str(one.pid)).pid for one in both] == [one.pid for one in both]
    both[0].kill()
    both[0].wait()
    assert find("shop").pid == both[1].pid
    both[1].communicate()
    both[0].communicate()


def test_a_name_that_is_close_is_suggested(shop):
    """Otherwise those that there are."""
    with pytest.raises(TargetError, match="did you mean shop"):
        find("shp")
    with pytest.raises(TargetError, match="there are: shop"):
        find("zebra")


def test_names_are_escaped(runtime_dir):
    """A program may call itself what it likes."""
    with Bus("a\x1b[2Jb") as one:
        one.serve()
        assert programs()[0].name == "a\\x1b[2Jb"


def test_a_program_that_many_ask_at_once_is_waited_for(tmp_path):
    """Its queue of connections is full for a moment: that is no reason to say that it cannot be attached to."""
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(tmp_path / "busy.sock"))
        busy.listen(0)
        waiting = []
        with suppress(BlockingIOError):
            while True:
                waiting.append(socket.socket(socket.AF_UNIX))
                waiting[-1].settimeout(0)
                waiting[-1].connect(str(tmp_path / "busy.sock"))
        assert not is_stale(tmp_path / "busy.sock")
        with pytest.raises(TargetError, match="does not answer; is it stopped"):
            Connection(tmp_path / "busy.sock", "read", timeout=0.1)
        for one in waiting:
            one.close()
