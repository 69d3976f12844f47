"""Several recordings in one view: read side by side, given on in the order of time, no program mixed with another."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from bus.attach.protocol import Batch
from bus.trace.records import AnyRecord, Call, Entry, Lane, Session, State
from bus.trace.redact import escape
from bus.trace.session import session_line, sessions_in
from console.model.packing import Portion
from console.target import Target, TargetError, TargetInfo
from console.target.past import PastTarget
from console.target.programs import Program, SharedNames, labels, shared
from console.target.recorded import RecordedTarget

MOST: Final = 99
"""Recordings in one view."""
_SECOND: Final = 1_000_000_000


def open_recordings(given: Sequence[str | os.PathLike[str]]) -> Target:
    """Recordings as one target; a folder stands for the recordings in it, if their programs ran at the same time.

    Raises:
        TargetError: one of them cannot be read, is there twice, or they are too many.
    """
    paths = list(chain.from_iterable(map(_recordings, map(Path, given))))
    if len(paths) == 1:
        return RecordedTarget(paths[0])
    if len(paths) > MOST:
        raise TargetError(f"{len(paths)} recordings are too many for one view: name {MOST} of them at most")
    twice = [path for number, path in enumerate(paths) if path.resolve() in map(Path.resolve, paths[:number])]
    if twice:
        raise TargetError(f"{twice[0]} is named twice")
    targets: list[RecordedTarget] = []
    try:
        targets += map(RecordedTarget, paths)
    except TargetError:
        for target in targets:
            target.close()
        raise
    return MergedTarget(targets)


def _recordings(path: Path) -> list[Path]:
    """PATH; or those in the folder PATH, where they belong together: otherwise it says itself what to do."""
    several = sessions_in(path) if path.is_dir() else []
    return several if len(several) > 1 and _ran_together(several) else [path]


def _ran_together(paths: Iterable[Path]) -> bool:
    """Whether each program began before those that began earlier had all stopped: one run of a system, not several."""
    spans = []
    for path in paths:
        try:
            session = session_line(path)
            spans.append((session.start_unix if session else 0, path.stat().st_mtime_ns + _SECOND))
        except OSError:
            return False
    spans.sort()
    last = spans[0][1]
    for began, ended in spans:
        if began > last:
            return False
        last = max(last, ended)
    return True


class _Source:
    """A recording, and what of it was not given on yet."""

    def __init__(self, target: RecordedTarget) -> None:
        self.target = target
        self.session = target.info.session
        self.offset = self.session.start_unix - self.session.start_monotonic
        self.waiting: deque[Batch] = deque()
        self.done = False
        self.live: tuple[Call, ...] = ()

    def fill(self) -> None:
        """Take more, but only when there is none: the reader stops when it is too far ahead."""
        if not self.waiting and not self.done:
            for batch in self.target.drain():
                self.done = self.done or batch.snapshot_done
                self.waiting.append(batch)

    def names(self) -> Iterator[str]:
        """Of what waits; it begins with what the program is made of."""
        for batch in self.waiting:
            if isinstance(batch, Portion):
                yield from batch.packed.names
            for record in batch.records:
                if isinstance(record, Lane | Entry):
                    yield from (record.name, record.service)
                elif isinstance(record, State):
                    yield record.service


class MergedTarget(PastTarget):
    """Takes what the recordings give, on the thread that drains it; each recording has a reader thread of its own.

    Recordings of one process, as a dump and a session file are, count as one program.
    """

    def __init__(self, targets: Sequence[RecordedTarget]) -> None:
        """Take over TARGETS, which `close` closes."""
        self._sources = [_Source(target) for target in targets]
        by_id = {source.session.session: source.session for source in self._sources}
        self._sessions = list(by_id.values())
        self._programs: dict[str, Program] = {}
        self._names = SharedNames()
        self._begin = min(map(self._start, self._sources))
        self._at = self._begin
        self._finished = False

    @property
    def info(self) -> TargetInfo:
        """See `Target`: one session, whose `program` says how many there are, whose pid is not known."""
        infos = [source.target.info for source in self._sources]
        total = sum(source.target.size for source in self._sources)
        read = sum(info.progress * source.target.size for info, source in zip(infos, self._sources, strict=True))
        reasons = "; ".join(info.reason for info in infos if info.reason)
        return TargetInfo(
            self._session(), "recorded", can_act=False, reason=f"{self._said()}{'; ' if reasons else ''}{reasons}",
            damaged=sum(info.damaged for info in infos), progress=read / total if total and not self._finished else 1.0,
        )  # fmt: skip

    def drain(self) -> Sequence[Batch]:
        """See `Target`. What comes first is the same each time the recordings are opened."""
        batches: list[Batch] = []
        for source in self._sources:
            source.fill()
        while not self._finished and all(source.waiting or source.done for source in self._sources):
            if not self._programs:
                self._tell_apart()
            waiting = [source for source in self._sources if source.waiting]
            batches.append(self._next(waiting) if waiting else self._last())
        return batches

    def close(self) -> None:
        """See `Target`."""
        for source in self._sources:
            source.target.close()

    def _start(self, source: _Source) -> int:
        """When a program was started, by the clock of the view: that of the machine which was started first.

        With another, what happened before that one's would have times below 0.
        """
        return source.session.start_monotonic + self._shift(source)

    def _shift(self, source: _Source) -> int:
        """Ns from a program's monotonic clock to the view's; the wall clock ties them together."""
        known = [one.offset for one in self._sources if one.session.start_unix]
        return source.offset - min(known) if source.session.start_unix else 0

    def _session(self) -> Session:
        earliest = min(self._sources, key=self._start)
        known = [source.offset for source in self._sources if source.session.start_unix]
        programs = f"{len(self._sessions)} programs" if len(self._sessions) > 1 else self._sessions[0].program
        full = any(session.level == "full" for session in self._sessions)
        return Session(
            session="+".join(session.session for session in self._sessions), pid=0, program=programs,
            python=earliest.session.python, start_monotonic=self._begin, start_unix=self._begin + min(known, default=0),
            level="full" if full else "times",
        )  # fmt: skip

    def _said(self) -> str:
        each = (f"{number} {session.program} (pid {session.pid})" for number, session in enumerate(self._sessions, 1))
        return f"{escape(', '.join(each))}: the last digit of a call's number says whose it is"

    def _tell_apart(self) -> None:
        """Once the beginning of each recording is there, which names the program's parts."""
        numbers = {session.session: number for number, session in enumerate(self._sessions, 1)}
        named: list[set[str]] = [set() for _ in numbers]
        for source in self._sources:
            named[numbers[source.session.session] - 1].update(source.names())
        self._names = SharedNames(shared(named) - {""})
        factor = 10 ** len(str(len(numbers)))
        for source in self._sources:
            session = source.session.session
            label = labels(self._sessions)[numbers[session] - 1]
            program = Program(numbers[session], factor, label, self._shift(source), self._names)
            self._programs.setdefault(session, program)

    def _next(self, waiting: Sequence[_Source]) -> Batch:
        """The batch of that recording which has told least so far."""
        source = min(waiting, key=lambda one: one.waiting[0].at + self._shift(one))
        batch, program = source.waiting.popleft(), self._programs[source.session.session]
        source.fill()
        source.live = tuple(map(program.record, batch.live))
        self._at = max(self._at, batch.at + self._shift(source))
        records: list[AnyRecord] = [program.record(record) for record in batch.records]
        if not isinstance(batch, Portion):
            return Batch(at=self._at, records=tuple(records))
        return Portion(
            at=self._at, records=tuple(records), packed=program.packed(batch.packed), origins=self._names.origins
        )

    def _last(self) -> Batch:
        self._finished = True
        live = sorted(chain.from_iterable(source.live for source in self._sources), key=lambda call: call.queued)
        return Batch(at=self._at, live=tuple(live), in_flight=len(live), snapshot_done=True)
