"""A session file, read by a thread in portions, so that a long one can be looked at while it is still being read."""

import os
import threading
from collections import deque
from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from bus.attach.protocol import Batch
from bus.trace.dump import said
from bus.trace.records import AnyRecord, Call, Depth, Dump, Output, Problem, State
from bus.trace.redact import escape
from bus.trace.session import SessionError, SessionReader
from console.model.packing import Packer, Portion
from console.target import TargetError, TargetInfo
from console.target.past import PastTarget

_PORTION = 2 << 20
"""Bytes of file in a batch: it costs the model less than many small ones, and a batch is taken in within 50 ms."""
_READ = 1 << 20
"""Bytes of file that are read at once."""
_AHEAD = 12
"""Batches that are read before anybody asks for them: what is read between two frames of a screen."""
_LOOK_SECONDS = 0.1
"""How often a reader that waits for room looks whether it should end."""


class RecordedTarget(PastTarget):
    """The reader thread owns the reader and appends batches; `drain` takes them."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the session file PATH.

        Raises:
            TargetError: it cannot be read, or is none; the message says why.
        """
        try:
            self._reader = SessionReader(path, _READ)
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
        self._packer = Packer()
        self._thread = threading.Thread(target=self._run, name="console-reader", daemon=True)
        self._thread.start()

    @property
    def size(self) -> int:
        """Bytes that there are to read."""
        return self._reader.size

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

    def close(self) -> None:
        """See `Target`."""
        self._closing = True
        self._thread.join(timeout=5)

    def _progress(self) -> float:
        return 1.0 if not self._thread.is_alive() else 0.99 * self._reader.position / max(1, self._reader.size)

    # ---- the reader thread

    def _run(self) -> None:
        try:
            self._read()
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

    def _read(self) -> None:
        others: list[AnyRecord] = []
        until = _PORTION
        for records in self._reader:
            others += self._packer.add(records)
            if self._reader.position < until:
                continue
            if not self._has_room():
                return
            until = self._reader.position + _PORTION
            self._append(others)
            others = []
        self._append(others)

    def _append(self, others: list[AnyRecord]) -> None:
        """Calls without an end wait until the file is read: their end may follow."""
        packed = self._packer.take()
        self._unended.update((call.id, call) for call in packed.unended)
        if self._unended:
            unended = np.fromiter(self._unended, np.int64, len(self._unended))
            for call in unended[np.isin(unended, packed.calls["id"])].tolist():
                del self._unended[call]
        for record in others:
            if isinstance(record, Dump):
                self._reason = escape(said(record))
        self._at = max(self._at, packed.latest, _latest(others))
        self._batches.append(
            Portion(
                at=self._at, records=tuple(others), packed=replace(packed, unended=()), in_flight=len(self._unended)
            )
        )  # fmt: skip


def _latest(records: list[AnyRecord]) -> int:
    return max((record.at for record in records if isinstance(record, State | Depth | Problem | Output)), default=0)
