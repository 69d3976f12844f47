"""A line of text carried out on a session."""

from typing import Any

import msgspec

from bus.trace.records import Entry
from console.commands import handlers
from console.commands.paths import folder_of, paths
from console.commands.refusing import RefusedError
from console.commands.results import Asked, Ended, Exported, Exporting, Mistake, Outcome, Started
from console.commands.settings import SETTINGS
from console.commands.table import BY_NAME, RESTS, VERBS
from console.jobs import StoppedError
from console.language.binding import bind, is_secret, no_last, recall
from console.language.candidates import Candidate
from console.language.completion import Catalogue, complete
from console.language.filters import ALL
from console.language.grammar import Execute, Fire, Request, Verb, parse
from console.language.tokens import LanguageError, Span
from console.session import Session
from console.target import TargetError

_OFFERED_CALLS = 50
_SHOWN = 60


class UnknownNameError(LanguageError):
    """There is no command of this name."""


def run(session: Session, line: str) -> Outcome | None:
    """Carry out LINE and say what came of it; None for a blank line. A user's mistake is an outcome, never raised.

    A command that was executed is `Started`: wait for its `pending` as suits the front end, then call `finish`.
    """
    try:
        request = parse(line, BY_NAME, RESTS)
        return None if request is None else _carry_out(session, request)
    except LanguageError as error:
        return Mistake(error.message, line, error.span, unknown_name=isinstance(error, UnknownNameError))
    except TargetError as error:
        return Mistake(str(error), line)


def send(session: Session, request: Execute | Fire) -> Started:
    """Check REQUEST, however it was made, and start it.

    Raises:
        LanguageError: the name is not known, or the arguments do not fit.
        TargetError: the target cannot act.
    """
    if isinstance(request, Fire):
        fired = recall(request, lambda span: _last(session, span))
        _remember(session, request)
        return Started(fired, session.fire(fired.name, fired.args, fired.kwargs))
    bound = bind(request, _entry(session, request).parameters, lambda span: _last(session, span))
    _remember(session, request)
    return Started(bound, session.execute(bound.name, bound.args, bound.kwargs))


def _last(session: Session, span: Span) -> Any:
    reply = session.last_reply
    if reply is None:
        return no_last(span)
    if not reply.value:
        raise LanguageError(f"the last result has no form that can be sent: {reply.result[:_SHOWN]}", span)
    return msgspec.json.decode(reply.value)


def remember(session: Session, line: str) -> None:
    """Offer the values of LINE, which was entered in an earlier session, in completion."""
    try:
        request = parse(line, BY_NAME, RESTS)
    except LanguageError:
        return
    if isinstance(request, Execute | Fire):
        session.past.add(request)


def _remember(session: Session, request: Execute | Fire) -> None:
    if not _is_secret(session, request):
        session.past.add(request)


def finish(session: Session, started: Started) -> Ended:
    """What became of STARTED, whose `pending` is done; without its record while that is still on the way."""
    reply = started.pending.result(timeout=0)
    if reply.error is None and isinstance(started.request, Execute):
        session.last_reply = reply
    detail = session.call(reply.call) if reply.call else None
    # The reply may overtake the record; what is known until then is that the call was running.
    return Ended(started.request, reply, detail if detail and detail.call.outcome else None)


def export_ended(exporting: Exporting) -> Exported | Mistake:
    """What came of an export, whose job is done."""
    from console.export import ExportError

    try:
        written = exporting.job.future.result(timeout=0)
    except ExportError as error:
        return Mistake(str(error), "")
    except StoppedError:
        return Mistake(f"the export to {exporting.path} was stopped; nothing was written", "")
    except Exception as error:  # noqa: BLE001  of another thread: the front end goes on, and says it
        return Mistake(f"the export to {exporting.path} failed: {error!r}", "")
    return Exported(str(written.path), written.calls)


def answered(asked: Asked) -> Outcome:
    """What became of ASKED, whose `pending` is done."""
    reply = asked.pending.result(timeout=0)
    return Mistake(reply.error.message, "") if reply.error else asked.answer(reply)


def catalogue(session: Session) -> Catalogue:
    """All that can be named now, for completion."""
    known = session.names()
    theirs = lambda typed: paths(typed, folder_of(session.info.session.pid))  # noqa: E731
    return Catalogue(
        known.commands, known.events, VERBS, known.services, session.lanes(), calls=lambda: _numbers(session),
        past=session.past, files=paths, their_files=theirs,
        settings={name: setting.usual for name, setting in SETTINGS.items()},
    )  # fmt: skip


def _numbers(session: Session) -> list[tuple[int, str]]:
    """The calls that are most likely meant by a number: those in flight, then the last ones."""
    found = session.find_calls(ALL, limit=_OFFERED_CALLS)
    return [(call.id, f"{call.name} {call.outcome or 'in flight'}") for call in found.calls]


def candidates(session: Session, line: str, cursor: int) -> list[Candidate]:
    """What could stand at CURSOR in LINE, the best first."""
    return complete(line, cursor, catalogue(session))


def may_be_kept(session: Session, line: str) -> bool:
    """Whether LINE may go into a history file: not when it gives a secret away, or cannot be understood."""
    try:
        request = parse(line, BY_NAME, RESTS)
    except LanguageError:
        return False
    if request is None or isinstance(request, Verb):
        return True
    return not _is_secret(session, request)


def _is_secret(session: Session, request: Execute | Fire) -> bool:
    known = session.names()
    entry = (known.events if isinstance(request, Fire) else known.commands).get(request.name)
    return entry is not None and is_secret(request, entry.parameters)


def _carry_out(session: Session, request: Request) -> Outcome:
    if isinstance(request, Verb):
        return _own(session, request)
    return send(session, request)


def _own(session: Session, request: Verb) -> Outcome:
    command = BY_NAME[request.name]
    source = request.source
    if source is None or not command.least <= len(request.args) <= command.most:
        raise LanguageError(f"write {command.info.usage}: {command.info.help}", _whole(request))
    try:
        return command.handler(session, request.args)
    except RefusedError as refused:
        span = source.name if refused.argument is None else source.args[refused.argument]
        raise LanguageError(refused.message, span) from None
    except LanguageError as wrong:  # of a filter, which begins where its argument does
        at = source.args[RESTS[request.name]].start
        raise LanguageError(wrong.message, Span(at + wrong.span.start, at + wrong.span.end)) from None


def _whole(request: Verb) -> Span:
    return Span(0, len(request.source.line)) if request.source else Span(0, 0)


def _entry(session: Session, request: Execute) -> Entry:
    rows = session.commands()
    found = next((row for row in rows if row.name == request.name), None)
    span = request.source.name if request.source else Span(0, 0)
    if found and found.removed:
        raise LanguageError(f"{request.name} was removed: the program has no such command any more", span)
    if found and found.entry:
        return found.entry
    verbs = VERBS if span.start == 0 else ()  # behind `execute` none is meant
    known = [*(row.name for row in rows if not row.removed), *verbs]
    raise UnknownNameError(handlers.unknown("command", request.name, known), span)
