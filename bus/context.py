"""The call that the current thread is running, and the lane (a small number for a thread) that it runs on."""

import itertools
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bus import runtime

if TYPE_CHECKING:
    from bus.promise import Promise
    from bus.registry import Entry

_NO_KWARGS: Mapping[str, Any] = {}
MAX_HOPS = 100
"""Calls and deliveries in one causal chain before `HopLimitExceeded`."""


class Call:
    """One command, event or delivery, from the moment it is queued; what `current_call()` returns inside a handler.

    Written by the thread that makes it until it is queued, then by the worker that runs it. Times are monotonic ns,
    0 until they are known. The last group of fields is the bus's own.
    """

    __slots__ = (
        "args",
        "args_text",
        "by",
        "callback",
        "caller",
        "cancel_requested",
        "client",
        "context",
        "cpu",
        "deadline",
        "ended",
        "entry",
        "error",
        "hops",
        "id",
        "kind",
        "kwargs",
        "lane",
        "marks",
        "name",
        "outcome",
        "parent",
        "promise",
        "queued",
        "receiver",
        "result",
        "result_text",
        "root",
        "service",
        "started",
        "wait_timed",
        "waited",
        "waiting_for",
    )  # fmt: skip

    id: int
    parent: int
    root: int
    hops: int
    kind: str
    name: str
    service: str
    entry: int
    by: str
    client: str
    caller: int
    lane: int
    queued: int
    started: int
    ended: int
    cpu: int | None
    waited: int
    deadline: int | None
    cancel_requested: bool
    outcome: str | None
    error: BaseException | None
    result: Any
    args_text: str
    result_text: str
    marks: tuple[str, ...]
    callback: Callable[..., Any] | None
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    context: Context | None
    promise: "Promise[Any] | None"
    receiver: "Entry | None"
    waiting_for: "Promise[Any] | None"
    wait_timed: bool

    def __init__(self, call_id: int, kind: str, name: str, service: str, at: int) -> None:
        self.id = call_id
        self.kind = kind
        self.name = name
        self.service = service
        self.queued = at
        self.entry = self.lane = self.started = self.ended = self.waited = 0
        self.cpu = self.deadline = self.outcome = self.error = self.result = None
        self.callback = self.context = self.promise = self.receiver = self.waiting_for = None
        self.by = "code"
        self.client = self.args_text = self.result_text = ""
        self.cancel_requested = self.wait_timed = False
        self.marks = self.args = ()
        self.kwargs = _NO_KWARGS
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

    def let_go(self) -> None:
        """Drop what only a running call needs, so that a record of it keeps no argument or result alive."""
        self.callback = self.context = self.promise = self.receiver = self.result = None
        self.args = ()
        self.kwargs = _NO_KWARGS

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
