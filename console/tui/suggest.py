"""What could come next in the bar, from the console's language."""

from collections.abc import Iterable

from textual.suggester import Suggester

from console import commands
from console.language.candidates import Candidate
from console.language.filter_completion import complete_filter
from console.language.filter_fields import CALLS, Fields
from console.session import Session


class LineSuggester(Suggester):
    """The rest of the best candidate; nothing is cached, as names come and go."""

    def __init__(self, session: Session) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._session = session

    async def get_suggestion(self, value: str) -> str | None:
        """VALUE, completed at its end."""
        return _first(value, commands.candidates(self._session, value, len(value)))


class FilterSuggester(Suggester):
    """As `LineSuggester`, for a filter on things that have these fields; what is named `name` are these NAMES."""

    def __init__(self, session: Session, names: Iterable[str], fields: Fields = CALLS) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        lanes = session.lanes()
        self._fields = fields
        self._known = {
            "name": tuple(names), "service": session.names().services, "lane": lanes, "caller": lanes, "thread": lanes,
        }  # fmt: skip

    async def get_suggestion(self, value: str) -> str | None:
        """VALUE, completed at its end."""
        return _first(value, complete_filter(value, self._known, self._fields))


def _first(value: str, candidates: Iterable[Candidate]) -> str | None:
    for candidate in candidates:
        whole = value[: candidate.start] + candidate.text
        if whole.startswith(value) and whole != value and whole.isprintable():
            return whole
    return None
