"""Console commands whose work goes on after the line: watch, record, dump, and stop, which ends it; and top."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bus.trace.records import AnyRecord, Call, Dump
from console.commands.refusing import RefusedError
from console.commands.results import Exporting, LastShown, Outcome, Said, Top, Watching
from console.jobs import Job
from console.language.filter_parser import parse
from console.language.filters import ALL, format_filter
from console.session import Session

if TYPE_CHECKING:
    from console.export import Exported as Written


def watch(session: Session, args: Sequence[str]) -> Outcome:
    """Calls as they end, those that a filter asks for."""
    if session.info.state != "live":
        raise RefusedError("nothing happens here any more: calls lists what is kept")
    what = parse(args[0]) if args else ALL
    return Watching(session.watch_calls(what), format_filter(what))


def top(session: Session, args: Sequence[str]) -> Outcome:
    """The commands that are busiest now: in the last 10 s, or in all where the time has stopped."""
    del args
    rows = [row for row in session.commands() if row.calls or row.running or row.queued]
    rows.sort(key=lambda row: (-row.rate, -row.running - row.queued, -row.calls, row.name))
    return Top(session.header(), tuple(rows[: session.preferences.listed]), len(rows))


def record(session: Session, args: Sequence[str]) -> Outcome:
    """What happens from now on, into a session file."""
    if session.recording is not None:
        raise RefusedError(f"already recording to {session.recording.path}: stop ends that")
    if session.info.state != "live":
        raise RefusedError("nothing happens here any more: dump writes what is kept")
    recording = session.start_recording(_free(args[0]))
    return Said(f"recording to {recording.path}; stop ends it")


def stop(session: Session, args: Sequence[str]) -> Outcome:
    """End a recording, and a watch."""
    del args
    said = []
    if session.watch is not None:
        said.append(f"watched {session.watch.total:,} calls")
        session.watch = None
    if session.recording is not None:
        problem = session.recording.problem
        said += [session.stop_recording(), *([problem] if problem else [])]
    if not said:
        raise RefusedError("nothing is recorded or watched: record FILE or watch [FILTER] begins it")
    return Said("; ".join(said))


def dump(session: Session, args: Sequence[str]) -> Outcome:
    """All that is kept, into a session file; it goes on while the front end does."""
    path = _free(args[0])
    head, kept, size = session.info.session, session.frozen(), session.size
    begin, end = session.bounds()
    dump_line = Dump(trigger="asked for in the console", begin=begin, end=end, dropped=session.header().dropped)

    def write(job: "Job[Written]") -> "Written":
        from bus.trace.dump import write_dump
        from bus.trace.session import SessionError
        from console.export import Exported, ExportError
        from console.export.watching import watched

        calls = 0

        def counted() -> Iterator[list[AnyRecord]]:
            nonlocal calls
            for some in watched(kept, size, job.step)():
                calls += sum(isinstance(each, Call) for each in some)
                yield some

        try:
            return Exported(write_dump(path, head, dump_line, counted()), calls, 0)
        except SessionError as error:
            raise ExportError(str(error)) from error

    job = Job("console-dump", write)
    session.jobs.take(job)
    return Exporting(args[0], job)


def last(session: Session, args: Sequence[str]) -> Outcome:
    """What the last command returned."""
    del args
    if session.last_reply is None:
        raise RefusedError("there is no last result yet")
    return LastShown(session.last_reply)


def _free(text: str) -> Path:
    """Where to write: never over a file that is there, which may be the evidence itself."""
    if "\0" in text:
        raise RefusedError("a name of a file has no NUL in it", 0)
    path = Path(text).expanduser()
    if not path.parent.is_dir():
        raise RefusedError(f"there is no folder {path.parent}", 0)
    if path.is_file() and path.stat().st_size:
        raise RefusedError(f"there is a file {path} already: write another name, or that of a folder", 0)
    return path
