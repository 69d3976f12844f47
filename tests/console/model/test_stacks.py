"""Where to look in a stack."""

import json
import sysconfig
import threading

import pytest

from bus.trace.records import Frame, Stack
from console.model.stacks import is_library, own_frame

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
