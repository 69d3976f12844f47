"""One console that is attached: what is sent to it, on a thread of its own."""

import socket
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from bus.attach.frames import pack, pack_batch
from bus.attach.protocol import Batch, Message, Refused, Role
from bus.runtime import Runtime
from bus.trace.chunk import Chunk
from bus.trace.outlet import Outlet
from bus.trace.records import AnyRecord

MAX_LIVE = 500
"""Calls in flight that one batch lists."""
MAX_WAITING = 10_000
"""Things that may wait to be sent to a client that goes on asking; then it is refused."""
_SNAPSHOT_BATCH = 2_000


class Client:
    """A sink of the recorder. Its own thread alone writes to the socket, the endpoint's alone reads and closes it."""

    def __init__(self, connection: socket.socket, uid: int, pid: int, role: Role, runtime: Runtime) -> None:
        """CONNECTION is blocking; UID and PID are the peer's, by the kernel."""
        self.role = role
        self.identity = f"{uid}:{pid}"
        self._connection = connection
        self._runtime = runtime
        self._outlet: Outlet[Message | Chunk] = Outlet(f"console-{pid}", self._send, self._hang_up, runtime)

    @property
    def cpu(self) -> int:
        """See `Sink`."""
        return self._outlet.cpu

    @property
    def alive(self) -> bool:
        """See `Sink`."""
        return self._outlet.alive

    @property
    def overrun(self) -> bool:
        """Whether it asks, and does not read the answers."""
        return self._outlet.waiting > MAX_WAITING

    # ---- as a sink

    def join(self, opening: tuple[AnyRecord, ...], history: tuple[Chunk, ...]) -> None:
        """See `Sink`; the snapshot is made into records and sent on the client's own thread."""
        self._outlet.call(partial(self._send_snapshot, opening, history))

    def offer(self, chunk: Chunk) -> None:
        """See `Sink`."""
        self._outlet.offer(chunk, len(chunk.items))

    def leave(self, chunk: Chunk) -> None:
        """See `Sink`: the last batch, and why there are no more."""
        self._outlet.put(chunk)
        self.refuse("the program closed its endpoint for consoles")

    def flush(self, timeout: float) -> bool:
        """See `Sink`."""
        return self._outlet.flush(timeout)

    # ---- for the endpoint

    def send(self, message: Message) -> None:
        """Send MESSAGE after what is queued; from any thread."""
        self._outlet.put(message)

    def do(self, job: Callable[[], None]) -> None:
        """Run JOB on the client's thread: what a client asks for may have to wait, and holds up nobody else."""
        self._outlet.call(job)

    def refuse(self, reason: str) -> None:
        """Send one last sentence and hang up."""
        self._outlet.put(Refused(reason=reason))
        self._outlet.close(None)

    def hang_up(self, timeout: float) -> bool:
        """End the connection now, sent or not; whether the thread had ended within TIMEOUT seconds."""
        if self._outlet.close(timeout):
            return True
        self._hang_up()
        return self._outlet.close(timeout)

    # ---- on its thread

    def _send(self, item: Message | Chunk) -> None:
        if isinstance(item, Chunk):
            self._send_frames(pack_batch(self._batch(item)))
        else:
            self._connection.sendall(pack(item))

    def _send_snapshot(self, opening: tuple[AnyRecord, ...], history: tuple[Chunk, ...]) -> None:
        for records in _grouped(opening, history):
            self._send_frames(pack_batch(Batch(at=self._runtime.now(), records=records)))
        self._send_frames(pack_batch(Batch(at=self._runtime.now(), snapshot_done=True)))

    def _send_frames(self, frames: Iterable[bytes]) -> None:
        for frame in frames:
            self._connection.sendall(frame)

    def _batch(self, chunk: Chunk) -> Batch:
        return Batch(
            at=chunk.at,
            records=chunk.records(),
            live=chunk.unended(MAX_LIVE),
            in_flight=len(chunk.live),
            dropped=self._outlet.lost,
            cost=round(chunk.cost, 5),
        )

    def _hang_up(self) -> None:
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side was faster


def _grouped(opening: tuple[AnyRecord, ...], history: tuple[Chunk, ...]) -> Iterator[tuple[AnyRecord, ...]]:
    """The records of a snapshot in portions of a good size, what others refer to first."""
    portion: list[AnyRecord] = list(opening)
    for chunk in history:
        if len(portion) >= _SNAPSHOT_BATCH:
            yield tuple(portion)
            portion = []
        portion += chunk.records()
    yield tuple(portion)
