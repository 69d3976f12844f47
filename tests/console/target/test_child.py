import os
import subprocess
import sys
from pathlib import Path

import pytest

import bus


def run(target, cwd):
    environment = {**os.environ, "PYTHONPATH": str(Path(bus.__file__).parents[1])}
    command = [sys.executable, "-m", "console.target.child", target]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def module(tmp_path):
    (tmp_path / "mod.py").write_text("def wrong():\n    return 7\n\nnumber = 7\n")
    (tmp_path / "broken.py").write_text("import nothing_like_this\n")
    return tmp_path


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nowhere:make", "there is no module nowhere"),
        ("mod:make", "mod has no function make"),
        ("mod:number", "mod has no function number"),
        ("mod:wrong", "mod:wrong returned a int, not a Bus"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(module, target, said):
    """No traceback for a typing mistake; exit status 2."""
    done = run(target, module)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_error_in_the_module_itself_keeps_its_traceback(module):
    """It is the developer's own code that is broken."""
    done = run("broken:make", module)
    assert "Traceback" in done.stderr
    assert "nothing_like_this" in done.stderr
