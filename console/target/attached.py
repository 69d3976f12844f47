"""A running program, through the socket of its endpoint."""

import json
import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from msgspec import structs

from bus.attach.frames import pack
from bus.attach.protocol import (
    Batch,
    Cancel,
    DeadLetters,
    Execute,
    Fire,
    Message,
    ProtocolError,
    Refused,
    Reply,
    Role,
    ServerMessage,
    SetLevel,
    Stacks,
)
from bus.trace.records import Error, Level
from bus.trace.redact import escape
from console.target import TargetError, TargetInfo
from console.target.connecting import READ, Connection

OnReply = Callable[[Reply], None]

MAX_BATCHES = 4_000
"""Batches that wait for `drain`; beyond that the socket is not read, and the program counts what it cannot send."""
_GONE_SECONDS = 0.5
_DRAINS = 2
"""Until `drain` was called so often, no more is unpacked than up to the first calls: the screens are being imported
then, and 100,000 calls of the past beside that hold up the first picture by a tenth of a second."""
_MOST_HELD = 64 << 20
"""Bytes that are read meanwhile."""


class AttachedTarget:
    """A reader thread owns the socket, `_held` and `_has_calls`, and looks at `_drains`, which who drains writes.

    `_lock` guards changes of `_pending` and `_ended`; appending to a deque is atomic.
    """

    def __init__(self, path: str | os.PathLike[str], role: Role = "act") -> None:
        """Attach to the socket PATH; with the role "read" it cannot act.

        Raises:
            TargetError: it cannot be done; the message says why.
        """
        connection = Connection(Path(path), role)
        self._connection = connection
        session = connection.welcome.session
        # Replaced by the reader thread, read by any.
        self._info = TargetInfo(session, "live", connection.welcome.role == "act")
        self._batches: deque[Batch] = deque()
        self._drains = 0
        self._held = bytearray()
        self._has_calls = False
        self._outbox: deque[bytes] = deque()
        self._requests = count(1)
        self._lock = threading.Lock()
        self._pending: dict[int, OnReply] = {}
        self._ended = self._closing = self._full = False
        self._refused = ""
        self._bell, self._rope = socket.socketpair()
        self._rope.settimeout(0)
        connection.socket.settimeout(0)
        self._thread = threading.Thread(target=self._run, name="console-target", daemon=True)
        self._thread.start()

    @property
    def info(self) -> TargetInfo:
        """See `Target`."""
        return self._info

    @property
    def said_goodbye(self) -> bool:
        """Whether the program ended the connection itself, with all that was to be said in it."""
        return bool(self._refused)

    def drain(self) -> Sequence[Batch]:
        """See `Target`."""
        batches = [self._batches.popleft() for _ in range(len(self._batches))]
        self._drains += 1
        if self._full or self._drains == _DRAINS:
            self._ring()
        return batches

    def execute(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], on_reply: OnReply) -> int:
        """See `Target`."""
        args_text, kwargs_text = _json(name, list(args)), _json(name, dict(kwargs))
        return self._act(
            lambda number: Execute(request=number, name=name, args=args_text, kwargs=kwargs_text), on_reply
        )

    def fire(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], on_reply: OnReply) -> int:
        """See `Target`."""
        args_text, kwargs_text = _json(name, list(args)), _json(name, dict(kwargs))
        return self._act(lambda number: Fire(request=number, name=name, args=args_text, kwargs=kwargs_text), on_reply)

    def stacks(self, lanes: Sequence[int], calls: Sequence[int], on_reply: OnReply) -> int:
        """See `Target`."""
        self._must_know("stacks")
        return self._request(lambda number: Stacks(request=number, lanes=tuple(lanes), calls=tuple(calls)), on_reply)

    def dead_letters(self, on_reply: OnReply) -> int:
        """See `Target`."""
        self._must_know("dead letters")
        return self._request(lambda number: DeadLetters(request=number), on_reply)

    def set_level(self, level: Level, on_reply: OnReply) -> int:
        """See `Target`."""
        return self._act(lambda number: SetLevel(request=number, level=level), on_reply)

    def cancel(self, request: int) -> None:
        """See `Target`."""
        with self._lock:
            waiting = request in self._pending
        if waiting:
            self._send(pack(Cancel(request=request)))

    def close(self) -> None:
        """See `Target`. The program goes on."""
        self._closing = True
        self._ring()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=2)

    # ---- asking

    def _must_know(self, ability: str) -> None:
        if ability not in self._connection.welcome.abilities:
            text = (
                f"this program's bus is older than the console and tells no {ability}: use the same bus-console in both"
            )
            raise TargetError(text)

    def _act(self, message: Callable[[int], Message], on_reply: OnReply) -> int:
        info = self._info
        if not info.can_act and info.state != "ended":
            text = "attached for reading only: commands and events cannot be sent"
            raise TargetError(text)
        return self._request(message, on_reply)

    def _request(self, message: Callable[[int], Message], on_reply: OnReply) -> int:
        number = next(self._requests)
        try:
            frame = pack(message(number))
        except (ProtocolError, UnicodeEncodeError) as error:
            raise TargetError(escape(str(error))) from None
        with self._lock:
            if self._ended:
                text = f"{self._info.session.program} has ended: nothing can be sent to it any more"
                raise TargetError(text)
            self._pending[number] = on_reply
        self._send(frame)
        return number

    def _send(self, frame: bytes) -> None:
        self._outbox.append(frame)
        self._ring()

    def _ring(self) -> None:
        try:
            self._rope.send(b"!")
        except OSError:
            pass  # rung often enough already, or closed

    # ---- the reader thread

    def _run(self) -> None:
        reason = "the console closed the connection"
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._bell, selectors.EVENT_READ)
                self._take_early()
                while not self._closing:
                    self._turn(selector)
        except EOFError:
            reason = self._why_gone()
        except (OSError, ProtocolError) as error:
            reason = f"the connection broke: {escape(str(error))}"
        finally:
            self._unpack_rest()
            self._end(self._refused or reason)

    def _turn(self, selector: selectors.BaseSelector) -> None:
        """Read, unless too much waits to be drained; write what there is."""
        channel = self._connection.socket
        if self._held and not self._holds:
            self._unpack_held()
        self._full = len(self._batches) >= MAX_BATCHES or len(self._held) > _MOST_HELD
        events = (0 if self._full else selectors.EVENT_READ) | (selectors.EVENT_WRITE if self._outbox else 0)
        if events:
            selector.register(channel, events)
        ready = selector.select()
        if events:
            selector.unregister(channel)
        for key, mask in ready:
            if key.fileobj is self._bell:
                self._bell.recv(4096)
            elif mask & selectors.EVENT_WRITE:
                self._write(channel)
            if key.fileobj is channel and mask & selectors.EVENT_READ:
                self._read(channel)

    def _read(self, channel: socket.socket) -> None:
        data = channel.recv(READ)
        if not data:
            raise EOFError
        if self._held or self._holds:
            self._held += data
        else:
            self._unpack(data)

    @property
    def _holds(self) -> bool:
        """Whether what comes can wait; nothing can when somebody waits for an answer."""
        return self._has_calls and self._drains < _DRAINS and not self._pending

    def _unpack_held(self) -> None:
        held, self._held = bytes(self._held), bytearray()
        self._unpack(held)

    def _unpack_rest(self) -> None:
        try:
            self._unpack_held()
        except ProtocolError:
            pass  # why it ended is known already

    def _unpack(self, data: bytes) -> None:
        for message in self._connection.splitter.feed(data):
            self._take(message)

    def _write(self, channel: socket.socket) -> None:
        frame = self._outbox.popleft()
        try:
            sent = channel.send(frame)
        except BlockingIOError:
            sent = 0
        except BrokenPipeError:
            return  # what it said last can still be read
        if sent < len(frame):
            self._outbox.appendleft(frame[sent:])

    def _take_early(self) -> None:
        early = self._connection.early
        while early:
            self._take(early.popleft())

    def _take(self, message: ServerMessage) -> None:
        if isinstance(message, Batch):
            self._batches.append(message)
            self._has_calls = self._has_calls or bool(message.timings) or message.snapshot_done
        elif isinstance(message, Reply):
            with self._lock:
                on_reply = self._pending.pop(message.request, None)
            if on_reply is not None:
                on_reply(message)
        elif isinstance(message, Refused):
            self._refused = escape(message.reason)

    def _why_gone(self) -> str:
        """A process takes a moment to vanish after its connections have."""
        pid = self._info.session.pid
        give_up = time.monotonic() + _GONE_SECONDS
        while is_running(pid) and time.monotonic() < give_up:
            time.sleep(0.01)
        return f"process {pid} closed the connection" if is_running(pid) else f"process {pid} ended"

    def _end(self, reason: str) -> None:
        info = self._info
        with self._lock:
            self._ended = True
            pending, self._pending = self._pending, {}
        self._info = TargetInfo(info.session, "ended", can_act=False, reason=reason)
        for opened in (self._connection.socket, self._bell, self._rope):
            opened.close()
        for number, on_reply in pending.items():
            error = Error("ConnectionError", f"no answer came: {reason}")
            on_reply(Reply(request=number, outcome="error", error=error))


def is_running(pid: int) -> bool:
    """Whether process PID is there, and not only waits for its parent to take note of its end."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return not Path("/proc/self").exists() and _can_signal(pid)
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def _can_signal(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def with_records(batch: Batch, records: Sequence[Any]) -> Batch:
    """BATCH with some more records, which come first."""
    return structs.replace(batch, records=(*records, *batch.records))


def _json(name: str, values: list[Any] | dict[str, Any]) -> str:
    try:
        return json.dumps(values, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        message = f"{name}: a value cannot be sent as JSON: {error}"
        raise TargetError(message) from None
