"""The vocabulary: what ring, session file, wire and the console's model are made of, and nothing else.

Times are nanoseconds of the monotonic clock of the recorded process; `Session.start` ties them to the wall clock.
Ids are positive ints, 0 is "none". Text is bounded and escaped (see `redact`) before it gets here.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

VERSION = 1
"""Of the session file and of the wire; a reader refuses a newer one."""

Natural = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
"""An id, a count or ns. Checked when a record is read, so that what comes from outside fits the console's columns."""

Level = Literal["off", "times", "full"]
CallKind = Literal["command", "event", "delivery"]
EntryKind = Literal["command", "listener"]
Origin = Literal["code", "console", "replay"]
Outcome = Literal["ok", "error", "cancelled", "expired", "rejected", "aborted", "deadlock"]
ServiceState = Literal["new", "starting", "running", "draining", "stopped", "failed"]
Stream = Literal["stdout", "stderr", "log"]


class Record(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag=str.lower):
    """The base of all records: immutable, and tagged with its class name in lower case."""


class Session(Record, frozen=True, kw_only=True):
    """The first record: which process this is, and the pair that ties its two clocks together.

    A long recording has parts, each of which begins with it; the next `repeats` records say again what an earlier part
    has said, so that this one can be read alone.
    """

    version: Natural = 1  # what is absent means 1, for ever: a default is not written
    session: str
    pid: Natural
    program: str
    python: str
    start_monotonic: Natural
    start_unix: Natural
    level: Level = "times"
    part: Natural = 1
    repeats: Natural = 0


class Lane(Record, frozen=True, kw_only=True):
    """A thread. `key` is ours, from 1 and never reused; `worker` is its number in the service's pool.

    `began`: when it was first seen on the bus, 0: by a bus that does not tell. Where that is known, the lane is said
    again when its thread has ended, with `ended`.
    """

    key: Natural
    name: str
    service: str = ""
    worker: Natural = 0
    native: Natural = 0
    began: Natural = 0
    ended: Natural = 0


