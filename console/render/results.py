"""Results as rich renderables, for the REPL and for plain output. All text of the program is escaped here once more."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from rich.console import Group, RenderableType
from rich.pretty import Pretty
from rich.table import Table
from rich.text import Text

from bus.attach.protocol import Reply
from bus.trace.records import Call, Entry, Error
from bus.trace.redact import escape
from console import commands
from console import format as fmt
from console.language.completion import VerbInfo, signature
from console.language.grammar import Fire
from console.language.tokens import Span
from console.model.problems import ProblemView
from console.model.split import parts
from console.model.views import CallDetail
from console.render import branches, going_on, live
from console.render.styles import BAD, GOOD, NAME, NEWS, QUIET, WARN
from console.render.tables import call_table, command_table, event_table, outcome_word, state

_NS: Final = 1_000_000_000
_CALLS: Final = 8
"""Calls of one problem that are named."""
_MEANINGS: Final[Mapping[branches.Meaning, str]] = {
    "branch": QUIET, "number": NEWS, "name": NAME, "news": WARN, "text": "", "quiet": QUIET,
}  # fmt: skip

_ITEMS = 50
"""Items of one list or object that are shown; the rest is counted."""
_CHARACTERS = 2000


def outcome(result: commands.Outcome) -> RenderableType:
    """RESULT as something that a rich Console prints."""
    return _RENDERERS[type(result)](result)


def ended(result: commands.Ended) -> RenderableType:
    """The result line, then the result, the receivers or the error."""
    head = headline(result)
    if result.reply.error:
        return Group(head, error(result.reply.error))
    if isinstance(result.request, Fire):
        return Group(head, receivers(result.reply.receivers))
    return Group(head, value(result.reply))


def headline(result: commands.Ended) -> Text:
    """`#18342 ok 3.1 ms (queued 0.1 · computing 2.4 · waiting 0 · elsewhere 0.6)`."""
    reply = result.reply
    said = Text()
    if reply.call:
        said.append(f"#{reply.call} ", NEWS)
    said.append_text(outcome_word("error" if reply.error and reply.outcome == "ok" else reply.outcome))
    if result.detail and result.detail.call.kind == "command":
        said.append(" ").append_text(times(result.detail))
    return said


def times(detail: CallDetail) -> Text:
    """A call's whole time, and where it went."""
    said = Text(fmt.duration(fmt.total(detail.parts)), NEWS)
    return said.append(f" ({fmt.parts(detail.parts)})", QUIET)


def value(reply: Reply) -> RenderableType:
    """What a command returned: as a tree where it has a JSON form, else as the text that the program made of it."""
    if reply.value:
        try:
            tree = msgspec.json.decode(reply.value)
        except (msgspec.DecodeError, RecursionError):
            return block(reply.result)
        return Pretty(tree, max_length=_ITEMS, max_string=_CHARACTERS)  # repr escapes what is not printable
    return block(reply.result or "None")


def receivers(names: Sequence[str]) -> Text:
    """Who an event was delivered to."""
    if not names:
        return Text("nobody listens to it", QUIET)
    return Text(f"delivered to {fmt.plural(len(names), 'listener')}: ", QUIET).append(escape(", ".join(names)), NAME)


def error(err: Error) -> Text:
    """The traceback if there is one, with the line that names the error marked; else the type and message."""
    name = escape(err.type)
    summary = Text(name, f"{BAD} {NEWS}")
    if err.message:
        summary.append(": ", NEWS).append_text(block(err.message))
    if not err.traceback:
        return summary
    shown = block(err.traceback.rstrip(), QUIET)
    if not shown.highlight_regex(
        rf"(?m)^(?:[\w.]+\.)?{re.escape(name.rpartition('.')[2])}(?=:|$).*$", f"{BAD} not dim"
    ):
        shown.append("\n").append_text(summary)
    return shown


def block(text: str, style: str = "") -> Text:
    """Text of the program, of one line or more, made harmless."""
    return Text(escape(text, keep="\n"), style)


def plain(result: commands.Exported | commands.Mistake) -> str:
    """The end of an export in one line without colours."""
    if isinstance(result, commands.Mistake):
        return escape(result.message)
    return f"{escape(result.path)}: {fmt.plural(result.calls, 'call')}"


