"""Writes the three screens as SVG from a recorded session: the same bytes from the same recording, every time.

python screenshots/make.py [SESSION]        draw; without a SESSION: screenshots/sample.jsonl
python screenshots/make.py --record         record screenshots/sample.jsonl anew, from the real sample program
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.update(TZ="UTC", TEXTUAL_ANIMATIONS="none", COLORTERM="truecolor", TERM="xterm-256color")
time.tzset()
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from textual.pilot import Pilot  # noqa: E402  the environment first: Textual reads it when it is imported
from textual.widgets import Input  # noqa: E402

from console.session import Session  # noqa: E402
from console.target.launch import launch  # noqa: E402
from console.target.recorded import RecordedTarget  # noqa: E402
from console.tui.app import ConsoleApp  # noqa: E402
from console.tui.screens.listing import ListScreen  # noqa: E402
from console.tui.screens.timeline import TimelineScreen  # noqa: E402

SAMPLE = HERE / "sample.jsonl"
SIZE = (160, 45)
RECORD_SECONDS = 1.0
FOLDER = "encodings"
"""Of the standard library: enough files to keep every thread busy, and the recording stays small."""
WAIT_SECONDS = 30
BEFORE, AFTER = -5_000_000, 55_000_000
"""Ns around the selected call that the timeline shows."""


async def main(recording: Path) -> None:
    """Open RECORDING and save each screen."""
    session = Session(RecordedTarget(recording))
    try:
        await _loaded(session)
        app = ConsoleApp(session)
        async with app.run_test(size=SIZE) as pilot:
            for field in app.screen.query(Input):
                field.cursor_blink = False
            await _list(pilot, app, "1", "search.query")
            _save(app, "commands")
            await _list(pilot, app, "2", "file.found")
            _save(app, "events")
            await _timeline(pilot, app)
            _save(app, "timeline")
    finally:
        session.close()


async def _loaded(session: Session) -> None:
    """The file is read by a thread; wait until nothing more comes."""
    give_up = time.monotonic() + WAIT_SECONDS
    quiet = 0
    while quiet < 3 and time.monotonic() < give_up:  # noqa: PLR2004  drains without news: it is all there
        quiet = 0 if session.pump() or not session.commands() else quiet + 1
        await asyncio.sleep(0.05)


async def _list(pilot: Pilot[int], app: ConsoleApp, key: str, name: str) -> None:
    await pilot.press(key)
    await pilot.pause(0.2)
    screen = app.screen
    if isinstance(screen, ListScreen):
        screen.find(name)
    await _settle(pilot, app)


async def _timeline(pilot: Pilot[int], app: ConsoleApp) -> None:
    """The first failure is selected, in the middle of what its neighbours did."""
    await pilot.press("3")
    await pilot.pause(0.2)
    screen = app.screen
    failed = [call.id for name in _failing(app.session) for call in app.session.recent(name) if call.outcome == "error"]
    if isinstance(screen, TimelineScreen) and failed:
        screen.show_call(min(failed))
        await pilot.pause()
        timeline = screen.timeline
        began = timeline.detail.call.queued if timeline.detail else 0
        timeline.moved(timeline.viewport.fitted(began + BEFORE, began + AFTER))
    await _settle(pilot, app)


def _failing(session: Session) -> list[str]:
    return [row.name for row in session.commands() if row.errors] + [row.name for row in session.events() if row.failed]


async def _settle(pilot: Pilot[int], app: ConsoleApp) -> None:
    """All layouts and paints are done; then once more with everything known."""
    await pilot.pause(0.7)
    await pilot.wait_for_scheduled_animations()
    app.screen.refresh(layout=True)
    await pilot.pause()


def _save(app: ConsoleApp, name: str) -> None:
    svg = app.export_screenshot(title="bus-console")
    (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")
    print(f"screenshots/{name}.svg")


# ---- recording


def record() -> None:
    """Run the sample program for a moment, make some trouble in it, keep what it recorded; no path of this machine."""
    library = Path(asyncio.__file__).parent.parent
    SAMPLE.unlink(missing_ok=True)
    os.chdir(library)
    env = {"BUS_TRACE_FILE": str(SAMPLE), "PYTHONPATH": str(HERE.parent)}
    session = Session(launch([sys.executable, "-m", "sample_services", FOLDER], name="sample-search", env=env))
    try:
        _wait(session, lambda: session.info.can_act and len(session.commands()) > 1)
        _wait(session, lambda: any(row.name == "store.paths" and row.calls for row in session.commands()))
        for name, kwargs in (
            ("index.rebuild", {}),
            ("search.query", {"text": "codec"}),
            ("search.suggest", {"prefix": "en"}),
            ("trouble.slow", {"seconds": 0.03}),
            ("trouble.fail", {}),
            ("search.query", {"text": "mapping table"}),
        ):
            session.execute(name, [], kwargs)
        session.fire("file.changed", [], {"path": f"{FOLDER}/aliases.py"})
        end = time.monotonic() + RECORD_SECONDS
        _wait(session, lambda: time.monotonic() > end)
        session.execute("trouble.fail", [], {})
        end = time.monotonic() + 0.5
        _wait(session, lambda: time.monotonic() > end)
    finally:
        session.close()
    text = SAMPLE.read_text(encoding="utf-8")
    for path in (HERE.parent, library):
        text = text.replace(f"{path}/", "")
    SAMPLE.write_text(text, encoding="utf-8")
    print(f"{SAMPLE.name}: {len(text):,} characters")


def _wait(session: Session, condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + WAIT_SECONDS
    while not condition() and time.monotonic() < give_up:
        session.pump()
        time.sleep(0.02)


if __name__ == "__main__":
    if "--record" in sys.argv:
        record()
    else:
        asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE))
