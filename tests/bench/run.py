"""Runs the measures: whose turn it is, on which CPUs, how often. What comes out is a dict of samples, one a round."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from tests.bench import emitters, measure, peers, reading, recording, screens
from tests.bench.measure import Sizes

Samples = dict[str, list[float]]
"""By "measure/peer": one value a round."""
_ONE_CALLER = peers.CALLED | peers.PINGED
_MANY_CALLS = {name: peers.CALLED[name] for name in ("bus", "bus off", "executor", "pykka") if name in peers.CALLED}


@dataclass(frozen=True, slots=True)
class Turn:
    """What a peer does in one round. One that is `portable` is worth measuring on all CPUs as well."""

    peer: str
    measured: Callable[[Sizes], dict[str, float]]
    portable: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """Turns that follow each other in every round, so that whatever disturbs the machine disturbs all of them."""

    name: str
    turns: tuple[Turn, ...] = field(repr=False)
    most: int = 100
    """Rounds."""


GROUPS = (
    Group("round-trip", tuple(Turn(p, partial(measure.round_trip, m)) for p, m in _ONE_CALLER.items())),
    Group("pipelined", tuple(Turn(p, partial(measure.pipelined, m)) for p, m in peers.CALLED.items())),
    Group("callers", tuple(Turn(p, partial(measure.many_callers, m)) for p, m in _MANY_CALLS.items())),
    *(
        Group(f"fire {shape[0]}×{shape[1]}", tuple(Turn(p, partial(measured, m)) for p, m in emitters.FIRED.items()))
        for shape, measured in ((shape, measure.fan_out(shape)) for shape in measure.SHAPES)
    ),
    Group(
        "checks",
        (
            Turn("bus", lambda sizes: {"argument check": measure.argument_check(sizes)}, portable=False),
            Turn("bus", lambda sizes: {"wait-for check": measure.wait_check(sizes)}, portable=False),
        ),
    ),
    Group(
        "reading",
        (
            Turn("1 M", reading.reading, portable=False),
            Turn("10 M", reading.drawn, portable=False),
        ),
        most=3,
    ),
    Group(
        "recording",
        tuple(Turn(level, recording.recording(level), portable=False) for level in recording.LEVELS),
        most=5,
    ),
    Group(
        "screens",
        (
            Turn("1 M", screens.recorded, portable=False),
            Turn("live", screens.live, portable=False),
        ),
        most=1,
    ),
    # It counts bytes, and they are the same every time.
    Group("memory", tuple(Turn(p, partial(measure.memory, m), portable=False) for p, m in _MANY_CALLS.items()), most=1),
)
NAMES = tuple(dict.fromkeys(group.name.partition(" ")[0] for group in GROUPS))


def can_pin() -> bool:
    """Whether this system lets a thread choose its CPUs."""
    return hasattr(os, "sched_setaffinity")


@contextmanager
def pinned() -> Iterator[None]:
    """Keep this thread, and those made by it meanwhile, on one CPU."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def run(
    sizes: Sizes, rounds: int, only: str = "", tell: Callable[[str], None] = lambda _: None, *, pin: bool = True
) -> Samples:
    """Every group ROUNDS times, or ONLY those whose name begins so; without PIN on all CPUs, what is `portable`.

    TELL is given a line before each group.
    """
    samples: Samples = {}
    for group in GROUPS:
        turns = [turn for turn in group.turns if pin or turn.portable]
        if not turns or (only and not group.name.startswith(only)):
            continue
        tell(f"{group.name}, {'one CPU' if pin else 'all CPUs'} ...")
        for _ in range(min(rounds, group.most)):
            _round(turns, sizes, samples, pin=pin)
    return samples


def _round(turns: list[Turn], sizes: Sizes, samples: Samples, *, pin: bool) -> None:
    for turn in turns:
        if pin and can_pin():
            with pinned():
                measured = turn.measured(sizes)
        else:
            measured = turn.measured(sizes)
        for name, value in measured.items():
            samples.setdefault(f"{name}/{turn.peer}", []).append(value)
