"""A system without Unix sockets, as far as Python programs can tell."""

import socket
from pathlib import Path

SITE = """\
import socket
from functools import partial
socket.socketpair = partial(socket.socketpair, socket.AF_UNIX)  # what it makes has no name that anybody could use
del socket.AF_UNIX
"""


def hide_here(monkeypatch):
    """From this process."""
    monkeypatch.setattr(socket, "socketpair", lambda pair=socket.socketpair, family=socket.AF_UNIX: pair(family))
    monkeypatch.delattr(socket, "AF_UNIX")


def hide_from_children(folder: Path) -> str:
    """The folder that `PYTHONPATH` must begin with."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SITE)
    return str(folder)
