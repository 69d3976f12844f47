"""The socket, or the file that stands for it: where it is, who may come near it, and that it goes away again."""

import os
import re
import socket
import stat
import warnings
from pathlib import Path
from typing import NamedTuple

import platformdirs

from bus.attach import loopback
from bus.errors import BusError

SUFFIX = ".sock"
SUFFIXES = (SUFFIX, loopback.SUFFIX)
_MAX_PATH = 107
"""Bytes: `sun_path` has 108 with the closing NUL."""
_MAX_NAME = 40
_MAX_NUMBER = 100
_PROBE_SECONDS = 0.2


class EndpointError(BusError):
    """The endpoint cannot be opened; the message says why and what to do."""


class Door(NamedTuple):
    """An open one. `token`: what a console must know, "" where the kernel says who it is."""

    listener: socket.socket
    path: Path
    token: str = ""


def unix_sockets() -> bool:
    """Whether this system has them."""
    return hasattr(socket, "AF_UNIX")


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


def listen(directory: Path, name: str) -> Door:
    """Listen on `NAME-<pid>.sock` in DIRECTORY, or on `NAME-<pid>-2.sock` and so on where that is taken.

    Where there are no Unix sockets, it is a file `NAME-<pid>.tcp`; see `loopback`.

    Raises:
        EndpointError: it cannot be done; the message says why.
    """
    safe_dir(directory)
    remove_stale(directory)
    stem = f"{re.sub(r'[^A-Za-z0-9_.-]+', '_', name).lstrip('.')[:_MAX_NAME] or 'bus'}-{os.getpid()}"
    suffix = SUFFIX if unix_sockets() else loopback.SUFFIX
    for number in range(1, _MAX_NUMBER):
        path = directory / (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}")
        if not path.exists():
            return _open(path)
    message = f"{directory} holds {_MAX_NUMBER - 1} sockets of this process already; close some"
    raise EndpointError(message)


def has_room(directory: Path) -> None:
    """Whether a door in DIRECTORY can have a name at all.

    Raises:
        EndpointError: not even the shortest one; the message says what to do.
    """
    path = directory / f"x-{os.getpid()}{SUFFIX}"
    if unix_sockets() and len(os.fsencode(path)) > _MAX_PATH:
        raise EndpointError(_too_long(path))


def _too_long(path: Path) -> str:
    return (
        f"the path {path} is longer than a socket's may be ({_MAX_PATH} bytes); "
        "set XDG_RUNTIME_DIR to a shorter directory of yours"
    )


def _open(path: Path) -> Door:
    if path.suffix == SUFFIX and len(os.fsencode(path)) > _MAX_PATH:
        raise EndpointError(f"{_too_long(path)}, or give the bus a shorter name")
    try:
        if path.suffix == SUFFIX:
            return Door(_bind(path), path)
        listener, token = loopback.listen(path)
        return Door(listener, path, token)
    except OSError as error:
        message = f"cannot open the console's socket {path}: {error.strerror or error}"
        raise EndpointError(message) from error


def _bind(path: Path) -> socket.socket:
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
    except OSError:
        listener.close()
        unborn.unlink(missing_ok=True)
        raise
    return listener


def doors(directory: Path) -> list[Path]:
    """What looks like a door in DIRECTORY, by name."""
    return sorted(path for path in directory.glob("*") if path.suffix in SUFFIXES)


def remove_stale(directory: Path) -> None:
    """Remove the sockets that nobody listens on any more: those of programs that were killed."""
    for path in doors(directory):
        if is_stale(path):
            path.unlink(missing_ok=True)


def is_stale(path: Path) -> bool:
    """Whether PATH is a socket of ours, or stands for one, that nobody listens on."""
    try:
        mode = path.lstat().st_mode
        if path.suffix == loopback.SUFFIX and stat.S_ISREG(mode):
            return _refuses(socket.AF_INET, (loopback.HOST, loopback.read(path).port))
        return stat.S_ISSOCK(mode) and unix_sockets() and _refuses(socket.AF_UNIX, os.fspath(path))
    except (OSError, ValueError):
        return False  # gone already, not one of ours, or its queue of connections is full: somebody listens


def _refuses(family: int, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # To a port of this machine, too, a connection is made or refused at once.
        probe.settimeout(0 if isinstance(address, str) else _PROBE_SECONDS)
        try:
            probe.connect(address)
        except ConnectionRefusedError:
            return True
    return False
