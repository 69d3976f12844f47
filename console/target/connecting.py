"""The first words with a program's endpoint: connect, say hello, be welcome or learn why not."""

import os
import socket
import stat
import time
from collections import deque
from pathlib import Path

from bus.attach import loopback
from bus.attach.door import unix_sockets
from bus.attach.frames import Splitter, from_endpoint, pack
from bus.attach.protocol import PROTOCOL, Hello, ProtocolError, Refused, Role, ServerMessage, Welcome
from bus.trace.records import VERSION
from bus.trace.redact import escape
from console.target import TargetError

TIMEOUT = 3.0
"""Seconds that a program gets to answer; a busy one answers within 0.1."""
READ = 1 << 18
_LATER = 0.01
_SAME = "use the same bus-console in both"


class Connection:
    """A connection after a good hello. Messages that came with the welcome are in `early`."""

    def __init__(self, path: Path, role: Role, timeout: float = TIMEOUT) -> None:
        """Connect to the socket PATH.

        Raises:
            TargetError: there is nothing, it is not ours, it does not answer in TIMEOUT seconds or refuses.
        """
        self.path = path
        self.early: deque[ServerMessage] = deque()
        self.splitter: Splitter[ServerMessage] = from_endpoint()
        _check_socket(path)
        self._address = _address(path)
        self.socket = socket.socket(socket.AF_INET if self._address else socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.settimeout(timeout)
            self._connect()
            self.welcome = self._shake_hands(role)
        except BaseException:
            self.socket.close()
            raise

    def receive(self) -> ServerMessage:
        """The next message, waiting for it.

        Raises:
            TargetError: the connection ended or brought something that is not understood.
        """
        while not self.early:
            try:
                data = self.socket.recv(READ)
                self.early += self.splitter.feed(data)
            except TimeoutError:
                message = f"the program at {self.path} does not answer; is it stopped?"
                raise TargetError(message) from None
            except ProtocolError as error:
                message = f"what the program at {self.path} says is not understood: {escape(str(error))}; {_SAME}"
                raise TargetError(message) from None
            except OSError as error:
                raise TargetError(self._lost(error.strerror or str(error))) from None
            if not data:
                raise TargetError(self._lost("it closed the connection"))
        return self.early.popleft()

    def _connect(self) -> None:
        try:
            if self._address is not None:
                loopback.connect(self.socket, self._address.port)
            else:
                self._queue_up(os.fspath(self.path))
        except ConnectionRefusedError:
            message = f"{self.path} was left behind by a program that is gone; `bus-console ps` lists those that run"
            raise TargetError(message) from None
        except PermissionError:
            raise TargetError(_not_ours(self.path)) from None
        except TimeoutError:
            message = f"the program at {self.path} does not answer; is it stopped?"
            raise TargetError(message) from None
        except OSError as error:
            message = f"cannot connect to {self.path}: {error.strerror or error}"
            raise TargetError(message) from error

    def _queue_up(self, path: str) -> None:
        """Where many want to connect at once, a socket with a timeout is told to come back later."""
        give_up = time.monotonic() + (self.socket.gettimeout() or 0)
        while True:
            try:
                return self.socket.connect(path)
            except BlockingIOError:
                if time.monotonic() > give_up:
                    raise TimeoutError from None
                time.sleep(_LATER)

    def _shake_hands(self, role: Role) -> Welcome:
        try:
            self.socket.sendall(pack(self._hello(role)))
        except OSError:
            pass  # refused already: the reason can still be read
        answer = self.receive()
        if isinstance(answer, Refused):
            message = f"the program at {self.path} refused: {escape(answer.reason)}"
            raise TargetError(message)
        if not isinstance(answer, Welcome):
            message = f"the program at {self.path} does not begin with a welcome; {_SAME}"
            raise TargetError(message)
        if answer.protocol != PROTOCOL or answer.session.version > VERSION:
            message = (
                f"the program at {self.path} speaks protocol {answer.protocol}.{answer.session.version}, "
                f"this console {PROTOCOL}.{VERSION}; {_SAME}"
            )
            raise TargetError(message)
        return answer

    def _hello(self, role: Role) -> Hello:
        token = self._address.token if self._address is not None else ""
        client = f"bus-console {os.getpid()}"
        return Hello(protocol=PROTOCOL, role=role, client=client, token=token, pid=os.getpid(), timings=True)

    def _lost(self, why: str) -> str:
        return f"lost the program at {self.path}: {why}"


def _check_socket(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        message = f"there is no socket {path}; `bus-console ps` lists the programs that can be attached to"
        raise TargetError(message) from None
    except OSError as error:
        message = f"cannot connect to {path}: {error.strerror or error}"
        raise TargetError(message) from None
    if found.st_uid != os.geteuid():
        raise TargetError(_not_ours(path))
    if path.suffix != loopback.SUFFIX and not stat.S_ISSOCK(found.st_mode):
        message = f"{path} is not a socket; to look at a recording use `bus-console open`"
        raise TargetError(message)


def _address(path: Path) -> loopback.Address | None:
    """Where to find a program that has no Unix socket."""
    if path.suffix != loopback.SUFFIX:
        if not unix_sockets():
            message = f"{path} cannot be connected to: this system, or this Python, has no Unix sockets"
            raise TargetError(message)
        return None
    try:
        return loopback.read(path)
    except (OSError, ValueError):
        message = f"{path} does not say where a program listens; `bus-console ps` lists those that can be attached to"
        raise TargetError(message) from None


def _not_ours(path: Path) -> str:
    return f"{path} belongs to another user; only the user who runs a program can attach to it"
