"""`set`: what can be set, to what, and how."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final, get_args

from msgspec import Struct
from msgspec.structs import replace

from bus.attach.protocol import Reply
from bus.trace.records import Level
from console.commands.refusing import RefusedError
from console.commands.results import Asked, Outcome, Said, SettingList
from console.commands.results import Setting as Shown
from console.language.tokens import LanguageError, Span
from console.language.values import read
from console.session import Session

LEVELS: Final = get_args(Level)
_MOST: Final = 1_000_000_000


class Setting(Struct, frozen=True):
    """`usual`: values that completion offers."""

    about: str
    usual: tuple[str, ...]
    get: Callable[[Session], str]
    set: Callable[[Session, str], Outcome]


def set_to(session: Session, args: Sequence[str]) -> Outcome:
    """All settings; or one, set to a value."""
    if not args:
        shown = (Shown(name, each.get(session), each.about, each.usual) for name, each in SETTINGS.items())
        return SettingList(tuple(shown))
    name = args[0]
    if name not in SETTINGS:
        close = get_close_matches(name, SETTINGS, n=1)
        meant = f"did you mean {close[0]}? " if close else ""
        raise RefusedError(f"there is no setting {name}; {meant}there are: {', '.join(SETTINGS)}", 0)
    setting = SETTINGS[name]
    if len(args) == 1:
        return SettingList((Shown(name, setting.get(session), setting.about, setting.usual),))
    return setting.set(session, args[1])


def _set_level(session: Session, text: str) -> Outcome:
    level = next((each for each in LEVELS if each == text.casefold()), None)
    if level is None:
        close = get_close_matches(text.casefold(), LEVELS, n=1)
        meant = f"did you mean {close[0]}? " if close else ""
        raise RefusedError(f"{meant}write one of {', '.join(LEVELS)}", 1)

    def answer(_reply: Reply) -> Outcome:
        session.level = level
        return Said(f"the program records {_RECORDS[level]}")

    return Asked(session.set_level(level), answer)


_RECORDS: Final[Mapping[str, str]] = {
    "off": "nothing more: what happens from now on is not seen",
    "times": "when calls were queued, started and ended",
    "full": "times, arguments, results, waits and CPU time",
}


def _set_retain(session: Session, text: str) -> Outcome:
    session.retain = _number(text, 1_000)
    return Said(f"{session.retain:,} calls are kept")


def _set_listed(session: Session, text: str) -> Outcome:
    session.preferences = replace(session.preferences, listed=_number(text, 1))
    return Said(f"calls and top list {session.preferences.listed:,} rows")


def _set_watched(session: Session, text: str) -> Outcome:
    session.preferences = replace(session.preferences, watched=_number(text, 1))
    return Said(f"watch shows {session.preferences.watched:,} calls a second at most")


def _number(text: str, least: int) -> int:
    try:
        number = read(text.replace(",", ""), Span(0, 0))
    except LanguageError:
        number = None
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= _MOST:
        raise RefusedError(f"write a whole number from {least:,} to {_MOST:,}", 1)
    return number


SETTINGS: Final[Mapping[str, Setting]] = {
    "level": Setting("what the program records", LEVELS, lambda session: session.level, _set_level),
    "retain": Setting(
        "calls that are kept", ("100000", "1000000", "5000000"), lambda session: str(session.retain), _set_retain
    ),
    "listed": Setting(
        "rows that calls and top list", ("20", "50", "100"),
        lambda session: str(session.preferences.listed), _set_listed,
    ),
    "watched": Setting(
        "calls that watch shows in a second", ("10", "20", "100"),
        lambda session: str(session.preferences.watched), _set_watched,
    ),
}  # fmt: skip
"""By name, in the order in which they are listed."""
