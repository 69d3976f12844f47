"""What is shown of things that go on: the lines of a watch, the busiest commands, settings."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bus.trace.records import Call, Session
from bus.trace.redact import escape
from console import commands
from console import format as fmt
from console.clock import clock
from console.render.styles import BAD, NAME, NEWS, QUIET, WARN
from console.render.tables import call_table, command_table, outcome_word

_NAME_WIDTH = 24


def line(call: Call, session: Session, width: int) -> Text:
    """One call that ended, in WIDTH cells: `12:04:31.200 #18342 search.query  3.1 ms  ok  text='x' → 42`."""
    line = Text(no_wrap=True, overflow="ellipsis", end="")
    line.append(f"{clock(call.ended, session)} ", QUIET).append(f"#{call.id} ", NEWS)
    kind = {"event": "event ", "delivery": "delivery of "}.get(call.kind, "")
    line.append(kind, QUIET).append(escape(call.name).ljust(_NAME_WIDTH - len(kind)), NAME)
    took = fmt.duration(max(0, call.ended - call.queued))
    line.append(f" {took:>8} ", NEWS).append_text(outcome_word(call.outcome or ""))
    if call.args:
        line.append(f" {escape(call.args)}")
    if call.error:
        line.append(f" {escape(call.error.type)}: {escape(call.error.message)}", BAD)
    elif call.result:
        line.append(" → ", QUIET).append(escape(call.result))
    line.truncate(width, overflow="ellipsis")
    return line


def left_out(number: int) -> Text:
    """So many calls ended that were not shown."""
    return Text(f"… {fmt.plural(number, 'more call')} not shown: set watched N shows more", WARN)


def watching(shown: commands.Watching) -> RenderableType:
    """What is watched, and the last calls of it, if there were any yet."""
    what = f"calls with {escape(shown.filter)}" if shown.filter else "all calls"
    head = Text(f"watching {what}; stop ends it", QUIET)
    if not shown.watch.total:
        return head
    count = Text(f"{fmt.plural(shown.watch.total, 'call')} so far", QUIET)
    return Group(head, call_table(shown.watch.recent, named=True), count)


def top(shown: commands.Top) -> RenderableType:
    """The figures of all in one line, and a table of the busiest."""
    header = shown.header
    said = Text(f"{fmt.rate(header.calls_per_second)} calls/s", NEWS)
    said.append(f" · {fmt.count(header.in_flight)} in flight · ").append(
        f"{fmt.count(header.failed)} failed", BAD if header.failed else QUIET
    )
    said.append(f" · {fmt.plural(header.problems, 'problem')}", WARN if header.problems else QUIET)
    if header.dropped:
        said.append(f" · {fmt.count(header.dropped)} records lost", WARN)
    if not shown.rows:
        return Group(said, Text("no command was called yet", QUIET))
    parts: list[RenderableType] = [said, command_table(shown.rows)]
    if shown.total > len(shown.rows):
        parts.append(Text(f"{len(shown.rows)} of {fmt.plural(shown.total, 'command')}", QUIET))
    return Group(*parts)


def settings(shown: commands.SettingList) -> RenderableType:
    """One line a setting."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for each in shown.settings:
        usual = Text(" ".join(each.usual), QUIET)
        table.add_row(Text(each.name, NAME), Text(each.value, NEWS), Text(each.about), usual)
    return table
