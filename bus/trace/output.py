"""What the program prints and logs, by lines, each with its lane and the call that said it.

`sys.stdout` and `sys.stderr` are wrapped, and the factory of log records. A handler of the root logger would change
what the program does: `basicConfig` would set up nothing, and warnings without a handler would not be printed.
"""

import logging
import os
import sys
from collections.abc import Callable
from typing import Any, Protocol

from bus.context import Call
from bus.lanes import this_thread
from bus.runtime import REAL, Runtime
from bus.trace import log_streams
from bus.trace.buffers import Shard
from bus.trace.catalog import Catalog
from bus.trace.hiding import MAX_SEARCHED, hidden
from bus.trace.records import AnyRecord, Dropped, Output, Stream
from bus.trace.redact import bounded, message_of, scrub, type_name

MARK = "\x1f"
"""Ends a line in what a child prints that its recorder has: the console, which reads both, shows it once."""
ORIGIN = "\x1e"
"""Begins the lane, the call and the moment (ns) at the end of a line in what a child prints: its recorder had no room
for it, so the console reads it from there. As `MARK`, the program could print it, too, and fool nobody but itself."""
LIMIT = 10_000
"""Lines between two turns of the pump; what is beyond is counted."""
MOST_LINES = 1_000
"""Of one call of `write`."""
_PARTIAL = 1_000
"""Lines without an end that are kept, one for each lane that prints."""
_LEVEL_LIMIT = 40
_lock = REAL.lock()
"""Held while `sys.stdout`, `sys.stderr` or the factory of log records is exchanged."""


class Watched(Protocol):
    """What is needed of the recorder."""

    catalog: Catalog

    @property
    def level(self) -> str:
        """At `off`, what is printed is passed on and nothing else."""


class Capture:
    """Takes lines from all threads; the pump takes them out.

    `_partial`, `_busy` and `_messages` have keys of one lane each, which are touched by that lane's thread, at the end
    by `close`: each step on them is atomic.
    """

    def __init__(self, recorder: Watched, runtime: Runtime, *, marking: bool = False) -> None:
        """MARKING: the lines that are recorded get a `MARK` where they are printed."""
        self._recorder = recorder
        self._now = runtime.now
        self._marking = marking
        self._pid = os.getpid()
        self._lines = Shard(runtime, LIMIT)
        self._partial: dict[tuple[int, Stream], tuple[int, str]] = {}
        self._busy: set[int] = set()
        self._messages: dict[int, str] = {}
        """What each lane logged last: a handler that prints it says nothing new."""
        self._taps: tuple[_Tee | _Factory, ...] = ()

    def open(self) -> None:
        """Take the places of the streams that there are, and of the factory."""
        with _lock:
            tees = [_Tee(self, "stdout", sys.stdout), _Tee(self, "stderr", sys.stderr)]
            self._taps = (
                *(tee for tee in tees if tee.inner is not None),
                _Factory(self, logging.getLogRecordFactory()),
            )
            for tap in self._taps:
                tap.put(tap)
        for tee in tees:
            log_streams.redirect(tee.inner, tee)

    def close(self) -> None:
        """Put back what was there; where somebody wraps us meanwhile, only pass on. Lines without an end are lines."""
        with _lock:
            for tap in self._taps:
                tap.capture = None
                if tap.current() is tap:
                    tap.put(_in_use(tap))
        for tap in self._taps:
            log_streams.redirect(tap, _in_use(tap))
        while self._partial:
            (lane, stream), (call, text) = self._partial.popitem()
            self._keep(stream, text, lane, call)

    def take(self) -> list[AnyRecord]:
        """What was said since this was last asked."""
        records: list[Any] = [self._lines.popleft() for _ in range(len(self._lines))]
        lost = self._lines.take_lost()
        if lost:
            records.append(Dropped(at=self._now(), count=lost, kind="record", where="output"))
        return records

    def written(self, stream: Stream, text: str, *, log: bool = False) -> str:
        """Record the lines of TEXT; what is to be printed in its place. LOG: a handler of log records prints it."""
        state = this_thread()
        if not self._begin(state.lane):
            return text
        try:
            message = self._messages.get(state.lane, "") if log else ""
            told = text.find(message) + len(message) if message and message in text else 0
            return self._split(stream, text, state.lane, self._ours(state.running()), told)
        finally:
            self._busy.discard(state.lane)

    def logged(self, record: logging.LogRecord) -> None:
        """Record what was logged, with the error if it has one."""
        state = this_thread()
        if not self._begin(state.lane):
            return
        try:
            call = self._ours(state.running())
            if len(self._messages) >= _PARTIAL:
                self._messages.popitem()
            text, self._messages[state.lane] = _said(record)
            self._keep("log", self._clean(text, call), state.lane, call.id if call else 0, record.levelname)
        finally:
            self._busy.discard(state.lane)

    def _begin(self, lane: int) -> bool:
        """Not if we are in the middle of it: what is looked at here may print and log in its turn. Nor in a fork."""
        if lane in self._busy or self._recorder.level == "off" or os.getpid() != self._pid:
            return False
        self._busy.add(lane)
        return True

    def _ours(self, call: Call | None) -> Call | None:
        return call if call is not None and self._recorder.catalog.knows(call) else None

    def _clean(self, text: str, call: Call | None) -> str:
        catalog = self._recorder.catalog
        secrets = (*(catalog.secrets(call) if call is not None else ()), *catalog.remembered)
        return scrub(hidden(text[:MAX_SEARCHED], secrets))

    def _split(self, stream: Stream, text: str, lane: int, call: Call | None, told: int) -> str:
        """Lines that begin before TOLD are in a log record already."""
        key, call_id = (lane, stream), call.id if call is not None else 0
        rest = self._rest_of(key, call_id)
        printed: list[str] = []
        at = 0
        while (end := text.find("\n", at)) >= 0 and len(printed) < MOST_LINES:
            line = self._clean(rest + text[at : min(end, at + MAX_SEARCHED)], call).removesuffix("\r")
            kept = at < told or self._keep(stream, line, lane, call_id)
            printed.append(f"{text[at:end]}{self._mark(lane, call_id, kept=kept)}\n")
            rest, at = "", end + 1
        if end >= 0:
            self._lose(text.count("\n", at))
            rest, last = "", text.rfind("\n") + 1
        else:
            last = at
        rest += text[last : last + MAX_SEARCHED]
        if rest:
            self._partial[key] = call_id, rest if len(rest) > MAX_SEARCHED else self._clean(rest, call)
        if not self._marking:
            return text
        return "".join(
            (*printed, text[at:last].replace("\n", f"{self._mark(lane, call_id, kept=False)}\n"), text[last:])
        )

    def _mark(self, lane: int, call: int, *, kept: bool) -> str:
        if not self._marking:
            return ""
        return MARK if kept else f"{ORIGIN}{lane}:{call}:{self._now()}"

    def _rest_of(self, key: tuple[int, Stream], call_id: int) -> str:
        """What this lane printed without an end, if this call did; that of another call has become a line."""
        if len(self._partial) >= _PARTIAL:
            (lane, stream), (other, text) = self._partial.popitem()
            self._keep(stream, text, lane, other)
        known, text = self._partial.pop(key, (call_id, ""))
        if known == call_id:
            return text
        self._keep(key[1], text, key[0], known)
        return ""

    def _keep(self, stream: Stream, text: str, lane: int, call: int, level: str = "") -> bool:
        """Whether there was room. TEXT has been cleaned."""
        if len(self._lines) >= self._lines.limit:
            self._lose(1)
            return False
        level = bounded(level, _LEVEL_LIMIT)
        self._lines.append(Output(at=self._now(), stream=stream, text=bounded(text), level=level, lane=lane, call=call))
        return True

    def _lose(self, count: int) -> None:
        if not self._marking:  # the console reads what has no mark from the stream itself
            self._lines.lose(count)


