"""`python -m tests.bench.readme`: writes the table of `results.json` into the README, between two marks."""

import json
from pathlib import Path
from typing import Any

from tests.bench.table import number

RESULTS = Path(__file__).with_name("results.json")
"""What `make bench BENCH_ARGS="--json tests/bench/results.json"` wrote last."""
README = Path(__file__).parents[2] / "README.md"
_BEGIN, _END = "<!-- speed -->\n", "<!-- /speed -->"


def main() -> None:
    """Put it there."""
    README.write_text(with_table(README.read_text(encoding="utf-8"), _results()), encoding="utf-8")


def with_table(readme: str, found: dict[str, Any]) -> str:
    """README with the table of FOUND instead of the one that it has."""
    before, _, rest = readme.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{table(found)}{_END}{after}"


def table(found: dict[str, Any]) -> str:
    """The rows that have a goal, in Markdown."""
    machine = found["machine"]
    head = (
        f"{machine['python']}, {machine['os']}, a shared machine with {machine['cores']} cores, one of them used; "
        f"median of {found['rounds']} rounds.\n\n"
        "| | measured | least – most | goal |\n|---|---:|---:|---:|\n"
    )
    return head + "".join(map(_line, (row for row in found["rows"] if row["goal"] and row["value"] is not None)))


def _line(row: dict[str, Any]) -> str:
    unit = "" if row["unit"] == "×" else f" {row['unit']}"
    spread = "" if row["least"] == row["most"] else f"{number(row['least'])} – {number(row['most'])}"
    missed = "" if row["reached"] else ", missed"
    return f"| {row['name']} | {number(row['value'])}{unit} | {spread} | {row['goal']}{missed} |\n"


def _results() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
