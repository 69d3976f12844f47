"""The session file: one record a line, written so that a kill loses little, read so that damage loses little."""

import fcntl
import os
import re
import stat
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import structs

from bus import runtime
from bus.errors import BusError
from bus.trace.parts import (
    COMPRESSED,
    PART_BYTES,
    DamagedPartError,
    Part,
    closed_parts,
    compress,
    compressed_path,
    is_there,
    part_path,
)
from bus.trace.records import VERSION, AnyRecord, Call, Entry, Lane, Session, State
from bus.trace.redact import escape

SUFFIX = ".jsonl"
MAX_LINE = 4 << 20
"""Bytes; a longer line is not one of ours and is left out."""
_SLICE = 128 << 10
"""Bytes of lines that are decoded at once."""
_MAX_SUFFIX = 100
_MAX_LISTED = 10
_FIRST = 64 << 10
"""Bytes: more than the first line of a part has."""
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
    """Writes one session. Not thread-safe. Each `write` is one unbuffered system call: a kill loses no part of it.

    `path` is the part that is written; parts that are closed get a number (see `parts`), and stay readable alone.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        session: Session,
        part_bytes: int = PART_BYTES,
        closed: Callable[[Path], None] = compress,
    ) -> None:
        """Open the file (mode 0600) and write SESSION as its first line.

        A file that another recorder is writing is left alone: then ours gets a number. `path` says which it became.
        After PART_BYTES (0: never) it goes on in a new file, and CLOSED is told which one is complete.

        Raises:
            SessionError: it cannot be opened.
        """
        wanted = session_path(path, session)
        self._fd = -1
        _writers.add(self)
        self._encoder = msgspec.json.Encoder()
        self._session = session
        self._closed = closed
        self._part_bytes = part_bytes
        self._bytes = 0
        self._known: dict[tuple[type, int | str], AnyRecord] = {}
        try:
            self._fd, self.path = _open_unlocked(wanted)
            self._append([session])
        except OSError as error:
            self.close()
            message = f"cannot record to {wanted}: {error.strerror or error}"
            raise SessionError(message) from error

    def write(self, records: Iterable[AnyRecord]) -> None:
        """Append RECORDS.

        Raises:
            OSError: the disk is full, or the file is gone.
        """
        some = list(records)
        self._append(some)
        if self._part_bytes:
            self._learn(some)
            if self._bytes > self._part_bytes and stat.S_ISREG(os.fstat(self._fd).st_mode):
                self._begin_part()

    def close(self) -> None:
        """Close the file; from the second time on nothing happens."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _append(self, records: Sequence[AnyRecord]) -> None:
        data = memoryview(self._encoder.encode_lines(records))
        self._bytes += len(data)
        while data:
            data = data[os.write(self._fd, data) :]

    def _learn(self, records: Sequence[AnyRecord]) -> None:
        """What the next part has to say again. Nearly all records are calls: those are not looked at any closer."""
        for record in [record for record in records if type(record) is not Call]:
            match record:
                case Lane():
                    self._known[Lane, record.key] = record
                case Entry(added=True):
                    self._known[Entry, record.entry] = record
                case Entry():
                    self._known.pop((Entry, record.entry), None)
                case State():
                    self._known[State, record.service] = record

    def _begin_part(self) -> None:
        """The name is there all the time, and locked: nobody else ever takes it for free."""
        part, fd = part_path(self.path, self._session.part), self._fd
        fresh = self.path.with_name(f".{self.path.name}.next")
        repeats = list(self._known.values())
        self._session = structs.replace(self._session, part=self._session.part + 1, repeats=len(repeats))
        self._fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._bytes = 0
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._append([self._session, *repeats])
            for former in (part, compressed_path(part)):
                former.unlink(missing_ok=True)
            part.hardlink_to(self.path)
            fresh.rename(self.path)
        finally:
            os.close(fd)
        self._closed(part)


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
    """Iterates over a session in lists of records, an eighth of a MiB of file each; damaged lines are left out.

    Who looks at the records of a list before the next one finds them in the processor's cache: made by the MiB, they
    take twice as long.

    `session` is there from the start (made up from the file's name if its line is damaged). `damaged` counts the lines
    left out so far; `position` of `size` bytes are read.
    """

    def __init__(self, path: str | os.PathLike[str], chunk: int = 1 << 20) -> None:
        """Open PATH, with its parts, or the only session in the directory PATH, reading CHUNK bytes at a time.

        Raises:
            SessionError: it cannot be read, is no session file, or was written by a newer version.
        """
        self.path = _session_in(Path(path))
        self.damaged = 0
        self.position = 0
        self._chunk = chunk
        self._decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)
        try:
            self._parts = _open_parts(self.path)
            self.size = sum(part.size for part in self._parts)
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
            yield from map(self._decode, _slices(block))
            block = next(self._lines, b"")
        self.close()

    def close(self) -> None:
        """Close all files."""
        for part in self._parts:
            part.close()

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

    def _decode(self, block: memoryview) -> list[AnyRecord]:
        try:
            return self._decoder.decode_lines(block)
        except _ERRORS:
            found = (self._decode_line(line) for line in bytes(block).rstrip(b"\n").split(b"\n"))
            return [record for record in found if record is not None]

    def _decode_line(self, line: bytes) -> AnyRecord | None:
        try:
            return self._decoder.decode(line)
        except _ERRORS:
            self.damaged += 1
            return None

    def _blocks(self) -> Iterator[bytes]:
        """Whole lines, as many as a read gave; the last one of a part perhaps cut."""
        for number, part in enumerate(self._parts):
            blocks = self._blocks_of(part)
            yield from _without_repeats(blocks) if number else blocks

    def _blocks_of(self, part: Part) -> Iterator[bytes]:
        rest = b""
        while data := self._read(part):
            whole, newline, last = (rest + data).rpartition(b"\n")
            rest = last
            if whole or newline:
                yield whole + newline
            if len(rest) > MAX_LINE:
                self.damaged += 1
                rest = self._skip_line(part)
        if rest:
            yield rest

    def _skip_line(self, part: Part) -> bytes:
        while data := self._read(part):
            _, newline, rest = data.partition(b"\n")
            if newline:
                return rest
        return b""

    def _read(self, part: Part) -> bytes:
        try:
            data = part.read(self._chunk)
        except DamagedPartError:
            self.damaged += 1  # so many lines, or more: the rest of this part
            return b""
        self.position += len(data)
        return data


