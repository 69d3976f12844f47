"""What completion offers, and which of many names come first."""

from collections.abc import Iterable

from msgspec import Struct

LIMIT = 200
"""Candidates given at once; more than that nobody reads."""


class Candidate(Struct, frozen=True):
    """Put `text` in the place of the characters [start, end) of the line. `label` and `note` are what a person sees."""

    text: str
    start: int
    end: int
    label: str
    note: str = ""


def matching(names: Iterable[str], typed: str) -> list[str]:
    """The NAMES that TYPED could mean: those that begin so, then those where a part after a dot does, then the rest."""
    wanted = typed.casefold()
    ranked: tuple[list[str], list[str], list[str]] = ([], [], [])
    for name in names:
        at = name.casefold().find(wanted)
        if at >= 0:
            ranked[0 if at == 0 else 1 if name[at - 1 : at] in "._" else 2].append(name)
    return [name for some in ranked for name in sorted(some)]  # in order already, mostly: that costs next to nothing
