"""What each picture shows: the keys that a person would press, on the recorded session; drawn the same every time."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from msgspec.structs import replace

os.environ.update(TZ="UTC", TEXTUAL_ANIMATIONS="none", COLORTERM="truecolor", TERM="xterm-256color")
os.environ.pop("NO_COLOR", None)
time.tzset()

from textual.pilot import Pilot  # noqa: E402  the environment first: Textual reads it when it is imported
from textual.strip import Strip  # noqa: E402
from textual.widgets import Input  # noqa: E402

from console.appearance import Appearance  # noqa: E402
from console.session import Session  # noqa: E402
from console.target import TargetInfo  # noqa: E402
from console.target.recorded import RecordedTarget  # noqa: E402
from console.tui.app import ConsoleApp  # noqa: E402
from console.tui.screens.calls import CallsScreen  # noqa: E402
from console.tui.screens.listing import ListScreen  # noqa: E402
from console.tui.screens.problems import ProblemsScreen  # noqa: E402
from console.tui.screens.timeline import TimelineScreen  # noqa: E402

SAMPLE = Path(__file__).resolve().parent / "sample.jsonl"
LARGE, SMALL = (160, 45), (80, 24)
_PATIENCE = 30.0
_STILL = 2
"""Frames of the app in which nothing changes: the first of them may have begun before."""
_SOON = 0.01
_BEFORE, _AFTER = -1_000_000, 19_000_000
"""Ns around the selected call that the timeline shows."""


class Played(RecordedTarget):
    """A recording that can look like a program that runs or has ended: at rest, so that its pictures are the same."""

    acts = False
    exit = ""

    @property
    def info(self) -> TargetInfo:
        """As it is, but for what is played."""
        if self.exit:
            return replace(super().info, state="ended", reason=self.exit)
        return replace(super().info, can_act=self.acts)


@dataclass(frozen=True)
class Stage:
    """The app on the recording, and who presses its keys."""

    app: ConsoleApp
    pilot: Pilot[int]
    target: Played

    async def press(self, *keys: str) -> None:
        """Press KEYS and let what follows happen."""
        await self.pilot.press(*keys)
        await self.settle()

    async def write(self, text: str) -> None:
        """Type TEXT."""
        await self.press(*("space" if letter == " " else letter for letter in text))

    async def settle(self) -> None:
        """Until nothing is being worked out, and two pictures of different moments are the same."""
        give_up = time.monotonic() + _PATIENCE
        before, now = [], self._strips()
        while (now != before or self._works()) and time.monotonic() < give_up:
            frames = self.app.frames + _STILL
            while self.app.frames < frames and time.monotonic() < give_up:
                await self.pilot.pause(_SOON)
            before, now = now, self._strips()

    async def until_shown(self, text: str) -> None:
        """Until TEXT stands somewhere on the screen."""
        give_up = time.monotonic() + _PATIENCE
        while not any(text in strip.text for strip in self._strips()) and time.monotonic() < give_up:
            await self.pilot.pause(_SOON)

    def _works(self) -> bool:
        return any(worker.is_running for worker in self.app.workers)

    def _strips(self) -> list[Strip]:
        """What an SVG is made of, which takes five times as long."""
        for field in self.app.screen.query(Input):
            field.cursor_blink = False
        return self.app.screen._compositor.render_strips()  # noqa: SLF001  there is no other way but an SVG

    async def draw(self, name: str) -> str:
        """The SVG of the picture NAME, from wherever the app is; afterwards it is at rest again."""
        await SHOTS[name](self)
        svg = self.app.export_screenshot(title="bus-console")
        self.target.acts, self.target.exit = False, ""
        await self.press("escape", "escape", "escape")
        return svg


@asynccontextmanager
async def stage(size: tuple[int, int], appearance: Appearance, recording: Path = SAMPLE) -> AsyncIterator[Stage]:
    """The app in a terminal of SIZE, when RECORDING was read to its end."""
    target = Played(recording)
    session = Session(target)
    try:
        give_up = time.monotonic() + _PATIENCE
        while not session.complete and time.monotonic() < give_up:
            session.pump()
            await asyncio.sleep(0.01)
        app = ConsoleApp(session, appearance)
        async with app.run_test(size=size) as pilot:
            yield Stage(app, pilot, target)
    finally:
        session.close()


# ---- the pictures


async def _commands(on: Stage) -> None:
    await _list(on, "1", "search.query")


async def _events(on: Stage) -> None:
    await _list(on, "2", "file.found")


async def _timeline(on: Stage) -> None:
    """Who puts files into the index: four threads that wait for one, and what a failure was at."""
    await on.press("3")
    screen = on.app.screen
    assert isinstance(screen, TimelineScreen)
    screen.show_call(_first(on.app.session, "index.rebuild"))
    await on.settle()
    timeline = screen.timeline
    began = timeline.detail.call.queued if timeline.detail else 0
    timeline.moved(timeline.viewport.fitted(began + _BEFORE, began + _AFTER))
    await on.settle()


async def _calls(on: Stage) -> None:
    await on.press("4")
    await _call(on, "search.query")


async def _tree(on: Stage) -> None:
    await on.press("4")
    await _call(on, "index.rebuild")
    await on.press("t")


async def _services(on: Stage) -> None:
    await on.press("5", "home")


async def _problems(on: Stage) -> None:
    await _problem(on, "deadlock")


async def _output(on: Stage) -> None:
    await on.press("7", "home", "down")


async def _form(on: Stage) -> None:
    on.target.acts = True
    await _list(on, "1", "search.query")
    await on.press("x", "ctrl+u")
    await on.write("thread pool")


async def _wrong(on: Stage) -> None:
    """A field with a value that is not right, and what to do about it."""
    await _form(on)
    await on.press("tab")
    await on.write("many")
    await on.press("ctrl+r")


async def _ended(on: Stage) -> None:
    on.target.exit = "exit code 3"
    await on.until_shown("ENDED")
    await _list(on, "1", "search.query")


async def _nothing(on: Stage, key: str) -> None:
    """What a screen says before anything happened."""
    await on.press(key)


async def _help(on: Stage) -> None:
    await on.press("1", "question_mark")


async def _palette(on: Stage) -> None:
    await on.press("1", "ctrl+p")
    await on.write("search")


async def _no_match(on: Stage) -> None:
    await on.press("1", "slash")
    await on.write("nothing like it")
    await on.press("enter")


async def _slow_listener(on: Stage) -> None:
    await _problem(on, "clerk.answer")


async def _slow_listener_timeline(on: Stage) -> None:
    await _problem(on, "clerk.answer")
    await on.press("g")


Act = Callable[[Stage], Awaitable[None]]
_SCREENS = ("commands", "events", "timeline", "calls", "services", "problems", "output")
NOTHING = tuple(f"no-{screen}" for screen in _SCREENS)
"""Pictures of a program in which nothing happened."""
SHOTS: dict[str, Act] = {
    "commands": _commands,
    "events": _events,
    "timeline": _timeline,
    "calls": _calls,
    "tree": _tree,
    "services": _services,
    "problems": _problems,
    "output": _output,
    "slow-listener": _slow_listener,
    "slow-listener-timeline": _slow_listener_timeline,
    "help": _help,
    "palette": _palette,
    "no-match": _no_match,
    "form": _form,
    "wrong": _wrong,
    "ended": _ended,  # last: what it says in the bar may stay there, and would be in the next picture or not
    **{name: partial(_nothing, key=str(key)) for key, name in enumerate(NOTHING, 1)},
}


# ---- where they are


async def _list(on: Stage, key: str, name: str) -> None:
    await on.press(key)
    screen = on.app.screen
    assert isinstance(screen, ListScreen)
    screen.find(name)
    await on.settle()


async def _call(on: Stage, name: str) -> None:
    screen = on.app.screen
    assert isinstance(screen, CallsScreen)
    screen.find(_first(on.app.session, name))
    await on.settle()


async def _problem(on: Stage, text: str) -> None:
    await on.press("6")
    screen = on.app.screen
    assert isinstance(screen, ProblemsScreen)
    found = [one.id for one in on.app.session.problems().problems if text in (one.rule, one.name)]
    screen.rows.choose(found[0])
    await on.settle()


def _first(session: Session, name: str) -> int:
    return min(call.id for call in session.recent(name))
