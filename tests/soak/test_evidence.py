"""The evidence at full length: two hundred kills, every value of every byte, a recording beside a busy thread."""

from collections.abc import Callable
from pathlib import Path

from tests.bus.trace.damaged import Damage, recorded
from tests.bus.trace.killed import kill_at_random
from tests.console.target.rereading import check_cuts, check_flips
from tests.soak.pace import measure

_LIMIT_MS = 50


def test_two_hundred_kills(tmp_path: Path, figure: Callable[[str], None]) -> None:
    """What `kill -9` costs is the end alone. How old that is depends on who else uses the machine: it is a figure."""
    kills = kill_at_random(tmp_path, 200, seed=4)
    ages = sorted(kill.lost_age / 1e6 for kill in kills)
    over = sum(age > _LIMIT_MS for age in ages)
    figure(
        f"200 kills: oldest lost call {ages[100]:.1f} ms (median), {ages[197]:.1f} ms (p99), {ages[-1]:.1f} ms (most); "
        f"{over} over {_LIMIT_MS} ms; {sum(kill.damaged for kill in kills)} cut lines"
    )
    assert sum(kill.gaps for kill in kills) == 0
    assert all(kill.damaged <= 1 for kill in kills)


def test_every_value_of_every_byte(tmp_path: Path, figure: Callable[[str], None]) -> None:
    """A session with one wrong byte reopens, and nothing is missing that was not said."""
    damage = Damage(tmp_path / "d.jsonl", recorded(tmp_path / "s.jsonl"))
    damage.flip(range(len(damage.whole)), range(1, 256))
    figure(f"flipped bytes: {len(damage.whole)} bytes, {255 * len(damage.whole):,} files")
    assert damage.wrong == []


def test_a_recording_keeps_up_beside_a_busy_thread(tmp_path: Path, figure: Callable[[str], None]) -> None:
    """Every call is in the file."""
    pace = measure(tmp_path / "s.jsonl", 20_000, 30)
    figure(f"pace: {pace}")
    assert pace.lost == 0
    assert pace.recorded == pace.calls


def test_a_recording_damaged_anywhere_is_read_as_by_record(tmp_path: Path) -> None:
    """Every cut and every flipped byte, read fast and read slowly."""
    check_cuts(tmp_path, 1)
    check_flips(tmp_path, 1)
