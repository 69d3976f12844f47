"""What could stand next on the command line."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cli import main
from console.cli.shell_words import offers, split
from tests.console.processes import console

PARSER = main._parser()


def words(*typed):
    return [text for text, _ in offers(PARSER, typed)]


def test_commands():
    """Those of the one parser, with what help says of them; what only scripts ask is not offered."""
    assert words("ca") == ["call", "calls"]
    assert {"demo", "run", "completion", "--version"} < set(words(""))
    assert "complete" not in words("")
    assert dict(offers(PARSER, ["ps"]))["ps"] == "list the programs that can be attached to"
    assert words("nope", "") == []


def test_options_and_their_values(tmp_path, monkeypatch):
    """The command's own options; the values that one can have; files where a file is wanted."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.jsonl").touch()
    (tmp_path / "notes.txt").touch()
    assert words("calls", "x", "--l") == ["--limit"]
    assert words("demo", "--theme", "sa") == ["safe-dark", "safe-light"]
    assert words("export", "-o", "no") == ["notes.txt"]
    assert words("calls", "--limit", "") == []
    assert words("open", "o") == ["old.jsonl"]
    assert words("completion", "") == ["bash", "zsh", "fish"]
    assert words("attach", "-") == ["--help", "--theme", "--ascii"]
    assert words("run", "-") == ["--help", "-m", "--theme", "--ascii"]
    assert words("run", "x.py", "--") == []  # what follows a program is the program's own


def test_where_nothing_runs(tmp_path, monkeypatch):
    """No program, no names of it; recordings are still offered where they can be read."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.jsonl").touch()
    assert words("attach", "") == []
    assert words("call", "nobody", "x") == []
    assert words("calls", "") == ["old.jsonl"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bus-console ca", (["bus-console", "ca"], "")), ("bus-console call ", (["bus-console", "call", ""], "")),
        ("x 'a b", (["x", "a b"], "'")), ('x "a b', (["x", "a b"], '"')), ("x a\\ b", (["x", "a b"], "")),
        ("", ([""], "")), ("x 'a b' ", (["x", "a b", ""], "")), ("x it\\'s", (["x", "it's"], "")),
    ],
)  # fmt: skip
def test_split(line, expected):
    """As a shell cuts words, also while a quote is open."""
    assert split(line) == expected


WORDS = st.sampled_from(["calls", "call", "--json", "-", "--", "fire", "x", "'", "--limit", ""]) | st.text(max_size=3)


@given(st.lists(WORDS))
def test_never_raises(typed):
    """Whatever was typed, there are candidates or none."""
    if len(typed) > 1 and any(command in typed[:1] for command in ("call", "fire", "calls", "watch")):
        typed = [typed[0], "/no/such.sock", *typed[2:]]
    for text, note in offers(PARSER, typed):
        assert isinstance(text, str)
        assert isinstance(note, str)


def test_what_a_program_knows(shop):
    """Programs by name, commands, parameters, values and filters of the one that is meant."""

    def asked(*typed):
        code, out, err = console("complete", "fish", "--", "bus-console", *typed)
        assert (code, err) == (0, "")
        return [line.partition("\t")[0] for line in out.splitlines()]

    assert asked("attach", "") == ["shop"]
    assert asked("call", "shop", "sa") == ["say_hello"]
    assert asked("call", "shop", "say_hello", "Ann", "") == ["times="]
    assert asked("calls", "-", "name:sa") == ["name:say_hello"]
    assert asked("calls", "-", "outcome:fa") == ["outcome:failed"]
    assert asked("record", str(os.getpid())) == []
