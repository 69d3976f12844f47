"""A session file in the formats of other tools."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from bus.trace.session import SessionError
from console import format as fmt
from console.export.formats import FORMATS, Write, choose
from console.export.source import ExportError, Selection, Source, open_all

__all__ = ["FORMATS", "ExportError", "Exported", "Selection", "export"]

_ALL = Selection()


@dataclass(frozen=True, slots=True)
class Exported:
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
    sources, target = [Path(path) for path in several], Path(path_out)
    chosen = choose(target, name)
    if any(target.resolve() == source.resolve() for source in sources):
        raise ExportError(f"{target} is the session itself; give the export another name")
    if len(sources) > 1 and not chosen.several:
        raise ExportError(f"{chosen.name} shows one session: export each by itself")
    try:
        return _write(sources, target, selection, chosen.load())
    except SessionError as error:
        raise ExportError(str(error)) from error
    except OSError as error:
        raise ExportError(f"cannot write {target}: {error.strerror or error}") from error


def _write(paths: Sequence[Path], target: Path, selection: Selection, write: Write) -> Exported:
    sources = open_all(paths, selection)
    unfinished = target.with_name(target.name + ".part")
    try:
        unfinished.touch()
        calls = write(sources, unfinished)
        if not calls and selection != _ALL:
            raise ExportError(_nothing_selected(sources))
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return Exported(target, calls, sum(source.damaged for source in sources))


def _nothing_selected(sources: Sequence[Source]) -> str:
    longest = max(source.survey.last - source.survey.base for source in sources)
    return (
        "no call was selected: a filter is a name, a part of one, or a pattern (file.*); "
        f"from and to count from the first moment of the recording, which is {fmt.duration(longest)} long"
    )
