"""The sessions that every export is proved with: four threads and all that can become of a call; a second process.

Nested and overlapping calls, an event with three listeners, a failure, a timeout, a refusal, one cancelled in the
queue, one that runs and one that is queued to this day, a child that outlives its parent, unicode, markup, an escaped
ESC. The other process has the same lane keys and the same call ids.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bus.trace.records import AnyRecord, Call, Depth, Dropped, Error, Lane, Problem, Session
from bus.trace.session import SessionWriter
from console.export import Selection, export

START = 7_000_000_123_456_789
UNIX = 1_790_000_000_000_000_321
PID, OTHER_PID = 4711, 4712
LANES = {1: "MainThread", 2: "indexer-0", 3: "indexer-1", 4: "store-0"}
OTHER_LANES = {1: "MainThread", 2: "cook-0"}
ERROR = Error("ValueError", "bad <b>bold</b> \\x1b[31m", "Traceback …\nValueError: bad")


def call(number: int, name: str, queued: int, started: int = 0, ended: int = 0, **more: Any) -> Call:
    """A call with times in ns after the start of the session."""
    defaults = {
        "root": number,
        "kind": "command",
        "service": "indexer",
        "caller": 1,
        "outcome": "ok" if ended else None,
    }
    times = {"queued": START + queued, "started": started and START + started, "ended": ended and START + ended}
    return Call(id=number, name=name, **{**defaults, **times, **more})


CALLS = (
    call(1, "index.file", 1_001, 2_003, 900_007, lane=2, cpu=500_001, waited=90_000, args="path='ä €'"),
    call(2, "store.put", 10_011, 11_013, 60_017, lane=4, caller=2, parent=1, root=1, args="<b>x</b>"),
    call(3, "file.found", 70_019, 70_019, 70_019, kind="event", service="", lane=2, caller=2, parent=1, root=1),
    call(4, "file.found", 70_021, 71_023, 80_027, kind="delivery", lane=3, caller=2, parent=3, root=1),
    call(5, "file.found", 70_021, 80_027, 90_031, kind="delivery", lane=3, caller=2, parent=3, root=1),
    call(6, "file.found", 70_022, 71_033, 950_037, kind="delivery", lane=4, caller=2, parent=3, root=1),
    call(7, "index.file \\x1b[31m ☃", 1_000_001, 1_000_003, 1_500_009, lane=2, outcome="error", error=ERROR),
    call(8, "index.file", 1_000_002, 1_500_009, 1_600_011, lane=2, outcome="expired", error=Error("CallTimeout")),
    call(9, "index.file", 1_000_004, 0, 1_200_013, outcome="cancelled"),
    call(10, "store.put", 1_000_005, 0, 1_000_017, caller=2, outcome="rejected", error=Error("MailboxFull")),
    call(11, "parent.short", 2_000_001, 2_000_103, 2_000_207, lane=3),
    call(12, "child.outlives", 2_000_105, 2_000_301, 2_900_307, lane=4, caller=3, parent=11, root=11),
    call(13, "still.running", 2_100_001, 2_100_103, lane=2),
    call(14, "still.queued", 2_200_001),
    call(15, "long.ago", 3_600_000_000_001, 3_600_000_000_123, 3_600_000_000_457, lane=3),
)
OTHER_CALLS = (
    call(1, "cook.meal", 4_001, 5_003, 700_007, service="cook", lane=2),
    call(2, "cook.clean", 5_001, 700_009, 800_011, service="cook", lane=2, caller=2, parent=1, root=1),
)
ALL = Selection()
RUNS = [some for some in CALLS if some.started and some.kind != "event"]


def session(*calls: Call, lanes: dict[int, str] = LANES) -> list[AnyRecord]:
    """The fixture session with these calls: lanes first, then the calls by their end, as a recorder writes them."""
    named = [Lane(key=key, name=name, service=_service(name), worker=key) for key, name in lanes.items()]
    ended = sorted((some for some in calls if some.outcome), key=lambda some: some.ended)
    unended = [some for some in calls if not some.outcome]
    others = [
        Depth(service="store", at=START + 5_005, depth=3), Problem(rule="stuck", at=START + 8_009, text="…"),
        Dropped(at=START + 6_007, count=2, kind="event", where="store"),
        Dropped(at=START + 7_007, count=3, kind="event", where="store"),
    ]  # fmt: skip
    return [*named, *unended, *ended, *others]


def recorded(folder: Path, records: Iterable[AnyRecord], *, pid: int = PID) -> Path:
    """A session file of the records."""
    first = Session(session=f"s{pid}", pid=pid, program="fixture", python="", start_monotonic=START, start_unix=UNIX)
    writer = SessionWriter(folder / f"session-{pid}.jsonl", first)
    writer.write(records)
    writer.close()
    return writer.path


def exported(folder: Path, records: Iterable[AnyRecord], name: str, selection: Selection = ALL) -> Path:
    """Where the records were exported to, by the ending of NAME."""
    return export(recorded(folder, records), folder / name, selection).path


def two_processes(folder: Path, name: str) -> Path:
    """Where the sessions of both processes were exported to."""
    files = [
        recorded(folder, session(*CALLS)),
        recorded(folder, session(*OTHER_CALLS, lanes=OTHER_LANES), pid=OTHER_PID),
    ]
    return export(files, folder / name).path


def _service(thread: str) -> str:
    service, dash, _ = thread.partition("-")
    return service if dash else ""