def exporting(under_way: commands.Exporting) -> Text:
    """How far an export is."""
    doing, part = under_way.job.progress
    return Text(f"exporting to {escape(under_way.path)}: {doing or 'preparing'} {part:.0%}", QUIET)


def mistake(wrong: commands.Mistake) -> Text:
    """What was wrong with a line; where a piece of it is meant, the line with that piece underlined."""
    if wrong.span is None:
        return Text(wrong.message, BAD)
    return underlined(wrong.line, wrong.span).append("\n").append(escape(wrong.message), BAD)


def underlined(line: str, span: Span) -> Text:
    """LINE, and below it carets under SPAN."""
    before, piece = escape(line[: span.start]), escape(line[slice(*span)])
    after = escape(line[span.end :])
    indent = " " * Text(before).cell_len
    carets = "^" * max(1, Text(piece).cell_len)
    return Text.assemble("  ", before, (piece, BAD), after, "\n  ", indent, (carets, BAD))


def listing(result: commands.Listing) -> RenderableType:
    """Two tables: commands and events."""
    tables: list[RenderableType] = []
    if result.commands:
        tables.append(command_table(result.commands))
    if result.commands and result.events:
        tables.append(Text())
    if result.events:
        tables.append(event_table(result.events))
    return Group(*tables) if tables else Text("there are no commands and no events yet", QUIET)


def call_list(result: commands.CallList) -> RenderableType:
    """The calls that were found, and of how many they are the first."""
    found = result.found
    if not found.total:
        return Text(f"no call with {escape(result.filter)}" if result.filter else "there are no calls yet", QUIET)
    table = call_table(found.calls, named=True, now=result.now)
    if found.total == len(found.calls):
        return table
    return Group(table, Text(f"{len(found.calls)} of {fmt.plural(found.total, 'call')}", QUIET))


def call(detail: CallDetail) -> RenderableType:
    """One call with all that is known of it."""
    it = detail.call
    head = Text(f"#{it.id} ", NEWS).append(escape(it.name), NAME).append(" ").append_text(state(it))
    lines = [head.append(" ").append_text(times(detail))]
    where = f"on {detail.lane}" if detail.lane else "not started"
    lines.append(Text(escape(where + (f", called from {detail.caller_lane}" if detail.caller_lane else "")), QUIET))
    said = (("arguments", it.args), ("result", it.result))
    lines += [Text(f"{label}: ", QUIET).append_text(block(text)) for label, text in said if text]
    if it.error:
        lines.append(error(it.error))
    if detail.cause:
        lines.append(_neighbour("caused by", detail.cause))
    lines += [_neighbour("caused", effect) for effect in detail.effects]
    lines += [Text(f"{each.level or each.stream}: ", QUIET).append_text(block(each.text)) for each in detail.output]
    return Group(*lines)


def problems(found: commands.ProblemList) -> RenderableType:
    """Each problem with its proof and what to do; then which rules are healthy."""
    report, now = found.report, found.now
    lines: list[RenderableType] = [line for one in found.problems for line in _problem(one, now)]
    if not report.current:
        age = fmt.age((now - report.since) / _NS)
        lines.append(Text(f"nothing wrong for {age} ({report.dropped:,} dropped)", GOOD))
    healthy = ", ".join(each.rule for each in report.healthy)
    more = f" · {len(report.allowed):,} allowed" if report.allowed else ""
    lost = f" · {report.dropped:,} dropped" if report.dropped and report.current else ""
    lines.append(Text(f"healthy: {healthy or 'nothing'}{more}{lost}", QUIET))
    return Group(*lines)


