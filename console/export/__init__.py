"""A session file in the formats of other tools."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final

from bus.trace.session import SessionError, SessionReader
from console.export import chrome
from console.export.survey import Survey

FORMATS: Final = {".json": "Chrome trace JSON, for ui.perfetto.dev and chrome://tracing"}
"""What each file ending stands for."""


class ExportError(Exception):
    """A session cannot be exported; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `calls`: all of them, also unended ones; `damaged`: lines of the session that were left out."""

    path: Path
    calls: int
    damaged: int


def export(path_in: str | PathLike[str], path_out: str | PathLike[str]) -> Exported:
    """Write the session file PATH_IN as PATH_OUT, in the format of its ending; an older PATH_OUT is replaced last.

    Raises:
        ExportError: The ending is not known, the session cannot be read, or the file cannot be written.
    """
    source, target = Path(path_in), Path(path_out)
    if target.suffix.lower() not in FORMATS:
        raise ExportError(_unknown_ending(target))
    if target.resolve() == source.resolve():
        raise ExportError(f"{target} is the session itself; give the export another name")
    try:
        return _write(source, target)
    except SessionError as error:
        raise ExportError(str(error)) from error
    except OSError as error:
        raise ExportError(f"cannot write {target}: {error.strerror or error}") from error


def _unknown_ending(target: Path) -> str:
    known = "; ".join(f"{ending} ({what})" for ending, what in FORMATS.items())
    ending = f"the ending {target.suffix!r}" if target.suffix else "a name without an ending"
    return f"cannot export to {ending}: name the file with one of {known}"


def _write(source: Path, target: Path) -> Exported:
    survey = Survey()
    reader = SessionReader(source)
    for records in reader:
        survey.take(records)
    unfinished = target.with_name(target.name + ".part")
    try:
        with unfinished.open("wb") as file:
            calls = chrome.write(reader.session, survey, SessionReader(source), file)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return Exported(target, calls, reader.damaged)
