"""The exports to CSV, SQLite and Parquet, read by the csv module, SQLite and DuckDB and compared cell by cell."""

import csv
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bus.trace.records import Call, Lane, Output, State, Wait
from console.export import export
from console.export.tables import COLUMNS, _harmless
from tests import synthetic
from tests.console.export.sessions import (
    CALLS,
    LANES,
    OTHER_CALLS,
    OTHER_LANES,
    OTHER_PID,
    PID,
    START,
    UNIX,
    call,
    exported,
    recorded,
    session,
    two_processes,
)  # fmt: skip

Rows = list[dict[str, Any]]


def wanted(calls: Sequence[Call] = CALLS, pid: int = PID, lanes: dict[int, str] = LANES) -> Iterator[dict[str, Any]]:
    """The rows of some calls, empty cells as None."""
    for some in calls:
        error = some.error
        yield {
            "session": f"s{pid}", "pid": pid, "id": some.id, "parent": some.parent, "root": some.root,
            "kind": some.kind, "name": some.name, "service": some.service, "caller": some.caller,
            "caller_name": lanes.get(some.caller), "lane": some.lane, "lane_name": lanes.get(some.lane),
            "queued_at": wall_clock(some.queued - START + UNIX), "queued": some.queued, "started": some.started,
            "ended": some.ended, "wait": some.started - some.queued if some.started else None,
            "run": some.ended - some.started if some.started and some.ended else None, "cpu": some.cpu,
            "waited": some.waited, "computing": some.cpu,
            "elsewhere": some.cpu and some.ended - some.started - some.waited - some.cpu,
            "outcome": some.outcome, "error": error and error.type,
            "message": error and error.message, "traceback": error and error.traceback, "args": some.args,
            "result": some.result, "origin": some.by, "client": some.client, "marks": "",
        }  # fmt: skip


def both() -> Rows:
    """The rows of both processes."""
    return [*wanted(), *wanted(OTHER_CALLS, OTHER_PID, OTHER_LANES)]


def wall_clock(unix: int) -> str:
    seconds, ns = divmod(unix, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ns:09}Z"


