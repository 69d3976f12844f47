"""Names that are nearly the same: what a misspelt one was meant to be."""

from collections.abc import Iterable

_NAMES = 3


def close_names(name: str, known: Iterable[str], distance: int) -> list[str]:
    """Up to three KNOWN names that DISTANCE or fewer insertions, deletions and replacements make of NAME."""
    found = [(steps, other) for other in set(known) - {name} if (steps := edits(name, other, distance)) <= distance]
    return [other for _, other in sorted(found)[:_NAMES]]


def edits(one: str, other: str, most: int) -> int:
    """The Levenshtein distance of two texts; something above MOST if it is more than that."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    row = list(range(len(other) + 1))
    for line, char in enumerate(one, 1):
        before, row[0] = row[0], line
        for column, against in enumerate(other, 1):
            cost = before + (char != against)
            before = row[column]
            row[column] = min(cost, row[column] + 1, row[column - 1] + 1)
        if min(row) > most:
            return most + 1
    return row[-1]


def suggestion(close: Iterable[str]) -> str:
    """` → file.changed ?`, for a list; "" without a close name."""
    names = " or ".join(close)
    return f" → {names} ?" if names else ""
