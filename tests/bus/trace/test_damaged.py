from tests.bus.trace.damaged import Damage, recorded


def test_every_cut_of_a_recording_reopens(tmp_path):
    """All whole lines are there, and the reader says that it left out the cut one."""
    damage = Damage(tmp_path / "d.jsonl", recorded(tmp_path / "s.jsonl"))
    damage.cut(range(len(damage.whole) + 1))
    assert damage.wrong == []


def test_every_flipped_byte_of_a_recording_reopens(tmp_path):
    """It costs two lines at most, and what is left out is counted; all values of a byte are tried in the soak."""
    damage = Damage(tmp_path / "d.jsonl", recorded(tmp_path / "s.jsonl"))
    assert 3_000 < len(damage.whole) < 6_000
    damage.flip(range(len(damage.whole)), [0xFF])
    damage.flip(range(0, len(damage.whole), 7), [0x01, 0x10, 0x80])
    assert damage.wrong == []
