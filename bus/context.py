"""The call that the current thread is running, and the lane (a small number for a thread) that it runs on."""

import itertools
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bus import runtime

if TYPE_CHECKING:
    from bus.promise import Promise
    from bus.waits import Block

_NO_KWARGS: Mapping[str, Any] = {}
MAX_HOPS = 100
"""Calls and deliveries in one causal chain before `HopLimitExceeded`."""


class Source:
    """What a call runs: of which kind it is, its name, its service, its callback. Shared by all calls of it.

    `entry`: the id of the registration, 0 for what was not registered (an event, a timer's turn).
    """

    __slots__ = ("call_kind", "callback", "entry", "name", "service")

    def __init__(
        self, call_kind: str, name: str, service: str = "", callback: Callable[..., Any] | None = None, entry: int = 0
    ) -> None:
        self.call_kind = call_kind
        self.name = name
        self.service = service
        self.callback = callback
        self.entry = entry


class Call:
    """One command, event or delivery, from the moment it is queued; what `current_call()` returns inside a handler.

    Written by the thread that makes it until it is queued, then by the worker that runs it. Times are monotonic ns,
    0 until they are known. What every call has is in slots, and what few calls have has its default in the class:
    making a call costs what it has to.
    """

    __slots__ = (
        "__dict__",
        "args",
        "caller",
        "context",
        "ended",
        "hops",
        "id",
        "kwargs",
        "lane",
        "outcome",
        "parent",
        "promise",
        "queued",
        "result",
        "root",
        "source",
        "started",
    )

    id: int
    parent: int
    root: int
    hops: int
    source: Source
    caller: int
    lane: int
    queued: int
    started: int
    ended: int
    outcome: str | None
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    context: Context | None
    promise: "Promise[Any] | None"
    result: Any

    by: str = "code"
    client: str = ""
    cpu: int | None = None
    waited: int = 0
    deadline: int | None = None
    cancel_requested: bool = False
    error: BaseException | None = None
    args_text: str = ""
    result_text: str = ""
    marks: tuple[str, ...] = ()
    waiting_for: "Promise[Any] | None" = None
    wait_timed: bool = False
    blocked_on: "Block | None" = None

    def __init__(
        self, call_id: int, source: Source, at: int, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] = _NO_KWARGS
    ) -> None:
        self.id = call_id
        self.source = source
        self.queued = at
        self.args = args
        self.kwargs = kwargs
        self.started = self.ended = self.lane = 0
        self.outcome = self.promise = self.context = self.result = None
        thread = current
        self.caller = thread.lane or current_lane()
        parent = thread.call
        if parent is None:
            self.parent = self.hops = 0
            self.root = call_id
        else:
            self.parent = parent.id
            self.root = parent.root
            self.hops = parent.hops + 1

    @property
    def kind(self) -> str:
        """`command`, `event` or `delivery`."""
        return self.source.call_kind

    @property
    def name(self) -> str:
        """Of the command or event; of a timer's turn, service and method."""
        return self.source.name

    @property
    def service(self) -> str:
        """The service that runs it, "" for an event."""
        return self.source.service

    @property
    def entry(self) -> int:
        """The id of the registration that it runs, 0 when there is none."""
        return self.source.entry

    def line(self) -> str:
        """What and where, for a person: `index.file on indexer-2`."""
        where = lanes[self.lane].name if self.lane else self.service
        return f"{self.name} on {where}"

    def __repr__(self) -> str:
        return f"<Call #{self.id} {self.kind} {self.name} {self.outcome or 'in flight'}>"


@dataclass(frozen=True, slots=True)
class LaneInfo:
    """A thread that made or ran calls: `key` is from 1 and never reused, as thread ids are."""

    key: int
    name: str
    service: str
    worker: int
    native: int
    ident: int = 0


class _Thread(runtime.Local):
    """What each thread knows about itself; owned by that thread."""

    call: Call | None = None
    lane: int = 0


current = _Thread()
lanes: dict[int, LaneInfo] = {}
"""Every lane so far. Entries are only added, each by its own thread; reading needs no lock."""
_keys = itertools.count(1)


def current_call() -> Call | None:
    """The call that this thread is running, None outside a handler."""
    return current.call


def current_lane() -> int:
    """The key of this thread's lane; made on first use."""
    return current.lane or enter_lane(runtime.thread_name())


def enter_lane(name: str, service: str = "", worker: int = 0) -> int:
    """Give this thread a lane of its own and return its key."""
    key = next(_keys)
    lanes[key] = LaneInfo(key, name, service, worker, runtime.native_id(), runtime.thread_ident())
    current.lane = key
    return key
