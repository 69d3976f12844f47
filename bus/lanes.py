"""What each thread knows about itself: the lane (a small number) that it is, and the call that it runs."""

import itertools
from collections import deque
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from bus import runtime
from bus.context import Call, Delivery, Origin, Timing, as_call


class LaneInfo(Struct, frozen=True):
    """A thread that made or ran calls: `key` is from 1 and never reused, as thread ids are. `began`: monotonic ns."""

    key: int
    name: str
    service: str
    worker: int
    native: int
    ident: int = 0
    began: int = 0


lanes: dict[int, LaneInfo] = {}
"""The lanes of all threads that there are, and of those that ended last; see `lane_of`. Each step on it is atomic."""
_MAX_GONE = 2_000
_gone: deque[int] = deque()
ends: deque[tuple[int, int]] = deque(maxlen=_MAX_GONE)
"""The lanes whose threads ended last, and when (monotonic ns); see `ends_since`."""
_now = runtime.REAL.now


class ThreadState:
    """What a thread knows about itself. Written by that thread alone; others may read `call` and `began`.

    `call` is what it runs, since `began` (monotonic ns); `origin` is where the calls come from that it makes now, None
    until it makes the first one inside `call`. `late` is the id of the call with which it was stuck when its place was
    given away: written by who does that. `record` takes the timings, None: nobody wants them; there is `room` for so
    many more, then it has to be asked for again (`Hooks.make_room`), as when the hooks are no more the tuple
    `recorded_by`. `ended`: the thread does nothing any more.
    `acts_for`: by which way and for which client it is about to make a call, None: for the program itself.
    """

    __slots__ = (
        "acts_for", "began", "buffers", "call", "ended", "lane", "late", "origin", "outside", "record", "recorded_by",
        "room",
    )  # fmt: skip

    def __init__(self, lane: int) -> None:
        self.lane = lane
        self.call: Call | Delivery | None = None
        self.began = self.late = 0
        self.outside: Origin = lane, 0, 0, 0
        self.origin: Origin | None = self.outside
        self.record: Callable[[Timing], None] | None = None
        self.recorded_by: tuple[Callable[..., Any], ...] = ()
        self.buffers: tuple[Any, ...] = ()
        self.room = 0
        self.ended = False
        self.acts_for: tuple[str, str] | None = None

    def end(self, now: Callable[[], int] = _now, ends: deque[tuple[int, int]] = ends) -> None:
        """Note that the thread ends; who keeps its state for longer says so on the thread itself."""
        if not self.ended:
            self.ended = True
            ends.append((self.lane, now()))

    def __del__(self, gone: deque[int] = _gone, every: dict[int, LaneInfo] = lanes, most: int = _MAX_GONE) -> None:
        # With its thread. What it did may be looked at for a while, so its lane goes after two thousand others. What
        # this needs it has by default: when the interpreter ends, the module's names go before the last thread.
        self.end()
        gone.append(self.lane)
        if len(gone) > most:
            every.pop(gone.popleft(), None)

    def running(self) -> Call | None:
        """The call that this thread runs; what was a plain delivery is a call from now on."""
        item = self.call
        if isinstance(item, Delivery):
            item = as_call(item)
            item.lane, item.started = self.lane, self.began
            self.call = item
        return item

    def seen(self) -> Call | None:
        """The same for another thread, which gets a copy of a plain delivery."""
        item, began = self.call, self.began
        call = as_call(item) if item is not None else None
        if isinstance(item, Delivery) and call is not None:
            call.lane, call.started = self.lane, began
        return call

    def origin_now(self) -> Origin:
        """Where a call comes from that this thread makes now."""
        origin = self.origin
        if origin is None:
            item = self.call
            if isinstance(item, Delivery):
                root, hops, call_id = item.event.root, item.event.hops, item.id
            elif item is not None:
                root, hops, call_id = item.root, item.hops, item.id
            else:
                return self.outside
            origin = self.origin = self.lane, call_id, root, hops + 1
        return origin


class _Current(runtime.Local):
    """Each thread's own."""

    state: ThreadState | None = None


current = _Current()
_keys = itertools.count(1)


def lane_of(key: int) -> LaneInfo:
    """What is known of a lane; little, when its thread ended long ago."""
    return lanes.get(key) or LaneInfo(key, f"thread {key}, which has ended", "", 0, 0)


def current_call() -> Call | None:
    """The call that this thread is running, None outside a handler."""
    state = current.state
    return state.running() if state is not None else None


def current_lane() -> int:
    """The key of this thread's lane; made on first use."""
    return this_thread().lane


def this_thread() -> ThreadState:
    """The current thread's state; made on first use."""
    return current.state or enter_lane(runtime.thread_name())


def enter_lane(name: str, service: str = "", worker: int = 0) -> ThreadState:
    """Give this thread a lane of its own and return its new state."""
    key = next(_keys)
    lanes[key] = LaneInfo(key, name, service, worker, runtime.native_id(), runtime.thread_ident(), _now())
    current.state = ThreadState(key)
    return current.state


def ends_since(last: tuple[int, int] | None) -> list[tuple[int, int]]:
    """The lanes whose threads ended after LAST, which is one of `ends` (None: the first), the newest first."""
    found: list[tuple[int, int]] = []
    for each in reversed(ends.copy()):
        if each is last:
            break
        found.append(each)
    return found


def leave_lane() -> None:
    """Forget what this thread was: it is going to be another one."""
    current.state = None
