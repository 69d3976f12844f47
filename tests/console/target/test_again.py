"""Whether a program that has ended runs again."""

from pathlib import Path

import pytest

from console.target import again
from console.target.again import Again
from console.target.discover import Program


def program(name: str, pid: int) -> Program:
    return Program(name, pid, 1.0, (), Path(f"{pid}.sock"))


def test_it_is_one_of_the_same_name_in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither itself nor a program of another name; when that one is gone, too, there is none."""
    running = [program("shop", 1), program("other", 2)]
    monkeypatch.setattr(again, "programs", lambda: running)
    seen = Again("shop", 1)
    seen.look()
    assert seen.found is None
    running.append(program("shop", 3))
    seen.look()
    assert seen.found is not None
    assert seen.found.pid == 3
    running.clear()
    seen.look()
    assert seen.found is None
