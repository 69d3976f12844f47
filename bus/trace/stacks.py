"""Where an exception came from, as bounded, escaped text."""

import linecache
import os
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, TracebackType
from typing import Any

from bus import foreign
from bus.trace.hiding import hidden
from bus.trace.records import Error
from bus.trace.redact import bounded, message_of, scrub

TRACEBACK_LIMIT = 8 << 10
"""Bytes of UTF-8 of one traceback."""

_Place = tuple[CodeType, int, dict[str, Any]]
"""Code, line, and the globals of the module, through which the source of a zipped one is found."""
_FRAMES = 40
_LINE = 200
_NAME = 400
_CAUSES = 4
_NOTES = 8
_WALKED = 2_000
_LIBRARY = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120  compared as text with thousands of file names
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def error_of(error: BaseException, hide: Iterable[str] = ()) -> Error:
    """ERROR as a record, with its causes. HIDE are texts that must not appear (the values of secret arguments)."""
    texts = tuple(hide)

    def clean(text: str) -> str:
        return scrub(hidden(text, texts))

    parts = [part for one in _causes(error) for part in _error_text(one, clean)]
    where = bounded(_own_place(_causes(error)[::-1]), _NAME)
    return Error(_qualified(error), message_of(error, clean), _joined(parts), where)


def _qualified(error: BaseException) -> str:
    return bounded(foreign.class_name(error), _NAME)


def _causes(error: BaseException) -> list[BaseException]:
    """The chain that led to ERROR, the first cause first, as a traceback prints it."""
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and len(chain) < _CAUSES and not any(one is seen for seen in chain):
        chain.append(one)
        one = foreign.cause_of(one)
    return chain[::-1]


def _error_text(error: BaseException, clean: Callable[[str], str]) -> Iterator[str]:
    yield from _places_text(_inward(foreign.traceback_of(error)), clean)
    message = message_of(error, clean)
    yield f"{_qualified(error)}: {message}" if message else _qualified(error)
    notes = foreign.read(error, "__notes__")
    for note in notes[:_NOTES] if type(notes) is list else ():
        if type(note) is str:
            yield bounded(clean(note[:1_000]), keep="\n")


def _own_place(chain: list[BaseException]) -> str:
    """Where the program itself was last when it happened; of an error with none of its frames, that of its cause."""
    inner: list[_Place] = []
    for error in chain:
        places = [place for place in _inward(foreign.traceback_of(error))[::-1] if not _of_the_bus(place)]
        own = next((place for place in places if _is_own(place)), None)
        if own is not None:
            return _place_text(own)
        inner = inner or places
    return _place_text(inner[0]) if inner else ""


def _place_text(place: _Place) -> str:
    code, line, _ = place
    return f"{code.co_filename}:{line} in {code.co_qualname}"


def _of_the_bus(place: _Place) -> bool:
    module = place[2].get("__name__")
    return type(module) is str and module.partition(".")[0] == "bus"


def _is_own(place: _Place) -> bool:
    file = place[0].co_filename
    installed = any(folder in file for folder in _INSTALLED)
    return not (installed or file.startswith((_LIBRARY, "<")))


def _inward(traceback: TracebackType | None) -> list[_Place]:
    """The innermost frames of a traceback, outermost first."""
    found: list[_Place] = []
    while traceback is not None and len(found) < _WALKED:
        found.append((traceback.tb_frame.f_code, traceback.tb_lineno, traceback.tb_frame.f_globals))
        traceback = traceback.tb_next
    return found[-_FRAMES:]


def _places_text(places: Iterable[_Place], clean: Callable[[str], str]) -> Iterator[str]:
    for code, line, module in places:
        yield bounded(f'  File "{code.co_filename}", line {line}, in {code.co_qualname}', _NAME)
        source = linecache.getline(code.co_filename, line, module).strip()
        if source:
            yield "    " + bounded(clean(source), _LINE)


def _joined(lines: Iterable[str]) -> str:
    """The lines, without some from the middle where they are too many: what is at the end matters most."""
    text = "\n".join(lines)
    encoded = text.encode()
    if len(encoded) <= TRACEBACK_LIMIT:
        return text
    head = encoded[: TRACEBACK_LIMIT // 4].decode(errors="ignore")
    tail = encoded[-(TRACEBACK_LIMIT * 3 // 4 - 16) :].decode(errors="ignore")
    return f"{head}\n  …\n{tail}"
