"""What all rules of the problem table have in common: what they look at, what they find, and how they are set."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Final, Literal

import numpy as np
from msgspec import Meta, Struct, field

from bus.trace.records import AnyRecord, Entry, Step
from console.model.columns import Block, Ints
from console.model.lane import CALL
from console.model.problems.handlers import Handler, Handlers
from console.model.stats import Stats
from console.model.store import Store

NS: Final = 1_000_000_000
FOREVER: Final = 1 << 62
CALLS_SHOWN: Final = 20
"""Calls that one problem names at most."""
NO_CALLS: Final[Block] = {name: np.zeros(0, np.int64) for name in CALL}

Amount = Annotated[float, Meta(ge=0)]
Number = Annotated[int, Meta(ge=1)]
Severity = Literal["error", "warning", "note"]


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule is set to; a rule with settings has a subclass of its own."""


_NO_LIMITS: Final = Limits()


class News(Struct, frozen=True):
    """What came since the last look, and the model that it has become part of.

    `now`: the last moment (monotonic ns) of which anything is known. `start`: the first one. `calls`: what has ended
    since the last look, `earlier` what had ended before that one. `records`: what is no call and no wait, in order.
    `keys`: for each of the calls the number of its handler, which `handlers` know.
    """

    store: Store
    stats: Stats
    now: int
    start: int
    calls: Block = field(default_factory=lambda: NO_CALLS)
    earlier: Block = field(default_factory=lambda: NO_CALLS)
    records: Sequence[AnyRecord] = ()
    handlers: Handlers = field(default_factory=Handlers)
    keys: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def handler(self, key: int) -> Handler:
        """What a key stands for."""
        return self.handlers[key]

    def name_of(self, key: int) -> str:
        """The name of the calls of a key."""
        return self.store.codec.names[self.handlers[key].name]

    def service_of(self, key: int) -> str:
        """The service that runs them."""
        return self.store.codec.names[self.handlers[key].service] or "main"

    def title(self, key: int) -> str:
        """Their name; of an event's deliveries with the service that listens, because others may do so, too."""
        delivery = self.handlers[key].kind == "delivery"
        return f"{self.name_of(key)} in {self.service_of(key)}" if delivery else self.name_of(key)

    def identity(self, key: int) -> str:
        """The same handler, whatever its number is in another session."""
        return f"{self.handlers[key].kind} {self.name_of(key)} {self.service_of(key)}"


class Proof(Struct, frozen=True):
    """Where to look: calls, the best one first; a lane; a range of time (ns, `end` 0: none); a registration; a cycle.

    `lines` say in figures what the rule saw. `stack`: what the bus saw a thread do.
    """

    calls: tuple[int, ...] = ()
    lane: int = 0
    start: int = 0
    end: int = 0
    entry: Entry | None = None
    service: str = ""
    cycle: tuple[Step, ...] = ()
    lines: tuple[str, ...] = ()
    stack: str = ""


class Finding(Struct, frozen=True):
    """Something that is wrong, at this look: found again with the same `key`, it is the same problem.

    `name`: of a command, event or service, which is what one allows. `subject`: what the list shows. `times`: how often
    it happened since the last look. `at`, `since`: the last and the first moment of it, as far as this look can tell.
    """

    key: str
    name: str
    subject: str
    text: str
    advice: str
    at: int
    since: int
    times: int = 1
    proof: Proof = Proof()
    severity: Severity | None = None


class Rule(ABC):
    """One line of the problem table. Its findings go to a board, which remembers what was found."""

    name: ClassVar[str]
    severity: ClassVar[Severity] = "warning"
    stays: ClassVar[int] = 0
    """Ns for which what was found is still wrong when it is not found again; `FOREVER` for what proves a mistake."""
    from_absence: ClassVar[bool] = False
    """Whether it argues from what was not seen, and is uncertain when records were lost."""
    settings: ClassVar[type[Limits]] = Limits

    def __init__(self, limits: Limits = _NO_LIMITS) -> None:  # noqa: B027  a rule without settings keeps none
        """LIMITS are of the type `settings`."""

    @classmethod
    def explanation(cls) -> str:
        """What it looks for, in a sentence or two."""
        return " ".join((cls.__doc__ or "").split("\n\n", 1)[0].split())

    @abstractmethod
    def look(self, news: News) -> Iterator[Finding]:
        """What is wrong now, or went wrong since the last look."""


def setting_name(rule: str) -> str:
    """What a rule is called in the config file."""
    return rule.replace(" ", "_")


def some(calls: Sequence[int]) -> tuple[int, ...]:
    """The last calls, the newest first."""
    return tuple(reversed(calls[-CALLS_SHOWN:]))
