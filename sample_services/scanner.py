"""Finds the files of a folder and says so, one event a file."""

import logging
from dataclasses import dataclass
from pathlib import Path

from bus import Service, command
from sample_services.files import text_files

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the scans have come, all together."""

    folders: int
    files: int


class Scanner(Service):
    """One thread, so scans run one after the other."""

    def on_start(self) -> None:
        """Nothing is scanned yet."""
        self._progress = Progress(folders=0, files=0)

    @command("scan.folder")
    def folder(self, path: Path, pattern: str = "*.py") -> int:
        """Fire file.found for each file below PATH that matches PATTERN; how many there were."""
        if not path.is_dir():
            message = f"{path} is not a folder"
            raise NotADirectoryError(message)
        found = 0
        for file in text_files(path, pattern):
            self.bus.fire_event("file.found", file)
            found += 1
        self._progress = Progress(self._progress.folders + 1, self._progress.files + found)
        _log.info("%d files in %s", found, path)
        self.bus.fire_event("scan.finished", path, files=found)
        return found

    @command("scan.status")
    def status(self) -> Progress:
        """What was scanned so far."""
        return self._progress
