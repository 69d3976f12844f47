"""A session file written by the console, from whatever a target says."""

import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from bus.attach.protocol import Batch
from bus.trace.records import AnyRecord, Call, Output, Session
from bus.trace.redact import escape
from bus.trace.session import SessionError, SessionWriter
from bus.trace.timings import Label
from console import format as fmt
from console.model.timings import Labels
from console.target import Target, TargetError

_PERIOD = 0.05
_CONNECT_SECONDS = 30.0


class Recording:
    """A session file that grows with what a target says. `calls` counts those that are in it.

    `problem`: why it stopped before anybody wanted it to, as when the disk is full; "" while all is well.
    """

    def __init__(
        self, path: Path, session: Session, opening: Iterable[AnyRecord] = (), labels: Mapping[int, Label] | None = None
    ) -> None:
        """Open PATH, or a new file in the folder PATH; OPENING and LABELS: what was said before, to explain the rest.

        Raises:
            TargetError: it cannot be written.
        """
        try:
            self._writer = SessionWriter(path, session)
        except SessionError as error:
            raise TargetError(str(error)) from None
        self.calls = 0
        self.problem = ""
        self._last = Batch(at=0)
        self._labels = Labels()
        self._labels.update(labels or {})
        self._write(opening)

    @property
    def path(self) -> Path:
        """The file that is written."""
        return self._writer.path

    def take(self, batch: Batch) -> None:
        """Write what BATCH says."""
        self._last = batch
        self._labels.take(batch)
        records = self._labels.records(batch)
        self._write(records)
        self.calls += sum(isinstance(each, Call) for each in records)

    def close(self) -> str:
        """Note the calls that are still in flight as such, close the file, and say what is in it."""
        self._write(self._last.live)
        self._writer.close()
        lost = f", {fmt.count(self._last.dropped)} records lost" if self._last.dropped else ""
        return f"{escape(str(self.path))}: {fmt.plural(self.calls, 'call')}{lost}"

    def _write(self, records: Iterable[AnyRecord]) -> None:
        if self.problem:
            return
        try:
            self._writer.write(records)
        except OSError as error:
            self.problem = f"recording to {self.path} stopped: {error.strerror or error}"


def record(target: Target, path: Path) -> int:
    """Write all that TARGET says to the session file PATH until it ends or Ctrl-C; a child's output is passed on.

    Raises:
        TargetError: the file cannot be written, or the program ended before it had a bus.
    """
    _wait_until_connected(target)
    recording = Recording(path, target.info.session)
    sys.stderr.write(f"recording {escape(target.info.session.program)}; Ctrl-C stops\n")
    try:
        while target.info.state != "ended" and not recording.problem:
            _drain(target, recording)
            time.sleep(_PERIOD)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    _drain(target, recording)
    said, info = recording.close(), target.info
    sys.stderr.write(said + (f", {escape(info.reason)}" if info.state == "ended" else "") + "\n")
    if recording.problem:
        raise TargetError(recording.problem)
    return 0


def _drain(target: Target, recording: Recording) -> None:
    for batch in target.drain():
        recording.take(batch)
        for each in batch.records:
            if isinstance(each, Output) and each.stream != "log":
                getattr(sys, each.stream).write(f"{each.text}\n")


def _wait_until_connected(target: Target) -> None:
    give_up = time.monotonic() + _CONNECT_SECONDS
    while target.info.state == "connecting" and time.monotonic() < give_up:
        time.sleep(_PERIOD)
    info = target.info
    if info.state == "connecting" or not info.session.session:
        raise TargetError(f"{info.session.program} made no bus that could be recorded: {info.reason}")
