"""What the recorder knows of a program's parts: its commands and listeners, their parameters, its services' states."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from bus.context import Call
from bus.trace.hiding import secret_values
from bus.trace.records import Entry, Parameter, State
from bus.trace.redact import ANY_KEYWORD, MAX_ARGUMENTS, REDACTED, arguments_text, bounded, is_secret
from bus.trace.timings import NAME_LIMIT

if TYPE_CHECKING:
    from bus.registry import Entry as LiveEntry
    from bus.registry import EntryInfo

_REMEMBERED = 256
"""Secrets of past calls that are kept out of what is said later, by whomever."""
_MIN_REMEMBERED = 8
"""Shorter ones are not: a word that was once a password must not vanish from all that the program says."""
_MAX_EVENTS = 1_000
_NONE: tuple[tuple[str, ...], frozenset[str]] = ((), frozenset())


class Catalog:
    """Filled by whichever threads register things, read by all: every change is one assignment to a dict."""

    def __init__(self, receivers: Callable[[str], Iterable["EntryInfo"]]) -> None:
        """RECEIVERS gives the listeners of an event."""
        self._receivers = receivers
        self._entries: dict[int, Entry] = {}
        self._states: dict[str, State] = {}
        self._parameters: dict[int, tuple[tuple[str, ...], frozenset[str]]] = {}
        self._events: dict[str, tuple[tuple[str, ...], frozenset[str]]] = {}
        self._remembered: deque[str] = deque(maxlen=_REMEMBERED)

    def entries(self) -> tuple[Entry, ...]:
        """What is registered now."""
        return tuple(self._entries.values())

    def states(self) -> tuple[State, ...]:
        """The last state of every service."""
        return tuple(self._states.values())

    def add(self, registered: "EntryInfo | LiveEntry", at: int) -> Entry:
        """Remember a registration that came AT this moment (monotonic ns), or was there then; its record."""
        entry = entry_record(registered, at)
        self._entries[entry.entry] = entry
        self._parameters[entry.entry] = _names(entry.parameters)
        self._events = {}
        return entry

    def remove(self, registered: "EntryInfo | LiveEntry", at: int) -> Entry:
        """Forget a registration; the record of its end. Its calls may still be queued, so its parameters stay known."""
        self._entries.pop(registered.entry, None)
        self._events = {}
        return structs.replace(entry_record(registered, at), added=False)

    def state(self, state: State) -> State:
        """Remember a service's state."""
        self._states[state.service] = state
        return state

    def arguments(self, call: Call) -> str:
        """The text of CALL's arguments, without those that are secret by their name."""
        names, secret = self._of(call)
        return arguments_text(call.args, call.kwargs or {}, names, secret)

    def secrets(self, call: Call) -> tuple[str, ...]:
        """The values of CALL's secret arguments, to keep them out of the text of its error; see `hiding`."""
        return secret_values(*self._of(call), call.args, call.kwargs or {})

    def remember(self, call: Call) -> tuple[str, ...]:
        """The same, and keep them out of what is said after CALL, or elsewhere; see `remembered`."""
        found = self.secrets(call)
        known = self._remembered
        known.extend(one for one in found if len(one) >= _MIN_REMEMBERED and one not in known.copy())
        return found

    @property
    def remembered(self) -> tuple[str, ...]:
        """Secrets of the calls that were last looked at."""
        return tuple(self._remembered.copy())

    def knows(self, call: Call) -> bool:
        """Whether CALL is of this program, as far as that can be told: a process may have several."""
        return not call.entry or call.entry in self._parameters

    def secrets_for(self, command: str, args: Sequence[object], kwargs: Mapping[str, object]) -> tuple[str, ...]:
        """The same for a call of COMMAND that is still to be made."""
        entry = next((one for one in self.entries() if one.kind == "command" and one.name == command), None)
        names = self._parameters.get(entry.entry, _NONE) if entry is not None else _NONE
        return secret_values(*names, args, kwargs)

    def _of(self, call: Call) -> tuple[tuple[str, ...], frozenset[str]]:
        return self._parameters.get(call.entry, _NONE) if call.entry else self._of_event(call.name)

    def _of_event(self, name: str) -> tuple[tuple[str, ...], frozenset[str]]:
        """An event has no parameters of its own: a position is secret when it is so for any of its listeners."""
        events = self._events
        found = events.get(name)
        if found is None and len(events) < _MAX_EVENTS:
            found = events[name] = self._merged(name)
        return found if found is not None else self._merged(name)

    def _merged(self, name: str) -> tuple[tuple[str, ...], frozenset[str]]:
        all_names: list[str] = []
        all_secret: set[str] = set()
        for listener in self._receivers(name):
            names, secret = self._parameters.get(listener.entry, _NONE)
            all_secret |= secret
            all_names += names[len(all_names) :]
            for index, one in enumerate(names):
                if one in secret:
                    all_names[index] = one
        return tuple(all_names), frozenset(all_secret)


def entry_record(registered: "EntryInfo | LiveEntry", at: int) -> Entry:
    """The record of a registration; all of its text is the program's, so it is bounded and escaped."""
    schema = registered.schema
    return Entry(
        entry=registered.entry,
        kind=registered.kind,
        name=bounded(registered.name, NAME_LIMIT),
        service=bounded(registered.service, NAME_LIMIT),
        parameters=tuple(map(_parameter, schema.parameters)),
        returns=bounded(schema.returns, NAME_LIMIT),
        doc=bounded(schema.doc),
        where=bounded(schema.where),
        callback=bounded(registered.callback_name, NAME_LIMIT),
        at=at,
    )


def _parameter(parameter: Parameter) -> Parameter:
    secret = parameter.secret or is_secret(parameter.name)
    default = parameter.default
    return structs.replace(
        parameter,
        annotation=bounded(parameter.annotation, NAME_LIMIT),
        default=default if default is None else REDACTED if secret else bounded(default, NAME_LIMIT),
        secret=secret,
    )


def _names(parameters: tuple[Parameter, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Of the positional parameters; those of the secret ones."""
    positional = [one.name for one in parameters if one.kind.startswith("positional")]
    secret = {one.name for one in parameters if one.secret}
    for one in parameters:
        if one.secret and one.kind == "var_positional":
            positional += [one.name] * MAX_ARGUMENTS
        elif one.secret and one.kind == "var_keyword":
            secret.add(ANY_KEYWORD)
    return tuple(positional), frozenset(secret)
