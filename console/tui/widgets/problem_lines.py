"""A problem in lines: its row in the list, and beside it the proof, what to do, and the calls that prove it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Final

from rich.style import Style
from textual.strip import Strip

from bus.trace.records import Session as SessionRecord
from bus.trace.records import Stack, Step
from bus.trace.redact import escape
from console import format as fmt
from console.clock import time_of_day
from console.model.problems import HealthyRule, ProblemReport, ProblemView
from console.model.views import CallDetail
from console.tui.lines import Line, flowing, width_of, wrapped
from console.tui.look import AMBER, GOOD, HIDDEN, KEY, LINK, RED, SOFT, STRONG, TEXT, WARN, ServiceColors, style
from console.tui.widgets.call_lines import outcome
from console.tui.widgets.command_lines import short_place
from console.tui.widgets.details import Shown
from console.tui.widgets.rows import Column
from console.tui.widgets.service_lines import stack_lines

_LOUD: Final = {"error": style(RED, bold=True), "warning": style(AMBER, bold=True), "note": style(bold=True)}
_GLYPHS: Final = {"error": "⚠", "warning": "⚠", "note": "·"}
_FAILED: Final = ("failing", "swallowed")
_STACK_LINES: Final = 12
_CALLS: Final = 12
_SECONDS: Final = len("12:04:31")
_NOWHERE: Final = "in the queue"
_HARD: Final = "_"
"""Stands for the blank in a name that is not to be broken."""
_DEEPER: Final = 4
"""Cells by which what goes on below is indented."""


def columns(record: SessionRecord) -> list[Column[ProblemView]]:
    """Rule, subject, since when, how often."""
    return [
        Column("", 1, 99, _glyph),
        Column("problem", 21, 90, lambda row: (row.rule, HIDDEN if row.over else STRONG)),
        Column("", 0, 100, _subject, least=12),
        Column("since", _SECONDS, 60, lambda row: (since(row.since, record), HIDDEN if row.over else SOFT)),
        Column("times", 7, 70, lambda row: (f"{fmt.count(row.count)}×", HIDDEN if row.over else TEXT), right=True),
    ]


def since(at: int, record: SessionRecord) -> str:
    """A moment, to the second."""
    return time_of_day(at, record, 1_000_000_000) if at else fmt.ABSENT


def _look(row: ProblemView) -> Style:
    return HIDDEN if row.over else _LOUD[row.severity]


def _glyph(row: ProblemView) -> tuple[str, Style]:
    return "✗" if row.rule in _FAILED else _GLYPHS[row.severity], _look(row)


def _subject(row: ProblemView) -> tuple[str, Style]:
    said = f"{row.subject}{'  uncertain' if row.uncertain else ''}{'  over' if row.over else ''}"
    return said, HIDDEN if row.over else TEXT


def summary(width: int, report: ProblemReport, record: SessionRecord, hidden: int) -> Strip:
    """`4 problems, worst first · watched since 12:04:02 · 0 dropped`; or that nothing is wrong, since when."""
    line = Line(width).gap(1)
    lost = f" ({report.dropped:,} dropped)"
    if not report.current:
        line.put(f"Nothing wrong since {since(report.since, record)}", style(bold=True)).put(lost, SOFT)
    else:
        line.put(fmt.plural(report.current, "problem"), STRONG)
        line.put(", worst first" if report.current > 1 else "", SOFT).put(lost if report.dropped else "", WARN)
    line.put(f" · {len(report.allowed):,} allowed" if report.allowed else "", SOFT)
    return line.put(f" · {hidden:,} filtered out" if hidden else "", SOFT).strip()


# ---- beside the list


def about_problem(width: int, row: ProblemView, record: SessionRecord) -> list[Strip]:
    """Rule and what is wrong; since when, how often, how sure."""
    title = row.rule.upper()
    first = Line(width).put(title, _look(row)).gap(2)
    rows = list(wrapped(row.text, max(20, width - width_of(title) - 2)))
    strips = [first.put(rows[0], TEXT).strip()]
    strips += [Line(width).to(width_of(title) + 2).put(text, TEXT).strip() for text in rows[1:6]]
    times = f"since {since(row.since, record)} · last {since(row.last, record)} · {row.count:,}×"
    line = Line(width).put(times, SOFT)
    line.put("  over: it is not so any more" if row.over else "", SOFT)
    line.put("  uncertain: records were lost" if row.uncertain else "", WARN)
    return [*strips, line.strip(), Line(width).strip()]


def proof_lines(
    width: int, row: ProblemView, calls: Iterable[CallDetail], now: Stack | Sequence[Shown], colors: ServiceColors
) -> Iterator[Shown]:
    """The cycle, the figures, the live stack or the one that was recorded; what to do; the calls.

    NOW: the stack of the call, or what the threads of the service do.
    """
    proof = row.proof
    if proof.cycle:
        yield from cycle_lines(width, proof.cycle, colors)
        yield _blank(width)
    for text in proof.lines:
        yield from _text(width, text, TEXT)
    if proof.entry is not None:
        yield from _text(width, f"{proof.entry.callback} of {proof.entry.service or 'main'}", STRONG)
    if isinstance(now, Stack):
        yield Shown(Line(width).put("its stack now", SOFT).strip())
        yield from map(Shown, stack_lines(width, now))
    elif now:
        yield Shown(Line(width).put(f"threads of {proof.service} now", SOFT).strip())
        yield from now
    elif proof.stack:
        yield _blank(width)
        yield from _stack(width, proof.stack)
    if proof.lines or proof.entry or proof.stack or now:
        yield _blank(width)
    yield Shown(Line(width).put("what to do", STRONG).strip())
    yield from _text(width - 2, row.advice, TEXT, indent=2)
    yield from _calls(width, list(calls), colors)


def _calls(width: int, calls: list[CallDetail], colors: ServiceColors) -> Iterator[Shown]:
    if not calls:
        return
    yield _blank(width)
    yield Shown(Line(width).put("calls", STRONG).put("  Enter", KEY).put(" opens one", SOFT).strip())
    shown = calls[:_CALLS]
    number = max(len(f"#{detail.call.id} ") for detail in shown)
    name = max(width_of(escape(detail.call.name)) for detail in shown)
    lane = max(width_of(escape(detail.lane or _NOWHERE)) for detail in shown)
    for detail in shown:
        call = detail.call
        line = Line(width).gap(2).cell(f"#{call.id}", number, KEY).cell(call.name, name, TEXT).gap(2)
        line.cell(detail.lane or _NOWHERE, lane, colors.style(call.service)).gap(2)
        if call.kind == "event":
            line.put("fired", SOFT)
        else:
            outcome(line, call).put(f"  {fmt.duration(fmt.total(detail.parts))}", TEXT)
            line.put(f"  {fmt.main_parts(detail.parts)}", SOFT)
        yield Shown(line.strip(), call.id)
    if len(calls) > _CALLS:
        yield Shown(Line(width).gap(2).put(f"and {len(calls) - _CALLS:,} more", SOFT).strip())


def cycle_lines(width: int, cycle: tuple[Step, ...], colors: ServiceColors) -> Iterator[Shown]:
    """Each call with its thread, the line where it waits, and for what; the last one waits for the first's thread."""
    for number, step in enumerate(cycle):
        last = number == len(cycle) - 1
        runs = (
            (step.thread, colors.style(step.service, bold=True)), ("  runs ", SOFT), (step.name, STRONG),
            (f" #{step.call}", KEY),
        )  # fmt: skip
        place = (("waits at ", SOFT), (short_place(step.where), LINK))
        target = ((f" #{step.target}", KEY), *([(f", which {_who(cycle[0])} would have to run", SOFT)] if last else []))
        waits = (("for ", SOFT), (step.waits_for, WARN), *(target if step.target else ()))
        yield from _railed(width, "┌▶ " if number == 0 else "│  ", "│  ", runs, step.call)
        yield from _railed(width, "│    ", "│    ", place)
        yield from _railed(width, "└─   " if last else "│    ", "     " if last else "│    ", waits)


