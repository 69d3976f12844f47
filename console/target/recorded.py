"""A session file, read by a thread in portions, so that a long one can be looked at while it is still being read."""

import os
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from bus.attach.protocol import Batch, Reply
from bus.trace.dump import said
from bus.trace.records import AnyRecord, Call, Depth, Dump, Output, Problem, State
from bus.trace.redact import escape
from bus.trace.session import SessionError, SessionReader
from console.target import TargetError, TargetInfo

_PORTION = 2 << 20
"""Bytes of file in a batch: it costs the model less than many small ones, and a batch is taken in within 50 ms."""
_AHEAD = 4
"""Batches that are read before anybody asks for them."""
_ended, _queued = attrgetter("ended"), attrgetter("queued")
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
            self._reader = SessionReader(path, _PORTION)
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

    def stacks(self, lanes: Sequence[int], calls: Sequence[int], on_reply: Callable[[Reply], None]) -> int:
        """Always raises `TargetError`."""
        del lanes, calls, on_reply
        text = "a recording has no live stacks: only a running program can be asked what its threads are doing"
        raise TargetError(text)

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
        calls = [record for record in records if type(record) is Call]
        unended = [call for call in calls if call.outcome is None]
        for call in calls if unended or self._unended else ():
            if call.outcome is None:
                self._unended[call.id] = call
            else:
                self._unended.pop(call.id, None)
        self._at = max(self._at, _latest(records, calls))
        for record in records if len(calls) < len(records) else ():
            if isinstance(record, Dump):
                self._reason = escape(said(record))
        if unended:
            records = [record for record in records if type(record) is not Call or record.outcome is not None]
        self._batches.append(Batch(at=self._at, records=tuple(records), in_flight=len(self._unended)))


def _latest(records: list[AnyRecord], calls: list[Call]) -> int:
    latest = max(max(map(_ended, calls), default=0), max(map(_queued, calls), default=0))
    if len(calls) == len(records):
        return latest
    others = (record.at for record in records if isinstance(record, State | Depth | Problem | Output))
    return max(latest, max(others, default=0))


def _cannot_act(name: str) -> TargetError:
    return TargetError(f"{name} cannot be sent: this is a recording, not a running program")
