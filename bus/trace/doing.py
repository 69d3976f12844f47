"""What threads are doing right now, as bounded, escaped text: code, never the values of variables."""

import linecache
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from bus import lanes, runtime
from bus.lanes import LaneInfo
from bus.progress import is_bus, without_bottom
from bus.runtime import Place
from bus.trace.records import Frame, Stack, Waiting
from bus.trace.redact import bounded, scrub
from bus.trace.timings import NAME_LIMIT
from bus.waits import RunningCall

FRAMES = 40
"""Of one stack; those in the middle of a long one say least, but which these are only a person knows."""
LANES = 400
"""In one answer; with the longest names there may be, so many fit into a frame of the wire without their stacks."""
_SOURCE = 200
_MAX_FILE = 4 << 20
_KNOWN_FRAMES = 4_000
_MAIN = "MainThread"


class Onlooker:
    """Looks at threads for one console, on that one's thread, which owns the frames that are known already.

    Most threads stand where they stood a second ago, so a frame is made into text once.
    """

    def __init__(self, running: Callable[[], Sequence[RunningCall]], now: Callable[[], int]) -> None:
        """RUNNING gives the calls that run, NOW the monotonic ns."""
        self._running = running
        self._now = now
        self._frames: dict[tuple[str, str, int, bool], Frame] = {}

    def look(
        self, keys: Collection[int] = (), calls: Collection[int] = (), frames: int = FRAMES
    ) -> tuple[tuple[Stack, ...], int]:
        """The stacks of the lanes KEYS and of those that run CALLS, FRAMES each at most; of all, if neither is given.

        Who runs a call comes first, the longest running one at the top; after `LANES` the others are only counted.
        Threads that only serve the bus are left out, and so is the current one.
        """
        running = {one.call.lane: one for one in self._running()}
        wanted = {*keys, *(lane for lane, one in running.items() if one.call.id in calls)}
        chosen = [lane for lane in _alive() if not (keys or calls) or lane.key in wanted]
        chosen.sort(key=lambda lane: (running[lane.key].call.started if lane.key in running else self._now(), lane.key))
        stacks: list[Stack] = []
        for position, lane in enumerate(chosen):
            if len(stacks) == LANES:
                return tuple(stacks), len(chosen) - position
            stack = self._stack(lane, running.get(lane.key), frames)
            if stack is not None:
                stacks.append(stack)
        return tuple(stacks), 0

    def _stack(self, lane: LaneInfo, running: RunningCall | None, most: int) -> Stack | None:
        places = without_bottom(runtime.stack(lane.ident))
        if not places and not lane.service:
            return None
        call = running.call if running is not None else None
        return Stack(
            lane=lane.key, at=self._now(), name=bounded(lane.name, NAME_LIMIT),
            service=bounded(lane.service, NAME_LIMIT), call=call.id if call is not None else 0,
            call_name=bounded(call.name, NAME_LIMIT) if call is not None else "",
            since=call.started if call is not None else 0, waiting=_waiting(running) if running is not None else None,
            frames=tuple(map(self._frame, places[:most])), more=max(0, len(places) - most),
        )  # fmt: skip

    def _frame(self, place: Place) -> Frame:
        code = place.code
        key = code.co_filename, code.co_qualname, place.line, is_bus(place)
        known = self._frames.get(key)
        if known is not None:
            return known
        if len(self._frames) >= _KNOWN_FRAMES:
            self._frames.clear()
        frame = self._frames[key] = Frame(
            function=bounded(code.co_qualname, NAME_LIMIT), file=bounded(code.co_filename, NAME_LIMIT),
            line=max(0, place.line or 0), source=_source(code.co_filename, place.line or 0), bus=key[3],
        )  # fmt: skip
        return frame


def _alive() -> Iterator[LaneInfo]:
    """The lanes whose threads go on, without the current one; and the main thread, if it has no lane.

    The interpreter's id of a thread is soon another one's: only with the system's does it say who it is.
    """
    living, current = runtime.living(), runtime.thread_ident()
    main = runtime.main_ident()
    for lane in list(lanes.lanes.copy().values()):
        if living.get(lane.ident) == lane.native and lane.ident != current:
            main = 0 if lane.ident == main else main
            yield lane
    if main and main != current:
        yield LaneInfo(0, _MAIN, "", 0, 0, main)


def _waiting(running: RunningCall) -> Waiting | None:
    target, block = running.target, running.block
    if target is not None:
        return Waiting(
            call=target.id, name=bounded(target.name, NAME_LIMIT), service=bounded(target.service, NAME_LIMIT),
            lane=target.lane if target.started else 0, timed=running.timed,
        )  # fmt: skip
    if block is not None:
        return Waiting(what="end" if block.end else "room", service=bounded(block.service, NAME_LIMIT), timed=True)
    return None


def _source(file: str, line: int) -> str:
    """That line of FILE, without what looks like a secret; "" where it is no file that is quickly read."""
    if file not in linecache.cache and not _is_readable(file):
        return ""
    return bounded(scrub(linecache.getline(file, line).strip()[: 4 * _SOURCE]), _SOURCE)


def _is_readable(file: str) -> bool:
    """Code may say that it comes from a pipe or from a device without an end."""
    try:
        found = Path(file).stat()
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size <= _MAX_FILE