def _said(record: logging.LogRecord) -> tuple[str, str]:
    """The logger's name and the message, as the program's own handlers do it, in its thread; and the message alone."""
    try:
        message = record.getMessage()[:MAX_SEARCHED]
    except Exception as failure:  # noqa: BLE001  foreign code: a handler would print this and go on
        return f"{record.name}: <unreadable message: {type_name(failure)}>", ""
    text = f"{record.name}: {message}"[:MAX_SEARCHED]
    error = record.exc_info[1] if record.exc_info else None
    return (text if error is None else f"{text} ({type_name(error)}: {message_of(error)})"), message


# ---- what takes the places


class _Tee:
    """Is the stream INNER for all who use it, and shows what is written to a capture, as long as there is one."""

    def __init__(self, capture: Capture, stream: Stream, inner: Any) -> None:
        self.capture: Capture | None = capture
        self.inner = inner
        self._stream = stream

    def current(self) -> object:
        """What is in its place."""
        return getattr(sys, self._stream)

    def put(self, stream: object) -> None:
        """Put STREAM into its place."""
        setattr(sys, self._stream, stream)

    def write(self, text: str, /) -> int:
        """Write TEXT and return its length."""
        capture = self.capture
        if capture is None or type(text) is not str:
            written: int = self.inner.write(text)
            return written
        self.inner.write(capture.written(self._stream, text, log=log_streams.is_printing()))
        return len(text)

    def writelines(self, lines: Any, /) -> None:
        """Write all LINES."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class _Factory:
    """Makes log records as INNER does, and shows them to a capture, as long as there is one."""

    def __init__(self, capture: Capture, inner: Callable[..., logging.LogRecord]) -> None:
        self.capture: Capture | None = capture
        self.inner = inner

    def current(self) -> object:
        """What is in its place."""
        return logging.getLogRecordFactory()

    def put(self, factory: Any) -> None:
        """Put FACTORY into its place."""
        logging.setLogRecordFactory(factory)

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self.inner(*args, **kwargs)
        capture = self.capture
        if capture is not None and record.name:  # `makeLogRecord` makes one that says nothing yet
            capture.logged(record)
        return record


def _in_use(tap: "_Tee | _Factory") -> Any:
    """What TAP stands for, without the taps in between that are closed already."""
    inner = tap.inner
    while isinstance(inner, _Tee | _Factory) and inner.capture is None:
        inner = inner.inner
    return inner
