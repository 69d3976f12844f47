"""A thousand endings of random shapes, ways and moments: none hangs, loses an event, or leaves anything behind."""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bus.endings import Ending, every_ending, run

ENDINGS = 1_000
AT_A_TIME = 4


@pytest.mark.timeout(1_800)
def test_a_thousand_endings(tmp_path: Path) -> None:
    """Each ends within 5 s, with the right code, and says nothing that it was not asked for."""
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().getrandbits(32))
    print(f"SOAK_SEED={seed}")  # noqa: T201  to run the same again
    chance = random.Random(seed)
    endings = [_at_any_moment(chance.choice(every_ending()), chance) for _ in range(ENDINGS)]

    def end(number: int) -> list[str]:
        place = tmp_path / str(number)
        place.mkdir()
        return [f"#{number} of seed {seed}: {endings[number]!r}: {wrong}" for wrong in run(endings[number], place)]

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        wrong = [one for found in pool.map(end, range(ENDINGS)) for one in found]
    assert not wrong, "\n\n".join(wrong)


def _at_any_moment(ending: Ending, chance: random.Random) -> Ending:
    delay = chance.choice((0, chance.uniform(0, 0.005), chance.uniform(0, 0.2)))
    return replace(ending, delay=delay, gap=chance.uniform(0, 0.1))
