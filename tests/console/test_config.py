"""The config file."""

from pathlib import Path

import pytest

from console import config
from console.appearance import config_path
from console.config import ConfigError
from console.model.problems.failures import FailingLimits
from console.model.problems.waits import StuckLimits
from console.preferences import Preferences

GOOD = """
# as one writes it
[problems.stuck]
seconds = 5
allow = ["index.*", "trouble.slow"]
[problems.failing]
failures = 3
share = 0.5
[problems.no_listener]
allow = ["debug.*"]
"""


def load(tmp_path: Path, text: str | bytes) -> object:
    path = tmp_path / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return config.load(path)


def test_limits_and_allowed_names(tmp_path: Path) -> None:
    """What is not said keeps its default."""
    settings = load(tmp_path, GOOD).rules
    assert settings.limits["stuck"] == StuckLimits(seconds=5)
    assert settings.limits["failing"] == FailingLimits(failures=3, share=0.5)
    assert settings.allowed["stuck"] == ("index.*", "trouble.slow")
    assert settings.allowed["no listener"] == ("debug.*",)


def test_no_file_is_fine(tmp_path: Path) -> None:
    """Nothing has to be configured."""
    settings = config.load(tmp_path / "none.toml").rules
    assert (settings.limits, settings.allowed) == ({}, {})


def test_the_file_is_in_the_users_config_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the platform has it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_path() == tmp_path / "bus-console" / "config.toml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[problems.stuck]\nsecnds = 5", "problems.stuck.secnds: there is no such setting; did you mean seconds?"),
        ("[problems.stuk]", "problems.stuk: there is no such rule; did you mean stuck? there are: lossy, deadlock"),
        ("[problem]", "problem: there is no such section; did you mean problems? there are: console, repl, problems"),
        ("[problems.stuck]\nseconds = -1", "problems.stuck.seconds = -1: must be a number of 0 or more"),
        ('[problems.stuck]\nseconds = "5"', "problems.stuck.seconds = '5': must be a number of 0 or more"),
        ("[problems.stuck]\nsamples = 1.5", "problems.stuck.samples = 1.5: must be a whole number of 1 or more"),
        ("[problems.stuck]\nsamples = 0", "problems.stuck.samples = 0: must be a whole number of 1 or more"),
        ('[problems.stuck]\nallow = "x"', "problems.stuck.allow = 'x': must be a list of name patterns"),
        ("[problems.stuck]\nallow = [1]", "problems.stuck.allow = [1]: must be a list of name patterns"),
        ("problems = 3", "problems = 3: must be a section, as in [problems]"),
        ("[problems]\nstuck = 3", "problems.stuck = 3: must be a section, as in [problems.stuck]"),
        ("[problems.deadlock]\nseconds = 3", "problems.deadlock.seconds: there is no such setting; there are: allow"),
        ("[problems.stuck\n", "is not TOML: "),
        ("a = 1\na = 2\n", "at line 2"),
        (b"\xff\xfe", "is not UTF-8 text"),
        ('[console]\ntheme = "lite"', "console.theme = 'lite': must be one of dark, light, safe-dark, "),
        ("[console]\nthem = 1", "console.them: there is no such setting; did you mean theme? there are: theme, ascii"),
        ("[console]\nretain = 5", "console.retain = 5: must be a whole number of 1000 or more"),
        ("[console]\nretain = true", "console.retain = True: must be a whole number"),
        ('[console]\nlevel = "ful"', "console.level = 'ful': must be one of off, times, full"),
        ("[console]\nlisted = 0", "console.listed = 0: must be a whole number of 1 or more"),
        ("[repl]\nvi = 1", "repl.vi = 1: must be true or false"),
        ("repl = []", "repl = []: must be a section, as in [repl]"),
    ],
)  # fmt: skip
def test_mistakes_are_named(tmp_path: Path, text: str | bytes, said: str) -> None:
    """The file, the line or the key, and what may stand there."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert str(tmp_path / "config.toml") in str(caught.value)
    assert said in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A folder in its place."""
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        config.load(tmp_path)


def test_preferences(tmp_path: Path) -> None:
    """How it looks, what is kept and recorded, how the REPL takes keys; what is not said keeps its default."""
    text = """
[console]
theme = "light"
ascii = true
retain = 5000
level = "times"
listed = 50
[repl]
vi = true
complete_while_typing = false
"""
    assert load(tmp_path, text).preferences == Preferences(
        theme="light", ascii_only=True, retain=5_000, level="times", listed=50, vi=True, complete_while_typing=False
    )
    assert load(tmp_path, "").preferences == Preferences()
