"""All that is known of one call, beside the list of calls."""

from collections.abc import Iterator, Sequence

from textual.strip import Strip

from bus.trace.records import AnyRecord, Call
from bus.trace.records import Session as SessionRecord
from console import format as fmt
from console.clock import clock
from console.export import sequence
from console.model.lineage import Lineage
from console.model.split import parts
from console.model.views import CallDetail
from console.session import Session
from console.tui.lines import Line, brief, width_of, wrapped
from console.tui.look import AMBER, HIDDEN, KEY, LINK, SOFT, STRONG, TEXT, WARN, ServiceColors, style
from console.tui.widgets.call_lines import error_lines, outcome, parts_bar
from console.tui.widgets.details import Shown

_TEXT_LINES = 8
_EFFECTS = 12
_PRINTED = 12
_INDENT = 2


def about_call(width: int, detail: CallDetail, record: SessionRecord, colors: ServiceColors) -> list[Strip]:
    """What it is, where it ran, how it ended, and where its time went."""
    call = detail.call
    title = Line(width).put(f"#{call.id} ", KEY)
    title.put({"event": "event ", "delivery": "delivery of "}.get(call.kind, ""), SOFT).put(call.name, STRONG)
    place = Line(width)
    if call.kind != "event":
        place.put("on ", SOFT).put(detail.lane or f"the queue of {call.service or 'main'}", colors.style(call.service))
        place.put(" · ", SOFT)
    place.put(clock(call.queued, record), SOFT)
    if call.by != "code":
        place.put(" · by ", SOFT).put(f"{call.by} {call.client}", TEXT)
    return [outcome(title.gap(2), call).strip(), place.strip(), *_time(width, detail, colors), Line(width).strip()]


def _time(width: int, detail: CallDetail, colors: ServiceColors) -> list[Strip]:
    call = detail.call
    if call.kind == "event":
        return []
    total = Line(width).put(fmt.duration(fmt.total(detail.parts)), STRONG).gap(2)
    bar = Line(width)
    for segment in parts_bar(detail.parts, width, colors.color(call.service)):
        bar.raw(segment.text, segment.style or TEXT)
    said = fmt.parts(detail.parts)
    return [total.put(said if len(said) <= total.left else fmt.main_parts(detail.parts), SOFT).strip(), bar.strip()]


def below_call(width: int, detail: CallDetail, place: Lineage, session: Session) -> list[Shown]:
    """Error, arguments, result; what decided when it ended; attempts, causes, effects; output; a sequence diagram."""
    now, call = session.now(), detail.call
    return [
        *_error(width, detail, place, session),
        *_unrecorded(width, call, session),
        *_said(width, "arguments", call.args),
        *_said(width, "result", call.result),
        *_path(width, place),
        *_attempts(width, call, place, now),
        *_causes(width, detail, place, now),
        *_effects(width, detail, place, now),
        *_output(width, detail),
        *_diagram(width, detail, session),
    ]


def _error(width: int, detail: CallDetail, place: Lineage, session: Session) -> Iterator[Shown]:
    """The traceback, and then who called it, up to the thread that began."""
    if detail.call.error is None:
        return
    yield from map(Shown, error_lines(width, detail.call.error))
    for cause in reversed(place.causes):
        lane = session.lane_name(cause.lane or cause.caller)
        line = Line(width).put("called by ", SOFT).put(f"#{cause.id} ", KEY).put(cause.name, TEXT)
        yield Shown(line.put(f" on {lane}" if lane else "", SOFT).strip(), cause.id)
    outermost = place.causes[0] if place.causes else detail.call
    lane = session.lane_name(outermost.caller)
    if lane and not place.more_causes:
        yield Shown(Line(width).put("called by ", SOFT).put(lane, TEXT).strip())
    yield _blank(width)


def _said(width: int, title: str, text: str) -> Iterator[Shown]:
    """Text of the program: on the title's line if it is short, else below it, some lines at most."""
    if not text:
        return
    yield _title(width, title)
    rows = list(wrapped(text, width - _INDENT))
    for row in rows[:_TEXT_LINES]:
        yield Shown(Line(width).gap(_INDENT).put(row, TEXT).strip())
    if len(rows) > _TEXT_LINES:
        yield Shown(Line(width).gap(_INDENT).put(f"… {len(rows) - _TEXT_LINES} more lines", SOFT).strip())
    yield _blank(width)


def _unrecorded(width: int, call: Call, session: Session) -> Iterator[Shown]:
    """Why there are no arguments, and how to have them the next time."""
    if call.args or call.result or session.level == "full":
        return
    line = Line(width).put("no arguments recorded", SOFT)
    if session.info.can_act:
        line.put(": ", SOFT).put(":set level full", KEY).put(" records them", SOFT)
    yield Shown(line.strip())
    yield _blank(width)


