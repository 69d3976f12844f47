"""What the README shows is true: its Python runs, its commands and make targets exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("source", blocks("python"))
def test_python_of_the_readme_runs(source: str) -> None:
    """Each Python block runs as a program of its own, without a warning."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source], capture_output=True, text=True, timeout=30, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_first_commands_are_demo_and_test() -> None:
    """The two commands that a newcomer needs stand first, and make knows them."""
    first = blocks("console")[0]
    assert re.findall(r"\$ (make \w+)", first) == ["make demo", "make test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{target}:" in makefile for target in ("demo", "test"))


@pytest.mark.parametrize("verb", sorted(set(re.findall(r"\$ bus-console (\w+)", README))))
def test_verbs_of_the_readme_exist(verb: str) -> None:
    """Each `bus-console VERB` has a --help."""
    done = subprocess.run(
        [sys.executable, "-m", "console", verb, "--help"], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert verb in done.stdout


def test_pictures_exist() -> None:
    """Each picture of the README is in the repository."""
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert pictures
    assert [picture for picture in pictures if not (ROOT / picture).is_file()] == []
