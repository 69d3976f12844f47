"""The full-text index: SQLite FTS5, one connection on one thread."""

import sqlite3
from dataclasses import dataclass

from bus import Service, command


@dataclass(frozen=True, slots=True)
class Hit:
    """A file that matches; `line` (from 1) is the first one with the first word, `text` an excerpt."""

    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Stats:
    """How much the index holds."""

    files: int
    lines: int


class Store(Service):
    """SQLite connections belong to the thread that made them; a service with one worker is just that."""

    def on_start(self) -> None:
        """Open a private database that SQLite keeps in a temporary file and deletes by itself."""
        self._db = sqlite3.connect("")
        self._db.executescript(
            """
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
            CREATE TABLE files (path TEXT PRIMARY KEY, id INTEGER NOT NULL, lines INTEGER NOT NULL);
            CREATE VIRTUAL TABLE texts USING fts5 (body);
            CREATE VIRTUAL TABLE words USING fts5vocab (texts, row);
            """
        )

    def on_stop(self) -> None:
        """Let go of the database."""
        self._db.close()

    @command("store.put")
    def put(self, path: str, text: str) -> int:
        """Keep TEXT under PATH, instead of what was there; the number of its lines."""
        lines = text.count("\n") + bool(text and not text.endswith("\n"))
        with self._db:
            known = self._db.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
            if known is not None:
                self._db.execute("DELETE FROM texts WHERE rowid = ?", known)
            row = self._db.execute("INSERT INTO texts (body) VALUES (?)", (text,)).lastrowid
            self._db.execute("REPLACE INTO files VALUES (?, ?, ?)", (path, row, lines))
        return lines

    @command("store.search")
    def search(self, query: str, limit: int = 20) -> list[Hit]:
        """The best LIMIT files that hold all words of QUERY."""
        words = query.split()
        if not words:
            message = "an empty query: give at least one word"
            raise ValueError(message)
        rows = self._db.execute(
            "SELECT path, body, snippet(texts, 0, '', '', '…', 12) FROM texts JOIN files ON files.id = texts.rowid"
            " WHERE texts MATCH ? ORDER BY rank LIMIT ?",
            (" ".join(f'"{word.replace(chr(34), "")}"' for word in words), limit),
        )
        return [Hit(path, _line_of(words[0], body), " ".join(text.split())) for path, body, text in rows]

    @command("store.words")
    def words(self, prefix: str, limit: int = 10) -> list[str]:
        """The LIMIT most frequent words that begin with PREFIX."""
        low = prefix.lower()
        rows = self._db.execute(
            "SELECT term FROM words WHERE term >= ? AND term < ? ORDER BY doc DESC LIMIT ?",
            (low, low + "\U0010ffff", limit),
        )
        return [term for (term,) in rows]

    @command("store.paths")
    def paths(self) -> list[str]:
        """The paths of all files in the index, sorted."""
        return [path for (path,) in self._db.execute("SELECT path FROM files ORDER BY path")]

    @command("store.stats")
    def stats(self) -> Stats:
        """How much the index holds."""
        return Stats(*self._db.execute("SELECT count(*), coalesce(sum(lines), 0) FROM files").fetchone())


def _line_of(word: str, body: str) -> int:
    at = body.lower().find(word.lower())
    return body.count("\n", 0, max(at, 0)) + 1
