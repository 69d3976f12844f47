"""The sink that writes a session file, on a thread of its own."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from bus.runtime import NS, Runtime, Thread
from bus.trace.chunk import Chunk, unended_record
from bus.trace.outlet import Outlet
from bus.trace.parts import PART_BYTES, compress
from bus.trace.records import AnyRecord, Dropped, Problem, Session
from bus.trace.session import SessionWriter

_LONG = NS
"""How long a call must be in flight to be noted while it still runs."""
_LOOK_EVERY = NS // 4
_log = logging.getLogger("bus")


class Recording:
    """Writes chunks to a file.

    A call that runs for more than a second is noted once as unended, so that it is in the file even if the program is
    killed; `leave` writes what is in flight then.
    `offer` and `leave` are called by the pump; everything with `_file` in its name belongs to the outlet's thread.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        session: Session,
        runtime: Runtime,
        report: Callable[[Problem], None],
        part_bytes: int = PART_BYTES,
    ) -> None:
        """Open PATH (see `SessionWriter`), and a new part after each PART_BYTES (0: never).

        REPORT is told, once, when recording has to stop.

        Raises:
            SessionError: it cannot be opened.
        """
        self._spawn = runtime.spawn
        self._file_compressing: list[Thread] = []
        self._file_writer = SessionWriter(path, session, part_bytes, self._file_part_closed)
        self.path = self._file_writer.path
        self._now = runtime.now
        self._report = report
        self._file_lost = 0
        self._file_noted: set[int] = set()
        self._file_looked = 0
        self._outlet: Outlet[Chunk | tuple[AnyRecord, ...]] = Outlet(
            "bus-trace-file", self._file_write, self._file_writer.close, runtime
        )

    @property
    def cpu(self) -> int:
        """CPU ns used so far."""
        return self._outlet.cpu

    @property
    def alive(self) -> bool:
        """Whether it still writes."""
        return self._outlet.alive

    def join(self, opening: tuple[AnyRecord, ...], history: tuple[Chunk, ...]) -> None:
        """Begin with the state of things; a file records what comes, so HISTORY is left out."""
        del history
        self._outlet.put(opening)

    def offer(self, chunk: Chunk) -> None:
        """Write CHUNK soon, or lose it when the disk does not keep up."""
        if chunk.items or chunk.live:
            self._outlet.offer(chunk, len(chunk.items))

    def leave(self, chunk: Chunk) -> None:
        """Write CHUNK and what is in flight, and close the file."""
        self._outlet.put(chunk.records())
        self._outlet.put(chunk.unended())
        self._outlet.close(None)

    def wait_closed(self, timeout: float) -> bool:
        """After `leave`: whether the file is closed and its parts compressed, within TIMEOUT seconds (each)."""
        return self._outlet.close(timeout) and all(thread.join(timeout) for thread in self._file_compressing)

    def flush(self, timeout: float) -> bool:
        """Whether all that was offered so far is written, within TIMEOUT seconds."""
        return self._outlet.flush(timeout)

    def _file_part_closed(self, part: Path) -> None:
        """Compressing takes seconds; meanwhile the next part is written."""
        self._file_compressing = [thread for thread in self._file_compressing if thread.alive]
        self._file_compressing.append(self._spawn("bus-trace-zstd", compress, part))

    def _file_write(self, item: Chunk | tuple[AnyRecord, ...]) -> None:
        try:
            self._file_records(item if isinstance(item, tuple) else self._file_chunk(item))
        except OSError as error:
            text = f"recording to {self.path} stopped: {error.strerror or error}; what is there can be opened"
            _log.warning("%s", text)
            self._report(Problem(rule="recording stopped", at=self._now(), text=text))
            raise

    def _file_records(self, records: tuple[AnyRecord, ...]) -> None:
        lost = self._outlet.lost
        if lost > self._file_lost:
            gap = Dropped(at=self._now(), count=lost - self._file_lost, kind="record", where="session file")
            records = (gap, *records)
            self._file_lost = lost
        if records:
            self._file_writer.write(records)

    def _file_chunk(self, chunk: Chunk) -> tuple[AnyRecord, ...]:
        records = chunk.records()
        if chunk.unlisted or chunk.at - self._file_looked < _LOOK_EVERY:
            return records
        self._file_looked = chunk.at
        old = [call for call in chunk.live if chunk.at - call.queued >= _LONG]
        fresh = tuple(unended_record(call) for call in old if call.id not in self._file_noted)
        self._file_noted = {call.id for call in old}
        return (*records, *fresh)
