"""Sequence diagrams of one call and all that it caused: Mermaid, for documentation, and text, for anywhere.

Who takes part are the services, and the threads outside of them. A message is drawn when its call was queued, the
answer when that ended.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from bus.trace.records import AnyRecord, Call, Session
from bus.trace.redact import bounded, escape
from console import format as fmt
from console.export.source import ExportError, Selection, Source, of_records
from console.model.codes import FAILED

_MOST_CALLS: Final = 200
"""More than that nobody reads in a diagram; the rest is counted."""
_MESSAGE: Final = 80
_PLAIN: Final = frozenset(" ._-,=()[]/'…×")
_GAP: Final = 4
_LEAST_PITCH: Final = 7
"""Cells from one lifeline to the next."""
_LEAST_TEXT: Final = 24
_SPANS: Final = {"start": "activate", "stop": "deactivate"}


class _Step(Struct, frozen=True):
    """A line of the diagram. `kind`: "call", "fire" (from one to itself), "deliver", "start", "answer" or "stop"."""

    at: int
    kind: str
    source: str
    target: str
    text: str = ""
    failed: bool = False


def write_mermaid(sources: Sequence[Source], path: Path) -> int:
    """Write a call tree as a Mermaid sequence diagram and return the number of its calls."""
    tree = _Tree(sources[0])
    path.write_text("\n".join([*_mermaid(tree), ""]), encoding="utf-8")
    return len(tree.calls)


def write_text(sources: Sequence[Source], path: Path) -> int:
    """Write a call tree as a sequence diagram in plain text and return the number of its calls."""
    tree = _Tree(sources[0])
    path.write_text("\n".join([*_text(tree), ""]), encoding="utf-8")
    return len(tree.calls)


def lines(session: Session, records: Sequence[AnyRecord], call: int, room: int) -> list[str]:
    """A call among RECORDS and what it caused as a sequence diagram in plain text, for a place of ROOM cells.

    Where there is little room, who takes part stands closer and is cut; the messages still go on to the right. Without
    room for that, or anything to show, there are no lines. The text is escaped.
    """
    tree = _Tree(of_records(session, lambda: [records], Selection(call=call)))
    if not tree.steps or len(tree.participants) * _LEAST_PITCH + _LEAST_TEXT > room:
        return []
    return list(_text(tree, room))[2:]


class _Tree:
    """The call that was asked for, or the selected one that took longest, and its descendants."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.top = _top(source)
        self.calls, self.left_out = _descendants(source, self.top)
        self.steps = sorted(self._steps(), key=lambda step: step.at)
        self.participants = list(dict.fromkeys(who for step in self.steps for who in (step.source, step.target)))

    def title(self) -> str:
        """One line about the whole."""
        length = fmt.duration(self._source.end_of(self.top) - self.top.queued)
        more = f", {fmt.plural(self.left_out, 'more call')} left out" if self.left_out else ""
        return f"#{self.top.id} {escape(self.top.name)}, {length}, {fmt.plural(len(self.calls), 'call')}{more}"

    def _steps(self) -> Iterator[_Step]:
        for call in self.calls:
            caller = self._who(call.caller)
            if call.kind == "event":
                yield _Step(call.queued, "fire", caller, caller, f"fires {_said(call)}")
                continue
            yield from self._exchange(call, caller, self._who(call.lane) if call.lane else call.service)

    def _exchange(self, call: Call, caller: str, service: str) -> Iterator[_Step]:
        """A message, the time in which it is worked on, and the answer; a listener's only if it failed."""
        end = self._source.end_of(call)
        is_command = call.kind == "command"
        yield _Step(call.queued, "call" if is_command else "deliver", caller, service, _said(call))
        if call.started:
            yield _Step(call.started, "start", service, service)
        if call.outcome and (is_command or call.outcome != "ok"):
            yield _Step(end, "answer", service, caller, _outcome(call), call.outcome in FAILED)
        if call.outcome and call.started:
            yield _Step(end, "stop", service, service)

    def _who(self, lane: int) -> str:
        known = self._source.survey.lanes.get(lane)
        return escape(known.service if known and known.service else self._source.lane_name(lane))


