"""What could be written for one parameter: what its type names, what was written before, and files for a path."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from bus.trace.records import Parameter
from console.language import fitting
from console.language.annotations import read_annotation
from console.language.tokens import is_quoted
from console.language.values import write

Lister = Callable[[str], Iterable[str]]
"""Gives the paths that begin with what is typed; those of folders end with a slash."""

PATHS: Final = frozenset({"Path", "PurePath", "PosixPath"})
_BEFORE: Final = "as before"


def values(
    parameter: Parameter, typed: str, past: Sequence[str] = (), files: Lister | None = None
) -> Iterator[tuple[str, str]]:
    """Words that begin as TYPED does, each once, and a note to each; the best first."""
    said: set[str] = set()
    for text, note in _all(parameter, typed, past, files):
        if text not in said:
            said.add(text)
            yield text, note


def choices(parameter: Parameter) -> tuple[str, ...]:
    """The values that a parameter's annotation names, as words of a line: of a Literal, an Enum, true and false."""
    if parameter.annotation == "bool":
        return ("true", "false")
    return tuple(write(member) for member in fitting.choices(parameter) if isinstance(member, str | int | None))


def takes_path(parameter: Parameter) -> bool:
    """Whether a path is wanted, perhaps beside other things."""
    return any(kind.name in PATHS for kind in read_annotation(parameter.annotation).alternatives)


def _all(
    parameter: Parameter, typed: str, past: Sequence[str], files: Lister | None
) -> Iterator[tuple[str, str]]:  # fmt: skip
    yield from ((text, parameter.name) for text in choices(parameter) if _begins(text, typed))
    if not parameter.secret:
        yield from ((text, _BEFORE) for text in past if _begins(text, typed))
    if files is not None and takes_path(parameter) and not is_quoted(typed):
        yield from ((write(path), "") for path in files(typed))


def _begins(text: str, typed: str) -> bool:
    """Also without the quote that TEXT begins with: that is typed last, or forgotten."""
    text, typed = text.casefold(), typed.casefold()
    return text.startswith(typed) or (not is_quoted(typed) and text[:1] in "\"'" and text[1:].startswith(typed))
