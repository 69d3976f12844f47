"""The command line where the shell, the disk or the home is not as usual, as processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = ["ps --json", "call shop say_hello Bob", "calls shop --json", "problems shop --seconds 0", "repl shop"]


def shell(command: str, redirected: str = "", **env: str) -> subprocess.CompletedProcess[bytes]:
    line = f"echo 'say_hello Bob' | {sys.executable} -W error -m console {command} {redirected}"
    return subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, timeout=30, check=False, env={**os.environ, **env}
    )


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_as_dev_null(shop, closed):
    """The work is done, its exit status is the same, and nothing is said about it."""
    for command in COMMANDS:
        done = shell(command, closed)
        assert (done.returncode, done.stderr) == (0, b"")
        if command == "call shop say_hello Bob":
            assert (b"Hello, Bob!" in done.stdout) == (closed in ("<&-", "2>&-"))


@pytest.mark.parametrize("command", ["run shop.py", "open none.jsonl", "repl nobody"])
def test_a_mistake_that_cannot_be_said(place, command):
    """With stderr closed, or on a full disk, the exit status says it, and nothing comes out at stdout."""
    for redirected in ("2>&-", "2>/dev/full"):
        done = shell(command, redirected)
        assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_is_one_sentence(shop):
    """What cannot be written is no reason for a traceback."""
    for command in (*COMMANDS, "completion bash", "dump shop -o d"):
        done = shell(command, ">/dev/full")
        assert (done.returncode, done.stderr) == (2, b"bus-console: No space left on device\n")


@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"HOME": "/proc/none", "XDG_STATE_HOME": ""},
        {"TERM": "dumb", "NO_COLOR": "1"}, {"COLUMNS": "0", "LINES": "-1"},
    ],
    ids=["ascii", "no home", "no colour", "odd size"],
)  # fmt: skip
def test_odd_surroundings(shop, env):
    """A locale of ASCII, a home that is not there or cannot be written to, a terminal that knows nothing."""
    for command in COMMANDS:
        done = shell(command, **env)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"\x1b" not in done.stdout
