"""What stands beside the list of services: figures, what each thread does with its live stack, who waits for whom."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from rich.style import Style
from textual.strip import Strip

from bus.trace.records import Frame, Stack
from console import format as fmt
from console.model.stacks import is_library, own_frame, waits_in
from console.model.views import OUTSIDE_NAME, ServiceRow, ThreadRow
from console.model.waiting import WaitLine
from console.tui.lines import Line, clip_left, wrapped
from console.tui.look import AMBER, FAILED, HIDDEN, KEY, RED, SOFT, STRONG, TEXT, WARN, ServiceColors, style
from console.tui.widgets.cells import LOWER
from console.tui.widgets.command_lines import short_place
from console.tui.widgets.details import Shown

_FRAMES = 10
_DEEP = 8
"""Levels of a tree that are indented; more would leave no room."""
LONG = 5_000_000_000
"""Ns after which a call that runs is worth a look."""
_CALM = 8
"""A mailbox that never held more than so many calls has low bars."""
_NEWS = style(AMBER, bold=True)


def sparkline(depths: Sequence[int]) -> str:
    """DEPTHS as bars, the highest one full unless there are but few calls."""
    most = max([_CALM, *depths])
    return "".join(LOWER[-(-depth * 8 // most)] for depth in depths)


def state_of(row: ServiceRow) -> tuple[str, Style]:
    """The word for the worst that is the matter: failed, stuck, full, or the state as it is."""
    if row.failed:
        return "failed", style(RED, bold=True)
    if row.stuck:
        return f"stuck {row.stuck}", WARN
    if row.full:
        return "full", WARN
    return row.state, HIDDEN if row.gone else TEXT if row.state == "running" else WARN


def about_service(width: int, row: ServiceRow, colors: ServiceColors) -> list[Strip]:
    """Name, state, figures, and what went wrong with it."""
    head = Line(width).put(row.name or OUTSIDE_NAME, colors.style(row.name, bold=True))
    if not row.name:
        return [head.put(" of all services", SOFT).strip(), Line(width).strip()]
    word, look = state_of(row)
    head.put("  ").put(word, look).put(f" · {fmt.plural(row.workers, 'worker')}", SOFT)
    figures = Line(width).put(f"{fmt.share(row.busy)} busy · {fmt.rate(row.rate)} calls/s · ", SOFT)
    figures.put(fmt.plural(row.calls, "call"), SOFT)
    if row.errors:
        figures.put(" · ", SOFT).put(f"✗ {row.errors:,} failed", FAILED)
    strips = [head.strip(), figures.strip(), _mailbox(width, row)]
    if row.restarts or row.dropped:
        line = Line(width).put(f"started anew {fmt.plural(row.restarts, 'time')}" if row.restarts else "", WARN)
        line.put(" · " if row.restarts and row.dropped else "", SOFT)
        strips.append(line.put(f"{fmt.plural(row.dropped, 'event')} lost" if row.dropped else "", WARN).strip())
    if row.error:
        look = FAILED if row.failed else WARN
        strips += [Line(width).put(text, look).strip() for text in list(wrapped(f"✗ {row.error}", width))[:4]]
    return [*strips, Line(width).strip()]


def _mailbox(width: int, row: ServiceRow) -> Strip:
    most = f" of {row.capacity:,}" if row.capacity else ""
    line = Line(width).put("mailbox ", SOFT).put(f"{row.depth:,}", WARN if row.full else TEXT).put(most, SOFT)
    if any(row.depths):
        line.put("  ").put(sparkline(row.depths), TEXT).put(f"  at most {max(row.depths):,}", SOFT)
    return line.strip()


# ---- threads


class _Doing(Struct, frozen=True):
    """What a thread does: what it said when it was asked, so that call and stack belong together; else what is known.

    `took`: ns, until now where it still does that.
    """

    name: str
    call: int = 0
    call_name: str = ""
    since: int = 0
    took: int = 0
    stack: Stack | None = None

    @property
    def place(self) -> object:
        return (self.stack.frames, self.stack.more, self.stack.waiting) if self.stack is not None else None

    @property
    def idle(self) -> bool:
        return not self.call and not (self.stack is not None and self.stack.frames)


def _doing(thread: ThreadRow, stack: Stack | None, now: int) -> _Doing:
    if stack is None:
        return _Doing(thread.name, thread.call, thread.call_name, thread.since, now - thread.since)
    end = now if stack.call == thread.call else stack.at
    return _Doing(thread.name, stack.call, stack.call_name, stack.since, end - stack.since, stack)


def thread_lines(width: int, row: ServiceRow, stacks: Sequence[Stack], now: int) -> Iterator[Shown]:
    """Each thread with what it runs and where it stands, the longest running call first; idle ones last."""
    by_lane = {stack.lane: stack for stack in stacks if stack.service == row.name}
    threads = row.threads
    if not row.name and by_lane:  # those that can be asked are those that there are, the main thread without a lane too
        threads = tuple(ThreadRow(stack.lane, stack.name) for stack in by_lane.values())
    every = [_doing(thread, by_lane.get(thread.lane), now) for thread in threads]
    alike: dict[object, list[_Doing]] = {}  # threads that stand at the same place stand together, above one stack
    for doing in sorted(every, key=lambda one: (not one.call, one.since)):
        if not doing.idle:
            alike.setdefault(doing.place, []).append(doing)
    for group in alike.values():
        yield from (Shown(_thread(width, doing), doing.call) for doing in group)
        yield from map(Shown, stack_lines(width, group[0].stack) if group[0].stack is not None else ())
    idle = [doing.name for doing in every if doing.idle]
    if idle:
        names = ", ".join(idle) if len(idle) <= 3 else f"{idle[0]} … {idle[-1]}"  # noqa: PLR2004  as many as fit
        yield Shown(Line(width).put(f"{len(idle):,} idle: ", SOFT).put(names, HIDDEN).strip())


def _thread(width: int, doing: _Doing) -> Strip:
    line = Line(width).put(doing.name, STRONG).gap(2)
    if not doing.call:
        return line.put("runs no call of the bus", SOFT).strip()
    line.put(f"{fmt.duration(max(0, doing.took))} ", _NEWS if doing.took >= LONG else TEXT)
    return line.put(doing.call_name, TEXT).put(f" #{doing.call}", KEY).strip()


def stack_lines(width: int, stack: Stack) -> Iterator[Strip]:
    """What it waits for on the bus, then its frames, the innermost first; those of the bus itself as one line."""
    if stack.waiting is not None:
        what = {"room": "room in ", "end": "the end of "}.get(stack.waiting.what, "")
        name = f"{stack.waiting.name} #{stack.waiting.call}" if not what else stack.waiting.service
        yield Line(width).gap(2).put(f"waits for {what}", SOFT).put(name, WARN).strip()
    if inside := waits_in(stack):
        yield Line(width).gap(2).put("waits in ", SOFT).put(inside, TEXT).strip()
    own = own_frame(stack)
    shown = [frame for frame in stack.frames if not frame.bus]
    if stack.frames and stack.frames[0].bus and stack.waiting is None:
        yield Line(width).gap(2).put(f"in the bus: {stack.frames[0].function}", HIDDEN).strip()
    for frame in shown[:_FRAMES]:
        yield from frame_lines(width, frame, marked=frame is own)
    more = max(0, len(shown) - _FRAMES) + stack.more
    if more:
        yield Line(width).gap(2).put(f"… {fmt.plural(more, 'frame')} more", HIDDEN).strip()


def frame_lines(width: int, frame: Frame, *, marked: bool) -> Iterator[Strip]:
    """`function  file:line`, and its source below; of a library the line says little. MARKED: where to look first."""
    library = is_library(frame)
    line = Line(width).put("▸ " if marked else "  ", KEY)
    line.put(frame.function.rpartition("<locals>.")[2], STRONG if marked else HIDDEN if library else TEXT)
    place = f"{short_place(frame.file)}:{frame.line}"
    yield line.gap(2).put(clip_left(place, line.left), TEXT if marked else HIDDEN).strip()
    if frame.source and not library:
        yield Line(width).gap(4).put(frame.source, TEXT if marked else SOFT).strip()


# ---- who waits for whom


def wait_lines(width: int, lines: Sequence[WaitLine], colors: ServiceColors, now: int) -> Iterator[Shown]:
    """The tree; a cycle is said in words, not by colour alone."""
    for line in lines:
        if line.level == 0 and line.cycle:
            yield Shown(Line(width).put("⚠ these wait for each other", _NEWS).strip())
        indent = 2 * min(line.level, _DEEP)
        yield Shown(_waiter(Line(width).gap(indent), line, colors, now), line.call if line.lane else 0)
        if line.text and not line.again:
            made = Line(width).gap(indent).put("└ waits for ", SOFT).put(line.text, WARN if line.cycle else TEXT)
            yield Shown(made.put(", for a time" if line.timed else "", SOFT).strip())


def _waiter(made: Line, line: WaitLine, colors: ServiceColors, now: int) -> Strip:
    if not line.lane:
        made.put(line.name or line.service, TEXT).put(f" #{line.call}" if line.call else "", KEY)
        return made.put(" is with nobody yet", SOFT).strip()
    made.put(line.thread, colors.style(line.service)).gap(2)
    if line.again:
        return made.put("again", WARN).strip()
    if line.call:
        made.put(line.name, TEXT).put(f" #{line.call}", KEY)
    return made.put(f"  {fmt.duration(max(0, now - line.since))}" if line.since else "", SOFT).strip()
