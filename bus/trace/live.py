"""The calls in flight, as the recorder lists them at each of its turns."""

from collections.abc import Sequence
from typing import Protocol

from bus.context import Call
from bus.runtime import NS, Runtime
from bus.trace.chunk import Item, ended_ids

LISTED = 500
"""Queued calls that are listed at each turn, about."""
_RARELY = 100
"""All queued calls are listed once a second, or so many times as rarely as it takes."""


class Program(Protocol):
    """What has calls in flight."""

    def live_calls(self, limit: int | None = None) -> list[Call]:
        """See `Bus`."""

    def queued(self) -> int:
        """See `Bus`."""


class LiveCalls:
    """All that run, and the next ones of what is queued: to list ten thousand at each turn costs a fifth of a CPU.

    What was asked for is whole, and so is one listing a second: a session file must tell of what waits for long.
    All of it belongs to the recorder's thread.
    """

    def __init__(self, program: Program, runtime: Runtime) -> None:
        """Of PROGRAM, by RUNTIME's clock."""
        self._program = program
        self._now = runtime.now
        self._list_all = 0

    def look(self, *, asked: bool) -> tuple[list[Call], int]:
        """The oldest first, and how many more are queued; all of them when somebody ASKED."""
        began = self._now()
        whole = asked or began >= self._list_all
        calls = [call for call in self._program.live_calls(None if whole else LISTED) if call.in_flight]
        calls.sort(key=lambda call: call.queued)
        if not whole:
            return calls, max(0, self._program.queued() - sum(not call.started for call in calls))
        now = self._now()
        self._list_all = now + max(NS, _RARELY * (now - began))
        return calls, 0


def still(live: list[Call], taken: Sequence[Sequence[Item]]) -> list[Call]:
    """LIVE without those whose end has just been TAKEN."""
    if not live:
        return live
    ended = set[int]().union(*map(ended_ids, taken))
    return [call for call in live if call.id not in ended]
