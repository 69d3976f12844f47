"""Opens the door of a program that runs already and did not open it itself: from Python 3.14 on, by `sys.remote_exec`.

A short script is run by that program's main thread as soon as it comes by. It only starts a thread, because who knows
which locks the main thread holds; the thread opens the endpoint of each bus, and says so in a file beside the script.
"""

import os
import re
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from bus.attach.door import EndpointError, runtime_dir, safe_dir
from bus.trace.redact import escape
from console.target import TargetError
from console.target.attached import is_running
from console.target.discover import Program, find

SECONDS = 5.0
"""How long a program's main thread gets to come by."""
_TICK = 0.02
_MOST = 65_536
_PID = re.compile(r"\d{1,10}", re.ASCII)
_PREFIX = "open-door-"
_INSTEAD = "start it with BUS_CONSOLE=1 in its environment, or call bus.serve() in it"
_SCRIPT = """\
import _thread, os, sys

def open_door(answer):
    doors, error = [], ""
    try:
        if "bus.core" not in sys.modules:
            error = "it has not imported bus"
        else:
            from bus.switches import serve_all
            doors, error = serve_all()
            if not doors and not error:
                error = "it has no bus yet"
    except BaseException as failure:
        error = f"{type(failure).__name__}: {failure}"
    import json
    with open(answer + ".new", "w", encoding="utf-8", errors="replace") as file:
        json.dump({"doors": doors[:100], "error": error[:2000]}, file)
    os.replace(answer + ".new", answer)

_thread.start_new_thread(open_door, (ANSWER,))
"""
_TOO_LATE = "import os\nos.unlink(SCRIPT)\n"
"""What stays, until the program comes by, of a script that nobody waits for any more."""


class _Answer(msgspec.Struct):
    doors: list[str] = []
    error: str = ""


def reach(spec: str | None) -> Program:
    """As `find`; the door of a running program that SPEC names by its pid is opened, if it must be.

    Raises:
        TargetError: there is no such program, or its door cannot be opened; the message says what to do instead.
    """
    try:
        return find(spec)
    except TargetError:
        pid = int(spec) if spec is not None and _PID.fullmatch(spec) else 0
        if not pid or not is_running(pid):
            raise
    doors = open_doors(pid)
    if len(doors) > 1:
        listed = ", ".join(escape(door) for door in doors)
        message = f"process {pid} has several buses, and their doors are open now; say which by its socket: {listed}"
        raise TargetError(message)
    return find(doors[0])


def open_doors(pid: int) -> list[str]:
    """Open the endpoint of each bus in process PID; the paths of their sockets, at least one.

    Raises:
        TargetError: this cannot be done here or there, or not in time.
    """
    remote_exec: Callable[[int, str], None] | None = getattr(sys, "remote_exec", None)
    if remote_exec is None:
        version = ".".join(map(str, sys.version_info[:2]))
        message = (
            f"process {pid} did not open the endpoint: {_INSTEAD} (in one that runs, only a console on Python 3.14 or "
            f"newer can open it, and only if the program is on the same; this one is on {version})"
        )
        raise TargetError(message)
    _check_owner(pid)
    try:
        folder = safe_dir(runtime_dir())
    except EndpointError as error:
        raise TargetError(str(error)) from None
    _remove_old(folder)
    script = folder / f"{_PREFIX}{pid}-{secrets.token_hex(8)}.py"
    answer = script.with_suffix(".said")
    _write(script, _SCRIPT.replace("ANSWER", repr(str(answer))))
    finished = False
    try:
        _run(remote_exec, pid, script)
        said = _wait(pid, answer)
        finished = True
    except TimeoutError:
        _write(script, _TOO_LATE.replace("SCRIPT", repr(str(script))))
        finished = not is_running(pid)
        message = (
            f"process {pid} did not come by in {SECONDS:.0f} s: its main thread waits for the system and runs no "
            f"Python; try again when it does something, or {_INSTEAD}"
        )
        raise TargetError(message) from None
    except TargetError:
        finished = True
        raise
    finally:
        answer.unlink(missing_ok=True)
        if finished:
            script.unlink(missing_ok=True)
    if not said.doors:
        message = f"the door of process {pid} cannot be opened: {escape(said.error)}"
        raise TargetError(message)
    return said.doors


def _run(remote_exec: Callable[[int, str], None], pid: int, script: Path) -> None:
    try:
        remote_exec(pid, os.fspath(script))
    except PermissionError:
        message = (
            f"the system does not let you into process {pid}: where ptrace is restricted, that takes its parent or "
            f"root (see /proc/sys/kernel/yama/ptrace_scope); else {_INSTEAD}"
        )
        raise TargetError(message) from None
    except (OSError, RuntimeError, ValueError) as error:
        version = ".".join(map(str, sys.version_info[:2]))
        message = (
            f"process {pid} cannot be reached ({escape(str(error))}): it must be a Python {version} program, as this "
            f"console is, and not one that forbids it; else {_INSTEAD}"
        )
        raise TargetError(message) from None


def _wait(pid: int, answer: Path) -> _Answer:
    give_up = time.monotonic() + SECONDS
    while not answer.exists():
        if time.monotonic() > give_up or not is_running(pid):
            raise TimeoutError
        time.sleep(_TICK)
    with answer.open("rb") as file:
        try:
            return msgspec.json.decode(file.read(_MOST), type=_Answer)
        except msgspec.DecodeError as error:
            return _Answer(error=f"its answer is not understood: {error}")


def _write(script: Path, text: str) -> None:
    with os.fdopen(os.open(script, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _check_owner(pid: int) -> None:
    try:
        owner = Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return  # not a system that says so: then it lets us in, or not
    if owner != os.geteuid():
        message = f"process {pid} belongs to another user; only the user who runs a program can attach to it"
        raise TargetError(message)


def _remove_old(folder: Path) -> None:
    """Scripts that waited for programs which have ended since."""
    for script in folder.glob(f"{_PREFIX}*"):
        pid = script.name.removeprefix(_PREFIX).partition("-")[0]
        if not (pid.isdigit() and is_running(int(pid))):
            script.unlink(missing_ok=True)
