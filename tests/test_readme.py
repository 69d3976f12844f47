"""What the README shows is true: each of its code blocks is executed, as a reader would, and its pictures exist."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.commands.table import COMMANDS
from console.config import load
from console.language.filter_parser import parse as parse_filter
from tests.e2e.terminal import Terminal
from tests.support import wait_for

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PATIENCE = 60.0
CTRL_C = "\x03"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


SHOP = next(block for block in blocks("python") if "def make_bus" in block)


@pytest.mark.parametrize("source", [block for block in blocks("python") if block != SHOP])
def test_python_of_the_readme_runs(source: str) -> None:
    """Each Python block runs as a program of its own, without a warning, and prints what it says beside it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source], capture_output=True, text=True, timeout=30, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, "")
    beside = re.findall(r"^ *print\(.*\)  # (.*)", source, re.MULTILINE)
    printed = done.stdout.splitlines() if beside else []
    assert all(said.startswith(line) for said, line in zip(beside, printed, strict=True))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with shop.py in it, and the commands of this environment; what is kept anywhere goes with the test."""
    (tmp_path / "shop.py").write_text(SHOP)
    with tempfile.TemporaryDirectory() as runtime:
        for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
            monkeypatch.setenv(name, str(tmp_path / "home"))
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.chdir(tmp_path)
        yield tmp_path


@pytest.fixture
def shop(place: Path) -> Iterator[None]:
    """The program of the README, running; until there is another one of its name."""
    with subprocess.Popen([sys.executable, "shop.py"], cwd=place) as program:
        wait_for(lambda: running() == 1, PATIENCE)
        yield
        program.terminate()


def shell(line: str) -> str:
    """What LINE prints; it has to end well."""
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, ""), line
    return done.stdout


def running() -> int:
    """How many programs of the README are there to attach to."""
    done = subprocess.run(["bus-console", "ps"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    return len(re.findall(r"^shop ", done.stdout, re.MULTILINE))


def until_interrupted(line: str, works: Callable[[], bool]) -> None:
    """Type LINE, and ^C as soon as it WORKS."""
    with Terminal(["/bin/bash", "-c", line]) as terminal:
        wait_for(works, PATIENCE)
        terminal.send(CTRL_C)
        terminal.wait(PATIENCE)


def program(line: str) -> None:
    """A program that runs until it is interrupted; one that writes a file is left alone until it has written much."""
    before, file = running(), re.match(r"BUS_TRACE_FILE=(\S+)", line)
    until_interrupted(
        line, lambda: running() > before and (file is None or Path(file[1]).read_text().count("sell") > 20)
    )


def record(line: str) -> None:
    """Writes into a file until it is interrupted."""
    file = Path(line.rsplit(maxsplit=1)[-1])
    until_interrupted(line, lambda: file.exists() and file.read_text().count("sell") > 20)


def screens(line: str) -> None:
    """They come, with the calls in them, and go."""
    with Terminal(["/bin/bash", "-c", line]) as terminal:
        terminal.see(r"shop\.sell", PATIENCE)
        terminal.send("q")
        assert terminal.wait(PATIENCE) == 0


def prompt(line: str) -> None:
    """A person types a line, and leaves."""
    with Terminal(["/bin/bash", "-c", line]) as terminal:
        terminal.see("shop", PATIENCE)
        terminal.send('shop.sell "tea"\r')
        terminal.see("tea for 1.0", PATIENCE)
        terminal.send("quit\r")
        assert terminal.wait(PATIENCE) == 0


def browser(line: str) -> None:
    """It says where it is."""
    with Terminal(["/bin/bash", "-c", line]) as terminal:
        terminal.see(r"http://127\.0\.0\.1:\d+", PATIENCE)
        terminal.send(CTRL_C)
        terminal.wait(PATIENCE)


def recipe(line: str) -> None:
    """Make knows the targets; what they do takes minutes, and the demo has a test of its own."""
    words = line.split("#", maxsplit=1)[0].split()
    done = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


WAYS: tuple[tuple[str, Callable[[str], object]], ...] = (
    (r"make ", recipe), (r".*python shop\.py", program), (r"bus-console record", record), (r"bus-console web", browser),
    (r"bus-console repl", prompt), (r"bus-console (attach|open|run)", screens), (r"", shell),
)  # fmt: skip


@pytest.mark.parametrize("block", blocks("console"))
@pytest.mark.usefixtures("shop")
def test_commands_of_the_readme_run(block: str) -> None:
    """Each line of a console block is typed into a shell, in their order, beside the program of the README."""
    lines = re.findall(r"^\$ (.*?)(?:  +#.*)?$", block, re.MULTILINE)
    assert lines
    for line in lines:
        way = next(way for pattern, way in WAYS if re.match(pattern, line))
        way(line)


def test_first_commands_are_demo_and_test() -> None:
    """The two commands that a newcomer needs stand first."""
    assert re.findall(r"\$ (make \w+)", blocks("console")[0]) == ["make demo", "make test"]


def test_lines_of_the_readme_are_understood(place: Path) -> None:
    """Its filters are filters, its config file is one, and its verbs are in the console's table."""
    verbs, filters = blocks("text")
    for line in filters.splitlines():
        assert parse_filter(re.split(r"  +", line)[0])
    (config,) = blocks("toml")
    (place / "config.toml").write_text(config)
    assert load(place / "config.toml").preferences.retain == 100_000
    known = {name for each in COMMANDS for name in (each.info.name, *each.aliases)}
    mentioned = [re.split(r"[ |]", part.strip())[0] for line in verbs.splitlines()[1:] for part in line.split("·")]
    assert set(mentioned) <= {*known, "search.query", "fire"}


def test_pictures_exist() -> None:
    """Each picture of the README is in the repository."""
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert pictures
    assert [picture for picture in pictures if not (ROOT / picture).is_file()] == []


def test_places_in_the_readme_exist() -> None:
    """Each link to a place in it leads to a heading."""
    titles = re.findall(r"^#+ (.*)", README, re.MULTILINE)
    headings = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#(.*?)\)", README)) <= headings
