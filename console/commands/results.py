"""What came of a line: values that a front end shows as it likes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from bus.attach.protocol import Reply
from bus.trace.records import Call, Letter, Stack
from console.jobs import Job
from console.language.completion import VerbInfo
from console.language.grammar import Execute, Fire
from console.language.tokens import Span
from console.model.problems import ProblemReport, ProblemView
from console.model.queries import FoundCalls
from console.model.tree import CallTree
from console.model.views import CallDetail, CommandRow, EventRow, Header, ServiceRow
from console.model.waiting import WaitLine
from console.model.watch import Watch
from console.pending import Pending

if TYPE_CHECKING:
    from console.export import Exported as Written  # what only some lines need is loaded when they come


class Started(Struct, frozen=True):
    """A command or event is on its way; `finish` makes an `Ended` of it when `pending` is done."""

    request: Execute | Fire
    pending: Pending

    @property
    def waits(self) -> bool:
        """Whether the result is wanted before anything else is done."""
        return isinstance(self.request, Fire) or self.request.wait


class Ended(Struct, frozen=True):
    """What became of it. `detail` is None while its record has not come, and where it never got onto the bus."""

    request: Execute | Fire
    reply: Reply
    detail: CallDetail | None

    @property
    def ok(self) -> bool:
        """Whether the call was made and did not fail."""
        return self.reply.error is None and self.reply.outcome == "ok"


class Listing(Struct, frozen=True):
    """The commands and events whose names match PATTERN ("" for all)."""

    pattern: str
    commands: tuple[CommandRow, ...]
    events: tuple[EventRow, ...]


class Description(Struct, frozen=True):
    """All that is known of a name, which may be a command's, an event's or both; `recent`: newest first."""

    name: str
    command: CommandRow | None
    event: EventRow | None
    recent: tuple[Call, ...]


class CallList(Struct, frozen=True):
    """The calls that a filter ("" for all) asks for; `now`: up to when calls in flight are counted (ns)."""

    filter: str
    found: FoundCalls
    now: int


class CallShown(Struct, frozen=True):
    """One call with what caused it and what it caused."""

    detail: CallDetail


class ProblemList(Struct, frozen=True):
    """What the rules have found, as of NOW (monotonic ns); `problems`: those that were asked for."""

    report: ProblemReport
    problems: tuple[ProblemView, ...]
    now: int


class TreeShown(Struct, frozen=True):
    """All that is known to hang together with a call, as a tree; `now`: up to when calls in flight are counted (ns)."""

    tree: CallTree
    now: int


class Exporting(Struct, frozen=True):
    """Calls are being written to a file, on a thread of their own; `export_ended` says what came of it."""

    path: str
    job: "Job[Written]"


class Asked(Struct, frozen=True):
    """The program was asked something; `answered` makes an outcome of it when `pending` is done."""

    pending: Pending
    answer: Callable[[Reply], "Outcome"]


class ServiceList(Struct, frozen=True):
    """All services, as of `now` (monotonic ns)."""

    rows: tuple[ServiceRow, ...]
    now: int


class ThreadList(Struct, frozen=True):
    """The threads of all services and outside, as of `now` (monotonic ns); `stacks`: of those that could be asked."""

    rows: tuple[ServiceRow, ...]
    stacks: tuple[Stack, ...]
    now: int
    left_out: int = 0


class StackList(Struct, frozen=True):
    """What some threads are doing."""

    stacks: tuple[Stack, ...]


class WaitsShown(Struct, frozen=True):
    """Who waits for whom AT a moment (monotonic ns)."""

    lines: tuple[WaitLine, ...]
    at: int


class LetterList(Struct, frozen=True):
    """Dead letters, the oldest first, as of `now` (monotonic ns), and how many EARLIER ones there were."""

    letters: tuple[Letter, ...]
    earlier: int
    now: int


class Exported(Struct, frozen=True):
    """So many calls were written to a file."""

    path: str
    calls: int


class Watching(Struct, frozen=True):
    """From now on calls are shown as they end, those that `filter` ("" for all) asks for."""

    watch: Watch
    filter: str


class Top(Struct, frozen=True):
    """The figures of all, and the commands that are busiest, of so many that were ever called."""

    header: Header
    rows: tuple[CommandRow, ...]
    total: int


class Setting(Struct, frozen=True):
    """Something that can be set: to what it is, and to what it usually is."""

    name: str
    value: str
    about: str
    usual: tuple[str, ...]


class SettingList(Struct, frozen=True):
    """What can be set."""

    settings: tuple[Setting, ...]


class LastShown(Struct, frozen=True):
    """What the last command returned."""

    reply: Reply


class Said(Struct, frozen=True):
    """It is done; what there is to say about it."""

    text: str


class Help(Struct, frozen=True):
    """What can be written, and `text` about it."""

    verbs: tuple[VerbInfo, ...]
    text: str = ""


class Mistake(Struct, frozen=True):
    """The line was not carried out: why, what to do, and the piece of it that is meant (None: all of it).

    `unknown_name`: only because nothing of that name is registered, which may change while a program starts.
    """

    message: str
    line: str
    span: Span | None = None
    unknown_name: bool = False


class Quit(Struct, frozen=True):
    """The front end should end."""


Outcome = (
    Started | Ended | Asked | Listing | Description | CallList | CallShown | ProblemList | TreeShown | ServiceList
    | ThreadList | StackList | WaitsShown | LetterList | Exporting | Exported | Watching | Top
    | SettingList | LastShown | Said | Help | Mistake | Quit
)  # fmt: skip
