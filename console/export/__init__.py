"""A session file in the formats of other tools."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from msgspec import Struct

from bus.trace.records import Session
from bus.trace.session import SessionError
from console import format as fmt
from console.export.formats import FORMATS, Write, choose
from console.export.source import ExportError, Read, Selection, Source, check_together, of_file, of_records

__all__ = ["FORMATS", "ExportError", "Exported", "Selection", "checked", "export", "export_records"]

_ALL = Selection()
_SESSION = b'{"type":"session"'


class Exported(Struct, frozen=True):
    """What was written. `calls`: how many, also unended ones; `damaged`: lines of the sessions that were left out."""

    path: Path
    calls: int
    damaged: int


def export(
    paths_in: str | PathLike[str] | Sequence[str | PathLike[str]],
    path_out: str | PathLike[str],
    selection: Selection = _ALL,
    *,
    name: str = "",
) -> Exported:
    """Write session files as PATH_OUT, in the format called NAME or that of its ending; an older one is replaced last.

    Raises:
        ExportError: The format is not known or a library for it is missing, a session cannot be read, nothing of it was
            selected, or the file cannot be written.
    """
    several = [paths_in] if isinstance(paths_in, str | PathLike) else paths_in
    sessions, target = [Path(path) for path in several], Path(path_out)
    chosen = choose(target, name)
    if any(target.resolve() == session.resolve() for session in sessions):
        raise ExportError(f"{target} is the session itself; give the export another name")
    if len(sessions) > 1 and not chosen.several:
        raise ExportError(f"{chosen.name} shows one session: export each by itself")
    write = chosen.load()
    try:
        sources = [of_file(path, selection) for path in sessions]
    except SessionError as error:
        raise ExportError(str(error)) from error
    check_together(sources)
    return _write(sources, target, write)


def export_records(
    session: Session, read: Read, path_out: str | PathLike[str], selection: Selection = _ALL
) -> Exported:  # fmt: skip
    """Write what a console has of a session as PATH_OUT; READ gives its records, each time it is called.

    Raises:
        ExportError: as for `export`.
    """
    target = Path(path_out).expanduser()
    write = choose(target).load()
    return _write([of_records(session, read, selection)], target, write)


def checked(path_out: str | PathLike[str]) -> Path:
    """Where an export to PATH_OUT goes; nothing is loaded or read for it.

    Raises:
        ExportError: The format is not known, or the file is a session.
    """
    target = Path(path_out).expanduser()
    choose(target)
    if _is_session(target):
        raise ExportError(f"{target} is a session; give the export another name")
    return target


def _write(sources: Sequence[Source], target: Path, write: Write) -> Exported:
    unfinished = target.with_name(target.name + ".part")
    try:
        if _is_session(target):
            raise ExportError(f"{target} is a session; give the export another name")
        unfinished.touch()
        calls = write(sources, unfinished)
        if not calls and sources[0].selection != _ALL:
            raise ExportError(_nothing_selected(sources))
        unfinished.replace(target)
    except SessionError as error:
        raise ExportError(str(error)) from error
    except OSError as error:
        raise ExportError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return Exported(target, calls, sum(source.damaged for source in sources))


def _is_session(path: Path) -> bool:
    """A recording is never replaced by an export: it is the evidence itself."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_SESSION)) == _SESSION


def _nothing_selected(sources: Sequence[Source]) -> str:
    longest = max(source.survey.last - source.survey.base for source in sources)
    return (
        "no call was selected: a filter is a part of a name, a pattern (file.*), or a question (outcome:failed); "
        f"from and to count from the first moment of the recording, which is {fmt.duration(longest)} long"
    )
