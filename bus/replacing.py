"""A service takes over from another one of its name: the mailbox stays, and what is queued goes to the new one."""

from bus.context import Call, as_call
from bus.crew import Term
from bus.dispatch import Dispatch
from bus.errors import CommandNotFound, ServiceStopped
from bus.registry import Entry
from bus.routes import Heard, follow
from bus.service import Service, declared
from bus.worker import Runner, wait_gone


class Takeover:
    """SERVICE is to take the place of what RUNNER works for."""

    def __init__(self, runner: Runner, service: Service, dispatch: Dispatch) -> None:
        """Check that it can.

        Raises:
            CommandExists: it declares a command that is somebody else's.
        """
        self._runner = runner
        self._service = service
        self._dispatch = dispatch
        self._term: Term | None = None
        self._coming = entries_of(service, runner)
        dispatch.registry.check_free([entry for entry in self._coming if entry.kind == "command"], self._leaving())

    def begin(self) -> None:
        """The service begins no more calls as the old one."""
        self._term = self._runner.halt()

    def carry_out(self) -> None:
        """Let the running calls end, then serve the queue as the new service.

        Raises:
            ServiceStopped: the service was removed meanwhile.
            BaseException: what its `on_start` raised; then the service has failed.
        """
        wait_gone(self._term)
        leaving = self._leaving()
        self._dispatch.registry.swap(leaving, self._coming)
        if self._runner.ending:  # asked after the swap: one that is removed later takes these entries with it
            self._dispatch.registry.swap(self._coming, ())
            raise ServiceStopped(f"the service {self._runner.name!r} was removed before it was replaced")
        self._redirect(leaving)
        for entry in leaving:
            self._dispatch.hooks.notify("unregistered", entry)
        for entry in self._coming:
            self._dispatch.hooks.notify("registered", entry)
        self._runner.adopt(self._service)
        try:
            self._runner.start()
        except BaseException:
            self._runner.give_up("when it was to take over from another one")
            raise

    def _leaving(self) -> list[Entry]:
        return [entry for entry in self._dispatch.registry.entries() if self._is_old(entry)]

    def _is_old(self, entry: Entry) -> bool:
        return getattr(entry.callback, "__self__", None) is self._runner.service

    def _redirect(self, leaving: list[Entry]) -> None:
        """Queued calls run the new entries of the same names; what has none fails. Nobody takes any meanwhile."""
        by_name = {(entry.kind, entry.name): entry for entry in self._coming}
        for entry in leaving:
            entry.successor = by_name.get((entry.kind, entry.name))
        for item in self._runner.mailbox.queued():
            call = as_call(item)
            listener = call.source.listener if isinstance(call.source, Heard) else call.source
            if isinstance(listener, Entry) and self._is_old(listener):
                following = listener.successor is not None
                if following and call is item:
                    follow(call)
                elif not following and self._runner.mailbox.withdraw(item):
                    self._fail(call)

    def _fail(self, call: Call) -> None:
        text = (
            f"{call.name} #{call.id} was queued when {call.service!r} was replaced, and the new one has no such command"
        )
        self._dispatch.abandon(call, CommandNotFound(text))


def entries_of(service: Service, runner: Runner) -> list[Entry]:
    """What SERVICE declares, as entries that RUNNER will run and that are not registered yet."""
    entries: list[Entry] = []
    for one, method in declared(service):
        if one.command:
            entries.append(Entry("command", one.command, method, runner))
        elif one.event:
            entries.append(Entry("listener", one.event, method, runner, once=one.once))
    return entries
