"""A dump: what the flight recorder holds, written to a session file of its own."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from bus.runtime import NS, Lock
from bus.trace.chunk import Chunk
from bus.trace.recorder import Recorder
from bus.trace.records import AnyRecord, Call, Dropped, Dump, Session
from bus.trace.redact import bounded
from bus.trace.ring import Ring
from bus.trace.session import SessionError, SessionWriter, session_path

ASKED = "asked for by the program"
"""The trigger of a dump that a call wanted."""
_SECONDS = 5.0
_MAX_NUMBER = 10_000


class Snapshot:
    """A sink of the recorder that is there for one moment: takes what the ring holds, and the calls in flight.

    Filled on the pump's thread, read by the one who waited for it.
    """

    cpu = 0

    def __init__(self, ring: Ring) -> None:
        self.alive = True
        self.since = self.pushed_out = 0
        self.opening: tuple[AnyRecord, ...] = ()
        self.history: tuple[Chunk, ...] = ()
        self.now = Chunk(0, ())
        self._ring = ring

    def join(self, opening: tuple[AnyRecord, ...], history: tuple[Chunk, ...]) -> None:
        """See `Sink`."""
        self.opening, self.history = opening, history
        self.since, self.pushed_out = self._ring.since, self._ring.pushed_out

    def offer(self, chunk: Chunk) -> None:
        """See `Sink`: the first one has the calls in flight, and is the last that is wanted."""
        if self.alive:
            self.now = chunk
            self.alive = False

    def leave(self, chunk: Chunk) -> None:
        """See `Sink`."""
        self.offer(chunk)

    def flush(self, timeout: float) -> bool:
        """See `Sink`; nothing waits here."""
        del timeout
        return True

    def lost(self) -> int:
        """How many records the window should have, and has not."""
        items = (item for chunk in self.history for item in chunk.items)
        gaps = (item.count for item in items if isinstance(item, Dropped) and item.kind == "record")
        return self.pushed_out + sum(gaps)

    def records(self) -> Iterator[tuple[AnyRecord, ...]]:
        """All of it, what others refer to first."""
        yield self.opening
        for chunk in self.history:
            # Not the ring's own chunk: it would keep its records from now on, which are twice as large as its items.
            yield Chunk(chunk.at, chunk.items).records()
        yield self.now.unended()


class Dumps:
    """Writes dumps of one recorder, one at a time: `_lock` is held while one is written, which may take seconds."""

    def __init__(self, recorder: Recorder, lock: Lock) -> None:
        self._recorder = recorder
        self._lock = lock

    def write(self, path: str | os.PathLike[str], trigger: str = ASKED) -> Path:
        """Write a dump to PATH, or to a new file in the directory PATH; which one it became.

        Raises:
            SessionError: it cannot be written, or the recorder has ended.
        """
        with self._lock:
            snapshot = Snapshot(self._recorder.ring)
            if not self._recorder.add(snapshot, timeout=_SECONDS):
                message = f"cannot dump to {path}: the recorder of this bus does not answer; is the bus closed?"
                raise SessionError(message)
            session = self._recorder.session
            dump = Dump(
                trigger=bounded(trigger),
                begin=max(snapshot.since, session.start_monotonic),
                end=max(snapshot.now.at, session.start_monotonic),
                dropped=snapshot.lost(),
            )
            return write_dump(path, session, dump, snapshot.records())


def write_dump(
    path: str | os.PathLike[str], session: Session, dump: Dump, records: Iterable[Sequence[AnyRecord]]
) -> Path:
    """Write SESSION, DUMP and RECORDS to PATH, or to a new file in the directory PATH; which one it became.

    It has its name when it is complete: nobody sees half of one.

    Raises:
        SessionError: it cannot be written; then there is nothing.
    """
    final = dump_path(path, session, dump)
    writer = _writer(final, session)
    complete = False
    try:
        for some in chain([(dump,)], records):
            writer.write(some)
        writer.path.rename(final)
        complete = True
    except OSError as error:
        message = f"cannot dump to {final}: {error.strerror or error}"
        raise SessionError(message) from error
    finally:
        if not complete:
            writer.path.unlink(missing_ok=True)
        writer.close()
    return final


def _writer(final: Path, session: Session) -> SessionWriter:
    """The error is about FINAL, which somebody has named; nobody has named the other."""
    try:
        return SessionWriter(final.with_name(f".{final.name}.part"), session, part_bytes=0)
    except SessionError as error:
        why = error.__cause__.strerror if isinstance(error.__cause__, OSError) else error
        message = f"cannot dump to {final}: {why}"
        raise SessionError(message) from error


def dump_path(path: str | os.PathLike[str], session: Session, dump: Dump) -> Path:
    """PATH itself, or a name in the directory PATH that is not taken: `NAME-<start>-<pid>-dump-<seconds since>.jsonl`.

    Raises:
        SessionError: PATH is there, and is neither a file nor a directory: to rename over a device removes it.
    """
    chosen = session_path(path, session)
    if chosen == Path(path):
        if chosen.exists() and not chosen.is_file():
            message = f"cannot dump to {chosen}: it is neither a file nor a directory"
            raise SessionError(message)
        return chosen
    seconds = (dump.end - session.start_monotonic) // NS
    stem = f"{chosen.stem}-dump-{seconds}"
    names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, _MAX_NUMBER))
    return next(found for name in names if not (found := chosen.with_stem(name)).exists())


def said(dump: Dump) -> str:
    """What a person wants to know first of a dump."""
    seconds = (dump.end - dump.begin) / NS
    missing = f", {dump.dropped:,} records are missing" if dump.dropped else ""
    return f"a dump of the last {seconds:.1f} s: {dump.trigger}{missing}"


def dump_of(records: Iterable[AnyRecord], session: Session, at: int, dropped: int, trigger: str) -> Dump:
    """The header for RECORDS that came through the door at the moment AT, when DROPPED others could not be sent.

    Its window begins with the oldest call that ended.
    """
    begin, lost = at, dropped
    for record in records:
        if isinstance(record, Call) and record.ended:
            begin = min(begin, record.ended)
        elif isinstance(record, Dropped) and record.kind == "record":
            lost += record.count
    return Dump(trigger=trigger, begin=max(begin, session.start_monotonic), end=at, dropped=lost)
