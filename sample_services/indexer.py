"""Reads files and hands their text to the store: four threads, for most of the time is spent reading and waiting."""

import logging
from pathlib import Path

from bus import Service, command, listener
from sample_services.files import read_text

_log = logging.getLogger(__name__)


class Indexer(Service):
    """A full mailbox makes the scanner wait: a file must not be forgotten because it was found too early."""

    workers = 4
    overflow = "block"
    push_timeout = 60.0

    @command("index.file")
    def file(self, path: Path) -> int:
        """Put one file into the index, anew if it is there; the number of its lines."""
        try:
            text = read_text(path)
        except (OSError, ValueError) as error:
            _log.info("not indexed: %s", error)
            self.bus.fire_event("file.failed", path, reason=str(error))
            raise
        lines: int = self.bus.execute_command("store.put", str(path), text).result()
        self.bus.fire_event("file.indexed", path, lines=lines)
        return lines

    @command("index.rebuild")
    def rebuild(self) -> int:
        """Index every file of the store again, in the background; how many there are."""
        paths: list[str] = self.bus.execute_command("store.paths").result()
        for path in paths:
            self.bus.fire_event("file.changed", Path(path))
        return len(paths)

    @listener("file.found")
    @listener("file.changed")
    def on_file(self, path: Path) -> None:
        """Index it; one that cannot be indexed was reported by file.failed and is no error of this service."""
        try:
            self.file(Path(path))
        except (OSError, ValueError):
            return
