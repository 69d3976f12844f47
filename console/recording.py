"""A session file written by the console, from whatever a target says."""

import sys
import time
from pathlib import Path

from bus.attach.protocol import Batch
from bus.trace.records import Call, Output
from bus.trace.redact import escape
from bus.trace.session import SessionError, SessionWriter
from console import format as fmt
from console.target import Target, TargetError

_PERIOD = 0.05
_CONNECT_SECONDS = 30.0


def record(target: Target, path: Path) -> int:
    """Write all that TARGET says to the session file PATH until it ends or Ctrl-C; a child's output is passed on.

    Raises:
        TargetError: the file cannot be written, or the program ended before it had a bus.
    """
    _wait_until_connected(target)
    try:
        writer = SessionWriter(path, target.info.session)
    except SessionError as error:
        raise TargetError(str(error)) from None
    recording = _Recording(target, writer)
    try:
        recording.run()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    except OSError as error:
        raise TargetError(f"recording to {writer.path} stopped: {error.strerror or error}") from None
    finally:
        recording.finish()
    return 0


class _Recording:
    def __init__(self, target: Target, writer: SessionWriter) -> None:
        self._target = target
        self._writer = writer
        self._last = Batch(at=0)
        self._calls = 0

    def run(self) -> None:
        sys.stderr.write(f"recording {escape(self._target.info.session.program)}; Ctrl-C stops\n")
        while self._target.info.state != "ended":
            self._write()
            time.sleep(_PERIOD)
        self._write()

    def finish(self) -> None:
        """Calls that are still in flight are noted as such; then the file is closed."""
        try:
            self._write()
            self._writer.write(self._last.live)
        except OSError:
            pass  # the disk is full: said already, or what counts is on it
        self._writer.close()
        info = self._target.info
        said = [f"{escape(str(self._writer.path))}: {fmt.plural(self._calls, 'call')}"]
        said += [f"{fmt.count(self._last.dropped)} records lost"] if self._last.dropped else []
        said += [escape(info.reason)] if info.state == "ended" else []
        sys.stderr.write(", ".join(said) + "\n")

    def _write(self) -> None:
        for batch in self._target.drain():
            self._last = batch
            self._writer.write(batch.records)
            self._calls += sum(isinstance(each, Call) for each in batch.records)
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
