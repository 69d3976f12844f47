"""A recording read in portions, packed on the way, beside the same read record by record, however it is damaged."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import msgspec
import numpy as np

from bus.attach.protocol import Batch
from bus.trace import session
from bus.trace.records import AnyRecord, Call
from bus.trace.session import SessionWriter
from console.model import snapshot
from console.model.store import Store
from console.target import recorded
from console.target.recorded import RecordedTarget
from tests import synthetic
from tests.support import wait_for

DECODER = msgspec.json.Decoder(AnyRecord)


def fast(path: Path) -> tuple[Store, int]:
    """What the target gives, and how many lines it left out; a short file has many portions of several slices."""
    with (
        patch.object(session, "_SLICE", 300), patch.object(recorded, "_PORTION", 1_000),
        patch.object(recorded, "_READ", 700),
    ):  # fmt: skip
        return _read(RecordedTarget(path))


def _read(target: RecordedTarget) -> tuple[Store, int]:
    store = Store()
    done = False

    def read() -> bool:
        nonlocal done
        for batch in target.drain():
            store.take(batch)
            done = done or batch.snapshot_done
        return done

    wait_for(read)
    target.close()
    return store, target.info.damaged


def slow(data: bytes) -> tuple[Store, int]:
    """The same, a line at a time."""
    records: list[AnyRecord] = []
    damaged = 0
    for line in data.split(b"\n")[: -1 if data.endswith(b"\n") else None]:
        try:
            records.append(DECODER.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError):
            damaged += 1
    unended: dict[int, Call] = {}
    for record in records:
        if isinstance(record, Call) and record.outcome is None:
            unended[record.id] = record
    for record in records:
        if isinstance(record, Call) and record.outcome is not None:
            unended.pop(record.id, None)
    store = Store()
    store.take(Batch(at=0, records=tuple(records)))
    store.take(Batch(at=0, live=tuple(unended.values())))
    return store, damaged


def known(store: Store) -> tuple[object, ...]:
    """All that a store can tell."""
    first, *calls, live = snapshot.records(store)
    ended = sorted(itertools.chain.from_iterable(calls), key=lambda call: call.id)  # type: ignore[union-attr]
    totals = {
        lane: [some.before(np.arange(len(runs) + 1)).tolist() for some in (runs.run, runs.computed, runs.idle)]
        for lane, runs in store.runs.items()
    }
    blocked = {lane: runs.blocked(runs["ended"]).tolist() for lane, runs in store.runs.items()}
    return first, ended, sorted(live, key=str), totals, blocked, store.last_args, store.services, store.size, store.lost


def written(folder: Path, records: Sequence[AnyRecord]) -> Path:
    writer = SessionWriter(folder / "s.jsonl", synthetic.session_record())
    writer.write(records)
    writer.close()
    return writer.path


RECORDS = synthetic.session(25)
UNENDED = [
    Call(id=number, root=number, kind="command", name="there", lane=3, queued=synthetic.START + 1, started=started)
    for number, started in ((9_001, 0), (9_002, synthetic.START + 10**12))
]


def check_cuts(folder: Path, step: int) -> None:
    """The file ends after each STEPth byte."""
    path = written(folder, [*RECORDS[-14:], *UNENDED])
    data = path.read_bytes()
    for size in range(data.index(b"\n") + 1, len(data), step):
        check_same(path, data[:size])


def check_flips(folder: Path, step: int) -> None:
    """Each STEPth byte is another: it may make two lines of one, or one of two, or another valid record."""
    path = written(folder, RECORDS[-10:])
    data = path.read_bytes()
    for place in range(data.index(b"\n") + 1, len(data), step):
        check_same(path, data[:place] + bytes([data[place] ^ 0x0A]) + data[place + 1 :])


def check_same(path: Path, data: bytes) -> None:
    """PATH, with this in it, is read the same both ways."""
    path.write_bytes(data)
    (one, damaged), (other, also_damaged) = fast(path), slow(data)
    assert (damaged, known(one)) == (also_damaged, known(other))
