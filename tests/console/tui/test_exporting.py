"""An export goes on beside the screens: they answer meanwhile, and how it ended is said wherever one is."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.jobs import Job
from tests.console.tui.driving import Driver, batch, drive, target


class Held:
    """Exports that get no further than to their writing, until `go_on`."""

    def __init__(self) -> None:
        self.writing, self.go_on = threading.Event(), threading.Event()

    def step(self, job: Job[object], doing: str, part: float) -> None:
        if doing == "writing":
            self.writing.set()
            while not self.go_on.wait(0.01) and not job._stopping.is_set():
                pass
        STEP(job, doing, part)


STEP = Job.step


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    exports = Held()

    def step(job: Job[object], doing: str, part: float) -> None:
        exports.step(job, doing, part)

    monkeypatch.setattr(Job, "step", step)
    yield exports
    exports.go_on.set()


async def begin(driver: Driver, held: Held, path: Path) -> None:
    await driver.press("colon")
    driver.app.screen.focused.value = f"export {path}"  # type: ignore[union-attr]  # quicker than to type it
    await driver.press("enter")
    await driver.until(held.writing.is_set)


def test_the_screens_go_on_and_the_end_is_said(held: Held, tmp_path: Path) -> None:
    """How far it is stands above the bar; then the file and what is in it."""

    async def test(driver: Driver) -> None:
        await begin(driver, held, tmp_path / "out.json")
        await driver.sees("exporting to", "out.json: reading 100%")
        await driver.press("down")
        driver.target.add(batch())
        await driver.press("3")
        await driver.sees("whole recording")
        await driver.press("1")
        held.go_on.set()
        await driver.sees("out.json: 6")
        await driver.misses("exporting to")

    drive(test, target(state="recorded"))
    assert (tmp_path / "out.json").exists()


def test_its_end_is_said_on_another_screen_too(held: Held, tmp_path: Path) -> None:
    """As a note that goes by itself."""

    async def test(driver: Driver) -> None:
        await begin(driver, held, tmp_path / "out.json")
        await driver.press("3")
        await driver.sees("whole recording")
        driver.app._disable_notifications = False  # which Textual does in tests
        held.go_on.set()
        await driver.until(lambda: any("out.json: 6" in note.message for note in driver.app._notifications))

    drive(test, target(state="recorded"))


def test_control_c_stops_it(held: Held, tmp_path: Path) -> None:
    """And not the console; nothing is left of it."""

    async def test(driver: Driver) -> None:
        await begin(driver, held, tmp_path / "out.json")
        await driver.press("ctrl+c")
        await driver.sees("was stopped; nothing was written")
        assert driver.app.is_running

    drive(test, target(state="recorded"))
    assert list(tmp_path.iterdir()) == []


def test_who_leaves_meanwhile_leaves_no_half_file(held: Held, tmp_path: Path) -> None:
    """The export ends with the console."""

    def paths() -> list[Path]:
        return list(tmp_path.iterdir())

    async def test(driver: Driver) -> None:
        await begin(driver, held, tmp_path / "out.json")
        found.extend(path.name for path in paths())

    found: list[str] = []
    drive(test, target(state="recorded"))
    assert found == ["out.json.part"]
    assert paths() == []
