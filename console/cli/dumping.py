"""A dump made from outside: what a program's flight recorder holds, through the door, written on this side of it."""

import sys
from contextlib import closing
from pathlib import Path

from msgspec import structs

from bus.attach.protocol import Batch, Refused
from bus.trace.dump import dump_of, write_dump
from bus.trace.records import AnyRecord, Call
from bus.trace.redact import escape
from bus.trace.session import SessionError
from console import format as fmt
from console.model.timings import Labels
from console.target import TargetError
from console.target.connecting import Connection

_TRIGGER = "asked for by bus-console dump"


def dump(socket: Path, path: Path) -> int:
    """Write what the program behind SOCKET did last to PATH, or to a new file in the directory PATH.

    Raises:
        TargetError: it cannot be attached to, or the file cannot be written.
    """
    connection = Connection(socket, "read")
    with closing(connection.socket):
        records, now = _snapshot(connection)
    session = connection.welcome.session
    missing = now.dropped + now.in_flight - len(now.live)
    header = dump_of(records, session, now.at, missing, _TRIGGER)
    try:
        written = write_dump(path, session, header, (records, now.records, now.live))
    except SessionError as error:
        raise TargetError(str(error)) from None
    calls = sum(isinstance(record, Call) for record in (*records, *now.records, *now.live))
    sys.stdout.write(f"{escape(str(written))}: {fmt.plural(calls, 'call')}\n")
    return 0


def _snapshot(connection: Connection) -> tuple[list[AnyRecord], Batch]:
    """All that the ring holds, and the batch after it, which has the calls in flight; timings as records."""
    labels = Labels()
    records: list[AnyRecord] = []
    complete = False
    while True:
        message = connection.receive()
        if isinstance(message, Refused):
            raise TargetError(f"the program refused: {escape(message.reason)}")
        if not isinstance(message, Batch):
            continue
        labels.take(message)
        told = labels.records(message)
        if complete:
            return records, structs.replace(message, records=tuple(told))
        records += told
        complete = message.snapshot_done
