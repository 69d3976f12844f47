"""Calls as rows of a table: CSV, SQLite and Parquet, with the same columns in all three.

Times are ns of the monotonic clock; `queued_at` is the wall clock, UTC. What is not known is empty: when a call that
never ran started, when one that runs to this day ended, the cpu time where it was not measured.
"""

import csv
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain, islice
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from bus.trace.records import Call, Depth, Dropped, Dump, Lane, Output, Problem, State, Wait
from console.export.arguments import measured
from console.export.source import Source

Row = tuple[Any, ...]

_BATCH: Final = 8_192
_INTEGER, _TEXT, _TIME = "integer", "text", "time"
COLUMNS: Final = {
    "session": _TEXT, "pid": _INTEGER, "id": _INTEGER, "parent": _INTEGER, "root": _INTEGER, "kind": _TEXT,
    "name": _TEXT, "service": _TEXT, "caller": _INTEGER, "caller_name": _TEXT, "lane": _INTEGER, "lane_name": _TEXT,
    "queued_at": _TIME, "queued": _INTEGER, "started": _INTEGER, "ended": _INTEGER, "wait": _INTEGER, "run": _INTEGER,
    "cpu": _INTEGER, "waited": _INTEGER, "computing": _INTEGER, "elsewhere": _INTEGER,
    "outcome": _TEXT, "error": _TEXT, "message": _TEXT, "traceback": _TEXT,
    "args": _TEXT, "result": _TEXT, "origin": _TEXT, "client": _TEXT, "marks": _TEXT,
}  # fmt: skip
"""The columns of a call, in order. `wait` and `run` are ns: in the queue, and from the start to the end.

Where the CPU time was measured, `run` is `waited` (for other calls), `computing` and `elsewhere`; else they are empty.
"""
_QUEUED_AT: Final = list(COLUMNS).index("queued_at")
_foreign: Final = itemgetter(*(number for number, kind in enumerate(COLUMNS.values()) if kind == _TEXT))
_FORMULA: Final = re.compile(r"(^|[;\t\r\n])(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")  # the wide ones too

_OTHERS: Final[Mapping[type, tuple[str, str]]] = {
    Lane: (
        "lanes",
        "key integer, name text, service text, worker integer, native integer, began integer, ended integer",
    ),
    Wait: ("waits", "call integer, lane integer, target integer, began integer, ended integer"),
    State: ("states", "service text, state text, at integer, workers integer, error text"),
    Depth: (
        "depths",
        "service text, at integer, depth integer, capacity integer, dropped integer, restarts integer, stuck integer",
    ),
    Dropped: ("drops", 'at integer, count integer, kind text, "where" text'),
    Dump: ("dumps", '"trigger" text, "begin" integer, "end" integer, dropped integer'),
    Problem: ("problems", "rule text, at integer, text text, calls text, cycle text, suspected integer"),
    Output: ("outputs", "at integer, stream text, level text, text text, lane integer, call integer"),
}
"""What a record that is no call becomes in SQLite: the table, and its columns besides `pid`: the record's fields."""
_FIELDS: Final = {
    kind: attrgetter(*re.findall(r"(\w+)\W? (?:text|integer)", columns)) for kind, (_, columns) in _OTHERS.items()
}
_SQL_TYPES: Final = {_INTEGER: "integer", _TEXT: "text", _TIME: "text"}
_TABLES: Final = {
    "calls": ", ".join(f"{name} {_SQL_TYPES[kind]}" for name, kind in COLUMNS.items()),
    "sessions": "session text, pid integer, program text, python text, start_monotonic integer, start_unix integer, "
    "level text, damaged_lines integer",
    **{table: f"pid integer, {columns}" for table, columns in _OTHERS.values()},
}


def write_csv(sources: Sequence[Source], path: Path) -> int:
    """Write the calls as CSV and return their number.

    Text that a spreadsheet would run as a formula gets a ' in front, also behind what it may take for a separator.
    """
    calls = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for rows in _batches(sources):
            writer.writerows(map(_harmless, _with_text_times(rows)))
            calls += len(rows)
    return calls


