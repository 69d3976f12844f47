"""How to read a live stack: which of its frames is the program's own, and whether Python's own code waits there."""

import re
from typing import Final

from bus.trace.records import Frame, Stack

_LIBRARY: Final = re.compile(r"/lib(?:64)?/python\d|/(?:site|dist)-packages/|^<frozen ")


_STANDARD: Final = re.compile(r"/lib(?:64)?/python\d[\d.t]*/(.+)$")
_WAITS: Final = {
    "threading": ("Condition.wait", "Event.wait", "Thread.join", "Semaphore.acquire", "Barrier.wait"),
    "queue": ("Queue.get", "Queue.put", "Queue.join"),
    "concurrent/futures/_base": ("Future.result", "Future.exception", "wait"),
    "selectors": ("SelectSelector.select", "PollSelector.select", "EpollSelector.select", "KqueueSelector.select"),
    "socket": ("socket.accept", "SocketIO.readinto", "create_connection"),
    "ssl": ("SSLSocket.read", "SSLSocket.recv", "SSLSocket.recv_into", "SSLSocket.do_handshake"),
    "subprocess": ("Popen.wait", "Popen.communicate"),
    "multiprocessing/connection": ("Connection._recv", "Connection._poll", "wait"),
}
"""Functions of Python's library that do little else than wait. What is written in C has no frame: then the source line
of the innermost one says it."""
_PLACES: Final = {
    (f"{module}.py", function): f"{module.removesuffix('/_base').replace('/', '.')}.{function}"
    for module, functions in _WAITS.items()
    for function in functions
}


def waits_in(stack: Stack) -> str:
    """The function of Python's library that the thread waits in, as `queue.Queue.get`; "" if it is not in one.

    Of several, the one that is nearest to the program's own code. What waits on the bus is not meant.
    """
    found = ""
    for frame in stack.frames:
        if frame.bus or stack.waiting is not None or not is_library(frame):
            break
        inside = _STANDARD.search(frame.file)
        found = _PLACES.get((inside[1], frame.function), found) if inside else found
    return found


def is_library(frame: Frame) -> bool:
    """Whether it is Python's own, or of a package that was installed."""
    return _LIBRARY.search(frame.file) is not None


def own_frame(stack: Stack) -> Frame | None:
    """The innermost frame that is neither the bus's nor a library's; None where there is none."""
    return next((frame for frame in stack.frames if not frame.bus and not is_library(frame)), None)