def _path(width: int, place: Lineage) -> Iterator[Shown]:
    """Only where others had a part in it: a path that is the call itself says nothing."""
    if len(place.path) < 2:  # noqa: PLR2004  as above
        return
    whole = sum(part.own for part in place.path)
    yield _title(width, "critical path: what decided when it ended")
    for part in place.path:
        line = Line(width).gap(_INDENT).cell(f"{part.own * 100 / whole:.0f} %", 5, style(AMBER), right=True).gap()
        line.cell(fmt.duration(part.own), 8, TEXT, right=True).gap(2).put(part.name or "others", STRONG)
        yield Shown(line.put(f" × {part.calls:,}" if part.calls > 1 else "", SOFT).strip(), part.call)
    yield _blank(width)


def _attempts(width: int, call: Call, place: Lineage, now: int) -> Iterator[Shown]:
    if not place.attempts:
        return
    number = next(at for at, one in enumerate(place.attempts, 1) if one.id == call.id)
    line = Line(width).put("attempt ", SOFT).put(f"{number} of {len(place.attempts)}", WARN)
    yield Shown(line.put(": the same call, made again after a failure", SOFT).strip())
    for one in place.attempts:
        yield _call(width, one, now, here=one.id == call.id)
    yield _blank(width)


def _causes(width: int, detail: CallDetail, place: Lineage, now: int) -> Iterator[Shown]:
    if not place.causes:
        known = detail.caller_lane or "a thread that was not recorded"
        lost = f"call #{detail.call.parent}, which is not kept any more" if detail.call.parent else known
        yield Shown(Line(width).put("caused by ", SOFT).put(lost, TEXT).strip())
        yield _blank(width)
        return
    yield _title(width, "caused by")
    if place.more_causes:
        yield Shown(Line(width).gap(_INDENT).put(f"… {place.more_causes:,} more above", SOFT).strip())
    for depth, cause in enumerate(place.causes):
        yield _call(width, cause, now, indent=depth)
    if place.siblings > 1:
        yield from _siblings(width, place, now)
    yield _blank(width)


def _siblings(width: int, place: Lineage, now: int) -> Iterator[Shown]:
    yield Shown(Line(width).put(f"call {place.number:,} of {place.siblings:,} there", SOFT).strip())
    for word, sibling in (("before ", place.before), ("after ", place.after)):
        if sibling is not None:
            yield _call(width, sibling, now, word=word)


def _effects(width: int, detail: CallDetail, place: Lineage, now: int) -> Iterator[Shown]:
    if not detail.effects:
        return
    line = Line(width).put("caused", SOFT)
    yield Shown(
        line.put(f" {fmt.plural(place.effects, 'call')} in all · ", SOFT).put("t", KEY).put(" tree", SOFT).strip()
    )
    for effect in detail.effects[:_EFFECTS]:
        yield _call(width, effect, now)
    more = len(detail.effects) - _EFFECTS + detail.more_effects
    if more > 0:
        yield Shown(Line(width).gap(_INDENT).put(f"… {more:,} more", SOFT).strip())
    yield _blank(width)


def _output(width: int, detail: CallDetail) -> Iterator[Shown]:
    if not detail.output:
        return
    yield _title(width, "printed and logged")
    for said in detail.output[-_PRINTED:]:
        line = Line(width).gap(_INDENT).put(f"{said.level or said.stream} ", SOFT)
        yield Shown(line.put(said.text, TEXT).strip())
    yield _blank(width)


def _diagram(width: int, detail: CallDetail, session: Session) -> Iterator[Shown]:
    if not detail.effects:
        return
    records: list[AnyRecord] = [*session.threads(), *session.below(detail.call.id)]
    lines = sequence.lines(session.info.session, records, detail.call.id, width)
    yield _title(width, "sequence" if lines else "sequence: no room here; e exports it")
    yield from (Shown(Line(width).put(text, TEXT).strip()) for text in lines)


def _call(
    width: int, call: Call, now: int, *, indent: int = 0, word: str = "", here: bool = False
) -> Shown:  # fmt: skip
    """One other call in a line: how it hangs together, what it is, how long it took, how it ended."""
    line = Line(width).gap(min(_INDENT + indent, width // 3)).put("▸ " if here else "", LINK).put(word, SOFT)
    line.put(f"#{call.id} ", SOFT).put(call.name, STRONG if here else TEXT).gap(2)
    if call.kind != "event":
        line.put(fmt.duration(fmt.total(parts(call, now))), TEXT).gap(2)
        outcome(line, call, long=False).gap(2)
    return Shown(line.put(brief(call.args, line.left), HIDDEN).strip(), 0 if here else call.id)


def _title(width: int, text: str) -> Shown:
    return Shown(Line(width).put(text, SOFT).strip())


def _blank(width: int) -> Shown:
    return Shown(Line(width).strip())


def hint_lines(width: int, texts: Sequence[tuple[str, str]]) -> list[Shown]:
    """What to press, where nothing is selected: (key, word)."""
    shown = []
    for key, word in texts:
        line = Line(width).put(key, KEY)
        shown.append(Shown(line.gap(max(1, 10 - width_of(key))).put(word, SOFT).strip()))
    return shown
