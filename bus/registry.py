"""What is registered: commands and listeners, found by name or pattern, with close names for a miss."""

import difflib
import fnmatch
import itertools
import re
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from msgspec import Struct

from bus.context import Source
from bus.errors import CommandExists, CommandNotFound
from bus.routes import Route
from bus.runtime import Lock
from bus.signature import Schema, callback_name, schema_of
from bus.trace.records import EntryKind

if TYPE_CHECKING:
    from bus.worker import Runner

IfExists = Literal["error", "replace", "shadow"]
OWN_EVENTS = "bus."
"""The bus's own events match only patterns that begin with this."""
_MAX_ROUTES = 1_024
_MAX_GONE = 1_024
_ids = itertools.count(1)


class EntryInfo(Struct, frozen=True):
    """A command or a listener as it was when asked. `entry` is the id of the registration."""

    kind: EntryKind
    name: str
    service: str
    entry: int
    callback: Callable[..., Any]
    schema: Schema
    once: bool

    @property
    def callback_name(self) -> str:
        """What the callback is called in the source."""
        return callback_name(self.callback)


class Entry(Source):
    """A command or a listener. All but the last three never changes; they change under the registry's lock.

    `least` and `most`: how many positional arguments alone make a good call. `disposed`: see `Source`. `mailbox`: its
    runner's. `claimed`: a `once` listener has its event. `successor`: what queued deliveries run instead, since the
    service was replaced.
    """

    __slots__ = ("claimed", "disposed", "kind", "least", "mailbox", "most", "once", "schema", "successor")

    def __init__(
        self, kind: EntryKind, name: str, callback: Callable[..., Any], runner: "Runner", *, once: bool = False
    ) -> None:
        super().__init__("command" if kind == "command" else "delivery", name, runner.name, callback, next(_ids))
        self.runner = runner
        self.mailbox = runner.mailbox
        self.kind: EntryKind = kind
        self.once: bool = once
        self.schema: Schema = schema_of(callback)
        self.least, self.most = self.schema.least, self.schema.most
        self.disposed = False
        self.claimed = False
        self.successor: Entry | None = None

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name} on {self.service}: {self.callback_name} at {self.schema.where}>"

    @property
    def callback_name(self) -> str:
        """What the callback is called in the source."""
        return callback_name(self.callback)

    def info(self) -> EntryInfo:
        """How it is now."""
        return EntryInfo(self.kind, self.name, self.service, self.entry, self.callback, self.schema, self.once)


class DeadLetter(Struct, frozen=True):
    """Something that nobody could receive: when (monotonic ns), what, why; NUMBER of all that its bus has had."""

    at: int
    kind: Literal["event", "command", "delivery"]
    name: str
    reason: str
    number: int


class Registration:
    """Takes back what was registered; a context manager. Holds strong references, as VS Code's Disposable does."""

    __slots__ = ("_undo",)

    def __init__(self, undo: Callable[[], None]) -> None:
        self._undo: Callable[[], None] | None = undo

    def dispose(self) -> None:
        """Take it back; from the second time on nothing happens."""
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.dispose()


