"""A call: what it runs, where it comes from, what becomes of it. A delivery is a plain tuple while nobody looks."""

import itertools
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from bus.trace.records import Natural

if TYPE_CHECKING:
    from bus.promise import Promise
    from bus.waits import Block
    from bus.worker import Runner

MAX_HOPS = 100
"""Calls and deliveries in one causal chain before `HopLimitExceeded`."""

Args = tuple[Any, ...]
Kwargs = Mapping[str, Any] | None
Origin = tuple[Natural, Natural, Natural, Natural]
"""Where calls come from: the lane, and the id, the root and the hops that its running call gives to what it makes.

Outside of all calls they are 0. `hops` is how many calls and deliveries led to the next one. Shared by all calls that
are made there.
"""
Extra = tuple[Kwargs, Context | None]
"""What few events have: keywords, and the variables that are set where it was fired."""
_MAX_GONE = 10_000


class _Plain(Struct, eq=False, gc=False):
    """Made for each of thousands, and left out by the garbage collector, which would cost as much as to make one.

    None of them is part of a cycle: a delivery has left its mailbox before what it leads to can be garbage, and the
    others hold nothing but numbers.
    """


class _Short(_Plain, array_like=True):
    """As an array it is a quarter as long as a record with names, and written in a tenth of the time."""


class Fired(_Short, tag=1):
    """An event: id, parent, root, hops, lane of who fired it, its source's key, when (monotonic ns)."""

    id: Natural
    parent: Natural
    root: Natural
    hops: Natural
    lane: Natural
    key: Natural
    at: Natural


class Delivery(_Plain):
    """An event on its way to one listener, with an id of its own: this little, because an event may have thousands.

    It becomes a `Call` when somebody has a use for one: `current_call()`, a hook, an error.
    """

    id: int
    event: Fired
    source: "Source"
    args: Args
    extra: Extra | None


class Timed(_Short, tag=2):
    """All there is to tell of a call that went well; times in monotonic ns."""

    id: Natural
    origin: Origin
    key: Natural
    lane: Natural
    queued: Natural
    started: Natural
    ended: Natural
    waited: Natural


class Delivered(_Short, tag=3):
    """The same of a delivery that did not wait."""

    id: Natural
    event: Fired
    key: Natural
    lane: Natural
    started: Natural
    ended: Natural


class Waited(_Short, tag=4):
    """A wait that blocked: the id of the call that waited, 0 outside of all, its lane; for which call, and how long."""

    call: Natural
    lane: Natural
    target: Natural
    began: Natural
    ended: Natural


Timing = Timed | Fired | Delivered | Waited


class Label(NamedTuple):
    """What a record says of a source."""

    call_kind: str
    name: str
    service: str
    entry: int


_keys = itertools.count(1)
_labels: dict[int, Label] = {}
"""Of all sources there are, and of those that have gone last. Each step on it, and on `_gone`, is atomic."""
_gone: deque[int] = deque()
_UNKNOWN = Label("command", "", "", 0)


def label_of(key: int) -> Label:
    """What the source with this key is, or was."""
    return _labels.get(key, _UNKNOWN)


def _nothing() -> None:
    """What an event runs."""


class Source:
    """What a call runs: of which kind it is, its name, its service, its callback. Shared by all calls of it.

    `entry`: the id of the registration, 0 for what was not registered (an event, a timer's turn). `runner`: to whose
    mailbox its calls go; an event has none. `key` stands for it in a `Timing`.
    """

    __slots__ = ("call_kind", "callback", "entry", "key", "name", "runner", "service")

    callback: Callable[..., Any]
    runner: "Runner"
    disposed: bool = False
    """Taken back by its owner: no delivery may start any more."""

    def __init__(
        self,
        call_kind: str,
        name: str,
        service: str = "",
        callback: Callable[..., Any] = _nothing,
        entry: int = 0,
    ) -> None:
        self.call_kind = call_kind
        self.name = name
        self.service = service
        self.callback = callback
        self.entry = entry
        self.key = next(_keys)
        _labels[self.key] = Label(call_kind, name, service, entry)

    def __del__(self, gone: deque[int] = _gone, labels: dict[int, Label] = _labels, most: int = _MAX_GONE) -> None:
        # Timings that have not been read yet still need the label, so it goes after ten thousand others. What this
        # needs it has by default: when the interpreter ends, the module's names are gone before the last source.
        gone.append(self.key)
        if len(gone) > most:
            labels.pop(gone.popleft(), None)


