"""What is read in portions, packed on the way, is what one finds who reads the file record by record."""

from pathlib import Path

import msgspec

from bus.trace.records import Call
from tests.console.target.rereading import RECORDS, UNENDED, check_cuts, check_flips, fast, known, slow, written


def test_a_whole_file_is_read_as_by_record(tmp_path: Path) -> None:
    """With calls that the recording saw no end of, and one that was noted while it ran and ended later."""
    ended = next(record for record in RECORDS if isinstance(record, Call) and record.kind == "command")
    running = msgspec.structs.replace(ended, outcome=None, ended=0)
    path = written(tmp_path, [running, *UNENDED, *RECORDS])
    (one, damaged), (other, also_damaged) = fast(path), slow(path.read_bytes())
    assert known(one) == known(other)
    assert set(one.live) == {9_001, 9_002}
    assert damaged == also_damaged == 0


def test_a_file_cut_anywhere_is_read_as_by_record(tmp_path: Path) -> None:
    """Whatever byte was the last one that was written; tests/soak has all of them."""
    check_cuts(tmp_path, 37)


def test_a_flipped_byte_costs_what_it_costs_by_record(tmp_path: Path) -> None:
    """Whichever byte it is; tests/soak has all of them."""
    check_flips(tmp_path, 29)
