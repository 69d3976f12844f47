"""Plugs the optional parts into a bus: the recorder, a session file, the endpoint. A call or the environment asks.

`BUS_TRACE=off|times|full` sets the level, `BUS_TRACE_FILE=path` writes a session file, `BUS_CONSOLE=1` opens the
endpoint, `BUS_OUTPUT=1` records what the program prints and logs, `BUS_DUMP=path` keeps the evidence of what goes wrong
(`BUS_DUMP_ON="error slow=2"` says of what). Any of them makes the recorder, and with it the flight recorder; a bus that
has none of it pays nothing. What is opened here is closed with the bus. Trouble with the environment's wishes is logged
and does not stop the program; what a call asks for raises.
"""

import logging
import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from bus.errors import BusError
from bus.registry import Registration
from bus.runtime import REAL
from bus.trace.records import Level

if TYPE_CHECKING:
    from bus.attach.endpoint import Endpoint
    from bus.core import Bus
    from bus.trace.output import Capture
    from bus.trace.recording import Recording
    from bus.trace.triggers import Triggers, Watch

T = TypeVar("T")
_log = logging.getLogger("bus")
_OFF = {"", "0", "no", "false", "off"}
_LEVELS: tuple[Level, ...] = get_args(Level)
_DUMP_SECONDS = 5.0
"""What a dump that has begun gets to be finished when the bus closes."""
MARKED = "marked"
"""The value of `BUS_OUTPUT` for a program whose streams are read by the console."""
_lock = REAL.lock()
_plugged: "weakref.WeakKeyDictionary[Bus, Switches]" = weakref.WeakKeyDictionary()
"""Guarded by `_lock`."""


class Switches:
    """The parts that are plugged into one bus. The lists are changed by one call of a method, which is atomic."""

    def __init__(self, bus: "Bus", level: Level) -> None:
        from bus.trace.dump import Dumps
        from bus.trace.recorder import Recorder

        self.recorder = Recorder(bus, level)
        self.dumps = Dumps(self.recorder, bus.runtime.lock())
        self._endpoints: list[Endpoint] = []
        self._recordings: list[Recording] = []
        self._watches: list[Watch] = []
        self._captures: list[Capture] = []

    @property
    def doors(self) -> list[str]:
        """The paths of the endpoints that are open."""
        return [os.fspath(endpoint.path) for endpoint in list(self._endpoints)]

    def serve(self, bus: "Bus") -> Registration:
        """See `serve`."""
        from bus.attach.endpoint import Endpoint

        endpoint = Endpoint(bus, self.recorder)
        self._endpoints.append(endpoint)
        return Registration(lambda: self._close_endpoint(endpoint))

    def record(self, bus: "Bus", path: str | os.PathLike[str], part_bytes: int | None) -> Registration:
        """See `record`."""
        from bus.trace.parts import PART_BYTES
        from bus.trace.recording import Recording

        size = PART_BYTES if part_bytes is None else part_bytes
        recording = Recording(path, self.recorder.session, bus.runtime, self.recorder.note, size)
        self._recordings.append(recording)
        self.recorder.add(recording, timeout=1.0)
        return Registration(lambda: self._stop(recording))

    def dump_on(self, bus: "Bus", path: str | os.PathLike[str], triggers: "Triggers") -> Registration:
        """See `dump_on`."""
        from bus.trace.triggers import Watch

        watch = Watch(self.dumps, path, triggers, bus.runtime)
        self._watches.append(watch)
        self.recorder.add(watch, timeout=1.0)
        return Registration(lambda: self._end_watch(watch))

    def capture(self, bus: "Bus", *, marking: bool = False) -> Registration:
        """See `capture`. MARKING: see `output.Capture`."""
        from bus.trace.output import Capture

        capture = Capture(self.recorder, bus.runtime, marking=marking)
        self._captures.append(capture)
        self.recorder.add_source(capture.take)
        capture.open()
        return Registration(lambda: self._release(capture))

    def close(self) -> None:
        """Close all of it, the consoles first, so that they still see the end; what ^C interrupts can be done again."""
        for capture in list(self._captures):
            self._release(capture)
        for endpoint in list(self._endpoints):
            self._close_endpoint(endpoint)
        for watch in list(self._watches):
            self._end_watch(watch)
        for recording in list(self._recordings):
            self._stop(recording)
        self.recorder.close()

    def _close_endpoint(self, endpoint: "Endpoint") -> None:
        if endpoint in self._endpoints:
            endpoint.close()
            _take_out(self._endpoints, endpoint)

    def _end_watch(self, watch: "Watch") -> None:
        if watch in self._watches:
            watch.release()
            self.recorder.remove(watch)
            watch.flush(_DUMP_SECONDS)
            _take_out(self._watches, watch)

    def _release(self, capture: "Capture") -> None:
        if capture in self._captures:
            capture.close()
            self.recorder.remove_source(capture.take)
            _take_out(self._captures, capture)

    def _stop(self, recording: "Recording") -> None:
        if recording in self._recordings:
            self.recorder.remove(recording)
            recording.wait_closed(2.0)
            _take_out(self._recordings, recording)


