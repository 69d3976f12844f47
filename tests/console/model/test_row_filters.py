"""Rows of the lists, asked by filters."""

import pytest

from bus.trace.records import Entry
from console.language.filter_fields import COMMANDS, EVENTS, SERVICES, Fields
from console.language.filter_parser import parse
from console.model.predicates import Reader, predicate
from console.model.row_filters import COMMAND_ROWS, EVENT_ROWS, SERVICE_ROWS
from console.model.views import CommandRow, EventRow, ServiceRow, ThreadRow

COMMAND = CommandRow(
    name="index.file", service="indexer", calls=120, rate=2.5, running=1, queued=4, wait_p50=1, wait_p99=20_000_000,
    run_p50=None, run_p99=None, errors=3, last=1, last_failed=False, removed=False, entry=None,
)  # fmt: skip
EVENT = EventRow(
    name="file.found", fired=7, rate=0.5, delivery_rate=1.5, failed=0, last=1, last_args="path='a.py'",
    listeners=tuple(
        Entry(entry=n, kind="listener", name="file.*", service=name) for n, name in enumerate(("store", "search"), 1)
    ),
)  # fmt: skip
SERVICE = ServiceRow(
    name="store", state="running", workers=1,
    threads=(ThreadRow(7, "store-0", 9, "store.put", 1), ThreadRow(8, "spare")),
    depth=64, capacity=64, busy=0.835, rate=12.0, errors=2, restarts=1, dropped=5, stuck=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "reader", "row", "true", "false"),
    [
        (
            COMMANDS, COMMAND_ROWS, COMMAND,
            [
                "file", "indexer", "INDEX.*", "service=indexer", '"dex"', "calls>100", "rate:2..3", "now=1",
                "running=1", "queued>=4", "wait>10ms", "failed>2 errors<4",
            ],
            ["search", "name=index", "rate>2.5", "run>0s", "run<1s", "service:store", "failed=0"],
        ),
        (
            EVENTS, EVENT_ROWS, EVENT,
            [
                "found", "search", "service:store", "service:sea*", "fired=7", "rate<1", "deliveries:1..2",
                "listeners=2", "failed=0", "arg:a.py", '"A.PY"',
            ],
            ["a.py", "service:indexer", "listeners>2", "arg:b.py"],
        ),
        (
            SERVICES, SERVICE_ROWS, SERVICE,
            [
                "store", "put", "spare", "state:running", "state:stuck", "state:full", "thread:store-0", "call:put",
                "busy>83", "busy<84", "mailbox=64", "depth>60", "rate>10", "failed=2", "restarts=1", "lost=5",
                '"stuck"',
            ],
            ["state:failed", "call:spare", 'call=""', "busy>84", "lost=0"],
        ),
    ],
)  # fmt: skip
def test_what_a_row_is_asked(
    fields: Fields, reader: Reader[object], row: object, true: list[str], false: list[str]
) -> None:
    """By all columns; a bare word looks where it always did."""
    for line in true:
        assert predicate(parse(line, fields), reader)(row), line
        assert not predicate(parse(f"not ({line})", fields), reader)(row), line
    for line in false:
        assert not predicate(parse(line, fields), reader)(row), line


@pytest.mark.parametrize(
    ("fields", "reader"), [(COMMANDS, COMMAND_ROWS), (EVENTS, EVENT_ROWS), (SERVICES, SERVICE_ROWS)]
)  # fmt: skip
def test_every_field_can_be_read(fields: Fields, reader: Reader[object]) -> None:
    """What the grammar takes, the rows have."""
    assert {field.name for field in fields} == {*reader.texts, *reader.choices, *reader.numbers}
    assert {*reader.bare, *reader.quoted} <= {*reader.texts}


def test_what_the_threads_outside_are_called() -> None:
    """As the screen calls them."""
    assert predicate(parse("name=outside", SERVICES), SERVICE_ROWS)(ServiceRow(name=""))
