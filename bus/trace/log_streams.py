"""The streams that the program's own handlers of log records print to."""

import logging
import sys
from collections.abc import Iterator

_LOGGING = logging.__file__


def redirect(old: object, new: object) -> None:
    """Let the handlers that print to OLD print to NEW: they were made before NEW took its place."""
    for handler in _handlers():
        if getattr(handler, "stream", None) is old:
            try:
                handler.stream = new  # type: ignore[attr-defined]  # it has one
            except AttributeError:  # a handler of the program's own, which decides itself
                continue


def is_printing() -> bool:
    """Whether what calls the function that asks is a handler, which prints a log record."""
    return sys._getframe(2).f_code.co_filename == _LOGGING  # noqa: SLF001  a traceback would take a hundred times as long


def _handlers() -> Iterator[logging.Handler]:
    loggers = [logging.getLogger(), *logging.root.manager.loggerDict.copy().values()]
    for logger in loggers:
        if isinstance(logger, logging.Logger):  # others stand for names that nobody asked for yet
            yield from tuple(logger.handlers)
