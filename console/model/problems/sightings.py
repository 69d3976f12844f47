"""When and where each problem was seen to happen: the last times, so that a timeline can show them."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from console.model.problems.rule import Finding

_EACH: Final = 20
"""Of one problem."""
_PROBLEMS: Final = 100


class Sighting(Struct, frozen=True):
    """A problem (by the id of its view) happened at a moment (ns). `calls`, `lane`, `service`: where, as in `Proof`."""

    problem: str
    rule: str
    subject: str
    at: int
    calls: tuple[int, ...]
    lane: int
    service: str


class Sightings:
    """The last ones of the problems that happened last; `version` counts the changes."""

    def __init__(self) -> None:
        self.version = 0
        self._all: dict[str, deque[Sighting]] = {}

    def note(self, problem: str, rule: str, finding: Finding) -> None:
        """FINDING says that it happened; what names the same call as the last one is no news."""
        proof = finding.proof
        mine = self._all.pop(problem, None)
        if mine is None:
            mine = deque[Sighting](maxlen=_EACH)
        self._all[problem] = mine  # at the end: those that happened last stay the longest
        if mine and mine[-1].calls and mine[-1].calls[0] in proof.calls[:1]:
            return
        where = proof.calls[:_EACH], proof.lane, proof.service
        mine.append(Sighting(problem, rule, finding.subject, finding.at, *where))
        self.version += 1
        if len(self._all) > _PROBLEMS:
            del self._all[next(iter(self._all))]

    def newest(self) -> Iterator[Sighting]:
        """All, problem by problem, each with the newest first."""
        for mine in reversed(self._all.values()):
            yield from reversed(mine)
