"""A session as the exports read it: in passes over its records, what was selected, each call once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Final

from msgspec import Struct

from bus.trace.records import AnyRecord, Call, Entry, Lane, Session, State, Wait
from bus.trace.session import SessionReader
from console.export.survey import Survey
from console.language.filters import ALL, Filter

_NEVER: Final = 1 << 63
_SAME_CLOCK_NS: Final = 60_000_000_000
"""Two processes on one machine read the same monotonic clock; their wall clock may have been set in between."""


Read = Callable[[], Iterable[Iterable[AnyRecord]]]


class ExportError(Exception):
    """A session cannot be exported; the message says why and what to do."""


class Selection(Struct, frozen=True):
    """What is exported: the calls that are what `what` asks for, of a window in ns after the first moment.

    A call is in the window when any part of its time is, queued or running. `call`: the one that a sequence diagram is
    about, 0 for the one that took longest.
    """

    what: Filter = ALL
    begin: int = 0
    end: int | None = None
    call: int = 0


class Source:
    """One session. Iterating over it is a pass over its records, and may be done as often as is needed.

    A pass gives records in their order, those that are about calls or moments in the window only; each call once; and
    at the end the calls of which no end was seen. `pid` is the process's, or made up where that is not known or another
    source has it. `damaged`: lines that were left out.
    """

    def __init__(
        self, name: str, session: Session, survey: Survey, read: Read, selection: Selection, *, damaged: int = 0
    ) -> None:  # fmt: skip
        """READ gives all records, in lists; SURVEY has seen them."""
        self.name = name
        self.session = session
        self.survey = survey
        self.selection = selection
        self.pid = session.pid or 1  # 0 would be taken for the idle process
        self.damaged = damaged
        self._read = read
        self._fits = self._filter(selection.what)
        self.first = survey.base + selection.begin if selection.begin else 0
        self.last = _NEVER if selection.end is None else survey.base + selection.end

    def __iter__(self) -> Iterator[AnyRecord]:
        return (record for record in self.every() if self._is_wanted(record))

    def every(self) -> Iterator[AnyRecord]:
        """A pass over all records, selected or not, each call once."""
        seen: set[int] = set()
        for record in chain.from_iterable(self._read()):
            if not isinstance(record, Call):
                yield record
            elif record.outcome is not None and record.id not in seen:
                seen.add(record.id)
                yield record
        yield from (call for call in self.survey.unended.values() if call.id not in seen)

    def calls(self) -> Iterator[Call]:
        """The calls of a pass."""
        return (record for record in self if isinstance(record, Call))

    def selects(self, call: Call) -> bool:
        """Whether a call was selected."""
        return call.queued <= self.last and self.end_of(call) >= self.first and self._fits(call)

    def end_of(self, call: Call) -> int:
        """When a call ended, the last moment of the session if it runs or is queued to this day.

        Of one whose end was lost it is only known that it started.
        """
        if call.outcome is not None:
            return max(call.ended, call.started, call.queued)
        if call.started and not self.survey.still_running(call):
            return max(call.started, call.queued)
        return max(self.survey.last, call.started, call.queued)

    def fired(self, delivery: Call) -> int | None:
        """When the event of a delivery was fired, None if that event was not selected."""
        at = self.survey.fired.get(delivery.parent)
        return at if at is not None and self.first <= at <= self.last else None

    def unix(self, moment: int) -> int:
        """A moment in ns of the wall clock."""
        return moment - self.session.start_monotonic + self.session.start_unix

    def lane_name(self, key: int) -> str:
        """The name of a lane, made up if no record named it."""
        known = self.survey.lanes.get(key)
        return known.name if known else f"lane-{key}" if key else "unknown thread"

    def _filter(self, what: Filter) -> Callable[[Call], bool]:
        from console.model.filters import of_call  # numpy is not for who only asks for help

        return of_call(what, lambda key: self.lane_name(key) if key else "", self.end_of)

    def _is_wanted(self, record: AnyRecord) -> bool:
        if isinstance(record, Call):
            return self.selects(record)
        if isinstance(record, Lane | Entry | Session | State):
            return True
        if isinstance(record, Wait):
            return record.began <= self.last and record.ended >= self.first
        return self.first <= getattr(record, "at", 0) <= self.last


def of_file(path: Path, selection: Selection) -> Source:
    """A session file, which is read once now, for what has to be known first.

    Raises:
        SessionError: it cannot be read.
    """
    survey, reader = Survey(), SessionReader(path)
    for records in reader:
        survey.take(records)
    return Source(str(path), reader.session, survey, lambda: _lists(path), selection, damaged=reader.damaged)


def of_records(session: Session, read: Read, selection: Selection) -> Source:
    """What a console has of a session: READ gives all its records, in lists."""
    survey = Survey()
    for records in read():
        survey.take(records)
    return Source(session.program, session, survey, read, selection)


def check_together(sources: Sequence[Source]) -> None:
    """Give each process a pid of its own.

    Raises:
        ExportError: their times cannot be compared.
    """
    taken: set[int] = set()
    for source in sources:
        while source.pid in taken:
            source.pid += 1
        taken.add(source.pid)
    offsets = [source.session.start_unix - source.session.start_monotonic for source in sources]
    if max(offsets) - min(offsets) > _SAME_CLOCK_NS:
        raise ExportError("these sessions were not recorded on one machine since it was started: export each by itself")


def _lists(path: Path) -> Iterator[list[AnyRecord]]:
    with closing(SessionReader(path)) as reader:  # a pass may be given up
        yield from reader
