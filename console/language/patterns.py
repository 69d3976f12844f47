"""What a PATTERN says of a name: the one rule of `ls` and of exports."""

import re
from collections.abc import Callable
from fnmatch import translate

_GLOB = frozenset("*?[")


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a name matches PATTERN (`file.*`), or contains it when it has no wildcard; "" is in every name."""
    if not _GLOB & set(pattern):
        return lambda name: pattern in name
    match = re.compile(translate(pattern)).match
    return lambda name: match(name) is not None
