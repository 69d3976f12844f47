"""What came of a line: values that a front end shows as it likes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

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


@dataclass(frozen=True, slots=True)
class Started:
    """A command or event is on its way; `finish` makes an `Ended` of it when `pending` is done."""

    request: Execute | Fire
    pending: Pending

    @property
    def waits(self) -> bool:
        """Whether the result is wanted before anything else is done."""
        return isinstance(self.request, Fire) or self.request.wait


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of it. `detail` is None while its record has not come, and where it never got onto the bus."""

    request: Execute | Fire
    reply: Reply
    detail: CallDetail | None

    @property
    def ok(self) -> bool:
        """Whether the call was made and did not fail."""
        return self.reply.error is None and self.reply.outcome == "ok"


@dataclass(frozen=True, slots=True)
class Listing:
    """The commands and events whose names match PATTERN ("" for all)."""

    pattern: str
    commands: tuple[CommandRow, ...]
    events: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """All that is known of a name, which may be a command's, an event's or both; `recent`: newest first."""

    name: str
    command: CommandRow | None
    event: EventRow | None
    recent: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class CallList:
    """The calls that a filter ("" for all) asks for; `now`: up to when calls in flight are counted (ns)."""

    filter: str
    found: FoundCalls
    now: int


@dataclass(frozen=True, slots=True)
class CallShown:
    """One call with what caused it and what it caused."""

    detail: CallDetail


@dataclass(frozen=True, slots=True)
class ProblemList:
    """What the rules have found, as of NOW (monotonic ns); `problems`: those that were asked for."""

    report: ProblemReport
    problems: tuple[ProblemView, ...]
    now: int


@dataclass(frozen=True, slots=True)
class TreeShown:
    """All that is known to hang together with a call, as a tree; `now`: up to when calls in flight are counted (ns)."""

    tree: CallTree
    now: int


@dataclass(frozen=True, slots=True)
class Exporting:
    """Calls are being written to a file, on a thread of their own; `export_ended` says what came of it."""

    path: str
    job: "Job[Written]"


@dataclass(frozen=True, slots=True)
class Asked:
    """The program was asked something; `answered` makes an outcome of it when `pending` is done."""

    pending: Pending
    answer: Callable[[Reply], "Outcome"]


@dataclass(frozen=True, slots=True)
class ServiceList:
    """All services, as of `now` (monotonic ns)."""

    rows: tuple[ServiceRow, ...]
    now: int


@dataclass(frozen=True, slots=True)
class ThreadList:
    """The threads of all services and outside, as of `now` (monotonic ns); `stacks`: of those that could be asked."""

    rows: tuple[ServiceRow, ...]
    stacks: tuple[Stack, ...]
    now: int
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class StackList:
    """What some threads are doing."""

    stacks: tuple[Stack, ...]


@dataclass(frozen=True, slots=True)
class WaitsShown:
    """Who waits for whom AT a moment (monotonic ns)."""

    lines: tuple[WaitLine, ...]
    at: int


@dataclass(frozen=True, slots=True)
class LetterList:
    """Dead letters, the oldest first, as of `now` (monotonic ns), and how many EARLIER ones there were."""

    letters: tuple[Letter, ...]
    earlier: int
    now: int


@dataclass(frozen=True, slots=True)
class Exported:
    """So many calls were written to a file."""

    path: str
    calls: int


@dataclass(frozen=True, slots=True)
class Watching:
    """From now on calls are shown as they end, those that `filter` ("" for all) asks for."""

    watch: Watch
    filter: str


@dataclass(frozen=True, slots=True)
class Top:
    """The figures of all, and the commands that are busiest, of so many that were ever called."""

    header: Header
    rows: tuple[CommandRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Setting:
    """Something that can be set: to what it is, and to what it usually is."""

    name: str
    value: str
    about: str
    usual: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettingList:
    """What can be set."""

    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class LastShown:
    """What the last command returned."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Said:
    """It is done; what there is to say about it."""

    text: str


@dataclass(frozen=True, slots=True)
class Help:
    """What can be written, and `text` about it."""

    verbs: tuple[VerbInfo, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Mistake:
    """The line was not carried out: why, what to do, and the piece of it that is meant (None: all of it).

    `unknown_name`: only because nothing of that name is registered, which may change while a program starts.
    """

    message: str
    line: str
    span: Span | None = None
    unknown_name: bool = False


@dataclass(frozen=True, slots=True)
class Quit:
    """The front end should end."""


Outcome = (
    Started | Ended | Asked | Listing | Description | CallList | CallShown | ProblemList | TreeShown | ServiceList
    | ThreadList | StackList | WaitsShown | LetterList | Exporting | Exported | Watching | Top
    | SettingList | LastShown | Said | Help | Mistake | Quit
)  # fmt: skip
