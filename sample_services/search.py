"""Answers searches, from a small cache where nothing has changed."""

import logging
import threading
from collections import OrderedDict
from pathlib import Path

from bus import Service, command, listener
from sample_services.store import Hit

_CACHED = 256
_log = logging.getLogger(__name__)


class Search(Service):
    """Two threads, so a slow search does not hold up the next one; `_lock` guards the cache they share."""

    workers = 2

    def on_start(self) -> None:
        """An empty cache."""
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[str, int], list[Hit]] = OrderedDict()

    @command("search.query")
    def query(self, text: str, limit: int = 20) -> list[Hit]:
        """The best LIMIT files that hold all words of TEXT."""
        key = (text, limit)
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        hits: list[Hit] = self.bus.execute_command("store.search", text, limit).result()
        _log.info("%d hits for %r", len(hits), text)
        with self._lock:
            self._cache[key] = hits
            if len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        return hits

    @command("search.suggest")
    def suggest(self, prefix: str) -> list[str]:
        """Words of the index that begin with PREFIX, the most frequent first."""
        words: list[str] = self.bus.execute_command("store.words", prefix).result()
        return words

    @listener("file.indexed")
    def on_indexed(self, path: Path, lines: int) -> None:  # noqa: ARG002  what changed does not matter here
        """What was found before may not be true any more."""
        with self._lock:
            self._cache.clear()
