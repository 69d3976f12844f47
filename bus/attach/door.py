"""The socket file: where it is, who may come near it, and that it goes away again."""

import os
import re
import socket
import stat
import struct
import warnings
from pathlib import Path

import platformdirs

from bus.errors import BusError

SUFFIX = ".sock"
_MAX_PATH = 107
"""Bytes: `sun_path` has 108 with the closing NUL."""
_MAX_NAME = 40
_MAX_NUMBER = 100
_CREDENTIALS = struct.Struct("3i")


class EndpointError(BusError):
    """The endpoint cannot be opened; the message says why and what to do."""


def runtime_dir() -> Path:
    """The directory of the sockets of this user's programs. It need not exist."""
    with warnings.catch_warnings():
        # It warns where XDG_RUNTIME_DIR is missing; the directory it falls back to is checked like any other.
        warnings.simplefilter("ignore")
        return Path(platformdirs.user_runtime_dir("bus-console"))


def safe_dir(path: Path) -> Path:
    """Make sure that PATH is a directory that only we can enter.

    Raises:
        EndpointError: it cannot be made, or it is somebody else's, or others may enter it.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        message = f"cannot make the directory {path} for the console's socket: {error.strerror or error}"
        raise EndpointError(message) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        message = f"{path} is not a directory of yours, so the console's socket is not put there; remove or rename it"
        raise EndpointError(message)
    if found.st_mode & 0o077:
        message = f"others may enter {path}, so the console's socket is not put there; run: chmod 700 {path}"
        raise EndpointError(message)
    return path


def listen(directory: Path, name: str) -> tuple[socket.socket, Path]:
    """Listen on `NAME-<pid>.sock` in DIRECTORY, or on `NAME-<pid>-2.sock` and so on where that is taken.

    Raises:
        EndpointError: it cannot be done; the message says why.
    """
    safe_dir(directory)
    remove_stale(directory)
    stem = f"{re.sub(r'[^A-Za-z0-9_.-]+', '_', name).lstrip('.')[:_MAX_NAME] or 'bus'}-{os.getpid()}"
    for number in range(1, _MAX_NUMBER):
        path = directory / (f"{stem}{SUFFIX}" if number == 1 else f"{stem}-{number}{SUFFIX}")
        if not path.exists():
            return _bind(path), path
    message = f"{directory} holds {_MAX_NUMBER - 1} sockets of this process already; close some"
    raise EndpointError(message)


def _bind(path: Path) -> socket.socket:
    if len(os.fsencode(path)) > _MAX_PATH:
        message = (
            f"the path {path} is longer than a socket's may be ({_MAX_PATH} bytes); "
            "set XDG_RUNTIME_DIR to a shorter directory of yours, or give the bus a shorter name"
        )
        raise EndpointError(message)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # It gets its name when somebody listens: until then it would look like one that a dead program left behind.
    unborn = path.with_suffix(".new")
    try:
        unborn.unlink(missing_ok=True)
        listener.bind(os.fspath(unborn))
        unborn.chmod(0o600)
        listener.listen(128)
        listener.settimeout(0)
        unborn.rename(path)
    except OSError as error:
        listener.close()
        unborn.unlink(missing_ok=True)
        message = f"cannot open the console's socket {path}: {error.strerror or error}"
        raise EndpointError(message) from error
    return listener


def remove_stale(directory: Path) -> None:
    """Remove the sockets that nobody listens on any more: those of programs that were killed."""
    for path in directory.glob(f"*{SUFFIX}"):
        if is_stale(path):
            path.unlink(missing_ok=True)


def is_stale(path: Path) -> bool:
    """Whether PATH is a socket of ours that nobody listens on."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(0)
            probe.connect(os.fspath(path))
    except ConnectionRefusedError:
        return True
    except OSError:
        return False  # gone already, or its queue of connections is full: somebody listens
    return False


def peer(connection: socket.socket) -> tuple[int, int]:
    """The uid and pid of the process at the other end, (-1, 0) where the system cannot tell.

    A platform without `SO_PEERCRED` refuses everybody.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return -1, 0
    pid, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    return uid, pid
