import contextlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the sample program indexes."""
    files = tmp_path / "files"
    files.mkdir()
    for number in range(40):
        (files / f"module_{number:02}.py").write_text(f"# a thread pool, number {number}\n" * 50)
    return files


@pytest.fixture
def runtime() -> Iterator[Path]:
    """Where sockets go: tmp_path can be so long that no socket's name fits behind it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def env(tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Directories of this test's own: what is left behind in them was left by this test."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    own = dict.fromkeys(("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(tmp_path))
    return {"XDG_RUNTIME_DIR": str(runtime), **own}


@pytest.fixture
def console(folder: Path, env: dict[str, str]) -> Iterator[Terminal]:
    """The screens on the sample program, which is killed in the end."""
    with Terminal([sys.executable, "-m", "console", "demo", str(folder)], env=env) as terminal:
        pid = int(terminal.see(r"sample-search +pid (\d+) .*LIVE").group(1))
        try:
            for command in ("watch.start", "trouble.tail"):  # all of its services have started
                terminal.see(re.escape(command), 60)
            yield terminal
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # when the test failed, or the console was killed by it
