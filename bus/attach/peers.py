"""Who is at the other end of a connection, by what the kernel says."""

import os
import socket
import struct
import sys

NOBODY = (-1, 0)
"""What is said of a peer whom the system does not name: nobody has this uid, so it is refused."""
_LINUX = struct.Struct("3i")  # pid, uid, gid
_OPENBSD = struct.Struct("3i")  # uid, gid, pid
_XUCRED = struct.Struct("II")  # version, uid; the groups follow
_XUCRED_MAX = 256
_XUCRED_VERSION = 0
# Where Python has no names for them: <sys/un.h> of macOS and FreeBSD.
_SOL_LOCAL, _LOCAL_PEERCRED, _LOCAL_PEERPID = 0, 1, 2


def peer(connection: socket.socket) -> tuple[int, int]:
    """The uid and pid of the process at the other end; pid 0 where only the uid is known, `NOBODY` where neither is.

    Over TCP, the kernel knows nothing: there the token proves that it is us, and the uid is ours.
    """
    if connection.family == socket.AF_INET:
        return os.geteuid(), 0
    option = getattr(socket, "SO_PEERCRED", None)
    try:
        if option is not None:
            return _by_option(connection, option)
        if sys.platform == "darwin" or sys.platform.startswith(("freebsd", "dragonfly")):
            return _by_xucred(connection)
    except (OSError, struct.error):
        pass  # it is gone already, or the system is not what we take it for
    return NOBODY


def _by_option(connection: socket.socket, option: int) -> tuple[int, int]:
    if sys.platform.startswith("openbsd"):
        uid, _, pid = _OPENBSD.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _OPENBSD.size))
        return uid, pid
    pid, uid, _ = _LINUX.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _LINUX.size))
    return uid, pid


def _by_xucred(connection: socket.socket) -> tuple[int, int]:
    """As the C library's getpeereid does it there. Only macOS tells the pid, too."""
    version, uid = _XUCRED.unpack_from(connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_MAX))
    if version != _XUCRED_VERSION:
        return NOBODY
    return uid, connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID) if sys.platform == "darwin" else 0
