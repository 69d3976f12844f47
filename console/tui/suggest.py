"""What could come next in the bar, from the console's language."""

from textual.suggester import Suggester

from console import commands
from console.session import Session


class LineSuggester(Suggester):
    """The rest of the best candidate; nothing is cached, as names come and go."""

    def __init__(self, session: Session) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._session = session

    async def get_suggestion(self, value: str) -> str | None:
        """VALUE, completed at its end."""
        for candidate in commands.candidates(self._session, value, len(value)):
            whole = value[: candidate.start] + candidate.text
            if whole.startswith(value) and whole != value and whole.isprintable():
                return whole
        return None
