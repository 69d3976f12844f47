"""Which files of a folder are text worth indexing, and their text."""

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

MAX_BYTES = 2_000_000
"""A larger file is left out: it is data, whatever its ending."""
_SKIPPED = {"__pycache__", "node_modules", "site-packages", "dist-packages", "venv"}


class NotText(ValueError):
    """The file cannot be indexed; the message says why."""


def text_files(folder: Path, pattern: str) -> Iterator[Path]:
    """The files below FOLDER whose names match PATTERN, folder by folder; hidden and generated folders are skipped.

    A folder that cannot be read is passed over, as its files would be.
    """
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if fnmatch(name, pattern))


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        OSError: it cannot be read.
        NotText: it is too large, binary, or not UTF-8.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        message = f"{path}: {size:,} bytes are more than the {MAX_BYTES:,} that are indexed"
        raise NotText(message)
    data = path.read_bytes()
    if b"\0" in data:
        message = f"{path}: a binary file"
        raise NotText(message)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        message = f"{path}: not UTF-8 at byte {error.start}"
        raise NotText(message) from error
