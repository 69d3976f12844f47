"""The config file: what the rules for problems are set to, and for which names they are allowed.

[problems.stuck]
seconds = 5
allow = ["index.*"]
"""

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import msgspec
import platformdirs

from console.model.problems import RULES, Limits, Settings, setting_name
from console.target import TargetError

ALLOW: Final = "allow"
_SECTION: Final = "problems"
_RULES: Final = {setting_name(rule.name): rule for rule in RULES if rule.name != "reported"}


class ConfigError(TargetError):
    """The config file cannot be used; the message names the file, the line or the key, and what may stand there."""


def config_path() -> Path:
    """Where the user's config file is, if there is one."""
    return platformdirs.user_config_path("bus-console", appauthor=False) / "config.toml"


def load(path: Path | None = None) -> Settings:
    """What the config file at PATH says; the defaults where there is none.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong.
    """
    path = path or config_path()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    try:
        return _settings(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None
    except _WrongError as error:
        raise ConfigError(f"{path}: {error}") from None


class _WrongError(Exception):
    """Something in the file; the message begins with the key."""


def _settings(data: Mapping[str, Any]) -> Settings:
    _known("", data, [_SECTION], "section")
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
    fields = msgspec.structs.fields(kind)
    _known(f"{place}.", table, [*(field.name for field in fields), ALLOW], "setting")
    for field in fields:
        if field.name in table:
            _check(f"{place}.{field.name}", table[field.name], field.type)
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
