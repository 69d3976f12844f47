"""The three streams that the shell gave: what is closed, what cannot be written to, what text they cannot hold."""

import io
import os
import sys
from typing import Final

_OURS: Final = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def make_usable() -> None:
    """A stream that was closed (`>&-`) is as /dev/null, and no byte and no sign raises.

    What is not UTF-8 is refused where it is used; what the terminal cannot show is escaped.
    """
    for name, mode in _OURS:
        if getattr(sys, name) is None:
            # The lowest free number is the one that was closed: a socket of ours must not become somebody's stdout.
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8", closefd=False))
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def forget_unwritten() -> None:
    """What is not yet written to stdout goes nowhere: or the interpreter's own flush, at the end, fails once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