class Call:
    """One command, event or delivery, from the moment it is queued; what `current_call()` returns inside a handler.

    Written by the thread that makes it until it is queued, then by the worker that runs it. Times are monotonic ns,
    0 until they are known. What every call has is in slots, and what few calls have has its default in the class:
    making a call costs what it has to.
    """

    __slots__ = (
        "__dict__",
        "args",
        "context",
        "id",
        "kwargs",
        "lane",
        "origin",
        "queued",
        "source",
        "started",
        "waited",
    )

    value: Any = None
    """What the handler returned; here until the hooks have been told."""
    ended: int = 0
    outcome: str | None = None
    by: str = "code"
    client: str = ""
    cpu: int | None = None
    deadline: int | None = None
    cancel_requested: bool = False
    error: BaseException | None = None
    args_text: str = ""
    result_text: str = ""
    marks: tuple[str, ...] = ()
    waiting_for: "Promise[Any] | None" = None
    wait_timed: bool = False
    blocked_on: "Block | None" = None

    def __init__(  # noqa: PLR0917  by position: on the way of every call
        self,
        call_id: int,
        source: Source,
        origin: Origin,
        at: int,
        args: Args = (),
        kwargs: Kwargs = None,
        context: Context | None = None,
    ) -> None:
        self.id = call_id
        self.source = source
        self.origin = origin
        self.queued = at
        self.args = args
        self.kwargs = kwargs
        self.context = context
        self.started = self.lane = self.waited = 0

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

    @property
    def parent(self) -> int:
        """The id of the call that made this one, 0 when none did."""
        return self.origin[1]

    @property
    def root(self) -> int:
        """The id of the call that all this began with."""
        return self.origin[2] or self.id

    @property
    def hops(self) -> int:
        """How many calls and deliveries led to it."""
        return self.origin[3]

    @property
    def caller(self) -> int:
        """The lane of who made it."""
        return self.origin[0]

    @property
    def in_flight(self) -> bool:
        """Whether it is queued or running."""
        return self.outcome is None

    @property
    def waits(self) -> bool:
        """Whether it waits on the bus at this moment."""
        return self.waiting_for is not None or self.blocked_on is not None

    def timing(self) -> Timed:
        """All there is to tell of it, if it went well and nothing about it is special."""
        return Timed(
            self.id, self.origin, self.source.key, self.lane, self.queued, self.started, self.ended, self.waited
        )

    def let_go(self) -> None:
        """Drop what only a running call needs: whoever keeps it must not keep its arguments alive."""
        self.args, self.kwargs, self.context = (), None, None

    def bare(self) -> "Call":
        """What it was, without what it keeps alive."""
        call = Call(self.id, self.source, self.origin, self.queued)
        call.lane, call.started, call.waited = self.lane, self.started, self.waited
        call.by, call.client, call.marks = self.by, self.client, self.marks
        call.cpu, call.args_text = self.cpu, self.args_text
        return call

    def __repr__(self) -> str:
        state = self.outcome or ("in flight" if self.in_flight else "ended")
        return f"<Call #{self.id} {self.kind} {self.name} {state}>"


def as_call(item: "Call | Delivery") -> Call:
    """ITEM itself, or a call that says what the delivery ITEM is."""
    if not isinstance(item, Delivery):
        return item
    kwargs, context = item.extra or (None, None)
    event = item.event
    origin = event.lane, event.id, event.root, event.hops
    return Call(item.id, item.source, origin, event.at, item.args, kwargs, context)
