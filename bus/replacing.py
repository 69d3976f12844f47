"""A service takes over from another one of its name: the mailbox stays, and what is queued goes to the new one."""

from collections.abc import Iterable

from bus.context import Call
from bus.dispatch import Dispatch
from bus.errors import CommandNotFound
from bus.registry import Entry, Heard, is_declared_by
from bus.service import Service, declared
from bus.worker import Runner


def entries_of(service: Service, name: str) -> list[Entry]:
    """What SERVICE declares, as entries of the service NAME that are not registered yet."""
    entries: list[Entry] = []
    for one, method in declared(service):
        if one.command:
            entries.append(Entry("command", one.command, method, name))
        elif one.event:
            entries.append(Entry("listener", one.event, method, name, once=one.once))
    return entries


def redirect(runner: Runner, dispatch: Dispatch, old: Service, fresh: Iterable[Entry]) -> None:
    """Let what is queued for OLD run the new service's entries of the same names; what has none fails.

    Nobody takes from the mailbox meanwhile: RUNNER is halted.
    """
    by_name = {(entry.kind, entry.name): entry for entry in fresh}
    for call in runner.mailbox.queued():
        source = call.source
        listener = source.listener if isinstance(source, Heard) else source
        if not isinstance(listener, Entry) or not is_declared_by(listener, old):
            continue
        entry = by_name.get((listener.kind, listener.name))
        if entry is not None:
            call.source = Heard(entry, call.name) if isinstance(source, Heard) else entry
        elif runner.mailbox.withdraw(call):
            _fail(call, dispatch)


def _fail(call: Call, dispatch: Dispatch) -> None:
    text = f"{call.name} #{call.id} was queued when the service {call.service!r} was replaced, and the new one has none"
    dispatch.abandon(call, CommandNotFound(text))