def _slices(block: bytes) -> Iterator[memoryview]:
    """BLOCK, cut behind the ends of some lines."""
    view, first = memoryview(block), 0
    while first < len(block):
        last = block.find(b"\n", first + _SLICE) + 1 or len(block)
        yield view[first:last]
        first = last


def sessions_in(path: Path) -> list[Path]:
    """The sessions in the directory PATH, each with all of its parts once, by their names."""
    names = {found.name.removesuffix(COMPRESSED) for found in path.glob(f"*{SUFFIX}*") if found.name[0] != "."}
    parts = {part.name for name in names for part in closed_parts(path / name)}
    return [path / name for name in sorted(names - parts) if name.endswith(SUFFIX)]


def session_line(path: Path) -> Session | None:
    """The first line of the session file PATH, None if it is damaged.

    Raises:
        OSError: it cannot be opened.
    """
    part = Part(path)
    try:
        return msgspec.json.decode(part.read(_FIRST).partition(b"\n")[0], type=Session)
    except (*_ERRORS, DamagedPartError):
        return None
    finally:
        part.close()


def _session_in(path: Path) -> Path:
    """PATH, or the session in the directory PATH.

    Raises:
        SessionError: it has none, or more than one.
    """
    if not path.is_dir():
        return path
    sessions = sessions_in(path)
    if len(sessions) == 1:
        return sessions[0]
    listed = ", ".join(escape(session.name) for session in sessions[:_MAX_LISTED])
    message = (
        f"{path} is a directory with several sessions, name one: {listed}"
        if sessions
        else f"{path} is a directory without a session file"
    )
    raise SessionError(message)


def _open_parts(path: Path) -> list[Part]:
    """The closed parts of the session PATH, and PATH; a file that was left by another session is none of them."""
    closed = closed_parts(path)
    if not closed:
        return [Part(path)]
    last = session_line(path) if is_there(path) else None
    paths = [part for part in closed if _is_of(session_line(part), last)]
    # A kill while a part was closed leaves one file under two names, or under the new one only.
    if is_there(path) and not any(part.exists() and part.samefile(path) for part in paths):
        paths.append(path)
    return [Part(one) for one in paths]


def _is_of(part: Session | None, last: Session | None) -> bool:
    """A damaged line is given the benefit of the doubt."""
    return part is None or last is None or part.session == last.session


def _without_repeats(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """What a later part says for those who read it alone is left out, for those who have read the parts before."""
    left = -1
    for block in blocks:
        rest = block
        if left < 0:
            try:
                left = 1 + msgspec.json.decode(block.partition(b"\n")[0], type=Session).repeats
            except _ERRORS:
                left = 0  # to be told some things twice does no harm
        while left and rest:
            rest = rest.partition(b"\n")[2]
            left -= 1
        if rest:
            yield rest