def _top(source: Source) -> Call:
    wanted = source.selection.call
    if wanted:
        found = next((each for each in source.every() if isinstance(each, Call) and each.id == wanted), None)
        if found is None:
            raise ExportError(f"there is no call #{wanted} in {source.name}")
        return found
    longest = max(source.calls(), key=lambda call: source.end_of(call) - call.queued, default=None)
    if longest is None:
        raise ExportError("no call was selected that a sequence diagram could show")
    return longest


def _descendants(source: Source, top: Call) -> tuple[list[Call], int]:
    """TOP and what it caused, the first to be queued first; and how many more there are."""
    family = [each for each in source.every() if isinstance(each, Call) and each.root == top.root]
    family.sort(key=lambda call: (call.queued, call.id))
    known, found = {top.id}, []
    for call in family:
        if call.id in known or call.parent in known:
            known.add(call.id)
            found.append(call)
    return found[:_MOST_CALLS], max(0, len(found) - _MOST_CALLS)


def _said(call: Call) -> str:
    return bounded(f"{call.name}({call.args})", _MESSAGE)


def _outcome(call: Call) -> str:
    took = fmt.duration(max(0, call.ended - (call.started or call.queued)))
    if call.error:
        message = f": {call.error.message}" if call.error.message else ""
        return bounded(f"{call.error.type} after {took}{message}", _MESSAGE)
    return f"{call.outcome}, {took}"


# ---- Mermaid

_ARROWS: Final = {"call": "->>", "fire": "->>", "deliver": "-)", "answer": "-->>"}


def _mermaid(tree: _Tree) -> Iterator[str]:
    names = {who: f"p{number}" for number, who in enumerate(tree.participants)}
    yield "sequenceDiagram"
    yield f"    %% {_entities(tree.title())}"
    yield from (f"    participant {name} as {_entities(who)}" for who, name in names.items())
    for step in tree.steps:
        if step.kind in _SPANS:
            yield f"    {_SPANS[step.kind]} {names[step.source]}"
        else:
            arrow = "--x" if step.failed else _ARROWS[step.kind]
            yield f"    {names[step.source]}{arrow}{names[step.target]}: {_entities(step.text)}"


def _entities(text: str) -> str:
    """TEXT with everything that could mean something to Mermaid, or to HTML, as an entity."""
    return "".join(char if char.isalnum() or char in _PLAIN else f"#{ord(char)};" for char in text)


# ---- text


def _text(tree: _Tree, room: int = 1 << 16) -> Iterator[str]:
    shown = [step for step in tree.steps if step.kind not in _SPANS]
    times = [fmt.duration(step.at - tree.top.queued) for step in shown]
    margin = max(map(len, times)) + 2
    widest = max(len(who) for who in tree.participants) + _GAP
    pitch = min(widest, max(_LEAST_PITCH, (room - margin - _LEAST_TEXT) // len(tree.participants)))
    yield tree.title()
    yield ""
    yield " " * margin + "".join(_clipped(who, pitch - 1).ljust(pitch) for who in tree.participants).rstrip()
    for time, step in zip(times, shown, strict=True):
        places = [tree.participants.index(who) * pitch for who in (step.source, step.target)]
        line = _lifelines(len(tree.participants), pitch)
        _draw(line, *places, answer=step.kind == "answer")
        mark = "✗ " if step.failed else ""
        yield f"{time.rjust(margin - 2)}  {''.join(line)}{mark}{step.text}"


def _clipped(who: str, width: int) -> str:
    return who if len(who) <= width else who[: width - 1] + "…"


def _lifelines(count: int, pitch: int) -> list[str]:
    return list(("│" + " " * (pitch - 1)) * count)


def _draw(line: list[str], begin: int, end: int, *, answer: bool) -> None:
    """An arrow from one lifeline to another, dotted for an answer; a mark where both are one."""
    if begin == end:
        line[begin] = "◆"
        return
    left, right = sorted((begin, end))
    line[left + 1 : right] = ("┄" if answer else "─") * (right - left - 1)
    head = right - 1 if end > begin else left + 1
    line[head] = "▶" if end > begin else "◀"
