"""Which programs can be attached to: every live socket in the user's runtime directory, asked who it is."""

import difflib
import os
import re
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from msgspec import Struct

from bus.attach.door import SUFFIXES, doors, is_stale, runtime_dir
from bus.attach.protocol import Batch, Welcome
from bus.trace.records import Call, State
from bus.trace.redact import escape
from console.target import TargetError
from console.target.connecting import Connection

_TIMEOUT = 1.0
_AT_ONCE = 16
_PID = re.compile(r"-(\d+)(?:-(\d{1,2}))?$", re.ASCII)
_HINT = "start one with BUS_CONSOLE=1 in its environment, or with `bus-console run`"


class Program(Struct, frozen=True):
    """A program with an open endpoint. `age` in seconds.

    `services`: the names of those that have not stopped, where they were asked for.
    """

    name: str
    pid: int
    age: float
    services: tuple[str, ...]
    socket: Path


def programs(directory: Path | None = None, *, services: bool = False) -> list[Program]:
    """The programs that answer within a second, the youngest first; with the names of their SERVICES, if wanted."""
    paths = sockets(directory)
    if not paths:
        return []
    with ThreadPoolExecutor(min(_AT_ONCE, len(paths))) as pool:
        found = [program for program in pool.map(partial(_ask, services=services), paths) if program is not None]
    return sorted(found, key=lambda program: program.age)


def sockets(directory: Path | None = None) -> list[Path]:
    """The sockets that somebody listens on."""
    return [path for path in doors(directory or runtime_dir()) if not is_stale(path)]


def door_in_session(leader: int) -> tuple[Path | None, bool]:
    """The door of process LEADER, else of one in the session that began with it, if there is one; and if it is its own.

    The one with the shortest name is that of the first bus.
    """
    found = [path for path in sockets() if any(_session_of(pid) == leader for pid in _pids(path))]
    found.sort(key=lambda path: (leader not in _pids(path), len(path.stem), path.stem))
    return (found[0], leader in _pids(found[0])) if found else (None, False)


def _pids(path: Path) -> set[int]:
    """Whose door PATH may be, by its name: NAME-PID or NAME-PID-NUMBER, where NAME may end in a number, too."""
    match = _PID.search(path.stem)
    return {int(digits) for digits in match.groups() if digits} if match else set()


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (OSError, OverflowError):
        return 0


def find(spec: str | None = None, directory: Path | None = None) -> Program:
    """The program that SPEC (its name, its pid or its socket) means; without one, the only program there is.

    Raises:
        TargetError: there is none, or more than one; the message lists them.
    """
    if spec is not None and ("/" in spec or spec.endswith(SUFFIXES)):
        return _identify(Path(spec).expanduser())
    running = programs(directory)
    if not running:
        message = f"no program can be attached to; {_HINT}"
        raise TargetError(message)
    wanted = [one for one in running if spec is None or spec in {one.name, str(one.pid)}]
    if len(wanted) == 1:
        return wanted[0]
    raise TargetError(_several(wanted) if wanted else _nobody(spec or "", running))


def _several(wanted: Iterable[Program]) -> str:
    listed = ", ".join(f"{one.name} {one.pid}" for one in wanted)
    return f"more than one program can be meant: {listed}; say which by its pid"


def _nobody(spec: str, running: Iterable[Program]) -> str:
    names = [one.name for one in running]
    close = difflib.get_close_matches(spec, names, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(sorted(set(names)))}"
    return f"no program is called {escape(spec)}, or has this pid; {hint}"


def _ask(path: Path, *, services: bool) -> Program | None:
    try:
        return _identify(path, services=services)
    except TargetError:
        return None  # gone since, not answering, or not ours: nothing to attach to


def _identify(path: Path, *, services: bool = False) -> Program:
    connection = Connection(path, "read", _TIMEOUT)
    try:
        names = _running_services(connection) if services else ()
    finally:
        connection.socket.close()
    return _program(connection.welcome, names, path)


def _program(welcome: Welcome, services: tuple[str, ...], path: Path) -> Program:
    session = welcome.session
    age = max(0.0, (time.monotonic_ns() - session.start_monotonic) / 1e9)
    return Program(escape(session.program), session.pid, age, services, path)


def _running_services(connection: Connection) -> tuple[str, ...]:
    """From the beginning of the snapshot: the states come before the first call."""
    states: dict[str, str] = {}
    while True:
        message = connection.receive()
        if not isinstance(message, Batch):
            continue
        states.update((record.service, record.state) for record in message.records if isinstance(record, State))
        if message.snapshot_done or any(isinstance(record, Call) for record in message.records):
            return tuple(escape(name) for name, state in states.items() if state != "stopped")