class Parameter(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One parameter of a command's signature, as text: enough for a form, completion and help."""

    name: str
    kind: Literal["positional_only", "positional_or_keyword", "var_positional", "keyword_only", "var_keyword"]
    annotation: str = ""
    default: str | None = None
    secret: bool = False
    definitions: "tuple[Definition, ...]" = ()
    """The program's own types that the annotation names."""

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is None and not self.kind.startswith("var_")


class Definition(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A type that an annotation names by `name`: the members of an Enum, or the fields of a dataclass and its like."""

    name: str
    choices: tuple[str, ...] = ()
    fields: tuple[Parameter, ...] = ()


class Entry(Record, frozen=True, kw_only=True):
    """A registration came (`added`) or went; `entry` is the same in both. `at`: when, or when recording began."""

    entry: Natural
    kind: EntryKind
    name: str
    service: str
    added: bool = True
    parameters: tuple[Parameter, ...] = ()
    returns: str = ""
    doc: str = ""
    where: str = ""
    callback: str = ""
    at: Natural = 0


class Error(Struct, frozen=True, omit_defaults=True):
    """An exception as text: the qualified type, its message, the traceback (8 KB at most).

    `where`: file, line and function of the innermost frame that is the program's own, not the bus's or a library's.
    """

    type: str
    message: str = ""
    traceback: str = ""
    where: str = ""


class Call(Record, frozen=True):
    """A command, an event (queued == started == ended) or the delivery of one to a listener.

    Written once, when it ended. Within a snapshot or a batch's `live` list it may be unended: then `outcome` is None
    and `started` (queued) or `ended` (running) is 0; `waiting_for` is the call whose end it waits for at that moment.

    The recorder, which makes them by the ten thousand, gives the fields by position: that takes two thirds of the time.
    All others name them.
    """

    id: Natural
    root: Natural
    kind: CallKind
    name: str
    queued: Natural
    parent: Natural = 0
    service: str = ""
    entry: Natural = 0
    caller: Natural = 0
    lane: Natural = 0
    started: Natural = 0
    ended: Natural = 0
    waited: Natural = 0
    outcome: Outcome | None = None
    cpu: Natural | None = None
    error: Error | None = None
    args: str = ""
    result: str = ""
    by: Origin = "code"
    client: str = ""
    marks: tuple[str, ...] = ()
    waiting_for: Natural = 0


class Wait(Record, frozen=True, kw_only=True):
    """The call (0: none, a thread outside the bus) on this lane was blocked, waiting for another call."""

    call: Natural
    lane: Natural
    target: Natural
    began: Natural
    ended: Natural


class State(Record, frozen=True, kw_only=True):
    """A service changed its state, or its number of workers."""

    service: str
    state: ServiceState
    at: Natural
    workers: Natural = 1
    error: str = ""


class Depth(Record, frozen=True, kw_only=True):
    """How many calls a service's mailbox held at this moment, of how many at most (0: not known).

    And what had become of the service until then: events that it lost, how often it was started anew, how many of its
    workers were stuck.
    """

    service: str
    at: Natural
    depth: Natural
    capacity: Natural = 0
    dropped: Natural = 0
    restarts: Natural = 0
    stuck: Natural = 0


class Step(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One call of a cycle: it runs on `lane` and waits at `where` (file:line) for what `waits_for` says.

    `target`: the id of the call that it waits for, 0 when it waits for room in a mailbox, or for the end of a service.
    """

    call: Natural
    name: str
    service: str
    lane: Natural
    thread: str
    where: str
    waits_for: str
    target: Natural = 0


class Problem(Record, frozen=True, kw_only=True):
    """Something that the bus itself saw go wrong; `calls` prove it, and for a deadlock the `cycle`.

    `suspected`: a deadlock that a wait with a timeout is part of, so it was let go on.
    """

    rule: str
    at: Natural
    text: str
    calls: tuple[Natural, ...] = ()
    cycle: tuple[Step, ...] = ()
    suspected: bool = False


class Output(Record, frozen=True, kw_only=True):
    """A line that the program printed, or a log record."""

    at: Natural
    stream: Stream
    text: str
    level: str = ""
    lane: Natural = 0
    call: Natural = 0


class Dropped(Record, frozen=True, kw_only=True):
    """So many of something were lost at a place: `kind` "event" in a service's mailbox, "record" in a sink."""

    at: Natural
    count: Natural
    kind: Literal["event", "record"]
    where: str


class Frame(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where a function stands: `source` is the line there, "" where it cannot be had; `bus`: it is the bus's own."""

    function: str
    file: str
    line: Natural
    source: str = ""
    bus: bool = False


class Waiting(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a running call waits for on the bus: a `call`; or `room` in the mailbox of a service, or its `end`.

    `lane` runs that call; 0: it is still queued for `service`. `timed`: the wait ends by itself.
    """

    what: Literal["call", "room", "end"] = "call"
    call: Natural = 0
    name: str = ""
    service: str = ""
    lane: Natural = 0
    timed: bool = False


class Stack(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a lane was doing `at` a moment: the call that it ran, since when, what that waited for, and its frames.

    The innermost frame comes first; `more` counts those left out. A worker that waits for a call has none. `lane` is 0
    for a main thread that never used the bus. Answers a question, and is in no recording.
    """

    lane: Natural
    at: Natural
    name: str
    service: str = ""
    call: Natural = 0
    call_name: str = ""
    since: Natural = 0
    waiting: Waiting | None = None
    frames: tuple[Frame, ...] = ()
    more: Natural = 0


class Letter(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A dead letter: something that nobody could receive, and why. Answers a question, and is in no recording."""

    at: Natural
    kind: Literal["event", "command", "delivery"]
    name: str
    reason: str = ""


class Dump(Record, frozen=True, kw_only=True):
    """Second in a dump of the flight recorder: why it was made, and the window that it holds.

    `dropped`: records of this window that are not in it, because there was no room or no time for them.
    """

    trigger: str
    begin: Natural
    end: Natural
    dropped: Natural = 0


AnyRecord = Session | Lane | Entry | Call | Wait | State | Depth | Problem | Output | Dropped | Dump
