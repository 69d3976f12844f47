"""A program that the console starts, watches and ends: its child."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import structs

from bus.attach.door import EndpointError, has_room, remove_stale, runtime_dir
from bus.attach.protocol import Batch, Reply
from bus.switches import MARKED
from bus.trace.records import AnyRecord, Level, Session
from console.target import TargetError, TargetInfo
from console.target.attached import AttachedTarget, is_running, with_records
from console.target.discover import door_in_session
from console.target.output import Tail

_PERIOD = 0.02
_ALONE = 3.0
"""Seconds that a child's own children get to open a door after it has ended: it may have forked, to go on behind."""
_MAX_HELD = 10_000
"""Output records that wait for a batch to travel with."""
_LEAVE = ((signal.SIGINT, 2.0), (signal.SIGTERM, 1.0), (signal.SIGKILL, 2.0))
"""How a child is asked to end, and the seconds it gets each time."""

_FIRST = 0.5
"""Seconds that the child itself gets to open a door once another one has: that it is a wrapper is only a guess."""


def command_line(target: str, args: Sequence[str] = (), *, module: bool = False) -> list[str]:
    """What runs TARGET: a script, something else that is executable, or a `module:factory` that returns a Bus.

    MODULE: it is a module, run as by `python -m`.

    Raises:
        TargetError: there is no such file or module.
    """
    path = Path(target).expanduser()
    if module:
        return [sys.executable, "-m", _module_name(target), *args]
    if path.is_file():
        is_python = path.suffix in {".py", ".pyw", ".pyz"} or not os.access(path, os.X_OK)
        return [*([sys.executable] if is_python else []), os.fspath(path.absolute()), *args]
    name, colon, factory = target.partition(":")
    if colon and factory.isidentifier() and _is_module_name(name):
        return [sys.executable, "-m", "console.target.child", target, *args]
    if path.suffix or path.exists():
        what = "there is no file" if not path.exists() else "this is no file:"
        message = f"{what} {target}; give a Python file or package.module:factory"
        raise TargetError(message)
    hint = f"; to run the module, write: -m {target}" if _is_module_name(target) else ""
    message = f"{target} is neither a Python file nor of the form package.module:factory{hint}"
    raise TargetError(message)


def _module_name(target: str) -> str:
    if not _is_module_name(target):
        message = f"{target} is no name of a module; after -m write one, as in package.module"
        raise TargetError(message)
    return target


