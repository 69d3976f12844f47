"""Reads and marks exceptions of other people's classes: nothing of theirs runs here, or what it raises is caught."""

import logging
from types import TracebackType
from typing import Any

_log = logging.getLogger("bus")
_base: dict[str, Any] = dict(vars(BaseException))
_type: dict[str, Any] = dict(vars(type))


def traceback_of(error: BaseException) -> TracebackType | None:
    """Its `__traceback__`."""
    found: TracebackType | None = _base["__traceback__"].__get__(error)
    return found


def with_traceback(error: BaseException, traceback: TracebackType | None) -> BaseException:
    """ERROR with that traceback, for `raise`."""
    return BaseException.with_traceback(error, traceback)


def cause_of(error: BaseException) -> BaseException | None:
    """What led to it, as a traceback would show it: the cause, else the context unless that is suppressed."""
    cause: BaseException | None = _base["__cause__"].__get__(error)
    if cause is not None or _base["__suppress_context__"].__get__(error):
        return cause
    context: BaseException | None = _base["__context__"].__get__(error)
    return context


def read(error: BaseException, name: str) -> Any:
    """The attribute NAME, None when there is none or it cannot be read."""
    try:
        return object.__getattribute__(error, name)
    except BaseException:  # noqa: BLE001  a property is foreign code: whatever it raises, the program must go on
        return None


def write(error: BaseException, name: str, value: object) -> bool:
    """Set the attribute NAME; False when the class does not let that happen."""
    try:
        BaseException.__setattr__(error, name, value)
    except BaseException:  # noqa: BLE001  a property is foreign code: whatever it raises, the program must go on
        return False
    return True


def class_name(error: BaseException) -> str:
    """The qualified name of its class, after that of the module unless it is plain from there."""
    kind = type(error)
    module, name = _type["__module__"].__get__(kind), str(_type["__qualname__"].__get__(kind))
    return name if type(module) is not str or module in {"builtins", "__main__"} else f"{module}.{name}"


def log_error(message: str, error: BaseException) -> None:
    """Log MESSAGE with the traceback of ERROR, or without it where its class keeps it from being written."""
    try:
        _log.error("%s", message, exc_info=error)
    except BaseException:  # noqa: BLE001  foreign code ran: whatever it raises, the program must go on
        _log.error("%s (its traceback cannot be written)", message)
