"""The bus: what a program calls. Four verbs, services that come and go, and looks at all of it."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from bus import lifecycle, signature
from bus.context import Call, as_call
from bus.dispatch import Dispatch
from bus.errors import BusError
from bus.hooks import Hooks
from bus.promise import Promise
from bus.registry import DeadLetter, Entry, EntryInfo, IfExists, Registration, Registry
from bus.runtime import REAL, Runtime
from bus.service import Service, ServiceInfo
from bus.staff import Staff
from bus.timers import Timers
from bus.trace.records import Level
from bus.waits import RunningCall

if TYPE_CHECKING:
    from bus.trace.triggers import Triggers

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", bound=Service)
_FEW = 8
"""Queued calls that are listed of each service, however many services have some."""
_SWITCHES = ("BUS_CONSOLE", "BUS_TRACE", "BUS_TRACE_FILE", "BUS_DUMP")


class Bus:
    """Commands that return promises, events that return nothing, between services on threads of their own.

    `_lock` guards the table of running services and the hooks; it is never held while foreign code runs.
    """

    def __init__(self, name: str = "bus", *, trace: Level | None = None, runtime: Runtime = REAL) -> None:
        """A bus called NAME. TRACE records what happens, from "off" to "full"; None leaves that to the environment."""
        self.name = name
        self.runtime = runtime
        self.now = runtime.now
        self.hooks = Hooks()
        self.trace = trace
        self._lock = runtime.lock()
        self._registry = Registry(runtime.lock())
        self._dispatch = Dispatch(name, runtime, self._registry, self.hooks)
        # Where nobody overrides them, these two are called without a step between, a twentieth of what they take.
        for verb in ("execute_command", "fire_event"):
            if getattr(type(self), verb) is getattr(Bus, verb):
                vars(self)[verb] = getattr(self._dispatch, verb)
        self._timers = Timers(runtime, name)
        self._staff = Staff(name, self._dispatch, self._timers, self._lock)
        self._closing = lifecycle.Closing(name, self._dispatch)
        self.at_close(self._dispatch.reports.close)
        lifecycle.opened(self)
        if trace is not None or (runtime.real and any(os.environ.get(switch) for switch in _SWITCHES)):
            from bus import switches

            switches.plug(self)

    # ---- the four verbs

    @overload
    def register_command(
        self, name: str, callback: Callable[..., Any], *, service: str | Service | None = None,
        if_exists: IfExists = "error",
    ) -> Registration: ...  # fmt: skip

    @overload
    def register_command(
        self, name: str, *, service: str | Service | None = None, if_exists: IfExists = "error"
    ) -> Callable[[F], F]: ...

    def register_command(
        self, name: str, callback: Callable[..., Any] | None = None, *, service: str | Service | None = None,
        if_exists: IfExists = "error",
    ) -> Registration | Callable[[F], F]:  # fmt: skip
        """Let CALLBACK answer the command NAME; without a callback, a decorator.

        It runs on SERVICE (a name or an object), a bound method of a `Service` on that one, everything else on the
        bus's own pool `main`.

        Raises:
            CommandExists: the name is taken, and IF_EXISTS is not "replace" or "shadow".
            ServiceNotFound: SERVICE is not on this bus.
            ServiceStopped: SERVICE is ending.
        """
        if callback is None:

            def register(decorated: F) -> F:
                self.register_command(name, decorated, service=service, if_exists=if_exists)
                return decorated

            return register
        return self._staff.register(Entry("command", name, callback, self._staff.owner(callback, service)), if_exists)

    def execute_command(self, name: str, /, *args: Any, **kwargs: Any) -> Promise[Any]:
        """Queue a call of the command NAME and return the promise of its result.

        Raises:
            CommandNotFound: no command has this name.
            BadArguments: the arguments do not fit its signature.
            MailboxFull, ServiceStopped, BusClosed, HopLimitExceeded: it cannot be queued.
        """
        return self._dispatch.execute_command(name, *args, **kwargs)

    @overload
    def register_listener(
        self, event: str, callback: Callable[..., Any], *, service: str | Service | None = None, once: bool = False
    ) -> Registration: ...

    @overload
    def register_listener(
        self, event: str, *, service: str | Service | None = None, once: bool = False
    ) -> Callable[[F], F]: ...

    def register_listener(
        self, event: str, callback: Callable[..., Any] | None = None, *, service: str | Service | None = None,
        once: bool = False,
    ) -> Registration | Callable[[F], F]:  # fmt: skip
        """Call CALLBACK for every EVENT (a name, or a glob such as `file.*`) from now on; ONCE: for the next one only.

        Where it runs is decided as for a command; without a callback, a decorator.

        Raises:
            ServiceNotFound: SERVICE is not on this bus.
            ServiceStopped: SERVICE is ending.
        """
        if callback is None:

            def register(decorated: F) -> F:
                self.register_listener(event, decorated, service=service, once=once)
                return decorated

            return register
        owner = self._staff.owner(callback, service)
        return self._staff.register(Entry("listener", event, callback, owner, once=once))

    def fire_event(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        """Queue one delivery for each listener that NAME has now, and return; what they do with it stays with them.

        Raises:
            BusClosed: the bus takes no more.
            HopLimitExceeded: the event is the end of a chain of more than 100.
        """
        self._dispatch.fire_event(name, *args, **kwargs)

    # ---- deadlines

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """`with bus.deadline(2.0):` caps every call made inside, and what those calls call, and `result()` there.

        A call that is still queued then is never started; its promise fails with `CallTimeout`. A deadline inside
        another one can only be earlier.
        """
        return self._dispatch.clock.deadline(seconds)

    def pause_clock(self) -> Registration:
        """Stop the clock of deadlines, while a person looks, until the registration is disposed."""
        return self._dispatch.clock.pause()

    # ---- services

    def add(self, service: S) -> S:
        """Start SERVICE with all that it declares, and return it when it runs.

        Raises:
            ServiceExists: its name is taken on this bus.
            BaseException: what its `on_start` raised; then it is not on the bus.
        """
        self._staff.add(service, self)
        return service

    def remove(self, name: str, /, *, drain: bool = True, timeout: float = 5) -> None:
        """Take the service NAME off the bus; DRAIN: run what is queued first. It gets TIMEOUT seconds.

        Inside one of its own handlers this returns at once, and takes effect when the handler is done.

        Raises:
            ServiceNotFound: no service has this name.
        """
        self._staff.remove(name, timeout, drain=drain)

    def replace(self, name: str, service: S, /) -> S:
        """Let SERVICE take over from the service NAME, whose running calls end first, and return it when it runs.

        The mailbox stays: queued calls go to the new one's command of that name, or fail with `CommandNotFound`.
        Callbacks that were added by `service="name"` belong to the name and stay.

        Inside one of its own handlers this returns at once, and takes effect when the handler is done: no other call
        begins before that, and what `on_start` raises then is logged, and is the error of the service that has failed.

        Raises:
            ServiceNotFound: no service has this name.
            CommandExists: the new one declares a command that is somebody else's.
            BaseException: what its `on_start` raised; then the service has failed.
        """
        self._staff.replace(name, service, self)
        return service

    def scale(self, name: str, workers: int, /) -> None:
        """Give the service NAME so many WORKERS; those too many leave after the call that each runs.

        Raises:
            ServiceNotFound: no service has this name.
            ValueError: fewer than one worker.
        """
        self._staff.scale(name, workers)

    @property
    def closed(self) -> bool:
        """Whether `close` has begun: nothing more is accepted from outside."""
        return self._dispatch.refusal is not None

    def close(self, timeout: float = 5) -> None:
        """Stop it all: run what is queued, TIMEOUT seconds at most, then fail what is left with `BusClosed`.

        Inside a handler, and in a signal's that interrupted the bus at work, it begins closing and returns. From the
        second time on it waits for the first.
        """
        self._closing.close(timeout, self._timers.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    # ---- looking at it

    def commands(self) -> tuple[EntryInfo, ...]:
        """What can be executed now, sorted by name."""
        return tuple(entry.info() for entry in self._registry.commands())

    def listeners(self) -> tuple[EntryInfo, ...]:
        """What listens now, in the order of registration."""
        return tuple(entry.info() for entry in self._registry.listeners())

    def receivers(self, event: str, /) -> tuple[EntryInfo, ...]:
        """The listeners that EVENT would be delivered to now, in that order."""
        return tuple(entry.info() for entry in self._registry.receivers(event))

    def services(self) -> tuple[ServiceInfo, ...]:
        """The services as they are now, in the order in which they were added."""
        return tuple(runner.info() for runner in self._staff.runners())

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """The last 1,000 things that nobody could receive, the oldest first."""
        return tuple(self._dispatch.dead_letters)

    def live_calls(self, limit: int | None = None) -> list[Call]:
        """The calls that run or are queued at this moment, service by service.

        LIMIT: of what is queued so many at the most, or a few from each service; each service's next ones.
        """
        calls: list[Call] = []
        runners = self._staff.runners()
        share = None if limit is None else max(_FEW, limit // max(1, sum(bool(each.mailbox.calls) for each in runners)))
        for runner in runners:
            # A recorder asks 25 times a second, and of hundreds of services few are busy.
            if runner.busy():
                calls += [call for call in runner.running if call is not None and call.in_flight]
            if runner.mailbox.calls:
                calls += map(as_call, runner.mailbox.queued(share))
        return calls

    def queued(self) -> int:
        """How many calls are queued at this moment."""
        return sum(len(runner.mailbox) for runner in self._staff.runners())

    def running_calls(self) -> tuple[RunningCall, ...]:
        """The calls that run at this moment, service by service, and what each waits for on the bus."""
        return self._dispatch.waits.running()

    def add_hook(self, hook: object, *, instead_of: object = None) -> Registration:
        """Let HOOK watch from now on, INSTEAD_OF another one; see `bus.hooks.Hook` for what it may implement."""
        with self._lock:
            self.hooks.add(hook, instead_of)
        return Registration(lambda: self._remove_hook(hook))

    def serve(self) -> Registration:
        """Open the endpoint that a console attaches to; disposing it closes the door."""
        from bus import switches

        return switches.serve(self)

    def record(self, path: str | os.PathLike[str], *, part_bytes: int | None = None) -> Registration:
        """Write what happens to the session file PATH, in parts of PART_BYTES, until the registration is disposed."""
        from bus import switches

        return switches.record(self, path, part_bytes)

    def dump_trace(self, path: str | os.PathLike[str]) -> Path:
        """Write the last 30 s to the session file PATH, or to a new one in the directory PATH; which one it became."""
        from bus import switches

        return switches.dump_trace(self, path)

    def dump_on(self, path: str | os.PathLike[str], triggers: "Triggers | None" = None) -> Registration:
        """Dump the last 30 s to PATH, best a directory, whenever one of TRIGGERS happens, until that is disposed."""
        from bus import switches

        return switches.dump_on(self, path, triggers)

    # ---- acting from outside: values are JSON-like, and become what the annotations say

    def execute_text(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], *, by: str = "console", client: str = ""
    ) -> Promise[Any]:
        """Execute a command for somebody outside the program; as `execute_command`, with the values converted."""
        entry = self._registry.top.get(name)
        if entry is None:
            raise self._dispatch.not_found(name)
        converted, keywords = entry.schema.convert(name, args, kwargs)
        return self._dispatch.execute_for(by, client, name, converted, keywords)

    def fire_text(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], *, by: str = "console", client: str = ""
    ) -> tuple[Call, tuple[Entry, ...]]:
        """Fire an event for somebody outside; its call, and the listeners it was queued for.

        The values become what the first listener with annotations that fit wants of them.
        """
        converted, keywords = signature.convert_for_any(
            [entry.schema for entry in self._registry.receivers(name)], name, args, kwargs
        )
        return self._dispatch.fire_watched(name, converted, keywords, by, client)

    # ---- for what is opened for the bus, and for a fork

    def at_close(self, callback: Callable[[], None]) -> None:
        """Call CALLBACK when the bus is closed, after the last service ended; the last one added first.

        It is called a second time when ^C interrupts it.
        """
        self._closing.callbacks.append(callback)

    def forbid(self, error: BusError) -> None:
        """In a forked child: let every use raise ERROR, and take no lock, which a thread of the parent may hold.

        What ends something does nothing: `close`, and `dispose` of what was registered.
        """
        self._dispatch.forbid(error)

        def refuse(*_: object, **__: object) -> None:
            self._dispatch.refuse()

        def do_nothing(*_: object, **__: object) -> None: ...

        public = [name for name, member in vars(Bus).items() if callable(member) and not name.startswith("_")]
        vars(self).update(dict.fromkeys(public, refuse))
        vars(self).update(dict.fromkeys(("close", "_remove_hook"), do_nothing))
        vars(self._staff).update(unregister=do_nothing)

    # ---- inside

    def _remove_hook(self, hook: object) -> None:
        with self._lock:
            self.hooks.remove(hook)