def _problem(one: ProblemView, now: int) -> Iterator[Text]:
    look = QUIET if one.over else BAD if one.severity == "error" else NEWS
    head = Text(f"{one.rule} ", look).append(escape(one.subject), NAME)
    head.append(f"  {one.count:,}× · {fmt.age(max(0, now - one.last) / _NS)} ago", QUIET)
    yield head.append("  over" if one.over else "", QUIET).append("  uncertain" if one.uncertain else "", BAD)
    yield Text("  ").append(escape(one.text))
    for step in one.proof.cycle:
        said = f"{step.thread} runs {step.name} #{step.call}, waits at {step.where} for {step.waits_for}"
        yield Text("  ").append(escape(said), QUIET)
    yield from (Text("  ").append(escape(line), QUIET) for line in one.proof.lines)
    if one.proof.calls:
        more = len(one.proof.calls) - _CALLS
        said = " ".join(f"#{call}" for call in one.proof.calls[:_CALLS])
        yield Text(f"  calls {said}{f' and {more:,} more' if more > 0 else ''}", QUIET)
    yield Text("  → ", GOOD).append(escape(one.advice), "")


def tree(shown: commands.TreeShown) -> RenderableType:
    """A causal tree, as wide as there is room: what does not fit of a line is cut, its times never."""
    table = Table(box=None, show_header=False, pad_edge=False, expand=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for justify in ("right", "left", "right"):
        table.add_column(justify=justify, no_wrap=True)
    for line in shown.tree.lines:
        said = Text()
        for text, meaning in branches.pieces(line):
            said.append(escape(text), _MEANINGS[meaning])
        mark = Text(branches.ON_PATH if line.on_path else "", WARN)
        own = Text(fmt.duration(line.own) if line.own else "", WARN)
        table.add_row(mark, said, *_took(line.call, shown.now), own)
    return Group(Text(branches.title(shown.tree), QUIET), table)


def _took(it: Call | None, now: int) -> tuple[Text, Text]:
    if it is None or it.kind == "event":
        return Text(), Text()
    return Text(fmt.duration(fmt.total(parts(it, now))), NEWS), state(it)


def description(result: commands.Description) -> RenderableType:
    """A command and/or event: signature, doc, place, figures, last calls."""
    said: list[RenderableType] = []
    if result.command:
        said += _entry_lines(result.command.entry) if result.command.entry else []
        said.append(command_table([result.command]))
    if result.event:
        said.append(event_table([result.event]))
        said += [line for listener in result.event.listeners for line in _entry_lines(listener)]
    if result.recent:
        said.append(call_table(result.recent))
    return Group(*said)


def verbs(infos: Sequence[VerbInfo]) -> Table:
    """What can be written, and what it does."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for info in infos:
        table.add_row(Text(info.usage, NAME), Text(info.help))
    return table


def _entry_lines(entry: Entry) -> list[Text]:
    head = Text(escape(entry.callback if entry.kind == "listener" and entry.callback else entry.name), NAME)
    lines = [head.append(escape(signature(entry)), "")]
    if entry.doc:
        lines.append(Text(escape(entry.doc)))
    place = " · ".join(part for part in (entry.service, entry.where) if part)
    return [*lines, Text(escape(place), QUIET)] if place else lines


def _neighbour(relation: str, other: Call) -> Text:
    return Text(f"{relation} ", QUIET).append(f"#{other.id} ").append(escape(other.name), NAME)


_RENDERERS: Final[Mapping[type, Callable[[Any], RenderableType]]] = {
    commands.Started: lambda started: Text(f"{escape(started.request.name)} is on its way", QUIET),
    commands.Ended: ended,
    commands.Listing: listing,
    commands.Description: description,
    commands.CallList: call_list,
    commands.CallShown: lambda shown: call(shown.detail),
    commands.ProblemList: problems,
    commands.TreeShown: tree,
    commands.Asked: lambda _asked: Text("the program is asked", QUIET),
    commands.ServiceList: live.services,
    commands.ThreadList: live.threads,
    commands.StackList: live.stacks,
    commands.WaitsShown: live.waits,
    commands.LetterList: live.letters,
    commands.Exporting: exporting,
    commands.Exported: lambda done: Text(plain(done), GOOD),
    commands.Watching: going_on.watching,
    commands.Top: going_on.top,
    commands.SettingList: going_on.settings,
    commands.LastShown: lambda shown: Group(Text(f"#{shown.reply.call}", NEWS), value(shown.reply)),
    commands.Said: lambda said: Text(escape(said.text), GOOD),
    commands.Help: lambda page: Group(verbs(page.verbs), Text(page.text)) if page.text else verbs(page.verbs),
    commands.Mistake: mistake,
    commands.Quit: lambda _quit: Text(),
}
