"""The session file: one record a line, written so that a kill loses little, read so that damage loses little."""

import fcntl
import os
import re
import stat
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from bus import runtime
from bus.errors import BusError
from bus.trace.records import VERSION, AnyRecord, Session
from bus.trace.redact import escape

SUFFIX = ".jsonl"
MAX_LINE = 4 << 20
"""Bytes; a longer line is not one of ours and is left out."""
_MAX_SUFFIX = 100
_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class SessionError(BusError):
    """A session file cannot be written or read; the message says why and what to do."""


def session_path(path: str | os.PathLike[str], session: Session) -> Path:
    """Where to write: PATH itself, or `NAME-<start>-<pid>.jsonl` in it when it is a directory."""
    chosen = Path(path)
    if not chosen.is_dir():
        return chosen
    name = re.sub(r"[^\w.-]+", "_", session.program)[:80] or "bus"
    start = session.start_unix // 1_000_000_000
    return chosen / f"{name}-{start}-{session.pid}{SUFFIX}"


class SessionWriter:
    """Writes one session. Not thread-safe. Each `write` is one unbuffered system call: a kill loses no part of it."""

    def __init__(self, path: str | os.PathLike[str], session: Session) -> None:
        """Open the file (mode 0600) and write SESSION as its first line.

        A file that another recorder is writing is left alone: then ours gets a number. `path` says which it became.

        Raises:
            SessionError: it cannot be opened.
        """
        wanted = session_path(path, session)
        self._fd = -1
        _writers.add(self)
        self._encoder = msgspec.json.Encoder()
        try:
            self._fd, self.path = _open_unlocked(wanted)
            self.write([session])
        except OSError as error:
            self.close()
            message = f"cannot record to {wanted}: {error.strerror or error}"
            raise SessionError(message) from error

    def write(self, records: Iterable[AnyRecord]) -> None:
        """Append RECORDS.

        Raises:
            OSError: the disk is full, or the file is gone.
        """
        data = memoryview(self._encoder.encode_lines(list(records)))
        while data:
            data = data[os.write(self._fd, data) :]

    def close(self) -> None:
        """Close the file; from the second time on nothing happens."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


_writers: "weakref.WeakSet[SessionWriter]" = weakref.WeakSet()


def _close_all_in_child() -> None:
    """The file is the parent's: a child that lives longer must not keep it locked."""
    for writer in list(_writers):
        writer.close()


runtime.in_forked_child(_close_all_in_child)


def _open_unlocked(path: Path) -> tuple[int, Path]:
    """PATH opened for us alone, or the first of `NAME-2`, `NAME-3` … that nobody else is writing."""
    for number in range(1, _MAX_SUFFIX):
        candidate = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        fd = os.open(candidate, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            continue
        if stat.S_ISREG(os.fstat(fd).st_mode):
            os.ftruncate(fd, 0)
        return fd, candidate
    message = "too many recorders are writing files of this name"
    raise OSError(message)


class SessionReader:
    """Iterates over a session file in lists of records, about a MiB of file each; damaged lines are left out.

    `session` is there from the start (made up from the file's name if its line is damaged). `damaged` counts the lines
    left out so far; `position` of `size` bytes are read.
    """

    def __init__(self, path: str | os.PathLike[str], chunk: int = 1 << 20) -> None:
        """Open PATH, reading CHUNK bytes at a time.

        Raises:
            SessionError: it cannot be read, is no session file, or was written by a newer version.
        """
        self.path = Path(path)
        self.damaged = 0
        self.position = 0
        self._chunk = chunk
        self._decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)
        try:
            self._file: IO[bytes] = self.path.open("rb")
            self.size = os.fstat(self._file.fileno()).st_size
            self._lines = self._blocks()
            self._first = next(self._lines, b"")
        except OSError as error:
            message = f"cannot open {self.path}: {error.strerror or error}"
            raise SessionError(message) from error
        try:
            self.session = self._find_session()
        except SessionError:
            self.close()
            raise

    def __iter__(self) -> Iterator[list[AnyRecord]]:
        """Lists of records, in the order of the file, the `Session` among them."""
        block = self._first
        while block:
            yield self._decode(block)
            block = next(self._lines, b"")
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _find_session(self) -> Session:
        line, _, rest = self._first.partition(b"\n")
        try:
            first = msgspec.json.decode(line, type=Session)
        except _ERRORS:
            self._check_ours(line, rest)
            name = escape(self.path.stem)
            return Session(session=name, pid=0, program=name, python="", start_monotonic=0, start_unix=0)
        if first.version > VERSION:
            message = (
                f"{self.path} was written by a newer bus-console (format {first.version}, this one reads up to "
                f"{VERSION}); upgrade this one to open it"
            )
            raise SessionError(message)
        return first

    def _check_ours(self, line: bytes, rest: bytes) -> None:
        """A cut or damaged session still begins like one, or has a good line further on."""
        begin = b'{"type":"session"'
        if line.startswith(begin) or (begin.startswith(line) and not rest):
            return
        if not any(self._decode_line(other) for other in rest.split(b"\n")[:100]):
            message = f"{self.path} is not a session file (it has no records); make one with `bus-console record`"
            raise SessionError(message)
        self.damaged = 0  # those lines are counted when they are read

    def _decode(self, block: bytes) -> list[AnyRecord]:
        try:
            return self._decoder.decode_lines(block)
        except _ERRORS:
            found = (self._decode_line(line) for line in block.rstrip(b"\n").split(b"\n"))
            return [record for record in found if record is not None]

    def _decode_line(self, line: bytes) -> AnyRecord | None:
        try:
            return self._decoder.decode(line)
        except _ERRORS:
            self.damaged += 1
            return None

    def _blocks(self) -> Iterator[bytes]:
        """Whole lines, as many as a read gave; the last one perhaps cut."""
        rest = b""
        while data := self._file.read(self._chunk):
            self.position += len(data)
            whole, newline, last = (rest + data).rpartition(b"\n")
            rest = last
            if whole or newline:
                yield whole + newline
            if len(rest) > MAX_LINE:
                self.damaged += 1
                rest = self._skip_line()
        if rest:
            yield rest

    def _skip_line(self) -> bytes:
        while data := self._file.read(self._chunk):
            self.position += len(data)
            _, newline, rest = data.partition(b"\n")
            if newline:
                return rest
        return b""