def as_text(rows: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Rows as CSV can hold them; 0 and nothing are one for ids and moments, but not for lengths of time."""
    lengths = ("wait", "run", "cpu", "waited", "computing", "elsewhere")
    return sorted(
        tuple("" if value is None or (value == 0 and key not in lengths) else str(value) for key, value in row.items())
        for row in rows
    )


def test_parquet_in_duckdb(tmp_path: Path) -> None:
    """DuckDB finds every call of both processes, each cell as it was recorded, times to the ns."""
    duckdb = pytest.importorskip("duckdb", reason="the wheel duckdb is not installed")
    pytest.importorskip("pyarrow", reason="the wheel pyarrow is not installed")
    path = two_processes(tmp_path, "out.parquet")
    columns = ", ".join("epoch_ns(queued_at)" if name == "queued_at" else name for name in COLUMNS)
    with duckdb.connect() as database:
        found = database.execute(f"select {columns} from read_parquet(?)", [str(path)]).fetchall()
        types = dict(database.execute("select name, type from parquet_schema(?)", [str(path)]).fetchall())
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in found]
    assert as_text([{**row, "queued_at": wall_clock(row["queued_at"])} for row in rows]) == as_text(both())
    assert (types["queued"], types["name"]) == ("INT64", "BYTE_ARRAY")


def test_sqlite(tmp_path: Path) -> None:
    """SQL finds every call of both processes, each cell as it was recorded; the children of a call by an index."""
    with closing(sqlite3.connect(two_processes(tmp_path, "out.sqlite"))) as database:
        database.row_factory = sqlite3.Row
        assert as_text([dict(row) for row in database.execute("select * from calls")]) == as_text(both())
        plan = database.execute("explain query plan select * from calls where parent = 3").fetchone()
        assert "calls_parent" in plan["detail"]


def test_sqlite_has_all_else_too(tmp_path: Path) -> None:
    """Lanes, waits, states, mailbox depths, losses, problems and output are tables of their own."""
    others = [
        Wait(call=1, lane=2, target=2, began=START + 1, ended=START + 2),
        State(service="store", state="failed", at=START + 3, error="gone"),
        Output(at=START + 4, stream="stderr", text="<b>", lane=2, call=1),
    ]
    path = exported(tmp_path, [*session(*CALLS), *others], "out.db")
    with closing(sqlite3.connect(path)) as database:
        found = {
            name: database.execute(f'select * from "{name}"').fetchall()
            for name in ("sessions", "lanes", "waits", "states", "depths", "drops", "problems", "outputs")
        }
    assert found.pop("lanes") == [
        (PID, key, name, name.partition("-")[0] if "-" in name else "", key, 0, 0, 0) for key, name in LANES.items()
    ]
    assert found == {
        "sessions": [(f"s{PID}", PID, "fixture", "", START, UNIX, "times", 0)],
        "waits": [(PID, 1, 2, 2, START + 1, START + 2)],
        "states": [(PID, "store", "failed", START + 3, 1, "gone")],
        "depths": [(PID, "store", START + 5_005, 3, 0, 0, 0, 0)],
        "drops": [(PID, START + 6_007, 2, "event", "store"), (PID, START + 7_007, 3, "event", "store")],
        "problems": [(PID, "stuck", START + 8_009, "…", "[]", "[]", 0)],
        "outputs": [(PID, START + 4, "stderr", "", "<b>", 2, 1)],
    }


def test_csv(tmp_path: Path) -> None:
    """A CSV reader finds every call of both processes, each cell as it was recorded."""
    with two_processes(tmp_path, "out.csv").open(newline="", encoding="utf-8") as file:
        assert as_text(list(csv.DictReader(file))) == as_text(both())


def test_the_comparison_catches_a_wrong_cell(tmp_path: Path) -> None:
    """A session that differs by 1 ns in one call is not what was exported."""
    with exported(tmp_path, session(*CALLS), "out.csv").open(newline="", encoding="utf-8") as file:
        found = as_text(list(csv.DictReader(file)))
    assert found == as_text(list(wanted()))
    assert found != as_text(list(wanted([*CALLS[:-1], call(15, "long.ago", 1, 2, 3)])))


@pytest.mark.parametrize("ending", ["csv", "sqlite", "parquet"])
def test_more_than_a_batch(tmp_path: Path, ending: str) -> None:
    """The calls of a session that takes several batches are all there."""
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="the wheel pyarrow is not installed")
    records = synthetic.session(9_000)
    calls = sum(isinstance(record, Call) for record in records)
    done = export(recorded(tmp_path, records), tmp_path / f"out.{ending}")
    assert done.calls == calls > 8_192
    if ending == "csv":
        with done.path.open(newline="", encoding="utf-8") as file:
            assert sum(1 for _ in csv.DictReader(file)) == calls


FORMULAS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "@SUM(A1)",
        "+1",
        "-1",
        "\t=1",
        " =cmd|' /C calc'!A0",
        "x;=1+1",
        "x\ty\n=1",
        "\uff1d1+1",
        "\r\n@A",
        'a";=1',
    ],
)
def test_no_cell_is_a_formula(tmp_path: Path, text: str) -> None:
    """Whatever a program says, no spreadsheet runs it: neither as a cell, nor behind another separator."""
    hostile = call(1, text, 1, 2, 3, lane=2, args=text, result=text, client=text)
    with exported(tmp_path, session(hostile), "out.csv").open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
        file.seek(0)
        assert not any(formula_cells(file.read(), separator) for separator in ",;\t")
    assert row["args"].replace("'", "") == text.replace("'", "")


@given(st.text(st.sampled_from("=+-@\uff1d;\t\r\n \"',a1"), max_size=12))
def test_no_text_becomes_a_formula(text: str) -> None:
    """For all texts made of what is dangerous; and nothing but a ' is ever added."""
    row = tuple(text if kind == "text" else None for kind in COLUMNS.values())
    cell = next(each for each in _harmless(row) if each is not None)
    assert cell.replace("'", "") == text.replace("'", "")
    for piece in (cell, *(part for separator in ";\t\r\n" for part in cell.split(separator))):
        assert not piece.lstrip().startswith(FORMULAS)


def formula_cells(text: str, separator: str) -> list[str]:
    """The cells that a spreadsheet would run, if it took SEPARATOR for the one between cells and knew no quotes."""
    lines = text.splitlines() if separator != "," else []
    cells = [cell for line in lines for cell in line.split(separator)]
    cells += [cell for row in csv.reader(text.splitlines(keepends=True)) for cell in row]
    return [cell for cell in cells if cell.lstrip().startswith(FORMULAS)]


def test_a_lane_that_is_said_twice_is_one_row(tmp_path: Path) -> None:
    """With all that is known of it: when its thread began, and when it ended."""
    lane = Lane(key=77, name="guest", began=START)
    path = exported(tmp_path, [*session(*CALLS), lane, structs.replace(lane, ended=START + 9)], "out.db")
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("select key, name, began, ended from lanes where key = 77").fetchall()
    assert found == [(77, "guest", START, START + 9)]
