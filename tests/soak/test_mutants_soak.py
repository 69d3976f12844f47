"""The door at full length: a million mutated frames, and a hundred thousand into a program that is watched."""

from collections.abc import Callable
from pathlib import Path

from tests.bus.attach.mutants import count_refused
from tests.bus.attach.test_mutants import Watched, bombard, warm_up


def test_a_million_mutants_are_refused_or_understood(figure: Callable[[str], None]) -> None:
    """From either side; nothing but a ProtocolError is raised."""
    refused = count_refused(1_000_000, seed=7)
    figure(f"mutated frames: 1,000,000, of which {refused:,} refused")
    assert 100_000 < refused < 990_000


def test_a_program_under_a_hundred_thousand_mutants_does_nothing_that_it_should_not(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """An audit hook watches it; afterwards it works."""
    program = Watched(tmp_path / "run")
    warm_up(program.path)
    program.watch()
    connections = bombard(program.path, 100_000, seed=8)
    figure(f"mutated frames into a program: 100,000 in {connections:,} connections")
    assert program.end() == ["whole"]
