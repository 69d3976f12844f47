"""What a dump is made for without being asked: looks at all that the recorder collects, and keeps the evidence."""

import logging
import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from msgspec import Struct

from bus.runtime import NS, Runtime, Thread
from bus.trace.chunk import Chunk, Item, length_of
from bus.trace.dump import Dumps
from bus.trace.records import AnyRecord, Call, Depth, Problem, State
from bus.trace.session import SessionError

_MAX_TOLD = 256
_FAILURES = ("error", "aborted")
_log = logging.getLogger("bus")


class Triggers(Struct, frozen=True):
    """What is worth a dump.

    `errors`: an error that nobody asked for, a listener that fails, a service that fails. `deadlocks`: a refused or a
    suspected one. `slow`: a call that takes longer than so many seconds, waiting included, once while it still runs.
    `mailbox`: more calls than that in one. `signal`: its number. After a dump the first four rest for `cooldown`
    seconds. The last `keep` files are kept.
    """

    errors: bool = True
    deadlocks: bool = True
    slow: float | None = None
    mailbox: int | None = None
    signal: int | None = None
    cooldown: float = 60.0
    keep: int = 10

    def found(self, items: Sequence[Item]) -> Iterator[str]:
        """Why ITEMS are worth a dump, a sentence for each reason."""
        for item in items:
            length = length_of(item)
            if length is None:
                yield from self._of_record(item)  # type: ignore[arg-type]  # a wait is the only tuple among them
            elif self.is_slow(length[1]):
                yield f"call #{length[0]} took {length[1] / NS:.3f} s"

    def is_slow(self, took: int) -> bool:
        """Whether that many ns are too many."""
        return self.slow is not None and took > self.slow * NS

    def _of_record(self, record: AnyRecord) -> Iterator[str]:
        match record:
            case Problem(rule="swallowed") if self.errors:
                yield record.text
            case Problem(rule="deadlock", suspected=True) if self.deadlocks:  # a refused one: when the call has ended
                yield record.text
            case State(state="failed") if self.errors:
                yield f"the service {record.service} failed: {record.error}"
            case Depth() if self.mailbox is not None and record.depth > self.mailbox:
                yield f"{record.depth:,} calls are in the mailbox of {record.service}"
            case Call():
                yield from self._of_call(record)

    def _of_call(self, call: Call) -> Iterator[str]:
        name = f"{call.name} #{call.id}"
        if self.deadlocks and call.outcome == "deadlock":
            yield f"{name} would have waited for ever: {call.error.message if call.error else ''}"
        elif self.errors and call.kind == "delivery" and call.outcome in _FAILURES:
            yield f"the listener {name} failed: {call.error.type if call.error else ''}"
        if self.is_slow(call.ended - call.queued):
            yield f"{name} took {(call.ended - call.queued) / NS:.3f} s"


def read_triggers(text: str) -> Triggers:
    """The triggers that are written as `error deadlock slow=2 mailbox=1000 signal=USR1 cooldown=60 keep=10`.

    Raises:
        SessionError: it is not understood.
    """
    chosen: dict[str, Any] = {"errors": False, "deadlocks": False}
    for word in text.replace(",", " ").split():
        name, _, value = word.partition("=")
        try:
            setting, read = _WORDS[name]
            chosen[setting] = read(value)
        except (KeyError, ValueError):
            message = f"{word!r} is no trigger of a dump; there are: error deadlock slow=2.5 mailbox=1000 signal=USR1"
            raise SessionError(message) from None
    return Triggers(**chosen)


def _yes(value: str) -> bool:
    if value:
        message = "it takes no value"
        raise ValueError(message)
    return True


def _signal_number(name: str) -> int:
    return signal.Signals[f"SIG{name.upper().removeprefix('SIG')}"].value


_WORDS: dict[str, tuple[str, Any]] = {
    "error": ("errors", _yes),
    "deadlock": ("deadlocks", _yes),
    "slow": ("slow", float),
    "mailbox": ("mailbox", int),
    "signal": ("signal", _signal_number),
    "cooldown": ("cooldown", float),
    "keep": ("keep", int),
}


