"""The files that what is typed could mean, for completion: as the console sees them, or as the program does."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from console.language.candidates import LIMIT

_MOST_LOOKED_AT: Final = 5_000
"""Entries of a folder: more would be felt while typing."""


def paths(typed: str, base: str = "") -> list[str]:
    """Paths that begin with TYPED, sorted, folders with a slash at the end; relative ones begin in BASE.

    What cannot be read has nothing in it. Hidden files come only when their dot is typed, and names that are no text
    or not printable never do.
    """
    folder, _, beginning = typed.rpartition("/")
    folder = f"{folder}/" if "/" in typed else ""
    where = os.path.join(base, os.path.expanduser(folder) or ".")  # noqa: PTH111, PTH118  "" and "~" stay what they are
    return [folder + name for name in islice(sorted(_names(where, beginning)), LIMIT)]


def folder_of(pid: int) -> str:
    """The folder that process PID works in, "" where that cannot be told."""
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink()) if pid else ""
    except OSError:
        return ""


def _names(where: str, beginning: str) -> Iterator[str]:
    try:
        with os.scandir(where) as entries:
            for entry in islice(entries, _MOST_LOOKED_AT):
                if _fits(entry.name, beginning):
                    yield entry.name + ("/" if entry.is_dir() else "")
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return


def _fits(name: str, beginning: str) -> bool:
    shown = name.startswith(beginning) and (beginning.startswith(".") or not name.startswith("."))
    return shown and name.isprintable()
