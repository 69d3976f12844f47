"""The program's clock as seen from here, and its monotonic ns as moments that a person knows."""

import datetime as dt
from collections.abc import Callable

from bus.trace.records import Session

_DECIMALS = ((1_000_000_000, 0), (100_000_000, 1), (10_000_000, 2), (1_000_000, 3), (1_000, 6))


def clock(at: int, session: Session) -> str:
    """The local time of day of AT, to the millisecond: `12:04:31.200`."""
    unix = session.start_unix + at - session.start_monotonic
    seconds, rest = divmod(unix, 1_000_000_000)
    day = dt.datetime.fromtimestamp(max(0, seconds), dt.UTC).astimezone()
    return f"{day:%H:%M:%S}.{rest // 1_000_000:03}"


def time_of_day(at: int, session: Session, step: int) -> str:
    """The local time of day of AT with the decimals that steps of STEP ns need: `12:04:31`, `12:04:31.2004`."""
    unix = session.start_unix + at - session.start_monotonic
    seconds, rest = divmod(max(0, unix), 1_000_000_000)
    decimals = next((places for size, places in _DECIMALS if step >= size), 9)
    text = f"{dt.datetime.fromtimestamp(seconds, dt.UTC).astimezone():%H:%M:%S}"
    return f"{text}.{rest:09}"[: len(text) + 1 + decimals] if decimals else text


def moment(ns: int, step: int) -> str:
    """NS since the beginning, with the decimals that steps of STEP ns need: `12.4 s`, `2:05.250`."""
    decimals = next((places for size, places in _DECIMALS if step >= size), 9)
    sign, ns = ("-", -ns) if ns < 0 else ("", ns)
    minutes, seconds = divmod(ns / 1_000_000_000, 60)
    if minutes:
        return f"{sign}{int(minutes)}:{seconds:0{3 + decimals if decimals else 2}.{decimals}f}"
    return f"{sign}{seconds:.{decimals}f} s"


class ProgramClock:
    """From the last time it told and our own clock since: never ahead of it, never backwards."""

    def __init__(self, monotonic: Callable[[], int]) -> None:
        self._monotonic = monotonic
        self._offset: int | None = None

    def set(self, at: int) -> None:
        """The program's time was AT when the batch was made; the batch that came quickest is the truest."""
        offset = at - self._monotonic()
        self._offset = offset if self._offset is None else max(self._offset, offset)

    def now(self) -> int:
        """What it says now (ns); 0 before it ever told."""
        return 0 if self._offset is None else self._monotonic() + self._offset
