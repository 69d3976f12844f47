"""The lines of earlier sessions, in a file that only its owner reads and that no secret gets into."""

from itertools import islice
from pathlib import Path
from typing import Final

import platformdirs
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from console import commands
from console.repl.current import Current
from console.session import Session

_RECALLED: Final = 500
"""Lines whose values are offered in completion."""


def default_path() -> Path:
    """Where the lines of earlier sessions are kept."""
    return platformdirs.user_state_path("bus-console", appauthor=False) / "history"


def open_history(current: Current, path: Path) -> History:
    """The history in the file PATH; one that is forgotten where that cannot be written."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)  # an older one may be open to others
    except OSError:  # a home that cannot be written to is no reason not to serve
        return InMemoryHistory()
    return _Discreet(current, path)


def recall(session: Session, history: History) -> None:
    """Have the values of the last lines offered in completion."""
    for line in reversed(list(islice(history.load_history_strings(), _RECALLED))):
        commands.remember(session, line)


class _Discreet(FileHistory):
    def __init__(self, current: Current, path: Path) -> None:
        super().__init__(str(path))
        self._current = current

    def store_string(self, string: str) -> None:
        if commands.may_be_kept(self._current.session, string):
            super().store_string(string)
