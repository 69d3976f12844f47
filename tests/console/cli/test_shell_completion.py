"""The scripts, in the shells that they are for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from console.cli.shell_completion import _for_bash
from console.cli.shell_scripts import SCRIPTS
from tests.console.processes import console
from tests.e2e.terminal import Terminal


@pytest.fixture
def on_path(shop, place, monkeypatch):
    """`bus-console` is a command of the shell; the program SHOP runs."""
    command = place / "bin" / "bus-console"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m console "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    return place


def needs(shell):
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed here")


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_script_is_printed(place, shell):
    """It says where it belongs."""
    code, out, err = console("completion", shell)
    assert (code, err) == (0, "")
    assert f"bus-console completion {shell}" in out


def test_a_shell_that_is_not_known(place):
    """What there is, is said."""
    code, _, err = console("completion", "tcsh")
    assert code == 2
    assert "bash" in err


@needs("bash")
@pytest.mark.parametrize(
    ("line", "replies"),
    [
        ("bus-console cal", ["call", "calls"]), ("bus-console attach ", ["shop"]),
        ("bus-console call shop sa", ["say_hello"]), ("bus-console call shop say_hello x ti", ["times="]),
        ("bus-console calls shop outcome:fa", ["failed"]), ("bus-console calls shop 'took", ["took>"]),
        ("bus-console open bl", ["blank.txt"]), ("bus-console nope ", []),
        ('bus-console call shop "say', ["say_hello"]),
    ],
)  # fmt: skip
def test_bash(on_path, line, replies):
    """The function that bash calls, with what bash tells it."""
    script = """eval "$(bus-console completion bash)"
COMP_LINE=$1 COMP_POINT=${#1}
compopt() { :; }
_bus_console
printf '%s\\n' "${COMPREPLY[@]}"
"""
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", line], capture_output=True, text=True, check=True, timeout=30
    )
    found = [reply for reply in done.stdout.splitlines() if reply]
    assert found == replies


@needs("bash")
def test_tab_in_bash(on_path):
    """The key itself, in a real terminal."""
    script = on_path / "rc"
    script.write_text('PS1="$ "\neval "$(bus-console completion bash)"\n')
    with Terminal([shutil.which("bash"), "--rcfile", str(script), "-i"], columns=100, rows=20) as terminal:
        terminal.see(r"\$")
        terminal.send("bus-console call sh\t")
        terminal.see("bus-console call shop")
        terminal.send("say\t")
        terminal.see("call shop say_hello")
        terminal.send("Ann ti\t")
        terminal.see("say_hello Ann times=")
        terminal.send("2\r")
        terminal.see("Hello, Ann! Hello, Ann!")
        terminal.send("exit\r")


@needs("fish")
def test_fish(on_path):
    """Fish asks for whole words and shows what they are."""
    script = on_path / "bus-console.fish"
    script.write_text(console("completion", "fish")[1])
    ask = f"source {script}; complete -C 'bus-console call shop say'"
    done = subprocess.run(["fish", "--no-config", "-c", ask], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "say_hello\tGreet NAME.\n"


@needs("zsh")
def test_tab_in_zsh(on_path):
    """The key itself, in a real terminal."""
    script = on_path / ".zshrc"
    script.write_text('PS1="$ "\nautoload -U compinit; compinit -u\neval "$(bus-console completion zsh)"\n')
    environment = [shutil.which("env"), f"ZDOTDIR={on_path}", "zsh", "-i"]
    with Terminal(environment, columns=100, rows=20) as terminal:
        terminal.see(r"\$")
        terminal.send("bus-console call shop say\t")
        terminal.see("call shop say_hello")
        terminal.send("Ann ti\t")
        terminal.see("say_hello Ann times=")
        terminal.send("2\r")
        terminal.see("Hello, Ann! Hello, Ann!")
        terminal.send("exit\r")


@pytest.mark.parametrize(
    ("text", "typed", "quote", "reply"),
    [
        ("limit=5", "limit=", "", "5"), ("a b", "", "", "a\\ b"), ("it's", "", "", "it\\'s"), ("a b", "a", "'", "a b"),
        ("name:x", "na", "", "name:x"), ("$(rm)", "", "", "\\$\\(rm\\)"), ("ü", "", "", "\\ü"),
    ],
)  # fmt: skip
def test_words_for_bash(text, typed, quote, reply):
    """Without what bash has already, and nothing in it that a shell would carry out."""
    assert _for_bash(text, typed, quote) == reply


def test_hostile_names(place):
    """A path that a terminal would obey is not offered."""
    (place / "evil\x1b[2J.jsonl").touch()
    assert console("complete", "bash", "--", "bus-console open evil")[1] == ""
    assert Path.cwd() == place
