"""The line at the bottom: the program, how it is doing, and what goes on here."""

from typing import Final

from prompt_toolkit.formatted_text import StyleAndTextTuples

from bus.trace.redact import escape
from console import format as fmt
from console.model.views import Header
from console.session import Session

_RED: Final = "fg:ansired bold"
_AMBER: Final = "fg:ansiyellow bold"
Part = tuple[int, str, str]
"""How soon it is left out where there is no room (0: never), style, text."""


def toolbar(session: Session, width: int) -> StyleAndTextTuples:
    """In WIDTH cells; what matters least is left out first."""
    parts = _parts(session, session.header())
    while sum(len(text) + 2 for _, _, text in parts) > width and any(rank for rank, _, _ in parts):
        parts.remove(max(parts, key=lambda part: part[0]))
    said: StyleAndTextTuples = [("", " ")]
    for _, style, text in parts:
        said += [(style, text), ("", "  ")]
    return said


def _parts(session: Session, header: Header) -> list[Part]:
    live = header.state == "LIVE"
    parts: list[Part] = [(0, "bold", escape(header.program))]
    if header.pid:
        parts.append((6, "", f"pid {header.pid}"))
    parts.append((0, _RED if header.state == "ENDED" else "bold", header.state))
    if live:
        parts.append((4, "", f"{fmt.rate(header.calls_per_second)} calls/s"))
        parts.append((3, "", f"{fmt.count(header.in_flight)} in flight"))
    parts.append((2, _RED if header.failed else "", f"{fmt.count(header.failed)} failed"))
    parts.append((1, _AMBER if header.problems else "", fmt.plural(header.problems, "problem")))
    if header.dropped:
        parts.append((5, _AMBER, f"{fmt.count(header.dropped)} lost"))
    if session.watch is not None:
        parts.append((7, "", f"watching {fmt.count(session.watch.total)}"))
    if session.recording is not None:
        wrong = bool(session.recording.problem)
        parts.append((0, _RED if wrong else "", "✗ recording" if wrong else "● recording"))
    return parts
