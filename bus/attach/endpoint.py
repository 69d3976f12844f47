"""The endpoint: lets consoles of the same user attach to a bus, watch it and act in it."""

import hmac
import os
import selectors
import socket
import weakref
from functools import partial
from pathlib import Path

from bus import runtime as runtimes
from bus.attach.acts import Actor, Acts
from bus.attach.client import Client
from bus.attach.door import EndpointError, listen, runtime_dir
from bus.attach.frames import from_clients, pack
from bus.attach.peers import NOBODY, peer
from bus.attach.protocol import (
    ABILITIES,
    HELLO_SECONDS,
    MAX_CLIENTS,
    PROTOCOL,
    ClientMessage,
    Hello,
    ProtocolError,
    Refused,
    Welcome,
)
from bus.runtime import NS
from bus.trace.recorder import Recorder
from bus.trace.redact import bounded

__all__ = ["Endpoint", "EndpointError"]

MAX_SILENT = 256
"""Connections that have not said hello yet; then the longest silent one has to go."""
_READ = 64 << 10
_PAUSE = NS // 5
_GOODBYE = NS // 2
"""What the consoles get, together, to be told of the end."""


class Endpoint:
    """One thread accepts and reads; each attached console has a thread that sends to it and acts for it.

    Everything here belongs to the accepting thread, but for `close`, which any thread may call, and `cpu`, which others
    may read.
    """

    def __init__(self, bus: Actor, recorder: Recorder, directory: Path | None = None) -> None:
        """Listen on a socket in DIRECTORY, the user's runtime directory if it is not given.

        Raises:
            EndpointError: the socket cannot be opened.
        """
        self._bus = bus
        self._recorder = recorder
        self._runtime = bus.runtime
        self.cpu = 0
        self._listener, self.path, self._token = listen(directory or runtime_dir(), bus.name)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._bell, self._rope = socket.socketpair()
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._visitors: dict[socket.socket, _Visitor] = {}
        self._paused_until = 0
        self._closing = False
        recorder.add_meter(lambda: self.cpu)
        _open.add(self)
        self._thread = self._runtime.spawn("bus-console-door", self._run)

    def close(self, timeout: float = 2.0) -> bool:
        """Remove the socket, say goodbye to all consoles, end all threads; whether they had within TIMEOUT seconds."""
        self._closing = True
        try:
            self._rope.send(b"!")
        except OSError:
            return True  # closed already
        return self._thread.join(timeout)

    def abandon(self) -> None:
        """In a forked child: let go of the parent's connections, so that they end when the parent does."""
        for inherited in (self._listener, self._bell, self._rope, *self._visitors):
            inherited.close()
        self._selector.close()

    # ---- the accepting thread

    def _run(self) -> None:
        try:
            while not self._closing:
                for key, _ in self._selector.select(self._patience()):
                    self._ready(key.fileobj)  # type: ignore[arg-type]  # only sockets are registered
                self._hurry()
                self.cpu = self._runtime.cpu()
        finally:
            self.path.unlink(missing_ok=True)
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        clients = [visitor.client for visitor in self._visitors.values() if visitor.client is not None]
        for client in clients:
            self._recorder.remove(client)
        give_up = self._runtime.now() + _GOODBYE
        for client in clients:
            client.hang_up(max(0, give_up - self._runtime.now()) / NS)
        for connection in (*self._visitors, self._listener, self._bell, self._rope):
            connection.close()
        self._selector.close()

    def _patience(self) -> float | None:
        """Seconds until something is due without anybody sending."""
        due = [visitor.deadline for visitor in self._visitors.values() if visitor.waited_for]
        if self._paused_until:
            due.append(self._paused_until)
        return max(0.0, (min(due) - self._runtime.now()) / NS) if due else None

    def _ready(self, ready: socket.socket) -> None:
        if ready is self._listener:
            self._accept()
        elif ready in self._visitors:
            self._read(self._visitors[ready])

    def _hurry(self) -> None:
        now = self._runtime.now()
        for visitor in list(self._visitors.values()):
            if visitor.refused and now >= visitor.deadline:
                self._drop(visitor)
            elif visitor.waited_for and now >= visitor.deadline:
                self._refuse(visitor, f"no hello came within {HELLO_SECONDS:.0f} s")
        if self._paused_until and now >= self._paused_until:
            self._paused_until = 0
            self._selector.register(self._listener, selectors.EVENT_READ)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return
        except OSError:
            # Out of file descriptors: the program needs them more. Try again a little later.
            self._selector.unregister(self._listener)
            self._paused_until = self._runtime.now() + _PAUSE
            return
        connection.settimeout(None)
        uid, pid = peer(connection)
        visitor = _Visitor(connection, uid, pid, self._runtime.now() + int(HELLO_SECONDS * NS))
        self._visitors[connection] = visitor
        self._selector.register(connection, selectors.EVENT_READ)
        if (uid, pid) == NOBODY:
            self._refuse(visitor, "this system does not say who is at the other end of a socket, so nobody is let in")
        elif uid != os.geteuid():
            self._refuse(visitor, f"this program belongs to another user (uid {os.geteuid()}, you are {uid})")
        self._make_room()

    def _make_room(self) -> None:
        silent = [visitor for visitor in self._visitors.values() if visitor.client is None]
        if len(silent) > MAX_SILENT:
            self._refuse(silent[0], "too many connections have not said hello")

    def _read(self, visitor: "_Visitor") -> None:
        try:
            data = visitor.connection.recv(_READ, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(visitor)
        elif not visitor.refused:
            self._feed(visitor, data)

    def _feed(self, visitor: "_Visitor", data: bytes) -> None:
        try:
            for message in visitor.splitter.feed(data):
                self._take(visitor, message)
        except ProtocolError as error:
            if self._token and not visitor.greeted:
                self._drop(visitor)  # a browser, or whoever else comes across a port: it gets no word out of us
            else:
                self._refuse(visitor, bounded(str(error), 400))

    def _take(self, visitor: "_Visitor", message: ClientMessage) -> None:
        if visitor.client is None:
            self._greet(visitor, message)
        elif visitor.client.overrun:
            text = "too many requests were sent without reading the answers"
            raise ProtocolError(text)
        elif visitor.acts is not None:
            visitor.client.do(partial(visitor.acts.do, message))

    def _greet(self, visitor: "_Visitor", message: ClientMessage) -> None:
        """The first message: a console says who it is.

        Raises:
            ProtocolError: it cannot be let in.
        """
        if not isinstance(message, Hello):
            text = "the first message must be hello"
            raise ProtocolError(text)
        visitor.greeted = True
        if not hmac.compare_digest(message.token.encode(), self._token.encode()) and self._token:
            text = f"the token is not the one that {self.path.name} holds"
            raise ProtocolError(text)
        if message.protocol != PROTOCOL:
            text = (
                f"this program speaks version {PROTOCOL} of the console's protocol, the console version "
                f"{message.protocol}; use the same bus-console in both"
            )
            raise ProtocolError(text)
        if sum(other.client is not None for other in self._visitors.values()) >= MAX_CLIENTS:
            text = f"{MAX_CLIENTS} consoles are attached already"
            raise ProtocolError(text)
        # What the kernel does not say, a console of the same user says itself.
        client = Client(
            visitor.connection, visitor.uid, visitor.pid or message.pid, message.role, self._runtime,
            timings=message.timings,
        )  # fmt: skip
        visitor.client, visitor.acts = client, Acts(self._bus, self._recorder, client)
        client.send(Welcome(session=self._recorder.session, role=message.role, protocol=PROTOCOL, abilities=ABILITIES))
        self._recorder.add(client)

    def _refuse(self, visitor: "_Visitor", reason: str) -> None:
        """One clear sentence, and the end. A client's own thread sends it and hangs up, which is then read here."""
        if visitor.client is not None:
            visitor.client.refuse(reason)
            visitor.refused = True
            visitor.deadline = self._runtime.now() + int(HELLO_SECONDS * NS)
            return
        try:
            visitor.connection.send(pack(Refused(reason=reason)), socket.MSG_DONTWAIT)
        except OSError:
            pass  # it does not listen: then it need not know
        self._drop(visitor)

    def _drop(self, visitor: "_Visitor") -> None:
        self._visitors.pop(visitor.connection, None)
        self._selector.unregister(visitor.connection)
        if visitor.client is not None:
            visitor.client.hang_up(0)
        visitor.connection.close()


class _Visitor:
    """A connection. `client` and `acts` are there once it was let in, `greeted` once it has said hello.

    `deadline` (monotonic ns) is for that; once it is refused, for its going away.
    """

    def __init__(self, connection: socket.socket, uid: int, pid: int, deadline: int) -> None:
        self.connection = connection
        self.uid = uid
        self.pid = pid
        self.deadline = deadline
        self.splitter = from_clients()
        self.client: Client | None = None
        self.acts: Acts | None = None
        self.refused = False
        self.greeted = False

    @property
    def waited_for(self) -> bool:
        """Whether its deadline counts."""
        return self.client is None or self.refused


_open: "weakref.WeakSet[Endpoint]" = weakref.WeakSet()


def _abandon_all() -> None:
    for endpoint in list(_open):
        endpoint.abandon()


runtimes.in_forked_child(_abandon_all)
