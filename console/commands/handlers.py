"""What the console's own commands do: each takes a session and words, and gives a result."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from console.commands.refusing import RefusedError
from console.commands.results import (
    CallList,
    CallShown,
    Description,
    Exporting,
    Listing,
    Outcome,
    ProblemList,
    Quit,
    TreeShown,
)
from console.jobs import Job
from console.language.filter_parser import parse
from console.language.filters import ALL, Word, format_filter
from console.language.patterns import matcher
from console.session import Session

_NEARLY = 0.8


def ls(session: Session, args: Sequence[str]) -> Outcome:
    """Commands and events whose names match a pattern, or contain it when it has no wildcard."""
    pattern = args[0] if args else ""
    matches = matcher(pattern)
    commands = tuple(row for row in session.commands() if matches(row.name) and not row.removed)
    events = tuple(row for row in session.events() if matches(row.name))
    if pattern and not commands and not events:
        raise RefusedError(f"nothing matches {pattern}: ls without a pattern lists all", 0)
    return Listing(pattern, commands, events)


def show(session: Session, args: Sequence[str]) -> Outcome:
    """One command or event: its signature, figures and last calls."""
    name = args[0]
    command = next((row for row in session.commands() if row.name == name), None)
    event = next((row for row in session.events() if row.name == name), None)
    if command is None and event is None:
        raise RefusedError(unknown("command or event", name, names(session)), 0)
    return Description(name, command, event, tuple(session.recent(name, 5)))


def calls(session: Session, args: Sequence[str]) -> Outcome:
    """The calls that a filter asks for: those in flight, then the last ones."""
    what = parse(args[0]) if args else ALL
    found = session.find_calls(what, limit=session.preferences.listed)
    if isinstance(what, Word) and not found.total and not any(map(matcher(what.text), known := names(session))):
        raise RefusedError(unknown("command or event", what.text, known), 0)
    return CallList(format_filter(what), found, session.now())


def call(session: Session, args: Sequence[str]) -> Outcome:
    """One call by its number."""
    number = _number("call", args[0])
    detail = session.call(number)
    if detail is None:
        raise _gone(number)
    return CallShown(detail)


def tree(session: Session, args: Sequence[str]) -> Outcome:
    """The causal tree that a call is part of."""
    number = _number("tree", args[0])
    found = session.tree(number)
    if found is None:
        raise _gone(number)
    return TreeShown(found, session.now())


def problems(session: Session, args: Sequence[str]) -> Outcome:
    """What is wrong, worst first; with a text, only what contains it."""
    report = session.problems()
    text = args[0].casefold() if args else ""
    found = tuple(one for one in report.problems if text in f"{one.rule} {one.subject} {one.text}".casefold())
    if text and not found:
        raise RefusedError(f"no problem contains {args[0]}: problems without a text lists all", 0)
    return ProblemList(report, found, session.now())


def _number(verb: str, word: str) -> int:
    digits = word.removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19:  # noqa: PLR2004  more is no 64-bit number
        raise RefusedError(f"write the number of a call, as in {verb} 18342", 0)
    return int(digits)


def _gone(number: int) -> RefusedError:
    return RefusedError(f"there is no call #{number}, or it is not kept any more", 0)


def export(session: Session, args: Sequence[str]) -> Outcome:
    """What is kept of the session, or of one name or call of it, into a file for another tool.

    It takes up to a minute, and goes on while the front end does.
    """
    from console.export import Exported as Written
    from console.export import ExportError, Selection, checked, export_records
    from console.export.watching import watched

    pattern = args[1] if len(args) > 1 else ""
    number = pattern.removeprefix("#")
    is_call = pattern.startswith("#") and number.isascii() and number.isdigit()
    selection = Selection(call=int(number)) if is_call else Selection(parse(pattern))
    try:
        checked(args[0])
    except ExportError as error:
        raise RefusedError(str(error)) from None
    head, kept, size = session.info.session, session.frozen(), session.size

    def write(job: Job[Written]) -> Written:
        return export_records(head, watched(kept, size, job.step), args[0], selection)

    job = Job("console-export", write)
    session.jobs.take(job)
    return Exporting(args[0], job)


def leave(_session: Session, _args: Sequence[str]) -> Outcome:
    """The end."""
    return Quit()


def names(session: Session) -> list[str]:
    """The names of all commands and events there are."""
    return [row.name for row in session.commands() if not row.removed] + [row.name for row in session.events()]


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The sentence that says that nothing is called NAME, with up to three names that are close."""
    close = _close(name, list(known))
    return f"no {what} is called {name}" + (f": did you mean {' or '.join(close)}?" if close else ": ls lists them")


def _close(name: str, known: list[str]) -> list[str]:
    """Up to three: names that are nearly it, else those with a part that is, else what is like it or contains it."""
    nearly = get_close_matches(name, known, n=3, cutoff=_NEARLY)
    if nearly or not name:
        return nearly
    parts = {part for other in known for part in other.split(".")}
    near = get_close_matches(name, parts, n=1, cutoff=_NEARLY)
    if near:
        return [other for other in known if near[0] in other.split(".")][:3]
    return get_close_matches(name, known, n=3) or [other for other in known if name in other][:3]
