"""What cannot be asked of a program whose time is over."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bus.attach.protocol import Reply
from bus.trace.records import Level
from console.target import TargetError


class PastTarget:
    """The verbs of a `Target` that is a recording."""

    def execute(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], on_reply: Callable[[Reply], None]
    ) -> int:
        """Always raises `TargetError`."""
        del args, kwargs, on_reply
        raise _cannot_act(name)

    def fire(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], on_reply: Callable[[Reply], None]) -> int:
        """Always raises `TargetError`."""
        del args, kwargs, on_reply
        raise _cannot_act(name)

    def stacks(self, lanes: Sequence[int], calls: Sequence[int], on_reply: Callable[[Reply], None]) -> int:
        """Always raises `TargetError`."""
        del lanes, calls, on_reply
        text = "a recording has no live stacks: only a running program can be asked what its threads are doing"
        raise TargetError(text)

    def dead_letters(self, on_reply: Callable[[Reply], None]) -> int:
        """Always raises `TargetError`."""
        del on_reply
        text = "a recording has no dead letters: only a running program can be asked for them"
        raise TargetError(text)

    def set_level(self, level: Level, on_reply: Callable[[Reply], None]) -> int:
        """Always raises `TargetError`."""
        del level, on_reply
        text = "a recording is what it is: only a running program can record more or less"
        raise TargetError(text)

    def cancel(self, request: int) -> None:
        """Nothing was ever asked for."""


def _cannot_act(name: str) -> TargetError:
    return TargetError(f"{name} cannot be sent: this is a recording, not a running program")
