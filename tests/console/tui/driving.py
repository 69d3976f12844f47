"""The app, driven by keys and read as text, on a made-up session."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from bus.attach.protocol import Batch, Reply
from bus.trace.records import AnyRecord
from console.appearance import Appearance
from console.session import Session
from console.target import TargetState
from console.tui.app import ConsoleApp
from tests import synthetic

LARGE, SMALL, TINY = (160, 45), (80, 24), (40, 10)


class Driver:
    """What a test may do: press, click, read, wait for a text to appear."""

    def __init__(self, pilot: Pilot[Any], app: ConsoleApp, target: synthetic.FakeTarget) -> None:
        self.pilot, self.app, self.target = pilot, app, target

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        names = {" ": "space", ".": "full_stop", "/": "slash", "=": "equals_sign", "_": "underscore", ",": "comma"}
        await self.press(*(names.get(char, char) for char in text))

    def lines(self) -> list[str]:
        return ["".join(segment.text for segment in strip) for strip in self.app.screen._compositor.render_strips()]

    def text(self) -> str:
        return "\n".join(self.lines())

    def line(self, part: str) -> str:
        return next(line for line in self.lines() if part in line)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for CONDITION, frame by frame."""
        async with asyncio.timeout(10):
            while not condition():
                await self.pilot.pause(0.01)

    async def sees(self, *parts: str) -> None:
        try:
            await self.until(lambda: all(part in self.text() for part in parts))
        except TimeoutError:
            missing = [part for part in parts if part not in self.text()]
            raise AssertionError(f"not on the screen: {missing}\n{self.text()}") from None

    async def misses(self, part: str) -> None:
        try:
            await self.until(lambda: part not in self.text())
        except TimeoutError:
            raise AssertionError(f"still on the screen: {part}\n{self.text()}") from None


def played(calls: int = 600) -> list[Batch]:
    """The batches of a made-up session."""
    return list(synthetic.batches(synthetic.session(calls)))


def batch(*records: AnyRecord) -> Batch:
    """Records right after the beginning."""
    return Batch(at=synthetic.START + 1_000_000_000, records=(*synthetic.preamble(), *records), snapshot_done=True)


def target(
    batches: Sequence[Batch] | None = None, state: TargetState = "live", answers: dict[str, Reply] | None = None
) -> synthetic.FakeTarget:
    """A target with a made-up session; live unless said otherwise."""
    return synthetic.FakeTarget(played() if batches is None else batches, state=state, answers=answers)


@asynccontextmanager
async def running(source: synthetic.FakeTarget, size: tuple[int, int], appearance: Appearance = Appearance()):  # noqa: B008  it is frozen
    """The app, drawn once."""
    session = Session(source)
    app = ConsoleApp(session, appearance)
    try:
        async with app.run_test(size=size) as pilot:
            driver = Driver(pilot, app, source)
            await driver.until(lambda: "quit" in driver.text() or size[0] < 30)
            await pilot.pause(0.05)
            yield driver
    finally:
        session.close()


def drive(
    test: Callable[[Driver], Awaitable[None]],
    source: synthetic.FakeTarget | None = None,
    size: tuple[int, int] = LARGE,
    appearance: Appearance = Appearance(),  # noqa: B008  it is frozen
) -> None:
    """Run TEST against the app."""

    async def main() -> None:
        async with running(source or target(), size, appearance) as driver:
            await test(driver)

    asyncio.run(main())