class Watch:
    """A sink of the recorder that starts a thread for each dump, one at a time.

    Owned by the pump thread, but for `_written` and `cpu`, which belong to the dumping thread, and `_signalled`, which
    the signal handler sets: it may interrupt anything, so it takes no lock and wakes nobody.
    """

    def __init__(self, dumps: Dumps, path: str | os.PathLike[str], triggers: Triggers, runtime: Runtime) -> None:
        """Write to PATH, best a directory, what TRIGGERS say.

        Raises:
            SessionError: a signal was asked for outside of the main thread.
        """
        self.alive = True
        self.cpu = 0
        self._dumps = dumps
        self._path = path
        self._triggers = triggers
        self._runtime = runtime
        self._signalled = False
        self._not_before = 0
        self._told: deque[int] = deque(maxlen=_MAX_TOLD)
        self._thread: Thread | None = None
        self._written: deque[Path] = deque()
        self._former: Any = None
        if triggers.signal is not None:
            self._catch(triggers.signal)

    def join(self, opening: tuple[AnyRecord, ...], history: tuple[Chunk, ...]) -> None:
        """See `Sink`; what happened before is in every dump anyway."""

    def offer(self, chunk: Chunk) -> None:
        """See `Sink`: look at CHUNK."""
        if self._thread is not None and self._thread.alive:
            return
        if self._signalled:
            self._signalled = False
            self._begin(f"signal {signal.Signals(self._triggers.signal or 0).name}")
        elif chunk.at >= self._not_before:
            reason = next(self._triggers.found(chunk.items), None) or self._running(chunk)
            if reason is not None:
                self._not_before = chunk.at + int(self._triggers.cooldown * NS)
                self._begin(reason)

    def leave(self, chunk: Chunk) -> None:
        """See `Sink`."""
        self.offer(chunk)

    def flush(self, timeout: float) -> bool:
        """See `Sink`: whether the dump that is being written is there."""
        return self._thread is None or self._thread.join(timeout)

    def release(self) -> None:
        """Give the signal back to whoever had it before, unless somebody else has taken it since."""
        number = self._triggers.signal
        if number is None or signal.getsignal(number) != self._on_signal:
            return
        try:
            signal.signal(number, self._former or signal.SIG_DFL)
        except ValueError:
            pass  # closed outside of the main thread: the handler stays, and sets a flag that nobody looks at

    def _catch(self, number: int) -> None:
        try:
            self._former = signal.signal(number, self._on_signal)
        except (ValueError, OSError) as error:
            message = f"cannot dump on signal {number}: {error}; say so in the main thread"
            raise SessionError(message) from error

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signalled = True
        if callable(self._former):
            self._former(number, frame)

    def _running(self, chunk: Chunk) -> str | None:
        """The oldest call that is too slow already, if nobody was told of it."""
        for call in chunk.live:
            took = chunk.at - call.queued
            if not self._triggers.is_slow(took):
                return None  # the others are younger
            if call.id not in self._told:
                self._told.append(call.id)
                return f"{call.name} #{call.id} has not ended after {took / NS:.3f} s"
        return None

    def _begin(self, reason: str) -> None:
        self._thread = self._runtime.spawn("bus-trace-dump", self._dump, reason)

    # ---- on its own thread

    def _dump(self, reason: str) -> None:
        try:
            path = self._dumps.write(self._path, reason)
            _log.warning("dumped to %s: %s", path, reason)
            self._tidy(path)
        except (SessionError, OSError) as error:
            _log.warning("%s", error)
        self.cpu += self._runtime.cpu()

    def _tidy(self, path: Path) -> None:
        """Who fails every minute must not fill the disk."""
        if path not in self._written:
            self._written.append(path)
        while len(self._written) > self._triggers.keep:
            self._written.popleft().unlink(missing_ok=True)
