"""Frames and messages between a program and the consoles attached to it.

A frame is a big-endian 4-byte length and that many bytes of msgpack, decoded straight into one of the Structs below.
Nothing is ever evaluated or unpickled. The client speaks first (`Hello`); the endpoint answers `Welcome`, a snapshot in
chunks (the last one with `done`), then `Batch`es, and one `Reply` for each request.
"""

from typing import Literal

from msgspec import Struct

from bus.context import Timing
from bus.trace.records import AnyRecord, Call, Error, Letter, Level, Natural, Session, Stack
from bus.trace.timings import Legend

PROTOCOL = 1
MAX_FRAME = 1 << 20
"""Bytes of one frame, its length field not counted."""
MAX_DEPTH = 32
HELLO_SECONDS = 2.0
MAX_CLIENTS = 64

Role = Literal["read", "act"]


class ProtocolError(Exception):
    """The other side sent what this one cannot accept; the message is fit for a person."""


class Message(Struct, frozen=True, omit_defaults=True, tag_field="type", tag=str.lower, kw_only=True):
    """The base of all messages."""


# ---- from the client


class Hello(Message, frozen=True):
    """Must come within `HELLO_SECONDS`. `token` and `pid`: where the kernel does not say who it is, see `loopback`.

    `timings`: it understands them; to who does not, all that happened is told as records.
    """

    protocol: Natural = 1  # what is absent means 1, for ever: a default is not written
    role: Role = "read"
    client: str = ""
    token: str = ""
    pid: Natural = 0
    timings: bool = False


class Execute(Message, frozen=True):
    """Execute a command. `args` and `kwargs` are JSON (an array, an object), converted by the annotations there."""

    request: Natural
    name: str
    args: str = "[]"
    kwargs: str = "{}"


class Fire(Message, frozen=True):
    """Fire an event."""

    request: Natural
    name: str
    args: str = "[]"
    kwargs: str = "{}"


class Cancel(Message, frozen=True):
    """Cancel the call that an earlier `Execute` of this connection started."""

    request: Natural


class SetLevel(Message, frozen=True):
    """Record more, or less, from now on."""

    request: Natural
    level: Level


class Stacks(Message, frozen=True):
    """Say what threads are doing right now: these LANES, and those that run these CALLS; all of them if none is given.

    It changes nothing, so a console that may only read can ask, too. A lane whose thread has ended is not answered.
    """

    request: Natural
    lanes: tuple[Natural, ...] = ()
    calls: tuple[Natural, ...] = ()


class DeadLetters(Message, frozen=True):
    """Say what nobody could receive; a console that may only read can ask, too."""

    request: Natural


Question = Stacks | DeadLetters
"""What changes nothing."""
ClientMessage = Hello | Execute | Fire | Cancel | SetLevel | Question

ABILITIES = ("stacks", "dead letters")
"""What an endpoint answers that the first version of the protocol did not have."""

# ---- from the endpoint


class Welcome(Message, frozen=True):
    """The answer to a good `Hello`. `abilities`: what else it answers; on a message it does not know it hangs up."""

    session: Session
    role: Role
    protocol: Natural = 1  # what is absent means 1, for ever: a default is not written
    abilities: tuple[str, ...] = ()


class Batch(Message, frozen=True):
    """What happened since the last one. The batches before the one with `snapshot_done` are the snapshot.

    `live`: calls that are queued or running now, the oldest first and at most 500 of them: those that run, and of each
    service the next ones; `in_flight` counts all.
    `dropped`: records that this client lost because it did not keep up, in all. `at`: the program's monotonic ns.
    `cost`: the part of one CPU that recording and serving took since the last batch, 0.0 to 1.0.

    `timings`: calls that went well, and waits, in a third of the time that their records would take to write and read.
    `legends` say what their keys stand for, once, no later than they come. `anew`: those of all former batches are
    forgotten first, for a program may have any number of them, one after the other.
    """

    at: Natural
    records: tuple[AnyRecord, ...] = ()
    legends: tuple[Legend, ...] = ()
    timings: tuple[Timing, ...] = ()
    anew: bool = False
    live: tuple[Call, ...] = ()
    in_flight: Natural = 0
    dropped: Natural = 0
    cost: float = 0.0
    snapshot_done: bool = False


class Reply(Message, frozen=True):
    """The answer to a request: `error` or a result. `call` is the id it had on the bus, 0 if it never got there.

    `result` is escaped text for a person; `value` the same as JSON where it has such a form, else "".
    For `Fire`: `receivers` are the listeners it was delivered to. For `Stacks`: `stacks`, for `DeadLetters`: `letters`,
    the oldest first; and how many were `left_out` because there was no room for them.
    """

    request: Natural
    call: Natural = 0
    result: str = ""
    value: str = ""
    error: Error | None = None
    outcome: str = "ok"
    receivers: tuple[str, ...] = ()
    stacks: tuple[Stack, ...] = ()
    letters: tuple[Letter, ...] = ()
    left_out: Natural = 0


class Refused(Message, frozen=True):
    """One clear sentence before the endpoint closes the connection."""

    reason: str


ServerMessage = Welcome | Batch | Reply | Refused
