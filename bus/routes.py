"""Where an event goes: its listeners, sorted by the mailboxes that its deliveries are put into."""

from typing import TYPE_CHECKING

from bus.context import Call, Source

if TYPE_CHECKING:
    from bus.registry import Entry
    from bus.worker import Runner


class Heard(Source):
    """What a delivery runs that reached its listener through a glob: the listener, under the event's name."""

    __slots__ = ("listener",)

    def __init__(self, listener: "Entry", event: str) -> None:
        super().__init__("delivery", event, listener.service, listener.callback, listener.entry)
        self.runner = listener.runner
        self.listener = listener

    @property
    def disposed(self) -> bool:  # type: ignore[override]  # the listener's own, for reading
        """See `Source`."""
        return self.listener.disposed


class Route:
    """The listeners of one event name, in the order of registration; immutable, made anew when listeners change.

    `singles` are what is run by a service that gets one delivery, with its mailbox; `groups` are the services that get
    several: each mailbox is touched once for an event. `plain`: somebody listens, and nobody `once`, so nothing is to
    be claimed.
    """

    __slots__ = ("entries", "groups", "key", "plain", "singles", "source", "sources")

    def __init__(self, event: str, entries: "tuple[Entry, ...]") -> None:
        self.source = Source("event", event)
        self.key = self.source.key
        self.entries = entries
        self.sources = tuple(entry if entry.name == event else Heard(entry, event) for entry in entries)
        self.plain = bool(entries) and not any(entry.once for entry in entries)
        by_runner: dict[Runner, list[Source]] = {}
        for source in self.sources:
            by_runner.setdefault(source.runner, []).append(source)
        self.singles = tuple((sources[0], runner.mailbox) for runner, sources in by_runner.items() if len(sources) == 1)
        self.groups = tuple((runner, tuple(sources)) for runner, sources in by_runner.items() if len(sources) > 1)


def follow(call: Call) -> Call:
    """CALL, which from now on runs what has taken over from its command or listener, if something has."""
    source = call.source
    if isinstance(source, Heard):
        if source.listener.successor is not None:
            call.source = Heard(source.listener.successor, call.name)
    else:
        call.source = getattr(source, "successor", None) or source
    return call
