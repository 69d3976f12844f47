"""The benchmark works; how fast anything is, no test says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import readme
from tests.bench.goals import ROWS
from tests.bench.peers import ABSENT

ROOT = Path(__file__).parents[2]


def bench(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "error", "-m", "tests.bench", "--quick", *options]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=200, check=True)


@pytest.mark.timeout(240)
def test_every_row_of_the_table_is_measured(tmp_path: Path) -> None:
    """All goals and comparisons have a value in the table and in the JSON, except for peers that are not installed."""
    printed = bench("--json", str(tmp_path / "bench.json")).stdout
    found = json.loads((tmp_path / "bench.json").read_text())
    measured = {row["name"] for row in found["rows"] if row["value"] is not None}
    absent = {*ABSENT, *([] if hasattr(os, "eventfd") else ["eventfd"])}
    expected = {row.name for row in ROWS if not absent & {key.partition("/")[2] for key in row.inputs}}
    assert measured == expected
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert all(name in printed for name in measured)
    assert all(value > 0 for samples in found["ns"].values() for rounds in samples.values() for value in rounds)


def test_one_group_alone_can_be_measured() -> None:
    """With `--only` no other group is measured, and the table has only the rows that can be worked out."""
    printed = bench("--only", "checks").stdout
    assert "argument check/bus" in printed
    assert "pipelined/bus" not in printed
    assert "argument check, all positional" in printed
    assert "SimpleQueue" not in printed


def test_readme_has_the_table_of_the_last_results() -> None:
    """What the README says of speed is what was measured, and names what was missed."""
    written = readme.README.read_text(encoding="utf-8")
    assert written == readme.with_table(written, json.loads(readme.RESULTS.read_text(encoding="utf-8")))
    assert "missed" in written.partition("<!-- speed -->")[2].partition("<!-- /speed -->")[0]
