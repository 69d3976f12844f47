"""What was measured, as text for a person and as JSON for comparison."""

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from tests.bench.goals import ROWS, Row
from tests.bench.peers import ABSENT
from tests.bench.run import Samples, can_pin

Cells = Sequence[str]
_COLUMNS = ("", "goal", "", "rounds", "all CPUs")


def machine() -> dict[str, Any]:
    """Where it ran, in general words."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return {"cores": os.cpu_count(), "python": python, "os": platform.system(), "pinned": can_pin()}


def report(one_cpu: Samples, all_cpus: Samples, rounds: int) -> dict[str, Any]:
    """Everything, in JSON's terms. A row whose peer was not there has the value None."""
    return {
        "machine": machine(),
        "rounds": rounds,
        "rows": [_row(row, one_cpu, all_cpus) for row in ROWS],
        "ns": {"one CPU": one_cpu, "all CPUs": all_cpus},
    }


def text(found: dict[str, Any]) -> str:
    """The table of goals, that of other comparisons, and the times behind both."""
    where = found["machine"]
    cpus = "one CPU" if where["pinned"] else "all CPUs, because this system cannot pin threads"
    head = f"{where['python']}, {where['os']}, {where['cores']} cores · {cpus} · median of {found['rounds']} rounds"
    rows = [row for row in found["rows"] if row["value"] is not None]
    parts = [
        head,
        _table(("traced, if not said otherwise", *_COLUMNS), map(_goal_line, _with(rows))),
        _table(("of interest", *_COLUMNS), map(_goal_line, _with(rows, goal=False))),
        _table(("µs, median", "one CPU", "all CPUs"), _times(found["ns"]["one CPU"], found["ns"]["all CPUs"])),
    ]
    if ABSENT:
        parts.append(f"Not installed, so not measured: {', '.join(ABSENT)}.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _row(row: Row, one_cpu: Samples, all_cpus: Samples) -> dict[str, Any]:
    values, others = row.values(one_cpu), row.values(all_cpus)
    value = statistics.median(values) if values else None
    return {
        "name": row.name,
        "unit": row.unit,
        "value": value,
        "least": min(values, default=None),
        "most": max(values, default=None),
        "goal": row.goal_text,
        "reached": row.reached(value) if value is not None else None,
        "all CPUs": statistics.median(others) if others else None,
    }


def _with(rows: list[dict[str, Any]], *, goal: bool = True) -> list[dict[str, Any]]:
    return [row for row in rows if bool(row["goal"]) == goal]


def _goal_line(row: dict[str, Any]) -> Cells:
    unit = "" if row["unit"] == "×" else f" {row['unit']}"
    reached = {True: "reached", False: "NOT reached", None: ""}[row["reached"]]
    spread = "" if row["least"] == row["most"] else f"{number(row['least'])} – {number(row['most'])}"
    other = "" if row["all CPUs"] is None else number(row["all CPUs"])
    return row["name"], number(row["value"]) + unit, row["goal"], reached, spread, other


def _times(one_cpu: Samples, all_cpus: Samples) -> Iterable[Cells]:
    for name, values in one_cpu.items():
        if not name.startswith("bytes"):
            other = all_cpus.get(name)
            yield name, _micro(values), _micro(other) if other else ""


def _micro(values: list[float]) -> str:
    return f"{statistics.median(values) / 1_000:,.2f}"


def number(value: float) -> str:
    """Three digits, or all of those before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _table(head: Cells, lines: Iterable[Cells]) -> str:
    """The first column flush left, the others right; nothing when there are no lines."""
    body = list(lines)
    if not body:
        return ""
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    rule = tuple("─" * width for width in widths)
    return "\n".join(_line(cells, widths) for cells in (head, rule, *body))


def _line(cells: Cells, widths: list[int]) -> str:
    first, *others = cells
    right = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
    return "  ".join([first.ljust(widths[0]), *right]).rstrip()
