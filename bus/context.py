"""A call: what it runs, where it comes from, what becomes of it. A delivery is a plain tuple while nobody looks."""

import itertools
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from bus.promise import Promise
    from bus.waits import Block
    from bus.worker import Runner

MAX_HOPS = 100
"""Calls and deliveries in one causal chain before `HopLimitExceeded`."""

Args = tuple[Any, ...]
Kwargs = Mapping[str, Any] | None
Event = tuple[int, int, int, int, int, Args, Kwargs, Context | None]
"""A fired event: id, root, hops, lane of who fired it, when (monotonic ns), its arguments, the context of them all."""
Delivery = tuple[int, Event, "Source"]
"""An event on its way to one listener, with an id of its own: a plain tuple, because an event may have thousands.

It becomes a `Call` when somebody has a use for one: `current_call()`, a hook, an error.
"""
Timing = tuple[int, int, int, int, int, int, int, int, int, int]
"""A call that went well: id, parent, root, caller's lane, its source's key, lane, queued, started, ended, waited (ns).

Numbers alone, because the garbage collector then leaves these tuples out: with the source in it, a timing cost 0.5 µs.
"""
_MAX_GONE = 10_000


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


class Source:
    """What a call runs: of which kind it is, its name, its service, its callback. Shared by all calls of it.

    `entry`: the id of the registration, 0 for what was not registered (an event, a timer's turn). `runner`: to whose
    mailbox its calls go; an event has none. `key` stands for it in a `Timing`.
    """

    __slots__ = ("call_kind", "callback", "entry", "key", "name", "runner", "service")

    callback: Callable[..., Any] | None
    runner: "Runner"
    disposed: bool = False
    """Taken back by its owner: no delivery may start any more."""

    def __init__(
        self,
        call_kind: str,
        name: str,
        service: str = "",
        callback: Callable[..., Any] | None = None,
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


class Origin:
    """Where calls come from: one running call, or one thread outside of all. Shared by all that are made there.

    `parent` and `root` are ids, 0 outside of all calls; `hops` is how many calls and deliveries led to the next one.
    """

    __slots__ = ("hops", "lane", "parent", "root")

    def __init__(self, lane: int, parent: int = 0, root: int = 0, hops: int = 0) -> None:
        self.lane = lane
        self.parent = parent
        self.root = root
        self.hops = hops


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
        return self.origin.parent

    @property
    def root(self) -> int:
        """The id of the call that all this began with."""
        return self.origin.root or self.id

    @property
    def hops(self) -> int:
        """How many calls and deliveries led to it."""
        return self.origin.hops

    @property
    def caller(self) -> int:
        """The lane of who made it."""
        return self.origin.lane

    @property
    def in_flight(self) -> bool:
        """Whether it is queued or running."""
        return self.outcome is None

    @property
    def waits(self) -> bool:
        """Whether it waits on the bus at this moment."""
        return self.waiting_for is not None or self.blocked_on is not None

    def timing(self) -> Timing:
        """All there is to tell of it, if it went well and nothing about it is special."""
        return (
            self.id, self.parent, self.root, self.caller, self.source.key, self.lane, self.queued, self.started,
            self.ended, self.waited,
        )  # fmt: skip

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
    if not isinstance(item, tuple):
        return item
    call_id, (event, root, hops, lane, at, args, kwargs, context), source = item
    return Call(call_id, source, Origin(lane, event, root, hops), at, args, kwargs, context)
