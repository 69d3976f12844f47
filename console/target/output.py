"""What a child prints: kept in a file without a name, so that a console that dies never breaks the child's pipes."""

import fcntl
import os
import re
import tempfile
import time
from collections import deque
from typing import IO

from bus.trace.output import MARK, ORIGIN
from bus.trace.records import AnyRecord, Dropped, Output, Stream
from bus.trace.redact import bounded, scrub

MAX_LINE = 2_048
"""Bytes of one line that are shown."""
_READ = 1 << 20
_KEPT = 1_000
_LAST = 40
_MARK = MARK.encode()
_ORIGIN = re.compile(ORIGIN.encode() + rb"(\d{1,18}):(\d{1,18}):(\d{1,18})\Z")
_MAX_BEHIND = 16 << 20


class Tail:
    """One stream of a child. Owned by the thread that calls `read`; the lines it keeps may be read by others."""

    def __init__(self, stream: Stream) -> None:
        self.stream: Stream = stream
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the child
        fd = self.file.fileno()
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_APPEND)
        self._offset = 0
        self._rest = b""
        self.last_lines: deque[str] = deque(maxlen=_LAST)
        self.recorded: deque[Output] = deque(maxlen=_KEPT)
        """The last lines that the child's recorder has too. Only in an accident do they not come from there."""

    def read(self, *, last: bool = False) -> list[AnyRecord]:
        """The lines that came since; LAST: also the one without an end.

        Those that the child's recorder has too are in `recorded` instead.
        """
        records: list[AnyRecord] = []
        behind = os.fstat(self.file.fileno()).st_size - self._offset
        if behind > _MAX_BEHIND:
            # Nobody reads so fast; what is left out is counted.
            skipped = os.pread(self.file.fileno(), _READ, self._offset).count(b"\n") * (behind // _READ)
            records.append(Dropped(at=time.monotonic_ns(), count=max(1, skipped), kind="record", where=self.stream))
            self._offset += behind
            self._rest = b""
        data = os.pread(self.file.fileno(), _READ, self._offset)
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if self._rest and (last or len(self._rest) > _READ):
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._take(line.rstrip(b"\r"), records)
        return records

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    def _take(self, line: bytes, records: list[AnyRecord]) -> None:
        plain = line.removesuffix(_MARK)
        origin = _ORIGIN.search(plain) if len(plain) == len(line) else None
        lane, call, at = map(int, origin.groups()) if origin else (0, 0, time.monotonic_ns())
        said = plain[: origin.start()] if origin else plain
        text = bounded(scrub(said[: MAX_LINE * 2].decode(errors="backslashreplace")), MAX_LINE)
        record = Output(at=at, stream=self.stream, text=text, lane=lane, call=call)
        self.last_lines.append(text)
        if len(plain) == len(line):
            records.append(record)
        else:
            self.recorded.append(record)
