"""What a PATTERN says of a name or a text, whose case never matters: the one rule of `ls`, filters and exports."""

import re
from collections.abc import Callable
from fnmatch import translate

_GLOB = frozenset("*?[")

Test = Callable[[str], bool]


def is_glob(pattern: str) -> bool:
    """Whether PATTERN has a wildcard."""
    return not _GLOB.isdisjoint(pattern)


def matcher(pattern: str) -> Test:
    """Whether a name matches PATTERN (`file.*`), or contains it when it has no wildcard; "" is in every name."""
    return glob(pattern) if is_glob(pattern) else contains(pattern)


def glob(pattern: str) -> Test:
    """Whether a text as a whole matches PATTERN."""
    match = re.compile(translate(pattern.casefold())).match
    return lambda text: match(text.casefold()) is not None


def contains(part: str) -> Test:
    """Whether a text contains PART, in which nothing is a wildcard."""
    wanted = part.casefold()
    return lambda text: wanted in text.casefold()
