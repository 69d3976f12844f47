"""A place for the command line to work in, and a program that runs there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.processes import SHOP


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a program in it, and a runtime directory and a home of their own."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join(map(str, [Path.cwd(), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]))
    )
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "plain.py").write_text("print('hello'); import sys; print('bye', file=sys.stderr)")
    (tmp_path / "blank.txt").write_text("\nnothing of ours\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shop(place):
    """The program, running with its endpoint open."""
    env = {**os.environ, "BUS_CONSOLE": "1", "BUS_TRACE": "full"}
    with subprocess.Popen([sys.executable, "shop.py"], env=env, stdout=subprocess.PIPE, cwd=place) as process:
        assert process.stdout.readline() == b"open\n"
        yield process
        process.send_signal(signal.SIGINT)
        process.wait(10)
