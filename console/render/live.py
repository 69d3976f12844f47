"""Services, threads, live stacks, waits and dead letters as rich renderables. All text of the program is escaped."""

from collections.abc import Iterator

from msgspec import Struct
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bus.trace.records import Stack
from bus.trace.redact import escape
from console import commands
from console import format as fmt
from console.model.stacks import is_library, own_frame, waits_in
from console.model.views import ServiceRow, ThreadRow
from console.model.waiting import WaitLine
from console.render.styles import BAD, NAME, NEWS, QUIET, WARN


def services(found: commands.ServiceList) -> RenderableType:
    """One line a service."""
    if not found.rows:
        return Text("the program has no service yet: bus.add(Service(…)) starts one", QUIET)
    table = _table("service", "state")
    for column in ("threads", "busy", "mailbox", "calls/s", "failed", "restarts", "lost"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("now", no_wrap=True, overflow="ellipsis")
    for row in found.rows:
        table.add_row(
            Text(escape(row.name), BAD if row.failed else NAME), _state(row),
            f"{len(row.running)}/{row.workers}", f"{row.busy * 100:.0f}%",
            Text(fmt.count(row.depth), WARN if row.full else ""), fmt.rate(row.rate), _number(row.errors, BAD),
            _number(row.restarts, WARN), _number(row.dropped, WARN), _now(row, found.now),
        )  # fmt: skip
    return table


def threads(found: commands.ThreadList) -> RenderableType:
    """One line a thread: what it runs, for how long, and where it stands; who runs a call first, the longest on top."""
    stacks = {stack.lane: stack for stack in found.stacks}
    lines: list[_ThreadLine] = []
    for row in found.rows:
        for thread in row.threads:
            stack = stacks.pop(thread.lane, None)
            if stack is not None:
                lines.append(_asked(stack))
            elif row.name or not found.stacks:  # outside of services, who does not answer has ended
                lines.append(_known(thread, found.now))
    lines += map(_asked, stacks.values())
    if not lines:
        return Text("no thread is known yet", QUIET)
    table = _table()
    table.add_column("thread", no_wrap=True, overflow="ellipsis", min_width=12)
    table.add_column("for", justify="right", no_wrap=True, min_width=7)
    for name in ("call", "where"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for line in sorted(lines, key=lambda one: -one.took):
        took = fmt.duration(line.took) if line.took >= 0 else ""
        table.add_row(Text(escape(line.name), NAME), took, line.call, Text(escape(line.where), QUIET))
    more = Text(f"{found.left_out:,} more were left out", QUIET)
    return Group(table, more) if found.left_out else table


class _ThreadLine(Struct, frozen=True):
    """`took`: ns, -1 for a thread that runs no call."""

    name: str
    call: Text
    took: int = -1
    where: str = ""


def _known(thread: ThreadRow, now: int) -> _ThreadLine:
    if not thread.call:
        return _ThreadLine(thread.name, Text("idle", QUIET))
    call = Text(escape(thread.call_name)).append(f" #{thread.call}", NEWS)
    return _ThreadLine(thread.name, call, max(0, now - thread.since))


def _asked(stack: Stack) -> _ThreadLine:
    frame = own_frame(stack)
    where = f"{frame.file}:{frame.line}" if frame else ""
    inside = f" waits in {waits_in(stack)}" if waits_in(stack) else ""
    if not stack.call:
        return _ThreadLine(
            stack.name, Text(f"outside of calls{inside}" if stack.frames else "idle", QUIET), where=where
        )
    call = Text(escape(stack.call_name)).append(f" #{stack.call}", NEWS).append(inside, QUIET)
    if stack.waiting is not None:
        call.append(" waits for ", QUIET).append(_waits_for(stack), WARN)
    return _ThreadLine(stack.name, call, max(0, stack.at - stack.since), where)


def stacks(found: commands.StackList) -> RenderableType:
    """Each thread with its frames, the innermost first; the one to look at is marked."""
    return Group(*(line for stack in found.stacks for line in _stack(stack)))


def _stack(stack: Stack) -> Iterator[Text]:
    head = Text(escape(stack.name), NAME)
    if stack.call:
        head.append(f"  {fmt.duration(stack.at - stack.since)} ", NEWS).append(escape(stack.call_name))
        head.append(f" #{stack.call}", NEWS)
    yield head
    if stack.waiting is not None:
        yield Text("  waits for ", QUIET).append(_waits_for(stack), WARN)
    if inside := waits_in(stack):
        yield Text("  waits in ", QUIET).append(inside)
    own = own_frame(stack)
    for frame in stack.frames:
        aside = frame.bus or is_library(frame)
        line = Text("▸ " if frame is own else "  ", NEWS)
        line.append(escape(frame.function), NEWS if frame is own else QUIET if aside else "")
        yield line.append(f"  {escape(frame.file)}:{frame.line}", "" if frame is own else QUIET)
        if frame.source and not aside:
            yield Text(f"    {escape(frame.source)}", "" if frame is own else QUIET)
    if stack.more:
        yield Text(f"  … {fmt.plural(stack.more, 'frame')} more", QUIET)
    if not stack.frames:
        yield Text("  waits for something to do", QUIET)


def waits(found: commands.WaitsShown) -> RenderableType:
    """The tree, cycles first."""
    if not found.lines:
        return Text("nobody waits for anybody", QUIET)
    return Group(*(text for line in found.lines for text in _wait(line, found.at)))


def _wait(line: WaitLine, at: int) -> Iterator[Text]:
    indent = "  " * line.level
    if line.level == 0 and line.cycle:
        yield Text("these wait for each other:", f"{WARN} {NEWS}")
    if not line.lane:
        yield Text(indent + escape(line.name or line.service)).append(" is with nobody yet", QUIET)
        return
    text = Text(indent).append(escape(line.thread), NAME)
    if line.again:
        yield text.append("  again", WARN)
        return
    if line.call:
        text.append(f"  {escape(line.name)}").append(f" #{line.call}", NEWS)
        text.append(f"  {fmt.duration(at - line.since)}" if line.since else "", QUIET)
    yield text
    if line.text:
        waited = Text(f"{indent}└ waits for ", QUIET).append(escape(line.text), WARN if line.cycle else "not dim")
        yield waited.append(", for a time" if line.timed else "", QUIET)


def letters(found: commands.LetterList) -> RenderableType:
    """The dead letters, the newest first."""
    if not found.letters:
        return Text("no dead letters: everything found a receiver", QUIET)
    table = _table()
    table.add_column("ago", justify="right", no_wrap=True)
    for name in ("kind", "name", "why"):
        table.add_column(name, no_wrap=name != "why", overflow="fold")
    for letter in reversed(found.letters):
        ago = fmt.age(max(0, found.now - letter.at) / 1e9)
        table.add_row(ago, letter.kind, Text(escape(letter.name), NAME), Text(escape(letter.reason)))
    earlier = Text(f"{found.earlier:,} earlier ones", QUIET)
    return Group(table, earlier) if found.earlier else table


def _waits_for(stack: Stack) -> str:
    waiting = stack.waiting
    if waiting is None:
        return ""
    if waiting.what == "call":
        return escape(f"{waiting.name} #{waiting.call}")
    return escape(f"{'room in' if waiting.what == 'room' else 'the end of'} {waiting.service}")


def _state(row: ServiceRow) -> Text:
    if row.failed:
        return Text("✗ failed", BAD)
    if row.stuck or row.full:
        return Text(f"stuck {row.stuck}" if row.stuck else "full", WARN)
    return Text(escape(row.state), QUIET if row.gone else "")


def _now(row: ServiceRow, now: int) -> Text:
    if not row.running:
        return Text()
    longest = row.running[0]
    more = f" +{len(row.running) - 1}" if len(row.running) > 1 else ""
    return Text(f"{fmt.duration(now - longest.since)} {escape(longest.call_name)}{more}")


def _number(number: int, style: str) -> Text:
    return Text(fmt.count(number), style if number else QUIET)


def _table(*names: str) -> Table:
    table = Table(box=None, header_style=QUIET, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    return table
