"""How to read a live stack: which of its frames is the program's own, and says where to look."""

import re
from typing import Final

from bus.trace.records import Frame, Stack

_LIBRARY: Final = re.compile(r"/lib(?:64)?/python\d|/(?:site|dist)-packages/|^<frozen ")


def is_library(frame: Frame) -> bool:
    """Whether it is Python's own, or of a package that was installed."""
    return _LIBRARY.search(frame.file) is not None


def own_frame(stack: Stack) -> Frame | None:
    """The innermost frame that is neither the bus's nor a library's; None where there is none."""
    return next((frame for frame in stack.frames if not frame.bus and not is_library(frame)), None)
