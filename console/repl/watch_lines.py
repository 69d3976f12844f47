"""The lines of a watch, no more than a person can read: what is left out is said, once a second."""

from collections.abc import Callable, Iterator

from rich.text import Text

from console.render import going_on
from console.session import Session

_S = 1.0


class WatchLines:
    """Lets through so many lines in a second, all at once if need be."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """CLOCK: seconds."""
        self._clock = clock
        self._filled = self._said = clock()
        self._room = float("inf")
        self._left_out = 0

    def new(self, session: Session, width: int) -> Iterator[Text]:
        """What there is to be shown of SESSION's watch since the last time."""
        watch, most, now = session.watch, session.preferences.watched, self._clock()
        self._room = min(most, self._room + (now - self._filled) * most)
        self._filled = now
        if watch is not None:
            calls, more = watch.new(int(self._room))
            self._room -= len(calls)
            self._left_out += more
            yield from (going_on.line(call, session.info.session, width) for call in calls)
        if self._left_out and (now - self._said >= _S or watch is None):
            yield going_on.left_out(self._left_out)
            self._said, self._left_out = now, 0
