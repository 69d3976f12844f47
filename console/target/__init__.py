"""Where records come from: a running program, or a session file. Both look the same from here on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct

from bus.attach.protocol import Batch, Reply
from bus.trace.records import Level, Session

TargetState = Literal["connecting", "live", "recorded", "ended"]


class TargetError(Exception):
    """A target cannot be had, or cannot do this; the message says what to do, and is shown as it is."""


class TargetInfo(Struct, frozen=True):
    """What the header shows. `damaged`: lines a reader had to leave out.

    `reason`: why it ended, or what it is a dump of, for a person.
    `progress`: how much of a recording is read, 0.0 to 1.0.
    """

    session: Session
    state: TargetState
    can_act: bool
    reason: str = ""
    damaged: int = 0
    progress: float = 1.0


class Target(Protocol):
    """A source of records, and the way to act in the program where there is one.

    A target fills itself from a thread of its own; all methods return at once and may be called from any one thread.
    """

    @property
    def info(self) -> TargetInfo:
        """As of now."""

    def drain(self) -> Sequence[Batch]:
        """All batches since the last drain, oldest first."""

    def execute(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], on_reply: Callable[[Reply], None]
    ) -> int:
        """Execute a command there and return the request's number.

        Values are JSON-like: None, bool, int, float, str, list, dict.
        `on_reply` is called once, on the target's thread; also when the program ends first (with an error in it).

        Raises:
            TargetError: the target cannot act (a recording, an ended program), or a value is not JSON-like.
        """

    def fire(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], on_reply: Callable[[Reply], None]) -> int:
        """Fire an event there; as `execute`."""

    def stacks(self, lanes: Sequence[int], calls: Sequence[int], on_reply: Callable[[Reply], None]) -> int:
        """Ask what these lanes, and those that run these calls, are doing now; all of them, if none is given.

        `on_reply` as for `execute`. It changes nothing there, so a target that cannot act answers it, too.

        Raises:
            TargetError: nothing is live there (a recording, an ended program), or the program's bus is too old.
        """

    def dead_letters(self, on_reply: Callable[[Reply], None]) -> int:
        """Ask what nobody could receive; otherwise as `stacks`."""

    def set_level(self, level: Level, on_reply: Callable[[Reply], None]) -> int:
        """Ask to record more, or less, from now on; otherwise as `execute`."""

    def cancel(self, request: int) -> None:
        """Ask to cancel the call of an `execute`; nothing happens when it is done already."""

    def close(self) -> None:
        """Let go of everything: threads, sockets, and the child process where the target started one."""