class Registry:
    """Names to entries. Writers hold `lock`; readers read dicts whose values are replaced, never changed."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._commands: dict[str, tuple[Entry, ...]] = {}
        self.top: dict[str, Entry] = {}
        """The command that a call of each name runs now; for reading."""
        self._listeners: dict[str, tuple[Entry, ...]] = {}
        self.routes: dict[str, Route] = {}
        """The ways that events went lately; for reading."""
        # Commands that went with their service, and which that was: for a better error than "not found".
        self._gone: dict[str, str] = {}
        self._patterns: tuple[tuple[str, re.Pattern[str]], ...] = ()

    def commands(self) -> tuple[Entry, ...]:
        """All commands that can be called, sorted by name."""
        with self._lock:
            return tuple(entry for _, entry in sorted(self.top.items()))

    def listeners(self) -> tuple[Entry, ...]:
        """All listeners, in the order of registration."""
        with self._lock:
            every = list(itertools.chain.from_iterable(self._listeners.values()))
        return tuple(sorted(every, key=lambda entry: entry.entry))

    def entries(self) -> tuple[Entry, ...]:
        """All commands, shadowed ones too, those on top first; and all listeners."""
        with self._lock:
            every = [*itertools.chain.from_iterable(map(reversed, self._commands.values()))]
        return (*every, *self.listeners())

    def receivers(self, event: str) -> tuple[Entry, ...]:
        """The listeners that EVENT goes to now, in the order of registration."""
        return self.route(event).entries

    def route(self, event: str) -> Route:
        """The way that EVENT goes now."""
        route = self.routes.get(event)
        return route if route is not None else self._find_route(event)

    def add_command(self, entry: Entry, if_exists: IfExists) -> Entry | None:
        """Add a command; the entry that it replaced, if it did.

        Raises:
            CommandExists: the name is taken and IF_EXISTS is "error".
        """
        with self._lock:
            stack = self._commands.get(entry.name, ())
            if stack and if_exists == "error":
                raise CommandExists(_taken(stack[-1]))
            keep = stack if if_exists == "shadow" else stack[:-1]
            self._commands[entry.name] = (*keep, entry)
            self.top[entry.name] = entry
            replaced = stack[-1] if stack and if_exists == "replace" else None
            if replaced is not None:
                replaced.disposed = True
            return replaced

    def add_listener(self, entry: Entry) -> None:
        """Add a listener; from the next fire on."""
        with self._lock:
            self._listeners[entry.name] = (*self._listeners.get(entry.name, ()), entry)
            self._listeners_changed()

    def remove(self, entry: Entry) -> bool:
        """Take ENTRY out, from the top of its name's stack or from the middle; False when it was out already."""
        with self._lock:
            if entry.disposed:
                return False
            entry.disposed = True
            self._take_out(entry)
            return True

    def check_free(self, new: Iterable[Entry], leaving: Iterable[Entry]) -> None:
        """Whether the commands NEW have names that are free, or will be when those LEAVING are gone.

        Raises:
            CommandExists: one has not.
        """
        going = set(leaving)
        for entry in new:
            there = self.top.get(entry.name)
            if there is not None and there not in going:
                raise CommandExists(_taken(there))

    def swap(self, old: Iterable[Entry], new: Iterable[Entry]) -> None:
        """Take out OLD and put in NEW in one step: nobody finds both, or neither."""
        with self._lock:
            for entry in old:
                if not entry.disposed:
                    entry.disposed = True
                    self._take_out(entry)
            for entry in new:
                table = self._commands if entry.kind == "command" else self._listeners
                table[entry.name] = (*table.get(entry.name, ()), entry)
                if entry.kind == "command":
                    self.top[entry.name] = entry
            self._listeners_changed()

    def claim(self, entry: Entry) -> bool:
        """Whether this event is the one that a `once` listener waits for; says True once, under any race."""
        with self._lock:
            if entry.claimed or entry.disposed:
                return False
            entry.claimed = True
            self._take_out(entry)
            return True

    def went_with(self, entry: Entry) -> None:
        """ENTRY was removed because its service was."""
        with self._lock:
            while len(self._gone) >= _MAX_GONE:
                del self._gone[next(iter(self._gone))]
            self._gone[entry.name] = entry.service

    def not_found(self, name: str) -> CommandNotFound:
        """The error for a NAME that is no command (any more)."""
        service = self._gone.get(name)
        gone = f", its service {service!r} was removed" if service is not None else ""
        close = difflib.get_close_matches(name, list(self.top), n=3)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        return CommandNotFound(f"no command is called {name!r}{gone}{hint}")

    def _take_out(self, entry: Entry) -> None:
        table = self._commands if entry.kind == "command" else self._listeners
        left = tuple(other for other in table.get(entry.name, ()) if other is not entry)
        if left:
            table[entry.name] = left
        else:
            table.pop(entry.name, None)
        if entry.kind == "listener":
            self._listeners_changed()
        elif left:
            self.top[entry.name] = left[-1]
        else:
            self.top.pop(entry.name, None)

    def _listeners_changed(self) -> None:
        globs = [name for name in self._listeners if is_pattern(name)]
        self._patterns = tuple((glob, re.compile(fnmatch.translate(glob))) for glob in globs)
        self.routes = {}

    def _find_route(self, event: str) -> Route:
        with self._lock:
            found = [self._listeners.get(event, ())] if not is_pattern(event) else []
            found += [self._listeners[glob] for glob, regex in self._patterns if _matches(glob, regex, event)]
            entries = sorted(itertools.chain.from_iterable(found), key=lambda entry: entry.entry)
            route = Route(event, tuple(entries))
            if len(self.routes) >= _MAX_ROUTES:
                self.routes = {}
            self.routes[event] = route
            return route


def is_pattern(name: str) -> bool:
    """Whether a listener's NAME is a glob."""
    return any(mark in name for mark in "*?[")


def _matches(glob: str, regex: re.Pattern[str], event: str) -> bool:
    if event.startswith(OWN_EVENTS) and not glob.startswith(OWN_EVENTS):
        return False
    return regex.match(event) is not None


def _taken(entry: Entry) -> str:
    at = f" at {entry.schema.where}" if entry.schema.where else ""
    return (
        f"the command {entry.name!r} is registered already, by {entry.callback_name} of the service {entry.service!r}"
        f'{at}; use another name, or if_exists="replace" or "shadow"'
    )
