"""Where to look in a stack."""

import json
import queue
import socket
import sysconfig
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing

import pytest

from bus import lanes
from bus.trace.doing import Onlooker
from bus.trace.records import Frame, Stack, Waiting
from console.model.stacks import is_library, own_frame, waits_in
from tests.support import wait_for

OWN = Frame(function="f", file="/home/me/shop/stock.py", line=3)
BUS = Frame(function="Promise.result", file="/home/me/bus/promise.py", line=3, bus=True)


def library(file: str) -> Frame:
    return Frame(function="g", file=file, line=1)


@pytest.mark.parametrize(
    "file",
    [
        threading.__file__, json.__file__, f"{sysconfig.get_paths()['purelib']}/numpy/core.py",
        "/usr/lib/python3/dist-packages/apt.py", "/usr/lib64/python3.12/queue.py", "<frozen runpy>",
    ],
)  # fmt: skip
def test_what_python_brings_and_what_was_installed_is_a_library(file: str) -> None:
    """Whichever way it was installed."""
    assert is_library(library(file))


@pytest.mark.parametrize("file", ["/home/me/lib/stock.py", "stock.py", "<stdin>", "", "/srv/python3/app.py", __file__])
def test_the_programs_own_files_are_none(file: str) -> None:
    """Also in a folder that is called lib."""
    assert not is_library(library(file))


def test_the_own_frame_is_the_innermost_that_is_neither_the_bus_nor_a_library() -> None:
    """None where there is no such frame."""
    outer = Frame(function="outer", file="/home/me/shop/main.py", line=1)
    frames = (library(threading.__file__), BUS, OWN, library(json.__file__), outer)
    assert own_frame(Stack(lane=1, at=1, name="t", frames=frames)) is OWN
    assert own_frame(Stack(lane=1, at=1, name="t", frames=frames[:2])) is None
    assert own_frame(Stack(lane=1, at=1, name="t")) is None


@pytest.fixture
def waiting() -> Iterator[dict[str, Callable[[], object]]]:
    """Ways to wait, and an end of all of them."""
    full: queue.Queue[int] = queue.Queue(1)
    full.put(1)
    empty: queue.Queue[int] = queue.Queue()
    event, future, promised = threading.Event(), Future[int](), threading.Semaphore(0)
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield {
            "queue.Queue.get": empty.get, "queue.Queue.put": lambda: full.put(2), "threading.Event.wait": event.wait,
            "concurrent.futures.Future.result": future.result, "threading.Semaphore.acquire": promised.acquire,
            "socket.socket.accept": lambda: _accept(server),
        }  # fmt: skip
        empty.put(1)
        full.get()
        event.set()
        future.set_result(1)
        promised.release()
        socket.create_connection(server.getsockname()).close()


def _accept(server: socket.socket) -> None:
    connection, _ = server.accept()
    connection.close()


def test_a_thread_that_waits_in_pythons_own_code_is_said_to(waiting: dict[str, Callable[[], object]]) -> None:
    """By the name of what the program called, whatever that waits in in its turn."""

    def wait(how: Callable[[], object]) -> None:
        lanes.current_lane()
        how()

    threads = [threading.Thread(target=wait, args=(how,), name=name) for name, how in waiting.items()]
    for thread in threads:
        thread.start()
    onlooker = Onlooker(lambda: (), lambda: 1)

    def seen() -> dict[str, str]:
        return {stack.name: waits_in(stack) for stack in onlooker.look()[0] if stack.name in waiting}

    wait_for(lambda: seen() == {name: name for name in waiting})


def test_who_does_not_wait_in_pythons_own_code_is_not_said_to() -> None:
    """The program's own functions may have the same names; a wait on the bus is told otherwise; a library may work."""
    condition = Frame(function="Condition.wait", file=threading.__file__, line=1)
    own = Frame(function="Queue.get", file="/home/me/shop/queue.py", line=1)
    assert waits_in(Stack(lane=1, at=1, name="t", frames=(condition, OWN))) == "threading.Condition.wait"
    assert waits_in(Stack(lane=1, at=1, name="t", frames=(own, condition))) == ""
    assert waits_in(Stack(lane=1, at=1, name="t", frames=(BUS, condition))) == ""
    assert waits_in(Stack(lane=1, at=1, name="t", frames=(condition,), waiting=Waiting(call=1))) == ""
    assert waits_in(Stack(lane=1, at=1, name="t", frames=(library(json.__file__), OWN))) == ""
    assert waits_in(Stack(lane=1, at=1, name="t")) == ""
