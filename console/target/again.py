"""Whether a program that was attached to, and has ended, runs again: one of the same name in another process."""

from console.target.discover import Program, programs


class Again:
    """Looks when it is asked to, which may take a second; `found` is what it saw last."""

    def __init__(self, name: str, pid: int) -> None:
        self._name, self._pid = name, pid
        self.found: Program | None = None

    def look(self) -> None:
        """Ask all programs that can be attached to who they are."""
        others = (program for program in programs() if program.name == self._name and program.pid != self._pid)
        self.found = next(others, None)
