"""Calls as they end, those of a filter: bounded, with a count of what there was no room or no time for."""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from bus.trace.records import AnyRecord, Call
from console.language.filters import Filter

_WAITING: Final = 10_000
RECENT: Final = 10
"""Calls that are remembered after they were taken, for who shows the last ones only."""


class Watch:
    """Filled by a session, emptied by a front end; both on the front end's thread.

    `total`: all that ended and were asked for; `recent`: the last of them.
    """

    def __init__(self, what: Filter, fits: Callable[[Call], bool]) -> None:
        self.what = what
        self.total = 0
        self.recent: deque[Call] = deque(maxlen=RECENT)
        self._fits = fits
        self._new: deque[Call] = deque()
        self._left_out = 0

    def take(self, records: Iterable[AnyRecord]) -> None:
        """Take in those of RECORDS that are asked for."""
        for record in records:
            if isinstance(record, Call) and record.outcome and self._fits(record):
                self.total += 1
                self.recent.append(record)
                if len(self._new) < _WAITING:
                    self._new.append(record)
                else:
                    self._left_out += 1

    def new(self, limit: int) -> tuple[list[Call], int]:
        """The first LIMIT calls since the last time, and how many more there were, which are not given any more."""
        calls = list(islice(self._new, limit))
        left_out = len(self._new) - len(calls) + self._left_out
        self._new.clear()
        self._left_out = 0
        return calls, left_out
