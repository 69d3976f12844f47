"""Commands for scripts: each asks a program or a recording one thing, prints the answer and ends.

The exit status is 1 when a call failed, 2 when it could not be made.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bus.trace.redact import escape
from console import commands
from console.cli import choosing, json_lines
from console.commands import Ended, Mistake, Started
from console.language.filter_parser import parse
from console.language.filters import ALL, Filter, format_filter
from console.language.grammar import EXECUTE, FIRE, NO_WAIT, write_name
from console.language.grammar import parse as parse_line
from console.language.tokens import LanguageError, words
from console.language.values import LAST, quote
from console.model.split import parts
from console.render import going_on, results
from console.render.printing import console_for
from console.session import Session
from console.target import TargetError
from console.waiting import keep_up, run_patiently, until, until_ended, until_ready

if TYPE_CHECKING:
    from rich.console import RenderableType

OK, FAILED, NOT_DONE = 0, 1, 2


def call(given: argparse.Namespace) -> int:
    """Execute a command, and print its result."""
    with _opened(given.target) as session:
        ended = _carried_out(session, EXECUTE, given)
        if isinstance(ended, int):
            return ended
        reply = ended.reply
        took = sum(ns for _, ns in parts(ended.detail.call, session.now()).named()) if ended.detail else None
        _print(given, [json_lines.reply(given.name, reply, took)], results.outcome(ended))
        return OK if ended.ok else FAILED if reply.call else NOT_DONE


def fire(given: argparse.Namespace) -> int:
    """Fire an event, and print who receives it."""
    with _opened(given.target) as session:
        ended = _carried_out(session, FIRE, given)
        if isinstance(ended, int):
            return ended
        _print(given, [json_lines.fired(given.name, ended.reply)], results.outcome(ended))
        return OK if ended.ok else FAILED if ended.reply.call else NOT_DONE


def calls(given: argparse.Namespace) -> int:
    """The calls in flight and the last ones."""
    what = _filter(given.filter)
    with _opened(given.target) as session:
        found = session.find_calls(what, limit=given.limit)
        head, now = session.info.session, session.now()
        lines = (json_lines.call(each, head, session.lane_name, now) for each in found.calls)
        _print(given, lines, results.outcome(commands.CallList(format_filter(what), found, now)))
        return OK


def top(given: argparse.Namespace) -> int:
    """The busiest commands."""
    with _opened(given.target) as session:
        session.preferences = replace(session.preferences, listed=given.limit)
        shown = commands.run(session, "top")
        assert isinstance(shown, commands.Top)
        _print(given, map(json_lines.top, shown.rows), results.outcome(shown))
        return OK


def services(given: argparse.Namespace) -> int:
    """Each service."""
    with _opened(given.target) as session:
        shown = commands.run(session, "services")
        assert isinstance(shown, commands.ServiceList)
        _print(given, map(json_lines.service, shown.rows), results.outcome(shown))
        return OK


def problems(given: argparse.Namespace) -> int:
    """What is wrong, after having looked for some seconds; with --check a problem is a failure."""
    with _opened(given.target) as session:
        _look_for(session, given.seconds)
        report = session.problems()
        lines = (json_lines.problem(each, session.info.session) for each in report.problems)
        _print(given, lines, results.outcome(commands.ProblemList(report, report.problems, session.now())))
        return FAILED if given.check and report.current else OK


def watch(given: argparse.Namespace) -> int:
    """Calls as they end, until Ctrl-C, the program's end, or as many as were wanted."""
    what = _filter(given.filter)
    with _opened(given.target) as session:
        if session.info.state != "live":
            raise TargetError("nothing happens in a recording; `bus-console calls` lists what is in it")
        try:
            return _watch(session, what, given)
        except KeyboardInterrupt:
            return OK


def _watch(session: Session, what: Filter, given: argparse.Namespace) -> int:
    watched = session.watch_calls(what)
    out, head = console_for(sys.stdout), session.info.session
    left = given.count or sys.maxsize
    while left:
        over = session.info.state == "ended"
        keep_up(session)  # what came before the end is taken in after it was seen
        found, more = watched.new(left)
        for each in found:
            if given.json:
                sys.stdout.write(json_lines.line(json_lines.call(each, head, session.lane_name, each.ended)))
            else:
                out.print(going_on.line(each, head, out.width))
        sys.stdout.flush()
        left -= len(found)
        if more and left:
            sys.stderr.write(f"bus-console: {more:,} calls came too fast and were left out\n")
        if over:
            sys.stderr.write(f"bus-console: {escape(session.info.reason)}\n")
            break
    return OK


def _carried_out(session: Session, verb: str, given: argparse.Namespace) -> Ended | int:
    """What became of it; the exit status if it could not even be begun."""
    line = " ".join([verb, write_name(given.name), *map(as_word, given.args)])
    started = run_patiently(session, line)
    if isinstance(started, Mistake):
        console_for(sys.stderr).print(results.outcome(started))
        return NOT_DONE
    assert isinstance(started, Started)
    try:
        return until_ended(session, started)
    except KeyboardInterrupt:
        session.cancel(started.pending)
        until_ended(session, started)
        raise


def as_word(text: str) -> str:
    """What the shell gave as one word, as one word of a line: what would be several, or none, is text."""
    found = words(text)
    key = found[0].key if found and text.startswith(found[0].key) else ""
    value = text[len(key) + 1 :] if key else text
    try:
        if len(found) == 1 and found[0].text == text and text != NO_WAIT and value != LAST:
            parse_line(f"{EXECUTE} x {text}")
            return text
    except LanguageError:
        pass
    return f"{key}={quote(value)}" if key else quote(value)


def _filter(given: Sequence[str]) -> Filter:
    """The filter that was given, in one word of the shell or several."""
    text = " ".join(given)
    try:
        return parse(text) if text.strip() else ALL
    except LanguageError as error:
        raise TargetError(f"{error.message}\n{results.underlined(text, error.span).plain}") from None


def _print(given: argparse.Namespace, lines: Iterable[json_lines.Json], shown: "RenderableType") -> None:
    if given.json:
        sys.stdout.writelines(map(json_lines.line, lines))
    else:
        console_for(sys.stdout).print(shown)


def _look_for(session: Session, seconds: float) -> None:
    """Rules that compare two moments need some time between them; a recording says all at once."""
    until(session, lambda: session.info.state != "live", seconds)


def _opened(spec: str) -> "closing[Session]":
    session = choosing.session(choosing.named(spec), acts=False)
    try:
        until_ready(session)
    except BaseException:
        session.close()
        raise
    return closing(session)
