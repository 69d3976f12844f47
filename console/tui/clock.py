"""The program's monotonic ns as moments that a person knows."""

import datetime as dt

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
