"""What the program's threads are doing right now, asked about once a second by a screen that shows it."""

from collections.abc import Sequence
from time import monotonic
from typing import Final

from bus.trace.records import Stack
from console.pending import Pending
from console.session import Session
from console.target import TargetError

EVERY: Final = 1.0
"""Seconds between two questions; the next one waits for the answer to the last."""


class LiveStacks:
    """The last answer stays until there is a newer one, also when the program has ended."""

    def __init__(self, session: Session, calls: Sequence[int] = ()) -> None:
        """Of the threads that run CALLS, of all threads if there are none."""
        self.stacks: tuple[Stack, ...] = ()
        self.left_out = 0
        self.refused = ""
        """Why there is no answer, for a person; "" where one came or may come."""
        self.at = 0
        """When the program answered last (its monotonic ns), 0: never."""
        self._session = session
        self._calls = calls
        self._pending: Pending | None = None
        self._asked = 0.0

    @property
    def silent(self) -> float:
        """Seconds for which the program has not answered."""
        return monotonic() - self._asked if self._pending is not None else 0.0

    def turn(self) -> bool:
        """Take an answer that came, ask again when it is time; whether something is new."""
        fresh = self._take()
        now = monotonic()
        if self._pending is None and now - self._asked >= EVERY:
            self._asked = now
            try:
                self._pending = self._session.stacks(calls=self._calls)
            except TargetError as error:
                fresh = fresh or self.refused != str(error)
                self.refused = str(error)
        return fresh

    def _take(self) -> bool:
        if self._pending is None or not self._pending.done():
            return False
        reply, self._pending = self._pending.result(timeout=0), None
        self.refused = reply.error.message if reply.error else ""
        if not reply.error:
            self.stacks, self.left_out = reply.stacks, reply.left_out
            self.at = max((stack.at for stack in reply.stacks), default=self._session.now())
        return True
