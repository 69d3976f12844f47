"""A session file, read by a thread in portions, so that a long one can be looked at while it is still being read."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bus.attach.protocol import Batch, Reply
from bus.trace.dump import said
from bus.trace.records import AnyRecord, Call, Depth, Dump, Output, Problem, State
from bus.trace.redact import escape
from bus.trace.session import SessionError, SessionReader
from console.target import TargetError, TargetInfo

_AHEAD = 8
"""Batches, of about a MiB of file each, that are read before anybody asks for them."""
_LOOK_SECONDS = 0.1
"""How often a reader that waits for room looks whether it should end."""


class RecordedTarget:
    """The reader thread owns the reader and appends batches; `drain` takes them."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the session file PATH.

        Raises:
            TargetError: it cannot be read, or is none; the message says why.
        """
        try:
            self._reader = SessionReader(path)
        except SessionError as error:
            raise TargetError(str(error)) from None
        self._batches: deque[Batch] = deque()
        # One for each batch that may still be read ahead of `drain`: a long recording must not be in memory twice.
        self._room = threading.Semaphore(_AHEAD)
        # Written by the reader thread.
        self._unended: dict[int, Call] = {}
        self._at = self._reader.session.start_monotonic
        self._reason = ""
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="console-reader", daemon=True)
        self._thread.start()

    @property
    def info(self) -> TargetInfo:
        """See `Target`. `damaged` grows while the file is read; `reason`: what a dump is of, what stopped us."""
        return TargetInfo(
            self._reader.session, "recorded", can_act=False, reason=self._reason, damaged=self._reader.damaged,
            progress=self._progress(),
        )  # fmt: skip

    def drain(self) -> Sequence[Batch]:
        """See `Target`. The last batch has `snapshot_done`, and the calls that the recording saw no end of."""
        batches = [self._batches.popleft() for _ in range(len(self._batches))]
        if batches:
            self._room.release(len(batches))
        return batches

    def execute(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], on_reply: Callable[[Reply], None]
    ) -> int:
        """Always raises `TargetError`."""
        del args, kwargs, on_reply
        raise _cannot_act(name)

    def fire(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], on_reply: Callable[[Reply], None]) -> int:
        """Always raises `TargetError`."""
        del args, kwargs, on_reply
        raise _cannot_act(name)

    def cancel(self, request: int) -> None:
        """Nothing was ever asked for."""

    def close(self) -> None:
        """See `Target`."""
        self._closing = True
        self._thread.join(timeout=5)

    def _progress(self) -> float:
        return 1.0 if not self._thread.is_alive() else 0.99 * self._reader.position / max(1, self._reader.size)

    # ---- the reader thread

    def _run(self) -> None:
        try:
            for records in self._reader:
                if not self._has_room():
                    break
                self._take(records)
        except OSError as error:
            self._reason = f"reading stopped: {error.strerror or error}"
        finally:
            self._reader.close()
        live = tuple(sorted(self._unended.values(), key=lambda call: call.queued))
        self._batches.append(Batch(at=self._at, live=live, in_flight=len(live), snapshot_done=True))

    def _has_room(self) -> bool:
        while not self._closing:
            if self._room.acquire(timeout=_LOOK_SECONDS):
                return True
        return False

    def _take(self, records: list[AnyRecord]) -> None:
        """Calls without an end wait until the file is read: their end may follow."""
        ended: list[AnyRecord] = []
        for record in records:
            if isinstance(record, Call):
                if record.outcome is None:
                    self._unended[record.id] = record
                    continue
                self._unended.pop(record.id, None)
            elif isinstance(record, Dump):
                self._reason = escape(said(record))
            ended.append(record)
        self._at = max(self._at, _latest(records))
        self._batches.append(Batch(at=self._at, records=tuple(ended), in_flight=len(self._unended)))


def _latest(records: Iterable[AnyRecord]) -> int:
    latest = 0
    for record in records:
        if isinstance(record, Call):
            latest = max(latest, record.ended, record.queued)
        elif isinstance(record, State | Depth | Problem | Output):
            latest = max(latest, record.at)
    return latest


def _cannot_act(name: str) -> TargetError:
    return TargetError(f"{name} cannot be sent: this is a recording, not a running program")
