"""One console that is attached: what is sent to it, on a thread of its own."""

import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from msgspec import structs

from bus.attach.frames import pack, pack_batch
from bus.attach.protocol import Batch, Message, Refused, Role
from bus.context import Timing
from bus.runtime import Runtime
from bus.trace.chunk import Chunk
from bus.trace.live import LISTED
from bus.trace.outlet import Outlet
from bus.trace.records import AnyRecord
from bus.trace.timings import legends

MAX_WAITING = 10_000
"""Things that may wait to be sent to a client that goes on asking; then it is refused."""
_SNAPSHOT_BATCH = 2_000
_MAX_TOLD = 1 << 15
"""Legends that a console is trusted to keep, some 250 bytes each."""


class Client:
    """A sink of the recorder. Its own thread alone writes to the socket, the endpoint's alone reads and closes it.

    `_told` is its own thread's: the keys of timings whose legends the console has.
    """

    def __init__(
        self, connection: socket.socket, uid: int, pid: int, role: Role, runtime: Runtime, *, timings: bool = False
    ) -> None:
        """CONNECTION is blocking; UID and PID are the peer's, by the kernel; TIMINGS: it understands them."""
        self.role = role
        self._timings = timings
        self._told: set[int] = set()
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
        for records, timings in self._grouped(opening, history):
            self._send_frames(pack_batch(self._filled(Batch(at=self._runtime.now(), records=records), timings)))
        self._send_frames(pack_batch(Batch(at=self._runtime.now(), snapshot_done=True)))

    def _grouped(
        self, opening: tuple[AnyRecord, ...], history: tuple[Chunk, ...]
    ) -> Iterator[tuple[tuple[AnyRecord, ...], tuple[Timing, ...]]]:
        """A snapshot in portions of a good size, what others refer to first."""
        records, timings = list(opening), list[Timing]()
        for chunk in history:
            if len(records) + len(timings) >= _SNAPSHOT_BATCH:
                yield tuple(records), tuple(timings)
                records, timings = [], []
            more, ended = self._told_as(chunk)
            records += more
            timings += ended
        yield tuple(records), tuple(timings)

    def _send_frames(self, frames: Iterable[bytes]) -> None:
        for frame in frames:
            self._connection.sendall(frame)

    def _batch(self, chunk: Chunk) -> Batch:
        records, timings = self._told_as(chunk)
        batch = Batch(
            at=chunk.at,
            records=records,
            live=chunk.unended(LISTED),
            in_flight=len(chunk.live) + chunk.unlisted,
            dropped=self._outlet.lost,
            cost=round(chunk.cost, 5),
        )
        return self._filled(batch, timings)

    def _told_as(self, chunk: Chunk) -> tuple[tuple[AnyRecord, ...], Sequence[Timing]]:
        """What is told of CHUNK as records, and what as timings."""
        return (chunk.others(), chunk.timings()) if self._timings else (chunk.records(), ())

    def _filled(self, batch: Batch, timings: Sequence[Timing]) -> Batch:
        """BATCH with TIMINGS, and with the legends that they need."""
        if not timings:
            return batch
        anew = len(self._told) > _MAX_TOLD
        if anew:
            self._told.clear()
        told = legends(timings, self._told)
        return structs.replace(batch, timings=tuple(timings), legends=told, anew=anew)

    def _hang_up(self) -> None:
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side was faster
