"""A report in one HTML file that needs no network: summary, problems, failures, slowest calls, timeline picture."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata, resources
from itertools import islice
from pathlib import Path
from typing import Any, Final

import jinja2
import numpy as np
from markupsafe import Markup
from msgspec import Struct, field

from bus.attach.protocol import Batch
from bus.trace.records import AnyRecord, Call, Problem
from bus.trace.redact import escape
from console import format as fmt
from console.export import picture
from console.export.source import Source
from console.language.filters import ALL, format_filter
from console.model import calls, timeline
from console.model.catalog import Catalog
from console.model.codes import FAILED
from console.model.stats import Stats
from console.model.store import Store
from console.model.views import CallDetail

_BATCH: Final = 4_000
_KEPT: Final = 1_000_000
"""Calls that picture and trees are made from, as in the console; all are counted."""
_SLOWEST: Final = 10
_CANDIDATES: Final = 500
_TREE_CALLS: Final = 40
_TREE_DEPTH: Final = 12
_MOST_ROWS: Final = 200
_TEXT: Final = 300


class _Failure(Struct):
    """Failed calls of one name with one kind of error; `call` is the first of them."""

    call: Call
    count: int = 0


class _Node(Struct, frozen=True):
    """A call in a causal tree. Places are percent of the time of the call at the top."""

    detail: CallDetail
    depth: int
    queued_at: float
    started_at: float
    ended_at: float


class _Model(Struct):
    """All that the report is made from."""

    source: Source
    store: Store = field(default_factory=lambda: Store(retain=_KEPT))
    stats: Stats = field(default_factory=Stats)
    failures: dict[tuple[str, str], _Failure] = field(default_factory=dict)
    calls: int = 0
    live: list[Call] = field(default_factory=list)

    def fill(self) -> None:
        """Take in the session, as the console does."""
        records = iter(self.source)
        while some := list(islice(records, _BATCH)):
            self._take(tuple(self._ended(some)), ())
        self._take((), tuple(self.live))

    def _ended(self, records: Iterable[AnyRecord]) -> Iterator[AnyRecord]:
        for record in records:
            if not isinstance(record, Call):
                yield record
                continue
            self.calls += 1
            if record.outcome is None:
                self.live.append(record)
                continue
            if record.outcome in FAILED:
                key = record.name, record.error.type if record.error else record.outcome
                self.failures.setdefault(key, _Failure(record)).count += 1
            yield record

    def _take(self, records: tuple[AnyRecord, ...], live: tuple[Call, ...]) -> None:
        fresh = self.store.take(Batch(at=self.source.survey.last, records=records, live=live))
        if fresh is not None:
            self.stats.take(fresh)


def write(sources: Sequence[Source], path: Path) -> int:
    """Write a session as an HTML report and return the number of its calls."""
    model = _Model(sources[0])
    model.fill()
    environment = jinja2.Environment(
        autoescape=True, finalize=_printable, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"duration": fmt.duration, "millis": fmt.millis, "count": fmt.count, "cut": _cut}
    template = environment.from_string(resources.files(__package__).joinpath("report.html.jinja").read_text("utf-8"))
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(template.stream(_content(model)))
    return model.calls


def _printable(value: Any) -> Any:
    """What a program supplied may hold characters that change what is around them."""
    return escape(value, keep="\n") if isinstance(value, str) and not isinstance(value, Markup) else value


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT else text[:_TEXT] + "…"


def _content(model: _Model) -> dict[str, Any]:
    source, store, now = model.source, model.store, model.source.survey.last
    catalog = Catalog(store, model.stats)
    (first, last), base = _window(source), source.survey.base
    commands = sorted(catalog.commands(now), key=lambda row: (-row.errors, -row.calls, row.name))
    events = sorted(catalog.events(now), key=lambda row: (-row.failed, -row.fired, row.name))
    failures = sorted(model.failures.values(), key=lambda failure: -failure.count)
    return {
        "session": source.session, "started": _wall_clock(source.unix(first)), "length": last - first,
        "selection": _selection(source), "damaged": source.damaged, "version": _version(),
        "calls": model.calls, "failed": model.stats.failed, "dropped": store.lost.dropped,
        "running": sum(call.started > 0 for call in store.live.values()),
        "queued": sum(not call.started for call in store.live.values()),
        "per_second": fmt.rate(model.calls / max(1e-9, (last - first) / 1e9)), "kept": store.size, "base": base,
        "commands": [row for row in commands if row.calls or row.running or row.queued][:_MOST_ROWS],
        "events": [row for row in events if row.fired][:_MOST_ROWS],
        "failures": failures[:_MOST_ROWS], "problems": _problems(store.problems),
        "slowest": [_tree(model, call) for call in _slowest(model)], "parts": fmt.parts,
        "picture": picture.draw(timeline.view(store, first, last, picture.CELLS, now), base), "cells": picture.CELLS,
        "node_limit": _TREE_CALLS,
    }  # fmt: skip


def _window(source: Source) -> tuple[int, int]:
    """What the picture shows: the window that was asked for, as far as the session goes."""
    first = max(source.survey.base, source.first)
    return first, max(first + 1, min(source.survey.last, source.last))


def _problems(problems: Iterable[Problem]) -> list[tuple[Problem, int]]:
    """The problems, the last one of each rule and text, with how often it came; the newest first."""
    found: dict[tuple[str, str], tuple[Problem, int]] = {}
    for problem in problems:
        key = problem.rule, problem.text
        found[key] = problem, found.get(key, (problem, 0))[1] + 1
    return sorted(found.values(), key=lambda pair: -pair[0].at)[:_MOST_ROWS]


def _slowest(model: _Model) -> list[Call]:
    """The calls that took longest from queued to ended, or to the end of the session; one of each causal tree."""
    store, end_of = model.store, model.source.end_of
    found: list[Call] = list(store.live.values())
    for runs in store.runs.values():
        took = runs["ended"] - runs["queued"]
        most = min(_CANDIDATES, len(took))
        if most:
            found += store.codec.unpacked(runs, np.argpartition(took, -most)[-most:])
    found.sort(key=lambda call: (call.queued - end_of(call), call.id))
    by_root: dict[int, Call] = {}
    for call in found:
        by_root.setdefault(call.root, call)
    return list(by_root.values())[:_SLOWEST]


def _tree(model: _Model, top: Call) -> list[_Node]:
    end = max(model.source.end_of(top), top.queued + 1)
    nodes: list[_Node] = []

    def add(call: Call, depth: int) -> None:
        found = calls.detail(model.store, call.id, model.source.survey.last)
        if found is None or len(nodes) >= _TREE_CALLS or depth > _TREE_DEPTH:
            return
        moments = (call.queued, call.started or model.source.end_of(call), model.source.end_of(call))
        nodes.append(_Node(found, depth, *(_percent(moment - top.queued, end - top.queued) for moment in moments)))
        for effect in found.effects:
            add(effect, depth + 1)

    add(top, 0)
    return nodes


def _percent(part: int, whole: int) -> float:
    """Never more than 100: a call may outlive the one that caused it."""
    return round(min(100.0, max(0.0, 100 * part / whole)), 2)


def _wall_clock(unix: int) -> str:
    moment = dt.datetime.fromtimestamp(unix // 1_000_000_000, dt.UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _selection(source: Source) -> str:
    chosen = source.selection
    said = [f"calls with {format_filter(chosen.what)}"] if chosen.what != ALL else []
    if chosen.begin or chosen.end is not None:
        end = f" to {fmt.duration(chosen.end)}" if chosen.end is not None else " on"
        said.append(f"from {fmt.duration(chosen.begin)}{end}")
    return ", ".join(said)


def _version() -> str:
    try:
        return metadata.version("bus-console")
    except metadata.PackageNotFoundError:
        return ""
