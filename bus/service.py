"""A service as its author writes it: what it offers, listens to and repeats, and how many threads it has."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from msgspec import Struct

from bus.mailbox import Overflow
from bus.trace.records import ServiceState

if TYPE_CHECKING:
    from bus.core import Bus

F = TypeVar("F", bound=Callable[..., Any])
Restart = Literal["on-crash", "never"]
_MARK = "__bus_declared__"


class Declared(Struct, frozen=True):
    """What a decorator said about a method: exactly one of the first three is set."""

    command: str = ""
    event: str = ""
    seconds: float = 0.0
    once: bool = False


def command(name: str, /) -> Callable[[F], F]:
    """Declare a method of a `Service` as the command NAME."""
    return _declare(Declared(command=name))


def listener(name: str, /, *, once: bool = False) -> Callable[[F], F]:
    """Declare a method of a `Service` as a listener of the event NAME, or of a glob such as `file.*`."""
    return _declare(Declared(event=name, once=once))


def every(*, seconds: float) -> Callable[[F], F]:
    """Declare a method of a `Service` that is called every SECONDS, on the service's own threads."""
    if seconds <= 0:
        message = f"every(seconds={seconds}): must be more than 0"
        raise ValueError(message)
    return _declare(Declared(seconds=seconds))


class Service:
    """Runs on `workers` threads of its own and talks to others only through `self.bus`, which `Bus.add` sets.

    With one worker its methods never run at the same time, so its attributes need no lock. All settings are class
    attributes too; the name defaults to the class's in snake_case. A subclass need not call `super().__init__`.

    `capacity`: calls the mailbox holds. `overflow`: what happens to events beyond that: "drop_newest", "drop_oldest",
    or "block" (commands too), which waits `push_timeout` seconds for room. `restart`: whether it is started anew after
    a crash, which is a failing `on_start` or a `ServiceCrash` that a handler raises. `stuck_after`: a call whose code
    runs for more seconds than that is shown as stuck; `replace_stuck`: another worker then takes the place of its own,
    which cannot be killed. While that one goes on, methods may run at the same time even with one worker.
    """

    name: str = ""
    workers: int = 1
    capacity: int = 10_000
    overflow: Overflow = "drop_newest"
    push_timeout: float = 1.0
    restart: Restart = "on-crash"
    stuck_after: float = 30.0
    replace_stuck: bool = False
    bus: "Bus"

    def __init__(
        self,
        name: str | None = None,
        *,
        workers: int | None = None,
        capacity: int | None = None,
        overflow: Overflow | None = None,
        push_timeout: float | None = None,
        restart: Restart | None = None,
        stuck_after: float | None = None,
        replace_stuck: bool | None = None,
    ) -> None:
        given = {
            "name": name,
            "workers": workers,
            "capacity": capacity,
            "overflow": overflow,
            "push_timeout": push_timeout,
            "restart": restart,
            "stuck_after": stuck_after,
            "replace_stuck": replace_stuck,
        }
        for setting, value in given.items():
            if value is not None:
                setattr(self, setting, value)

    def on_start(self) -> None:
        """Called first, on the service's own thread: open what you need, register what is not declared."""

    def on_stop(self) -> None:
        """Called last, on the service's own thread, when no call of it runs any more."""


class ServiceInfo(Struct, frozen=True):
    """A service as it was when asked. `depth`: calls queued; `dropped`: events lost so far; `error`: its last crash.

    `stuck`: calls whose code runs for longer than `stuck_after` at this moment, on workers that were replaced too.
    """

    name: str
    state: ServiceState
    workers: int
    depth: int
    capacity: int
    dropped: int
    restarts: int
    error: str
    stuck: int = 0


def service_name(service: Service) -> str:
    """The name it has on a bus: its own, or its class's in snake_case."""
    return (
        service.name or re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(service).__name__).lower()
    )


def declared(service: Service) -> list[tuple[Declared, Callable[..., Any]]]:
    """The decorated methods of SERVICE, bound, in the order in which the classes define them."""
    methods: dict[str, None] = {}
    for cls in reversed(type(service).__mro__):
        methods.update(dict.fromkeys(name for name, value in vars(cls).items() if hasattr(value, _MARK)))
    bound = [getattr(service, name) for name in methods]
    return [(one, method) for method in bound for one in getattr(method, _MARK, ())]


def check_settings(service: Service) -> None:
    """Whether SERVICE can run as it is set.

    Raises:
        ValueError: it cannot; the message names the setting.
    """
    name = service_name(service)
    if service.workers < 1:
        message = f"the service {name!r} has workers={service.workers}: it needs at least 1"
        raise ValueError(message)
    if service.capacity < 1:
        message = f"the service {name!r} has capacity={service.capacity}: it needs at least 1"
        raise ValueError(message)
    if service.overflow not in {"drop_newest", "drop_oldest", "block"}:
        message = f"the service {name!r} has overflow={service.overflow!r}: use drop_newest, drop_oldest or block"
        raise ValueError(message)
    if not 0 <= service.push_timeout < float("inf"):
        message = f"the service {name!r} has push_timeout={service.push_timeout}: it needs a finite number of seconds"
        raise ValueError(message)
    if not service.stuck_after > 0:
        message = f"the service {name!r} has stuck_after={service.stuck_after}: it needs more than 0 seconds"
        raise ValueError(message)
    if service.restart not in {"on-crash", "never"}:
        message = f"the service {name!r} has restart={service.restart!r}: use on-crash or never"
        raise ValueError(message)


def _declare(one: Declared) -> Callable[[F], F]:
    def mark(method: F) -> F:
        setattr(method, _MARK, (*getattr(method, _MARK, ()), one))
        return method

    return mark