def _take_out(parts: list[T], part: T) -> None:
    try:
        parts.remove(part)
    except ValueError:
        pass  # another thread closed it too


def plug(bus: "Bus") -> None:
    """Give BUS what its `trace` and the environment ask for."""
    path = os.environ.get("BUS_TRACE_FILE", "")
    console = os.environ.get("BUS_CONSOLE", "").lower() not in _OFF
    _capture_as_asked(bus)
    if path:
        _try(record, bus, path)
    if console:
        _try(serve, bus)
    if os.environ.get("BUS_DUMP"):
        _try(_dump_as_told, bus)
    if _level(bus) != "off":
        _switches(bus)


def serve(bus: "Bus") -> Registration:
    """Open the endpoint that a console attaches to.

    Raises:
        EndpointError: the socket cannot be opened.
    """
    return _switches(bus).serve(bus)


def serve_all() -> tuple[list[str], str]:
    """Open the endpoint of every bus in this process that has none: for a console that comes in by another way.

    The paths of all doors that are open now, and why one could not be opened, or "".
    """
    from bus.lifecycle import open_buses

    doors: list[str] = []
    error = ""
    for bus in open_buses():
        switches = _switches(bus)
        if not switches.doors:
            try:
                switches.serve(bus)
            except BusError as failure:
                error = str(failure)
        doors += switches.doors
    return doors, error


def record(bus: "Bus", path: str | os.PathLike[str], part_bytes: int | None = None) -> Registration:
    """Write what happens from now on to the session file PATH, or to a new one in the directory PATH.

    After PART_BYTES (0: never, None: 256 MiB) it goes on in a new file, and the full one gets a number.

    Raises:
        SessionError: the file cannot be written.
    """
    return _switches(bus).record(bus, path, part_bytes)


def dump_trace(bus: "Bus", path: str | os.PathLike[str]) -> Path:
    """Write what the flight recorder holds to PATH, or to a new file in the directory PATH; which one it became.

    Raises:
        SessionError: it cannot be written, or nothing was recorded on this bus.
    """
    from bus.trace.session import SessionError

    with _lock:
        found = _plugged.get(bus)
    if found is None:
        message = f'nothing is recorded on the bus {bus.name!r}: make it with trace="times", or set BUS_TRACE=times'
        raise SessionError(message)
    return found.dumps.write(path)


def dump_on(bus: "Bus", path: str | os.PathLike[str], triggers: "Triggers | None") -> Registration:
    """Dump to PATH, or to new files in the directory PATH, when something happens that is one of TRIGGERS.

    Raises:
        SessionError: a trigger is a signal, and this is not the main thread.
    """
    from bus.trace.triggers import Triggers

    return _switches(bus).dump_on(bus, path, triggers or Triggers())


def _dump_as_told(bus: "Bus") -> Registration:
    from bus.trace.triggers import read_triggers

    wanted = os.environ.get("BUS_DUMP_ON", "")
    return dump_on(bus, os.environ["BUS_DUMP"], read_triggers(wanted) if wanted else None)


def capture(bus: "Bus") -> Registration:
    """Record from now on what the program prints and logs, until this is disposed or BUS closed.

    `sys.stdout` and `sys.stderr` are wrapped, and the factory of log records; what is printed is still printed.
    """
    return _switches(bus).capture(bus)


def _capture_as_asked(bus: "Bus") -> None:
    """A console that starts a program reads its streams too: lines are marked then, for the first bus it makes."""
    wanted = os.environ.get("BUS_OUTPUT", "").lower()
    if wanted == MARKED:
        del os.environ["BUS_OUTPUT"]  # what the program starts has no console that would take the marks out
        _switches(bus).capture(bus, marking=True)
    elif wanted not in _OFF:
        capture(bus)


def _switches(bus: "Bus") -> Switches:
    with _lock:
        found = _plugged.get(bus)
    if found is not None:
        return found
    made = Switches(bus, _level(bus))
    with _lock:
        found = _plugged.setdefault(bus, made)
    if found is made:
        bus.at_close(lambda: _unplug(bus))
    else:
        made.close()
    return found


def _unplug(bus: "Bus") -> None:
    with _lock:
        found = _plugged.get(bus)
    if found is not None:
        found.close()
        with _lock:
            _plugged.pop(bus, None)


def _level(bus: "Bus") -> Level:
    """What the code says, else the environment, else the default."""
    wanted = bus.trace or os.environ.get("BUS_TRACE", "") or "times"
    for level in _LEVELS:
        if level == wanted:
            return level
    _log.warning("BUS_TRACE=%s is not one of %s; using times", wanted, ", ".join(_LEVELS))
    return "times"


def _try(wish: Callable[..., Registration], *args: object) -> None:
    """What the environment asks for and cannot be had must not keep the program from running."""
    try:
        wish(*args)
    except BusError as error:
        _log.warning("%s", error)