def _railed(
    width: int, first: str, others: str, pieces: Iterable[tuple[str, Style]], call: int = 0
) -> Iterator[Shown]:  # fmt: skip
    """A part of the cycle in as many lines as its names need; CALL stands at the first one."""
    rails = chain([first], repeat(others))
    for number, strip in enumerate(flowing(width, ((rail, style(RED)) for rail in rails), _DEEPER, pieces)):
        yield Shown(strip, 0 if number else call)


def _who(step: Step) -> str:
    return step.thread or step.service


def _stack(width: int, text: str) -> Iterator[Shown]:
    """Of a traceback the end, which says most; of what the bus says of a thread, a frame a line."""
    rows = text.rstrip().split("\n") if "\n" in text else text.split(" ← ")
    if len(rows) > _STACK_LINES:
        yield Shown(Line(width).put(f"… {len(rows) - _STACK_LINES:,} lines more", HIDDEN).strip())
    for row in rows[-_STACK_LINES:]:
        yield from _text(width, row, TEXT if row.startswith("    ") else SOFT)


def _text(width: int, text: str, look: Style, indent: int = 0) -> Iterator[Shown]:
    for row in wrapped(text, width):
        yield Shown(Line(width + indent).gap(indent).put(row, look).strip())


def _blank(width: int) -> Shown:
    return Shown(Line(width).strip())


