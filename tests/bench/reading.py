"""What the console does with a long recording: reads it, keeps it, draws it, tells percentiles."""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from msgspec import structs

from bus.trace.records import AnyRecord, Call, Wait
from bus.trace.session import SessionWriter
from console.model import timeline
from console.model.lane import CALL, Runs
from console.model.store import Store
from console.session import Session
from console.target.recorded import RecordedTarget
from tests import synthetic
from tests.bench.measure import Sizes

MS: Final = 1_000_000
CELLS: Final = 160
_PATTERN = 20_000
"""Calls of a made-up program; a long recording is this many, over and over, each time later."""
_WINDOWS = 40
_LANES = 15
_BLOCK = 100_000


def reading(sizes: Sizes) -> dict[str, float]:
    """A session file of level full, its calls with arguments and results, until all of it is in the model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.jsonl")
        calls = _write(path, sizes.read)
        began = time.perf_counter_ns()
        session = Session(RecordedTarget(path), retain=2 * calls)
        while not session.complete:
            if not session.pump():
                time.sleep(0.001)
        read = time.perf_counter_ns() - began
        session.close()
    store = session._store
    places = (*store.runs.values(), *store.instants.values())
    return {
        "read a call": read / calls,
        "percentiles": _took(session.commands),
        "timeline": _median_view(store),
        "bytes kept": sum(place.nbytes for place in places) / calls,
        "bytes of texts": store.codec.heap.size / calls,
    }


def drawn(sizes: Sizes) -> dict[str, float]:
    """The timeline of a model that is made in memory, because to read so long a recording takes a minute."""
    return {"timeline": _median_view(_store(sizes.drawn))}


def _median_view(store: Store) -> float:
    """Ns of all lanes in 160 cells, over windows of a hundred thousandth of the recording to all of it."""
    first, last = timeline.bounds(store, store.last)
    chance = random.Random(1)
    spans = [int((last - first) * 10 ** chance.uniform(-5, 0)) for _ in range(_WINDOWS)]
    starts = [chance.randrange(first, last) for _ in spans]
    return statistics.median(
        _took(lambda start=start, span=span: timeline.view(store, start, start + span, CELLS, store.last))
        for start, span in zip(starts, spans, strict=True)
    )


def _took(work: Callable[[], object]) -> float:
    began = time.perf_counter_ns()
    work()
    return time.perf_counter_ns() - began


def _write(path: Path, calls: int) -> int:
    """A session of at least CALLS calls; how many it has."""
    records = synthetic.session(min(calls, _PATTERN))
    timed = [record for record in records if isinstance(record, Call | Wait)]
    writer = SessionWriter(path, synthetic.session_record())
    writer.write(record for record in records if not isinstance(record, Call | Wait))
    written = 0
    for some in _repeated(timed):
        writer.write(some)
        written += sum(isinstance(record, Call) for record in some)
        if written >= calls:
            break
    writer.close()
    return written


def _repeated(timed: list[Call | Wait]) -> Iterator[list[AnyRecord]]:
    """The records again and again, with new ids and at later times."""
    span = max(record.ended for record in timed) - synthetic.START + MS
    ids = max(record.id for record in timed if isinstance(record, Call))
    turn = 0
    while True:
        yield [_later(record, turn * span, turn * ids) for record in timed]
        turn += 1


def _later(record: Call | Wait, by: int, ids: int) -> Call | Wait:
    if isinstance(record, Wait):
        call = record.call and record.call + ids
        return structs.replace(
            record, call=call, target=record.target + ids, began=record.began + by, ended=record.ended + by
        )
    return structs.replace(
        record, id=record.id + ids, root=record.root + ids, parent=record.parent and record.parent + ids,
        queued=record.queued + by, started=record.started and record.started + by, ended=record.ended + by,
    )  # fmt: skip


def _store(calls: int) -> Store:
    """A model of so many calls, a millisecond apart in each of fifteen lanes, one of a hundred failed."""
    store = Store(retain=calls)
    each = max(1, calls // _LANES)
    for lane in range(1, _LANES + 1):
        runs = store.runs[lane] = Runs()
        for first in range(0, each, _BLOCK):
            runs.add(_block(lane, np.arange(first, min(each, first + _BLOCK), dtype=np.int64)))
    store.first, store.last = synthetic.START, synthetic.START + each * MS
    return store


def _block(lane: int, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[str, np.ndarray]:
    started = synthetic.START + lane * 1_000 + numbers * MS
    columns = {name: np.zeros(len(numbers), np.int64) for name in CALL}
    columns["id"] = columns["root"] = 1 + numbers * _LANES + lane
    columns |= {"queued": started - 50_000, "started": started, "ended": started + 700_000}
    columns["cpu"] += 600_000
    columns["lane"] += lane
    columns["outcome"] = np.where(numbers % 100, 1, 3)
    return columns
