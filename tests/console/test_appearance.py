"""The theme that was chosen last is the one to begin with; the command line and the config file say otherwise."""

import argparse

import pytest

from console.appearance import THEME_NAMES, remember_theme, remembered_theme
from console.cli.subcommands import _appearance


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def looks(theme=""):
    return _appearance(argparse.Namespace(theme=theme, ascii=False)).theme


def test_the_last_theme_is_remembered(home):
    """The first one until one was chosen; the config file and the command line overrule it, in this order."""
    assert looks() == THEME_NAMES[0]
    remember_theme("safe-light")
    assert looks() == "safe-light"
    (home / "config" / "bus-console").mkdir(parents=True)
    (home / "config" / "bus-console" / "config.toml").write_text('[console]\ntheme = "mono"\n')
    assert looks() == "mono"
    assert looks("light") == "light"


@pytest.mark.parametrize("kept", [b"", b"pink", b"\xff\xfe"])
def test_what_is_no_theme_is_forgotten(home, kept):
    """An older or newer version, or somebody else, may have written there."""
    remember_theme("light")
    (kept_in,) = (home / "state").rglob("theme")
    kept_in.write_bytes(kept)
    assert remembered_theme() == ""


def test_where_nothing_can_be_kept_nothing_fails(home):
    """A home that cannot be written to is no reason to end with an error."""
    (home / "state").write_text("a file where the folder should be")
    remember_theme("light")
    assert looks() == THEME_NAMES[0]
