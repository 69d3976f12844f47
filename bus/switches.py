"""Plugs the optional parts into a bus: the recorder, a session file, the endpoint. A call or the environment asks.

`BUS_TRACE=off|times|full` sets the level, `BUS_TRACE_FILE=path` writes a session file, `BUS_CONSOLE=1` opens the
endpoint. What is opened here is closed with the bus. Trouble with the environment's wishes is logged and does not stop
the program; what a call asks for raises.
"""

import logging
import os
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, get_args

from bus.errors import BusError
from bus.registry import Registration
from bus.runtime import REAL
from bus.trace.records import Level

if TYPE_CHECKING:
    from bus.attach.endpoint import Endpoint
    from bus.core import Bus
    from bus.trace.recording import Recording

T = TypeVar("T")
_log = logging.getLogger("bus")
_OFF = {"", "0", "no", "false", "off"}
_LEVELS: tuple[Level, ...] = get_args(Level)
_lock = REAL.lock()
_plugged: "weakref.WeakKeyDictionary[Bus, Switches]" = weakref.WeakKeyDictionary()
"""Guarded by `_lock`."""


class Switches:
    """The parts that are plugged into one bus. The lists are changed by one call of a method, which is atomic."""

    def __init__(self, bus: "Bus", level: Level) -> None:
        from bus.trace.recorder import Recorder

        self.recorder = Recorder(bus, level)
        self._endpoints: list[Endpoint] = []
        self._recordings: list[Recording] = []

    def serve(self, bus: "Bus") -> Registration:
        """See `serve`."""
        from bus.attach.endpoint import Endpoint

        endpoint = Endpoint(bus, self.recorder)
        self._endpoints.append(endpoint)
        return Registration(lambda: self._close_endpoint(endpoint))

    def record(self, bus: "Bus", path: str | os.PathLike[str]) -> Registration:
        """See `record`."""
        from bus.trace.recording import Recording

        recording = Recording(path, self.recorder.session, bus.runtime, self.recorder.note)
        self._recordings.append(recording)
        self.recorder.add(recording, timeout=1.0)
        return Registration(lambda: self._stop(recording))

    def close(self) -> None:
        """Close all of it, the consoles first, so that they still see the end; what ^C interrupts can be done again."""
        for endpoint in list(self._endpoints):
            self._close_endpoint(endpoint)
        for recording in list(self._recordings):
            self._stop(recording)
        self.recorder.close()

    def _close_endpoint(self, endpoint: "Endpoint") -> None:
        if endpoint in self._endpoints:
            endpoint.close()
            _take_out(self._endpoints, endpoint)

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
    if path:
        _try(record, bus, path)
    if console:
        _try(serve, bus)
    if _level(bus) != "off":
        _switches(bus)


def serve(bus: "Bus") -> Registration:
    """Open the endpoint that a console attaches to.

    Raises:
        EndpointError: the socket cannot be opened.
    """
    return _switches(bus).serve(bus)


def record(bus: "Bus", path: str | os.PathLike[str]) -> Registration:
    """Write what happens from now on to the session file PATH, or to a new one in the directory PATH.

    Raises:
        SessionError: the file cannot be written.
    """
    return _switches(bus).record(bus, path)


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
