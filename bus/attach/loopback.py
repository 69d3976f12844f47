"""The door where there are no Unix sockets: a port of 127.0.0.1, and a file that says which, with the token to it.

Who can read the file (0600, in a directory of 0700) is us, and says so by the token. There is no HTTP: a frame begins
with a zero byte, which no browser sends first, and who has not said a hello in the right form is not answered at all.
"""

import os
import secrets
import socket
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

HOST = "127.0.0.1"
SUFFIX = ".tcp"
_MOST = 4_096
_PORTS = Meta(ge=1, le=65_535)


class Address(Struct, frozen=True):
    """What the file says."""

    port: Annotated[int, _PORTS]
    token: str


def listen(path: Path) -> tuple[socket.socket, str]:
    """Listen on a free port and write the file PATH; the listener and the token.

    Raises:
        OSError: it cannot be done.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    unborn = path.with_suffix(".new")
    try:
        listener.bind((HOST, 0))
        listener.listen(128)
        listener.settimeout(0)
        token = secrets.token_hex(32)
        unborn.unlink(missing_ok=True)
        with os.fdopen(os.open(unborn, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(Address(listener.getsockname()[1], token)))
        unborn.rename(path)
    except OSError:
        listener.close()
        unborn.unlink(missing_ok=True)
        raise
    return listener, token


def read(path: Path) -> Address:
    """What the file PATH says.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such file.
    """
    with path.open("rb") as file:
        text = file.read(_MOST)
    try:
        return msgspec.json.decode(text, type=Address)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ValueError(path) from None


def connect(connection: socket.socket, port: int) -> None:
    """As `connect`, with nothing held back to fill a packet: requests are short."""
    connection.connect((HOST, port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
