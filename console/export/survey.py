"""The first pass over a session: what has to be known before the first line of an export can be written."""

from collections.abc import Iterable

from msgspec import Struct, field

from bus.trace.records import AnyRecord, Call, Lane


class Survey(Struct):
    """What a session holds, found by `take`; times in ns."""

    base: int = 0
    """The first moment."""
    last: int = 0
    """The last moment of which anything is known."""
    lanes: dict[int, Lane] = field(default_factory=dict)
    fired: dict[int, int] = field(default_factory=dict)
    """When each event was fired."""
    unended: dict[int, Call] = field(default_factory=dict)
    """Calls of which no end was seen."""
    last_start: dict[int, int] = field(default_factory=dict)
    """When the last call of each lane started."""

    def take(self, records: Iterable[AnyRecord]) -> None:
        """Look at some records."""
        for record in records:
            if isinstance(record, Call):
                self._take_call(record)
            elif isinstance(record, Lane):
                self.lanes[record.key] = record
            else:
                self._take_moment(getattr(record, "at", 0))

    def still_running(self, call: Call) -> bool:
        """Whether an unended call may run to this day: a lane that started another call has ended the one before."""
        return call.started >= self.last_start.get(call.lane, 0) > 0

    def _take_call(self, call: Call) -> None:
        self._take_moment(call.queued)
        self.last = max(self.last, call.ended, call.started)
        if call.outcome is None:
            self.unended[call.id] = call  # what was seen last says most
        else:
            self.unended.pop(call.id, None)
        if call.kind == "event":
            self.fired[call.id] = call.queued
        elif call.started:
            self.last_start[call.lane] = max(call.started, self.last_start.get(call.lane, 0))

    def _take_moment(self, moment: int) -> None:
        self.last = max(self.last, moment)
        if moment and (moment < self.base or not self.base):
            self.base = moment
