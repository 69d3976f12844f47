"""Finds the files of a folder and says so, one event a file."""

import logging
from collections import deque
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bus import Service, command, every
from sample_services.files import text_files

_log = logging.getLogger(__name__)
_AT_ONCE = 20
"""Files that are told of in one go. All at once, they would stand in front of everybody else's work for seconds."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the scans have come, all together."""

    folders: int
    files: int


class Scanner(Service):
    """Tells of what it has found a little at a time, one folder after the other."""

    def on_start(self) -> None:
        """Nothing is scanned yet."""
        self._found: deque[tuple[Path, list[Path]]] = deque()
        self._told = 0
        self._progress = Progress(folders=0, files=0)

    @command("scan.folder")
    def folder(self, path: Path, pattern: str = "*.py") -> int:
        """Find the files below PATH that match PATTERN, and fire file.found for each, by and by; how many there are."""
        if not path.is_dir():
            message = f"{path} is not a folder"
            raise NotADirectoryError(message)
        files = list(text_files(path, pattern))
        self._found.append((path, files))
        return len(files)

    @every(seconds=0.25)
    def tell(self) -> None:
        """Fire file.found for the next few files, and scan.finished after the last one of a folder."""
        if not self._found:
            return
        path, files = self._found[0]
        for file in islice(files, self._told, self._told + _AT_ONCE):
            self.bus.fire_event("file.found", file)
            self._told += 1
        if self._told == len(files):
            self._found.popleft()
            self._told = 0
            self._progress = Progress(self._progress.folders + 1, self._progress.files + len(files))
            _log.info("%d files in %s", len(files), path)
            self.bus.fire_event("scan.finished", path, files=len(files))

    @command("scan.status")
    def status(self) -> Progress:
        """What was scanned so far."""
        return self._progress
