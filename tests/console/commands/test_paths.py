"""Files for completion."""

import os
from pathlib import Path

import pytest

from console.commands.paths import folder_of, paths
from console.language.candidates import LIMIT


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("b.py", "a b.txt", ".hidden", "bad\nname"):
        (tmp_path / name).touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tool").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_relative_and_absolute(folder):
    """What begins as typed, folders with a slash; what cannot be printed is left out."""
    assert paths("") == ["a b.txt", "b.py", "bin/"]
    assert paths("b") == ["b.py", "bin/"]
    assert paths("bin/") == ["bin/tool"]
    assert paths(f"{folder}/b") == [f"{folder}/b.py", f"{folder}/bin/"]


def test_hidden_and_home(folder, monkeypatch):
    """A dot asks for hidden files, a tilde for the home; both stay as they are typed."""
    monkeypatch.setenv("HOME", str(folder))
    assert paths(".h") == [".hidden"]
    assert paths("~/b") == ["~/b.py", "~/bin/"]


def test_from_another_folder(folder):
    """A program's relative paths begin where the program works."""
    assert paths("t", str(folder / "bin")) == ["tool"]
    assert Path(folder_of(os.getpid())).samefile(folder)
    assert folder_of(0) == folder_of(2**30) == ""


@pytest.mark.parametrize("typed", ["nope/", "b.py/", "\0/", "x" * 5000 + "/"])
def test_nothing_there(folder, typed):
    """A folder that there is not, or no path at all, has nothing in it."""
    assert paths(typed) == []


def test_a_large_folder(folder):
    """No more is given than anybody reads."""
    for number in range(LIMIT + 50):
        (folder / "bin" / f"f{number}").touch()
    assert len(paths("bin/")) == LIMIT
