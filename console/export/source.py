"""A session file as the exports read it: in passes over the file, what was selected, each call once."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from bus.trace.records import AnyRecord, Call, Entry, Lane, Session, State, Wait
from bus.trace.session import SessionReader
from console.export.survey import Survey
from console.language.patterns import matcher

_NEVER: Final = 1 << 63
_SAME_CLOCK_NS: Final = 60_000_000_000
"""Two processes on one machine read the same monotonic clock; their wall clock may have been set in between."""


class ExportError(Exception):
    """A session cannot be exported; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is exported: calls whose names match `pattern` ("" is all), of a window in ns after the first moment.

    A call is in the window when any part of its time is, queued or running. `call`: the one that a sequence diagram is
    about, 0 for the one that took longest.
    """

    pattern: str = ""
    begin: int = 0
    end: int | None = None
    call: int = 0


class Source:
    """One session. Iterating over it is a pass over the file, and may be done as often as is needed.

    A pass gives records in the order of the file, those that are about calls or moments in the window only; each call
    once; and at the end the calls of which no end was seen. `pid` is the process's, or made up where that is not known
    or another source has it. `damaged`: lines that were left out.
    """

    def __init__(self, path: Path, selection: Selection) -> None:
        """Read PATH once, for what has to be known first.

        Raises:
            SessionError: it cannot be read.
        """
        self.path = path
        self.selection = selection
        self.survey = Survey()
        reader = SessionReader(path)
        for records in reader:
            self.survey.take(records)
        self.session: Session = reader.session
        self.pid = self.session.pid or 1  # 0 would be taken for the idle process
        self.damaged = reader.damaged
        self._matches: Callable[[str], bool] = matcher(selection.pattern)
        self.first = self.survey.base + selection.begin if selection.begin else 0
        self.last = _NEVER if selection.end is None else self.survey.base + selection.end

    def __iter__(self) -> Iterator[AnyRecord]:
        return (record for record in self.every() if self._is_wanted(record))

    def every(self) -> Iterator[AnyRecord]:
        """A pass over all records, selected or not, each call once."""
        seen: set[int] = set()
        with closing(SessionReader(self.path)) as reader:  # a pass may be given up
            for record in chain.from_iterable(reader):
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
        return call.queued <= self.last and self.end_of(call) >= self.first and self._matches(call.name)

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

    def _is_wanted(self, record: AnyRecord) -> bool:
        if isinstance(record, Call):
            return self.selects(record)
        if isinstance(record, Lane | Entry | Session | State):
            return True
        if isinstance(record, Wait):
            return record.began <= self.last and record.ended >= self.first
        return self.first <= getattr(record, "at", 0) <= self.last


def open_all(paths: Sequence[Path], selection: Selection) -> list[Source]:
    """The sources of one export.

    Raises:
        SessionError: one of them cannot be read.
        ExportError: their times cannot be compared.
    """
    sources = [Source(path, selection) for path in paths]
    taken: set[int] = set()
    for source in sources:
        while source.pid in taken:
            source.pid += 1
        taken.add(source.pid)
    offsets = [source.session.start_unix - source.session.start_monotonic for source in sources]
    if max(offsets) - min(offsets) > _SAME_CLOCK_NS:
        raise ExportError("these sessions were not recorded on one machine since it was started: export each by itself")
    return sources
