"""Where a thread stands in the user's code."""

from bus import runtime

_NOT_THEIRS = ("bus", "threading", "concurrent", "contextlib", "queue", "selectors")


def where(ident: int) -> str:
    """The line (file:line) of the innermost frame that belongs neither to the bus nor to what it waits with; or ""."""
    theirs = (place for place in runtime.stack(ident) if place.module.partition(".")[0] not in _NOT_THEIRS)
    place = next(theirs, None)
    return f"{place.code.co_filename}:{place.line}" if place is not None else ""