def _is_module_name(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def launch(
    argv: Sequence[str], *, name: str, env: Mapping[str, str] | None = None, stdin: int = subprocess.DEVNULL
) -> "LaunchedTarget":
    """Start ARGV as a child with tracing and the endpoint on, and return at once; NAME is shown until it says its own.

    It reads the file descriptor STDIN.

    Raises:
        TargetError: it cannot be started, or could not open its door.
    """
    try:
        has_room(runtime_dir())
    except EndpointError as error:
        raise TargetError(str(error)) from None
    return LaunchedTarget(argv, name, env or {}, stdin)


class LaunchedTarget:
    """A watching thread starts nothing itself: it waits for the child's socket, reads its output, sees its end.

    `_attached`, `_connect_error`, `_another_since` and `_exit` are written by that thread alone; `_held` is appended by
    it and emptied by `drain`, both atomic.

    The program with the bus may be one that the child has started or forked: all of them are in the session that began
    with the child. The exit status is the child's.
    """

    def __init__(self, argv: Sequence[str], name: str, env: Mapping[str, str], stdin: int) -> None:
        """See `launch`."""
        self._tails = (Tail("stdout"), Tail("stderr"))
        self._process = _start(argv, self._tails, env, stdin)
        now = time.monotonic_ns()
        self._starting = Session(
            session="",
            pid=self._process.pid,
            program=name,
            python="",
            start_monotonic=now,
            start_unix=time.time_ns(),
            level="full",
        )
        self._attached: AttachedTarget | None = None
        self._connect_error = ""
        self._another_since = 0.0
        self._exit: str | None = None
        self._held: deque[AnyRecord] = deque(maxlen=_MAX_HELD)
        # Belongs to the thread that drains.
        self._last = Batch(at=now)
        self._closing = False
        self._thread = threading.Thread(target=self._watch, name="console-child", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """The child's."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The child's exit status, negative for the signal that killed it; None until its end was noticed."""
        return self._process.returncode if self._exit is not None else None

    @property
    def error_lines(self) -> tuple[str, ...]:
        """The last lines of the child's stderr, escaped; complete when `status` is known."""
        return tuple(self._tails[1].last_lines.copy())

    @property
    def info(self) -> TargetInfo:
        """See `Target`."""
        attached = self._attached
        known = attached.info if attached is not None else TargetInfo(self._starting, "connecting", can_act=False)
        if attached is None and self._exit is None:
            reason = self._connect_error or f"waiting for the program to make its bus{self._last_words}"
            return TargetInfo(known.session, "connecting", can_act=False, reason=reason)
        if self._exit is not None and (attached is None or known.state == "ended"):
            return TargetInfo(known.session, "ended", can_act=False, reason=self._exit)
        if self._exit is not None or (known.state == "ended" and not is_running(self._process.pid)):
            # One of the two threads has yet to see the end: all that came is there, and why is known, in a moment.
            return TargetInfo(known.session, "live", can_act=False)
        return known

    def drain(self) -> Sequence[Batch]:
        """See `Target`. What the child printed travels in its batches; after its end, in a batch of its own."""
        attached = self._attached
        batches = list(attached.drain()) if attached is not None else []
        if not batches and self.info.state == "ended" and self._hold_rest():
            # It repeats what was in flight at the end: that has not changed since.
            batches = [structs.replace(self._last, records=(), legends=(), timings=(), anew=False, snapshot_done=False)]
        if batches:
            self._last = batches[-1]
            held = [self._held.popleft() for _ in range(len(self._held))]
            batches[0] = with_records(batches[0], held)
        return batches

    def _hold_rest(self) -> bool:
        """Whether something is still to be said; with what a child that was killed recorded, but did not send.

        That was read a moment after it was printed: a line of the last 20 ms may be there twice, but none is lost.
        """
        told_all = self._attached is not None and self._attached.said_goodbye
        for tail in self._tails:
            self._held += [record for record in tail.recorded if not told_all and record.at > self._last.at]
            tail.recorded.clear()
        return bool(self._held)

    def execute(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], on_reply: Callable[[Reply], None]
    ) -> int:
        """See `Target`."""
        return self._must_be_attached().execute(name, args, kwargs, on_reply)

    def fire(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], on_reply: Callable[[Reply], None]) -> int:
        """See `Target`."""
        return self._must_be_attached().fire(name, args, kwargs, on_reply)

    def stacks(self, lanes: Sequence[int], calls: Sequence[int], on_reply: Callable[[Reply], None]) -> int:
        """See `Target`."""
        return self._must_be_attached().stacks(lanes, calls, on_reply)

    def dead_letters(self, on_reply: Callable[[Reply], None]) -> int:
        """See `Target`."""
        return self._must_be_attached().dead_letters(on_reply)

    def set_level(self, level: Level, on_reply: Callable[[Reply], None]) -> int:
        """See `Target`."""
        return self._must_be_attached().set_level(level, on_reply)

    def cancel(self, request: int) -> None:
        """See `Target`."""
        if self._attached is not None:
            self._attached.cancel(request)

    def close(self) -> None:
        """See `Target`. Asks the child to end, three times if it must, the last time so that it cannot refuse."""
        self._closing = True
        for number, seconds in _LEAVE:
            if self._exit is not None or self._signal(number, seconds):
                break
        self._thread.join(timeout=2)
        if self._attached is not None:
            self._attached.close()
        for tail in self._tails:
            tail.close()

    def _must_be_attached(self) -> AttachedTarget:
        if self._attached is None:
            message = f"{self._starting.program} cannot be asked yet: {self.info.reason}"
            raise TargetError(message)
        return self._attached

    def _signal(self, number: int, seconds: float) -> bool:
        """Send a signal to the child's whole group, and to the program; whether they ended within SECONDS."""
        group = _killed(os.killpg, self._process.pid, number)
        program = self._other_pid
        if not (program and _killed(os.kill, program, number)) and not group:
            return True
        self._thread.join(seconds)  # it ends when they have
        return self._exit is not None

    # ---- the watching thread

    def _watch(self) -> None:
        alone_until = 0.0
        while (status := self._process.poll()) is None or self._lives_on(alone_until):
            self._read_output()
            if self._attached is None and not self._closing:
                self._try_to_attach()
            if status is not None and not alone_until:
                alone_until = time.monotonic() + _ALONE
            time.sleep(_PERIOD)
        self._read_output(last=True)
        self._exit = self._why(status)
        remove_stale(runtime_dir())

    def _lives_on(self, alone_until: float) -> bool:
        """Whether the child has ended, but not the program that it has started or forked, or that may yet come."""
        if self._attached is not None:
            program = self._other_pid
            return program > 0 and self._attached.info.state == "live" and is_running(program)
        waiting = not alone_until or time.monotonic() < alone_until
        return waiting and not self._closing and _killed(os.killpg, self._process.pid, 0)

    @property
    def _other_pid(self) -> int:
        """The program's, if it is not the child itself; 0 if it is, or is not known."""
        pid = self._attached.info.session.pid if self._attached is not None else 0
        return pid if pid != self._process.pid else 0

    def _try_to_attach(self) -> None:
        path, is_own = door_in_session(self._process.pid)
        if path is not None and (is_own or self._settles_for_another()):
            try:
                self._attached = AttachedTarget(path)
            except TargetError as error:
                self._connect_error = str(error)

    def _settles_for_another(self) -> bool:
        now = time.monotonic()
        self._another_since = self._another_since or now
        return self._process.poll() is not None or now - self._another_since > _FIRST

    def _read_output(self, *, last: bool = False) -> None:
        for tail in self._tails:
            self._held += tail.read(last=last)

    def _why(self, status: int) -> str:
        if status < 0:
            how = f"was killed by {_signal_name(-status)}"
        elif self._attached is None and status == 0:
            how = "ended before the console saw a bus in it (exit status 0)"
        else:
            how = f"ended with exit status {status}"
        return f"process {self._process.pid} {how}" + (self._last_words if status != 0 else "")

    @property
    def _last_words(self) -> str:
        """`: ` and the last line that the child wrote to stderr; it may say why there is no door."""
        last = next((line.strip() for line in reversed(self.error_lines) if line.strip()), "")
        return f": {last}" if last else ""


def _killed(kill: Callable[[int, int], None], pid: int, number: int) -> bool:
    """Whether there was somebody to send that signal to."""
    try:
        kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _start(
    argv: Sequence[str], tails: tuple[Tail, Tail], env: Mapping[str, str], stdin: int
) -> "subprocess.Popen[bytes]":
    level = os.environ.get("BUS_TRACE") or "full"  # who says `times` wants no arguments in a recording
    wanted = {"BUS_CONSOLE": "1", "BUS_TRACE": level, "BUS_OUTPUT": MARKED, "PYTHONUNBUFFERED": "1"}
    try:
        # A session of its own: ^C in the console's terminal is the console's alone.
        return subprocess.Popen(  # noqa: S603  what the developer asked to run
            argv,
            stdin=stdin,
            stdout=tails[0].file,
            stderr=tails[1].file,
            env={**os.environ, **wanted, **env},
            start_new_session=True,
        )
    except OSError as error:
        for tail in tails:
            tail.close()
        message = f"cannot start {argv[0] if argv else 'nothing'}: {error.strerror or error}"
        raise TargetError(message) from None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
