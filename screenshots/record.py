"""Records screenshots/sample.jsonl anew: the sample program, with some trouble made in it; no path of this machine."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from console.session import Session
from console.target.launch import launch
from screenshots.shots import SAMPLE

_ROOT = Path(__file__).resolve().parent.parent
_FOLDER = "email"
"""Of the standard library: enough files to keep every thread busy, and the recording stays small."""
_SECONDS = 30.0
_REST = 0.5
"""Seconds without trouble: what came before is then seen to have ended."""
_TROUBLE: tuple[tuple[str, dict[str, object]], ...] = (
    ("index.rebuild", {}),
    ("search.query", {"text": "header"}),
    ("search.suggest", {"prefix": "me"}),
    ("trouble.slow", {"seconds": 0.03}),
    ("trouble.fail", {}),
    ("search.query", {"text": "parse policy"}),
    ("trouble.deadlock", {}),
    ("trouble.delay", {}),
    ("trouble.errors", {}),
    ("trouble.misspell", {}),
)


def record() -> None:
    """Run the sample program for a moment, and keep what it recorded."""
    library = Path(asyncio.__file__).parent.parent
    SAMPLE.unlink(missing_ok=True)
    os.chdir(library)
    env = {"PYTHONPATH": str(_ROOT)}
    session = Session(launch([sys.executable, "-m", "sample_services", _FOLDER], name="sample-search", env=env))
    try:
        _wait(session, lambda: session.info.can_act and len(session.commands()) > 1)
        session.start_recording(SAMPLE)
        _wait(session, lambda: any(row.name == "store.paths" and row.calls for row in session.commands()))
        for name, kwargs in _TROUBLE:
            pending = session.execute(name, [], kwargs)
            _wait(session, pending.done)
        session.fire("file.changed", [], {"path": f"{_FOLDER}/parser.py"})
        end = time.monotonic() + _REST
        _wait(session, lambda: time.monotonic() > end)
        session.stop_recording()
    finally:
        session.close()
    text = SAMPLE.read_text(encoding="utf-8")
    for path in (_ROOT, library):
        text = text.replace(f"{path}/", "")
    SAMPLE.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{SAMPLE.name}: {len(text):,} characters\n")


def _wait(session: Session, condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _SECONDS
    while not condition() and time.monotonic() < give_up:
        session.pump()
        time.sleep(0.02)
