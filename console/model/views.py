"""What the model gives to a screen: frozen values, numbers not yet formatted. Times are monotonic ns, durations ns."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bus.trace.records import Call, Entry, Output
from console.model.split import CallParts


class Header(Struct, frozen=True):
    """The one line that every screen shows. `state`: LIVE, RECORDED, ENDED or CONNECTING. `cost`: part of one CPU.

    `problems`: how many were found that are not over.
    """

    program: str
    pid: int
    state: str
    reason: str
    calls_per_second: float
    in_flight: int
    failed: int
    dropped: int
    cost: float
    problems: int = 0


class KnownNames(Struct, frozen=True):
    """What can be named now: registered commands, events (with the first listener of each), services; all sorted."""

    commands: Mapping[str, Entry]
    events: Mapping[str, Entry | None]
    services: tuple[str, ...]


class CommandRow(Struct, frozen=True):
    """One command's figures; percentiles are None until it ran.

    `removed`: it is not registered any more. `wrong`: it has a problem that is not over. `more`: its service's queue is
    so long that the program listed only a part of it, and `queued` counts that part.
    """

    name: str
    service: str
    calls: int
    rate: float
    running: int
    queued: int
    wait_p50: int | None
    wait_p99: int | None
    run_p50: int | None
    run_p99: int | None
    errors: int
    last: int
    last_failed: bool
    removed: bool
    entry: Entry | None
    wrong: bool = False
    more: bool = False


class ReceiverRow(Struct, frozen=True):
    """A listener. `p99`: ns that 99 of 100 of its last deliveries ran at most; None until one ran."""

    entry: Entry
    p99: int | None


class EventRow(Struct, frozen=True):
    """One event's figures. `listeners`: the registrations that it is delivered to now, in order.

    `lost`: deliveries that were never made, for want of room in a mailbox or because a service had stopped.
    """

    name: str
    fired: int
    rate: float
    delivery_rate: float
    failed: int
    last: int
    last_args: str
    listeners: tuple[Entry, ...]
    lost: int = 0


class ThreadRow(Struct, frozen=True):
    """A thread, and the call that it runs since (monotonic ns); 0 and "" when it runs none."""

    lane: int
    name: str
    call: int = 0
    call_name: str = ""
    since: int = 0


OUTSIDE_NAME: Final = "outside"
"""What the threads outside of all services are called together."""


class ServiceRow(Struct, frozen=True):
    """One service. The name "" stands for the threads outside of all services, which have nothing but threads.

    `busy`: the part of the last 10 s in which its workers ran something, 0.0 to 1.0. `depths`: the deepest moments of
    its mailbox in equal parts of the last minute. `capacity`: 0: not known. `error`: what it last failed with.
    """

    name: str
    state: str = ""
    workers: int = 0
    threads: tuple[ThreadRow, ...] = ()
    depth: int = 0
    capacity: int = 0
    depths: tuple[int, ...] = ()
    busy: float = 0.0
    rate: float = 0.0
    calls: int = 0
    errors: int = 0
    restarts: int = 0
    dropped: int = 0
    stuck: int = 0
    error: str = ""

    @property
    def failed(self) -> bool:
        """Whether it has been given up."""
        return self.state == "failed"

    @property
    def full(self) -> bool:
        """Whether its mailbox has no room for another call."""
        return 0 < self.capacity <= self.depth

    @property
    def gone(self) -> bool:
        """Whether it was taken off the bus."""
        return self.state == "stopped"

    @property
    def running(self) -> tuple[ThreadRow, ...]:
        """The threads that run a call, the one that has been at it for the longest first."""
        return tuple(sorted((thread for thread in self.threads if thread.call), key=lambda thread: thread.since))


class Bar(Struct, frozen=True):
    """A call wide enough for a label: cells [start, end) of its lane."""

    start: int
    end: int
    call: int
    name: str
    args: str


class LaneHead(Struct, frozen=True):
    """What a lane is called. `ended`: when its thread ended (ns); 0: it has not, or that is not known."""

    key: int
    name: str
    service: str
    ended: int = 0


class Lineup(Struct, frozen=True):
    """The lanes that there are in a window, in their order.

    `absent`: others that were left out, because their threads were not there in the window.
    """

    lanes: tuple[LaneHead, ...] = ()
    absent: int = 0


class LaneView(Struct, frozen=True):
    """One lane in a window of W cells.

    `parts`: float32 (4, W), the fraction of each cell that is queued, computing, waiting for other calls, elsewhere.
    Where calls were recorded without cpu time, what is not waiting counts as computing.
    `count`: int32 (W,), calls that touch the cell.
    `call`: int64 (W,), the call to select there, 0 none; a failed one first.
    `failed`: bool (W,), a failure ended in this cell.
    """

    head: LaneHead
    parts: NDArray[np.float32]
    count: NDArray[np.int32]
    call: NDArray[np.int64]
    failed: NDArray[np.bool_]
    bars: tuple[Bar, ...]

    @property
    def key(self) -> int:
        """The lane's key."""
        return self.head.key

    @property
    def name(self) -> str:
        """The thread's name."""
        return self.head.name

    @property
    def service(self) -> str:
        """The service that it works for, "": none."""
        return self.head.service


class TimelineView(Struct, frozen=True):
    """Lanes over [start, end) ns: those of the lineup that were asked for.

    `density`: float32 (W,), 0 to 1, calls over the whole recording [first, last).
    """

    start: int
    end: int
    first: int
    last: int
    lanes: tuple[LaneView, ...]
    density: NDArray[np.float32]
    lineup: Lineup = Lineup()


class CallDetail(Struct, frozen=True):
    """One call and its neighbours. Names are "" and numbers 0 where there is none, or it is not kept any more.

    `effects`: the calls that this one caused directly, by the time they were queued, at most 200 of them;
    `more_effects` counts the others. `output`: what it printed and logged last.
    """

    call: Call
    parts: CallParts
    lane: str
    caller_lane: str
    cause: Call | None
    effects: tuple[Call, ...]
    more_effects: int = 0
    output: tuple[Output, ...] = ()
