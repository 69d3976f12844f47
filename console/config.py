"""The config file: how the console looks and how much it keeps, what the rules for problems are set to.

[console]
theme = "light"
retain = 100000

[repl]
vi = true

[problems.stuck]
seconds = 5
allow = ["index.*"]
"""

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Struct, field

from bus.trace.records import Level
from console.appearance import THEME_NAMES, config_path
from console.model.problems import RULES, Limits, Settings, setting_name
from console.preferences import Preferences
from console.target import TargetError

ALLOW: Final = "allow"
_SECTION: Final = "problems"
_Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
_A_COUNT: Final = "a whole number of 1 or more"
_TRUE_OR_FALSE: Final = "true or false"
_PREFERENCES: Final[Mapping[str, Mapping[str, tuple[Any, str]]]] = {
    "console": {
        "theme": (Literal[THEME_NAMES], f"one of {', '.join(THEME_NAMES)}"),
        "ascii": (bool, _TRUE_OR_FALSE),
        "retain": (Annotated[int, msgspec.Meta(ge=1_000, le=1_000_000_000)], "a whole number of 1000 or more"),
        "level": (Level, f"one of {', '.join(get_args(Level))}"),
        "listed": (_Count, _A_COUNT),
        "watched": (_Count, _A_COUNT),
    },
    "repl": {"vi": (bool, _TRUE_OR_FALSE), "complete_while_typing": (bool, _TRUE_OR_FALSE)},
}
"""Of each section the keys: the type of a value, and how that is said."""
_FIELDS: Final = {"ascii": "ascii_only"}
"""What is called otherwise in `Preferences`."""
_RULES: Final = {setting_name(rule.name): rule for rule in RULES if rule.name != "reported"}


class ConfigError(TargetError):
    """The config file cannot be used; the message names the file, the line or the key, and what may stand there."""


class Config(Struct, frozen=True):
    """What the file says: to the rules for problems, and to everything else."""

    rules: Settings = field(default_factory=Settings)
    preferences: Preferences = field(default_factory=Preferences)


def load(path: Path | None = None) -> Config:
    """What the config file at PATH says; the defaults where there is none.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong.
    """
    path = path or config_path()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    try:
        return _config(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None
    except _WrongError as error:
        raise ConfigError(f"{path}: {error}") from None


class _WrongError(Exception):
    """Something in the file; the message begins with the key."""


def _config(data: Mapping[str, Any]) -> Config:
    _known("", data, [*_PREFERENCES, _SECTION], "section")
    return Config(_settings(data), _preferences(data))


def _preferences(data: Mapping[str, Any]) -> Preferences:
    found: dict[str, Any] = {}
    for section, keys in _PREFERENCES.items():
        table = _table(section, data.get(section, {}))
        _known(f"{section}.", table, keys, "setting")
        for key, value in table.items():
            kind, what = keys[key]
            try:
                found[_FIELDS.get(key, key)] = msgspec.convert(value, kind)
            except msgspec.ValidationError:
                raise _WrongError(f"{section}.{key} = {_said(value)}: must be {what}") from None
    return Preferences(**found)


def _settings(data: Mapping[str, Any]) -> Settings:
    rules = _table(_SECTION, data.get(_SECTION, {}))
    _known(f"{_SECTION}.", rules, _RULES, "rule")
    limits: dict[str, Limits] = {}
    allowed: dict[str, tuple[str, ...]] = {}
    for key, value in rules.items():
        place, rule = f"{_SECTION}.{key}", _RULES[key]
        table = dict(_table(place, value))
        allowed[rule.name] = _patterns(f"{place}.{ALLOW}", table.pop(ALLOW, []))
        limits[rule.name] = _limits(place, table, rule.settings)
    return Settings(limits, allowed)


def _limits(place: str, table: Mapping[str, Any], kind: type[Limits]) -> Limits:
    limits = msgspec.structs.fields(kind)
    _known(f"{place}.", table, [*(limit.name for limit in limits), ALLOW], "setting")
    for limit in limits:
        if limit.name in table:
            _check(f"{place}.{limit.name}", table[limit.name], limit.type)
    return msgspec.convert(table, kind)


def _check(place: str, value: object, wanted: Any) -> None:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        whole = "int" in str(wanted)
        what = "a whole number of 1 or more" if whole else "a number of 0 or more"
        raise _WrongError(f"{place} = {_said(value)}: must be {what}") from None


def _patterns(place: str, value: object) -> tuple[str, ...]:
    try:
        return msgspec.convert(value, tuple[str, ...])
    except msgspec.ValidationError:
        raise _WrongError(f'{place} = {_said(value)}: must be a list of name patterns, as in ["index.*"]') from None


def _table(place: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _WrongError(f"{place} = {_said(value)}: must be a section, as in [{place}]")
    return value


def _known(place: str, table: Mapping[str, Any], names: Iterable[str], what: str) -> None:
    names = list(names)
    for key in table:
        if key not in names:
            close = get_close_matches(key, names, n=1)
            meant = f"did you mean {close[0]}? " if close else ""
            raise _WrongError(f"{place}{key}: there is no such {what}; {meant}there are: {', '.join(names)}")


def _said(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004  enough to find it
