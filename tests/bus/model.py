"""What the machine believes of a bus: calls that hold their worker, listeners, services, commands."""

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from bus import Promise, Registration, Service, command, current_call

PATIENCE = 10.0


@dataclass(eq=False)
class Ticket:
    """One call: which command's CALLBACK it has to run, and whether its worker may go on.

    `entered`: the number of the worker that runs it, appended by that worker. `told`: who was told of its end.
    """

    number: int
    callback: int
    released: threading.Event = field(default_factory=threading.Event)
    entered: list[int] = field(default_factory=list)
    asked: bool = False
    promise: Promise[Any] = field(init=False)
    told: list[object] = field(default_factory=list)

    def run(self, callback: int) -> tuple[int, int, bool]:
        """On the worker: hold it."""
        self.entered.append(int(threading.current_thread().name.rpartition("-")[2]))
        assert self.released.wait(PATIENCE)
        call = current_call()
        return callback, self.number, call is not None and call.cancel_requested


@dataclass(eq=False)
class Ear:
    """A listener. `heard` is appended by workers, `hears` is what it should come to."""

    pattern: str
    service: str
    once: bool
    registration: Registration = field(init=False)
    disposed: bool = False
    heard: list[int] = field(default_factory=list)
    hears: list[int] = field(default_factory=list)


@dataclass(eq=False)
class Model:
    """A service: `busy` is who runs on which worker, `queue` what waits: calls, events on their way to a listener."""

    size: int
    busy: dict[int, Ticket] = field(default_factory=dict)
    queue: deque[Ticket | tuple[Ear, int]] = field(default_factory=deque)

    def free(self) -> bool:
        """Whether a worker could take something."""
        return any(number not in self.busy for number in range(self.size))

    def tickets(self) -> list[Ticket]:
        """The calls that are queued."""
        return [one for one in self.queue if isinstance(one, Ticket)]


@dataclass(eq=False)
class Command:
    """One registration of a command."""

    name: str
    service: str
    callback: int
    registration: Registration | None = None


def own(name: str, workers: int, callback: int) -> Service:
    """A service that declares the command `NAME.own`."""

    def run(self: Service, ticket: Ticket) -> Any:
        return ticket.run(callback)

    return type("Own", (Service,), {"own": command(f"{name}.own")(run)})(name, workers=workers)