def healthy_lines(width: int, report: ProblemReport, most: int) -> list[Strip]:
    """`healthy: stuck · starved …`, below a blank line, in MOST lines; where that is not enough, how many there are."""
    listed = {view.rule for view in report.problems}  # what is over is in the list still
    names = [rule.rule for rule in report.healthy if rule.rule not in listed]
    if not names:
        return []
    title = "healthy: "
    text = " · ".join(name.replace(" ", _HARD) for name in names)
    rows = [row.replace(_HARD, " ") for row in wrapped(text, width - len(title) - 2)]
    if len(rows) + 1 > most:
        rows = [fmt.plural(len(names), "other rule") if report.current else fmt.plural(len(names), "rule")]
    blank = [Line(width).strip()] if len(rows) < most and report.problems else []
    lines = (
        Line(width).gap().cell("" if at else title, len(title), GOOD).put(row, SOFT) for at, row in enumerate(rows)
    )
    return [*blank, *(line.strip() for line in lines)]


def watched_lines(
    width: int, healthy: Sequence[HealthyRule], record: SessionRecord, about: Mapping[str, str]
) -> Iterator[Shown]:
    """What each rule looks for; and since when it has found nothing, where that is not the same for all."""
    if not healthy:
        return
    yield Shown(Line(width).put("what is watched", STRONG).strip())
    yield _blank(width)
    first = min(rule.since for rule in healthy)
    for rule in healthy:
        line = Line(width).put(rule.rule, TEXT)
        yield Shown(line.put(f"  not since {since(rule.since, record)}" if rule.since > first else "", SOFT).strip())
        yield from _text(width - 2, about[rule.rule], SOFT, indent=2)


def as_text(row: ProblemView) -> str:
    """A problem for the clipboard."""
    cycle = [
        f"{step.thread} runs {step.name} #{step.call}, waits at {step.where} for {step.waits_for}"
        for step in row.proof.cycle
    ]
    calls = " ".join(f"#{call}" for call in row.proof.calls)
    proof = [*cycle, *row.proof.lines, *([f"calls {calls}"] if calls else [])]
    return "\n".join([f"{row.rule}: {row.subject}", row.text, *proof, row.advice])
