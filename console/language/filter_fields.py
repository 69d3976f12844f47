"""What a filter may ask about: the fields of calls, of the rows of the lists, and of what a program prints."""

from collections.abc import Iterator
from typing import Final, Literal, get_args

from msgspec import Struct

from bus.trace.records import CallKind, Origin, Outcome, Stream

FAILED, ENDED, IN_FLIGHT, RUNNING, QUEUED = "failed", "ended", "in-flight", "running", "queued"
"""What `outcome:` takes besides the outcomes: any failure, any end, no end yet, and the two kinds of that."""


class Field(Struct, frozen=True):
    """Something to ask about: a text, one of some choices, a time (a length, in ns), or a number (a count, an id)."""

    name: str
    kind: Literal["text", "choice", "time", "number"]
    help: str
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


class Fields:
    """The fields of one kind of thing; iterating gives them in the order of help."""

    def __init__(self, *fields: Field) -> None:
        self._fields = fields
        self._by_name = {name: field for field in fields for name in (field.name, *field.aliases)}

    def __iter__(self) -> Iterator[Field]:
        return iter(self._fields)

    def find(self, name: str) -> Field | None:
        """The field of this name or alias."""
        return self._by_name.get(name)


CALLS: Final = Fields(
    Field("name", "text", "command or event"),
    Field("service", "text", "the service that runs it"),
    Field("lane", "text", "the thread that runs it"),
    Field("caller", "text", "the thread that asked for it"),
    Field("outcome", "choice", "how it ended", (*get_args(Outcome), FAILED, ENDED, IN_FLIGHT, RUNNING, QUEUED)),
    Field("kind", "choice", "what it is", get_args(CallKind)),
    Field("took", "time", "from queued to ended"),
    Field("run", "time", "from started to ended"),
    Field("queued", "time", "time in the queue", aliases=("wait",)),
    Field("computing", "time", "time on the CPU, where that was measured"),
    Field("waiting", "time", "time blocked by other calls"),
    Field("elsewhere", "time", "I/O, locks, the GIL, where CPU time was measured"),
    Field("error", "text", "type or message of the error"),
    Field("arg", "text", "the arguments", aliases=("args",)),
    Field("result", "text", "the result"),
    Field("by", "choice", "who asked for it", get_args(Origin)),
    Field("id", "number", "the call's number"),
    Field("parent", "number", "the number of the call that caused it"),
    Field("root", "number", "the number of the first cause"),
)
COMMANDS: Final = Fields(
    Field("name", "text", "the command"),
    Field("service", "text", "the service that has it"),
    Field("calls", "number", "calls since the start"),
    Field("rate", "number", "calls a second"),
    Field("now", "number", "running now", aliases=("running",)),
    Field("queued", "number", "in the queue now"),
    Field("wait", "time", "99 of 100 waited less"),
    Field("run", "time", "99 of 100 ran for less"),
    Field("failed", "number", "calls that failed", aliases=("errors",)),
)
EVENTS: Final = Fields(
    Field("name", "text", "the event"),
    Field("service", "text", "a service that listens"),
    Field("fired", "number", "times it was fired"),
    Field("rate", "number", "times a second"),
    Field("deliveries", "number", "deliveries a second"),
    Field("listeners", "number", "who gets it now"),
    Field("failed", "number", "times that it or a delivery failed", aliases=("errors",)),
    Field("lost", "number", "deliveries that were never made", aliases=("dropped",)),
    Field("arg", "text", "the last arguments", aliases=("args",)),
)
SERVICES: Final = Fields(
    Field("name", "text", "the service"),
    Field("state", "text", "running, failed, stuck, full, ..."),
    Field("thread", "text", "a thread of it"),
    Field("call", "text", "what a thread of it runs now"),
    Field("busy", "number", "percent of the last 10 s"),
    Field("mailbox", "number", "calls in its queue", aliases=("depth",)),
    Field("rate", "number", "calls a second"),
    Field("failed", "number", "calls that failed", aliases=("errors",)),
    Field("restarts", "number", "times it was started anew"),
    Field("lost", "number", "events that its mailbox dropped", aliases=("dropped",)),
)
OUTPUT: Final = Fields(
    Field("text", "text", "the line"),
    Field("stream", "choice", "where it was written", get_args(Stream)),
    Field("level", "text", "of a log record"),
    Field("lane", "text", "the thread that wrote it"),
    Field("call", "number", "the call that wrote it"),
)
