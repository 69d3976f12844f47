"""The services of a bus: they come with all that they declare, take over from others, grow, shrink and go."""

import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bus import lifecycle
from bus.dispatch import Dispatch
from bus.errors import ServiceExists, ServiceNotFound
from bus.registry import Entry, IfExists, Registration
from bus.replacing import Takeover, entries_of
from bus.runtime import NS, Lock
from bus.service import Service, check_settings, declared, service_name
from bus.stuck import Watcher
from bus.timers import Timers
from bus.worker import Runner

if TYPE_CHECKING:
    from bus.core import Bus

MAIN = "main"
"""The bus's own service: runs the callbacks that were registered without one."""
_log = logging.getLogger("bus")


class Staff:
    """`_lock`, which is the bus's, guards the table of running services; it is never held while foreign code runs.

    `_every` has the timers of each service; an entry is put and taken in one step each.
    """

    def __init__(self, bus_name: str, dispatch: Dispatch, timers: Timers, lock: Lock) -> None:
        self._bus_name = bus_name
        self._dispatch = dispatch
        self._registry = dispatch.registry
        self._hooks = dispatch.hooks
        self._timers = timers
        self._watcher = Watcher(dispatch, timers)
        self._lock = lock
        self._every: dict[str, list[Registration]] = {}

    # ---- who there is

    def runners(self) -> list[Runner]:
        """All services, in the order in which they were added."""
        with self._lock:
            return list(self._dispatch.runners.values())

    def runner(self, name: str) -> Runner:
        """The service of this name.

        Raises:
            ServiceNotFound: there is none.
        """
        runner = self._dispatch.runners.get(name)
        if runner is None:
            there = ", ".join(self._dispatch.runners) or "none"
            message = f"no service called {name!r} is on the bus {self._bus_name!r} (there are: {there})"
            raise ServiceNotFound(message)
        return runner

    def owner(self, callback: Callable[..., Any], service: str | Service | None) -> Runner:
        """The service that is to run CALLBACK: SERVICE, the one whose method it is, or the pool `main`.

        Raises:
            ServiceNotFound: it is not on the bus.
            ServiceStopped: it is ending.
        """
        owner = service if service is not None else getattr(callback, "__self__", None)
        runner = self._runner_of(owner) if isinstance(owner, Service) else self._named(service)
        runner.check_open()
        return runner

    # ---- what they offer

    def register(self, entry: Entry, if_exists: IfExists = "error") -> Registration:
        """Put ENTRY in; disposing takes it out.

        Raises:
            CommandExists: the name is taken, and IF_EXISTS is "error".
        """
        if entry.kind == "listener":
            self._registry.add_listener(entry)
        else:
            replaced = self._registry.add_command(entry, if_exists)
            if replaced is not None:
                self._hooks.notify("unregistered", replaced)
        self._hooks.notify("registered", entry)
        if entry.kind == "command":
            self._dispatch.announce("command_registered", name=entry.name, service=entry.service)
        return Registration(lambda: self.unregister(entry))

    def unregister(self, entry: Entry) -> None:
        """Take ENTRY out; nothing happens when it is out already."""
        if self._registry.remove(entry):
            self._hooks.notify("unregistered", entry)

    # ---- coming and going

    def add(self, service: Service, bus: "Bus") -> None:
        """See `Bus.add`."""
        name = service_name(service)
        self._dispatch.refuse()
        runner = Runner(self._dispatch, name, service)
        with self._lock:
            if name in self._dispatch.runners or name == MAIN:
                message = f"a service called {name!r} is on the bus {self._bus_name!r} already; give this another name"
                raise ServiceExists(message)
            self._dispatch.runners[name] = runner
        service.bus = bus
        try:
            for entry in entries_of(service, runner):
                self.register(entry)
            runner.start()
        except BaseException:
            runner.close()
            lifecycle.abandon_queued(runner, self._dispatch, lifecycle.stopped_error(name))
            self._forget(runner)
            raise
        self._start_timers(service, runner)
        self._dispatch.announce("service_started", service=name)

    def remove(self, name: str, timeout: float, *, drain: bool) -> None:
        """See `Bus.remove`."""
        runner = self.runner(name)
        if lifecycle.on_thread_of(runner):
            self._dispatch.runtime.spawn(f"{self._bus_name}-remove", self._remove, runner, drain, timeout)
        else:
            with runner.blocked(end=True):
                self._remove(runner, drain, timeout)

    def replace(self, name: str, service: Service, bus: "Bus") -> None:
        """See `Bus.replace`."""
        check_settings(service)
        runner = self.runner(name)
        takeover = Takeover(runner, service, self._dispatch)
        service.name, service.bus = name, bus
        self._stop_timers(name)
        takeover.begin()
        if lifecycle.on_thread_of(runner):
            self._dispatch.runtime.spawn(f"{self._bus_name}-replace", self._replace_alone, takeover, service, runner)
        else:
            with runner.blocked(end=True):
                self._replace(takeover, service, runner)

    def scale(self, name: str, workers: int) -> None:
        """See `Bus.scale`."""
        if workers < 1:
            message = f"scale({name!r}, {workers}): a service needs at least 1 worker"
            raise ValueError(message)
        self.runner(name).scale(workers)

    # ---- inside

    def _runner_of(self, service: Service) -> Runner:
        name = service_name(service)
        runner = self._dispatch.runners.get(name)
        if runner is None or runner.service is not service:
            message = f"the service {name!r} is not on the bus {self._bus_name!r}: add it first, with bus.add(...)"
            raise ServiceNotFound(message)
        return runner

    def _named(self, service: str | Service | None) -> Runner:
        name = service if isinstance(service, str) else MAIN
        if name == MAIN:
            self._make_main()
        return self.runner(name)

    def _make_main(self) -> None:
        pool = Service(MAIN, workers=min(32, (os.cpu_count() or 1) + 4))
        with self._lock:
            if MAIN in self._dispatch.runners:
                return
            runner = self._dispatch.runners[MAIN] = Runner(self._dispatch, MAIN, pool)
            runner.start_on_first_call()
        self._watcher.watch(pool)

    def _start_timers(self, service: Service, runner: Runner) -> None:
        self._watcher.watch(service)
        self._every[runner.name] = [
            self._timers.every(one.seconds, self._dispatch.tick(runner, method, f"{runner.name}.{method.__name__}"))
            for one, method in declared(service)
            if one.seconds
        ]

    def _stop_timers(self, name: str) -> None:
        for timer in self._every.pop(name, ()):
            timer.dispose()

    def _remove(self, runner: Runner, drain: bool, timeout: float) -> None:  # noqa: FBT001  private, one caller
        until = self._dispatch.now() + int(timeout * NS)
        lifecycle.end(runner, self._dispatch, lifecycle.stopped_error(runner.name), drain=drain, until=until)
        self._forget(runner)
        self._dispatch.announce("service_stopped", service=runner.name)

    def _replace(self, takeover: Takeover, service: Service, runner: Runner) -> None:
        takeover.carry_out()
        self._start_timers(service, runner)
        self._dispatch.announce("service_replaced", service=runner.name)

    def _replace_alone(self, takeover: Takeover, service: Service, runner: Runner) -> None:
        try:
            self._replace(takeover, service, runner)
        except BaseException:  # noqa: BLE001  the thread's edge: the one who asked for it has gone on
            _log.exception("the service %r could not be replaced", runner.name)

    def _forget(self, runner: Runner) -> None:
        self._stop_timers(runner.name)
        for entry in self._registry.entries():
            if entry.service == runner.name:
                self.unregister(entry)
                if entry.kind == "command":
                    self._registry.went_with(entry)
        with self._lock:
            self._dispatch.runners.pop(runner.name, None)
