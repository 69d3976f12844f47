"""Something that was executed or fired by hand from this console: on its way, answered, or refused."""

from console import commands
from console.commands import Ended, Started
from console.language.grammar import Execute, Fire
from console.language.tokens import LanguageError
from console.session import Session
from console.target import TargetError


class Invocation:
    """One request. `refused` says why it could not even be sent."""

    def __init__(self, session: Session, started: Started | None, refused: str = "") -> None:
        self.refused = refused
        self._session = session
        self._started = started
        self._began = session.now()

    @classmethod
    def send(cls, session: Session, request: Execute | Fire) -> "Invocation":
        """Check REQUEST and start it."""
        try:
            return cls(session, commands.send(session, request))
        except (LanguageError, TargetError) as error:
            return cls(session, None, str(error))

    @property
    def running(self) -> bool:
        """Whether the answer is still to come."""
        return self._started is not None and not self._started.pending.done()

    @property
    def elapsed(self) -> int:
        """Ns since it was sent, by the program's clock."""
        return max(0, self._session.now() - self._began)

    @property
    def ended(self) -> Ended | None:
        """What became of it, None until that is known."""
        if self._started is None or self.running:
            return None
        return commands.finish(self._session, self._started)

    def cancel(self) -> None:
        """Ask for its end."""
        if self._started is not None and self.running:
            self._session.cancel(self._started.pending)