def write_sqlite(sources: Sequence[Source], path: Path) -> int:
    """Write the calls, and all else that the sessions hold, as an SQLite database; return the number of calls."""
    calls = 0
    with closing(sqlite3.connect(path)) as database:
        database.executescript("pragma journal_mode = off; pragma synchronous = off; begin;")
        for table, columns in _TABLES.items():
            database.execute(f"create table {table} ({columns})")
        for rows in _batches(sources):
            database.executemany(_insert("calls", len(COLUMNS)), _with_text_times(rows))
            calls += len(rows)
        for source in sources:
            _write_others(database, source)
        database.execute("create index calls_id on calls (id)")
        database.execute("create index calls_parent on calls (parent)")
        database.commit()
    return calls


def write_parquet(sources: Sequence[Source], path: Path) -> int:
    """Write the calls as Parquet, compressed with zstd, and return their number."""
    import pyarrow as pa
    from pyarrow import parquet

    # UTC, but without saying so: DuckDB needs an extension to show a time that has a zone.
    types = {_INTEGER: pa.int64(), _TEXT: pa.string(), _TIME: pa.timestamp("ns")}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    calls = 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in _batches(sources, 8 * _BATCH):
            columns = zip(zip(*rows, strict=True), schema.types, strict=True)
            batch = pa.record_batch([pa.array(values, kind) for values, kind in columns], schema=schema)
            writer.write_batch(batch)
            calls += len(rows)
    return calls


def _batches(sources: Iterable[Source], size: int = _BATCH) -> Iterator[Sequence[Row]]:
    rows = (_row(call, source) for source in sources for call in source.calls())
    while batch := list(islice(rows, size)):
        yield batch


def _row(call: Call, source: Source) -> Row:
    error, known = call.error, measured(call)
    return (
        source.session.session, source.pid, call.id, call.parent or None, call.root, call.kind,
        call.name, call.service, call.caller or None, source.lane_name(call.caller) if call.caller else "",
        call.lane or None, source.lane_name(call.lane) if call.lane else "",
        source.unix(call.queued), call.queued, call.started or None, call.ended or None,
        call.started - call.queued if call.started else None,
        call.ended - call.started if call.started and call.ended else None,
        call.cpu, call.waited, known.get("computing_ns"), known.get("elsewhere_ns"),
        call.outcome or "", error.type if error else "", error.message if error else "",
        error.traceback if error else "", call.args, call.result, call.by, call.client, " ".join(call.marks),
    )  # fmt: skip


def _with_text_times(rows: Sequence[Row]) -> Iterator[Row]:
    """ROWS with `queued_at` as `2026-09-21T12:04:31.200000123Z`."""
    times = np.array([row[_QUEUED_AT] for row in rows], "datetime64[ns]")
    for row, time in zip(rows, np.datetime_as_string(times).tolist(), strict=True):
        yield (*row[:_QUEUED_AT], f"{time}Z", *row[_QUEUED_AT + 1 :])


def _harmless(row: Row) -> Row:
    if not _FORMULA.search("\n".join(_foreign(row))):  # one search for a row, as most rows have none
        return row
    return tuple(_FORMULA.sub(r"\1'", cell) if isinstance(cell, str) else cell for cell in row)


def _cell(value: Any) -> Any:
    return msgspec.json.encode(value).decode() if isinstance(value, tuple) else value


def _write_others(database: sqlite3.Connection, source: Source) -> None:
    session = source.session
    about = (
        session.session, source.pid, session.program, session.python, session.start_monotonic, session.start_unix,
        session.level, source.damaged,
    )  # fmt: skip
    database.execute(_insert("sessions", len(about)), about)
    others = (record for record in source if type(record) in _OTHERS and type(record) is not Lane)
    for record in chain(source.survey.lanes.values(), others):  # a lane is said twice: of each, all that is known
        row = (source.pid, *_FIELDS[type(record)](record))
        database.execute(_insert(_OTHERS[type(record)][0], len(row)), tuple(map(_cell, row)))


def _insert(table: str, columns: int) -> str:
    return f"insert into {table} values ({', '.join('?' * columns)})"  # noqa: S608  our own names
