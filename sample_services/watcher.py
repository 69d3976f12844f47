"""Notices files that change on disk."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import watchfiles

from bus import Service, command, every

_POLL_MS = 20
"""How long one look may block the service's thread, which also answers watch.stop."""


class Watcher(Service):
    """Asks the operating system twice a second; between two looks it is free for its commands."""

    def on_start(self) -> None:
        """Nothing is watched yet."""
        self._stop = Event()
        self._changes: Iterator[set[watchfiles.main.FileChange]] | None = None

    def on_stop(self) -> None:
        """Let go of the operating system's watch."""
        self.stop()

    @command("watch.start")
    def start(self, path: Path) -> None:
        """Fire file.changed for every file below PATH that is added or changed, instead of what was watched before."""
        if not path.is_dir():
            message = f"{path} is not a folder"
            raise NotADirectoryError(message)
        self.stop()
        self._changes = watchfiles.watch(
            path, stop_event=self._stop, debounce=_POLL_MS, step=_POLL_MS // 2, rust_timeout=_POLL_MS,
            yield_on_timeout=True, raise_interrupt=False, ignore_permission_denied=True,
        )  # fmt: skip
        self.look()  # the watch begins with the first look, and what changes from now on must not be missed

    @command("watch.stop")
    def stop(self) -> None:
        """Watch nothing any more."""
        if self._changes is not None:
            self._stop.set()
            next(self._changes, None)
            self._changes = None
            self._stop.clear()

    @every(seconds=0.5)
    def look(self) -> None:
        """Fire file.changed for what has changed since the last look."""
        for change, path in next(self._changes, ()) if self._changes is not None else ():
            if change is not watchfiles.Change.deleted and Path(path).is_file():
                self.bus.fire_event("file.changed", Path(path))
