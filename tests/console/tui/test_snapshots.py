"""The screens look as they did; `make screenshots snapshots` takes them anew when they should not.

They are drawn in a process of their own: Textual reads the environment when it is imported. pytest-textual-snapshot
would keep whole SVGs, 100 kB a picture, in which every version of Rich changes something: what is kept here is text.
"""

import difflib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.tui import snapshots
from tests.console.tui.snapshots import LOOKS, Look, kept

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_it_looks_as_it_did(look: Look, tmp_path: Path) -> None:
    """Every text, style and ground of every picture, in every size and theme."""
    _python("-m", "tests.console.tui.snapshots", look.name, str(tmp_path))
    differences = [line for name in look.names for line in _difference(look, name, tmp_path)]
    assert not differences, "\n".join(["`make screenshots snapshots` if it should look so:", *differences])


def test_nothing_is_kept_that_is_not_compared() -> None:
    """A picture that has another name now, or is none any more, leaves no file behind."""
    known = {look.file(name) for look in LOOKS for name in look.names}
    assert {path.name for path in Path(snapshots.__file__).with_suffix("").glob("*.txt")} <= known


def _difference(look: Look, name: str, folder: Path) -> list[str]:
    before, now = kept(look, name), (folder / look.file(name)).read_text(encoding="utf-8")
    titles = f"{name} as kept", f"{name} now"
    return list(difflib.unified_diff(before.splitlines(), now.splitlines(), *titles, n=0, lineterm=""))


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    """A picture of the same recording is the same file, wherever, whenever and in whatever environment it is drawn."""
    drawn = []
    for number, env in enumerate(({"TZ": "Asia/Tokyo", "NO_COLOR": "1"}, {"TERM": "dumb", "COLUMNS": "60"})):
        folder = tmp_path / str(number)
        folder.mkdir()
        _python(str(ROOT / "screenshots" / "make.py"), "--to", str(folder), "timeline", "problems", env=env, cwd=folder)
        drawn.append([(folder / name).read_bytes() for name in ("timeline.svg", "problems.svg")])
    assert drawn[0] == drawn[1]


def _python(*args: str, env: dict[str, str] | None = None, cwd: Path = ROOT) -> None:
    done = subprocess.run(
        [sys.executable, *args],
        check=False,
        cwd=cwd,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
