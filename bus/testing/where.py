"""Where a thread stands in the user's code."""

from types import FrameType

from bus import runtime

_NOT_THEIRS = ("bus", "threading", "concurrent", "contextlib", "queue", "selectors")


def where(ident: int) -> str:
    """The line (file:line) of the innermost frame that belongs neither to the bus nor to what it waits with; or ""."""
    frame: FrameType | None = runtime.frames().get(ident)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _NOT_THEIRS:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""
