"""Rules about errors: names that fail often, and errors that nobody asked for."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from bus.trace.records import Call, Error, Problem
from bus.trace.redact import bounded
from console.model.codes import OUTCOMES
from console.model.ends import failures, losses
from console.model.problems.counts import Totals
from console.model.problems.rule import (
    FOREVER,
    Amount,
    Finding,
    Limits,
    News,
    Number,
    Proof,
    Rule,
    Severity,
    some,
)  # fmt: skip

_DEADLOCK = OUTCOMES.index("deadlock")
_CAUSES: Final = 2_000
"""Failed calls that are remembered because their callers may pass the error on."""
_FRAME: Final = re.compile(r'^ +File "(.+)", line (\d+), in (.+)$', re.MULTILINE)


class FailingLimits(Limits, frozen=True):
    """Of the last `calls` of a name, `failures` or more, and a `share` of them or more."""

    calls: Number = 100
    failures: Number = 5
    share: Amount = 0.1


class _Group(Struct, frozen=True):
    """Failures of one name with one exception and frame; the name from whose calls it came, "" if it is its own."""

    finding: Finding
    came_from: str = ""


class Failing(Rule):
    """A name whose calls fail too often; one finding for each exception and own innermost frame.

    An error that callers pass on is found once, where it was raised. A deadlock that was refused is told by that rule.
    """

    name: ClassVar[str] = "failing"
    severity: ClassVar[Severity] = "error"
    settings: ClassVar[type[Limits]] = FailingLimits

    def __init__(self, limits: FailingLimits = FailingLimits()) -> None:  # noqa: B008  it is frozen
        self._limits = limits
        self._failed = Totals()
        self._last: dict[int, NDArray[np.bool_]] = {}
        self._groups: dict[int, dict[str, _Group]] = {}
        self._causes: deque[Call] = deque(maxlen=_CAUSES)

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        calls, keys = news.calls, news.keys
        lost = losses(calls["kind"], calls["outcome"])  # told by `lossy`
        failed = failures(calls["kind"], calls["outcome"]) & (calls["outcome"] != _DEADLOCK)
        self._failed.add(keys[failed])
        kept = news.store.codec.failed
        nested = np.flatnonzero(failed & (calls["parent"] > 0))[-_CAUSES:]
        self._causes.extend(call for number in calls["id"][nested].tolist() if (call := kept.get(number)) is not None)
        fresh: set[tuple[int, str]] = set()
        for key in self._known(keys):
            mine = np.flatnonzero((keys == key) & ~lost)
            mine = mine[np.argsort(calls["ended"][mine], kind="stable")]
            fresh.update((key, group) for group in self._take(news, key, mine, failed))
        yield from self._now(news, fresh)

    def _now(self, news: News, fresh: set[tuple[int, str]]) -> Iterator[Finding]:
        """What goes on to fail too often, or did since the last look; what was passed on is said where it came from."""
        there: dict[tuple[str, str], _Group] = {}
        for key, groups in self._groups.items():
            still = self._too_often(self._last[key], len(self._last[key]))
            there |= {
                (news.name_of(key), group): found
                for group, found in groups.items()
                if still or (key, group) in fresh
            }  # fmt: skip
            self._groups[key] = {
                name: replace(one, finding=replace(one.finding, times=0)) for name, one in groups.items()
            }
        passed: dict[tuple[str, str], list[str]] = {}
        for (name, group), found in there.items():
            if (found.came_from, group) in there:
                passed.setdefault(_origin(there, found.came_from, group), []).append(name)
        for where, found in there.items():
            if (found.came_from, where[1]) not in there:
                yield _with_callers(found.finding, passed.get(where, []))

    def _known(self, keys: NDArray[np.int64]) -> list[int]:
        """The names among KEYS of which a call ever failed."""
        counts = self._failed.counts
        there = np.unique(keys)
        there = there[there < len(counts)]
        ever: list[int] = there[counts[there] > 0].tolist()
        return ever

    def _take(self, news: News, key: int, mine: NDArray[np.int64], failed: NDArray[np.bool_]) -> list[str]:
        """The calls of a name that are new, by their end; the groups of errors in which there are more now."""
        size = self._limits.calls
        before = self._last.get(key, np.zeros(0, np.bool_))
        outcomes = np.concatenate((before, failed[mine]))
        self._last[key] = outcomes[-size:]
        known = self._groups.get(key)
        if known is None and not self._too_often(outcomes, max(1, len(before))):
            return []
        # What made it too often may have come before this look.
        fresh: list[int] = news.calls["id"][mine[failed[mine]]].tolist()
        ids = _failed_before(news, key, int(outcomes.sum())) if known is None else fresh
        groups = self._grouped(news, key, ids)
        self._groups[key] = {**(known or {}), **groups}
        return list(groups)

    def _too_often(self, outcomes: NDArray[np.bool_], first: int) -> bool:
        """Whether it ever failed too often, from the outcome number FIRST on."""
        sums = np.concatenate(([0], np.cumsum(outcomes)))
        ends = np.arange(first, len(outcomes) + 1)
        starts = np.maximum(0, ends - self._limits.calls)
        count = sums[ends] - sums[starts]
        return bool(((count >= self._limits.failures) & (count >= self._limits.share * (ends - starts))).any())

    def _grouped(self, news: News, key: int, ids: list[int]) -> dict[str, _Group]:
        groups: dict[str, list[Call]] = {}
        for number in ids:
            call = news.store.codec.failed.get(number)
            if call is not None:
                groups.setdefault(_group(call), []).append(call)
        below = {call.parent: call for call in self._causes} if groups else {}
        made: dict[str, _Group] = {}
        for group, calls in groups.items():
            cause = below.get(calls[-1].id)
            came_from = cause.name if cause is not None and _group(cause) == group else ""
            made[group] = _Group(_failing(news.title(key), news.identity(key), calls), came_from)
        return made


def _group(call: Call) -> str:
    return f"{error_name(call)} {own_frame(call.error)}"


def _origin(there: Mapping[tuple[str, str], _Group], name: str, group: str) -> tuple[str, str]:
    """Where what came from NAME had come from first."""
    seen: set[str] = set()
    while name not in seen and (there[name, group].came_from, group) in there:
        seen.add(name)
        name = there[name, group].came_from
    return name, group


def _with_callers(finding: Finding, callers: list[str]) -> Finding:
    if not callers:
        return finding
    lines = (*finding.proof.lines, f"passed on by {', '.join(sorted(callers))}")
    return replace(finding, proof=replace(finding.proof, lines=lines))


def _failed_before(news: News, key: int, most: int) -> list[int]:
    """The last failed calls of a name; of a recording, those until now."""
    handler, service = news.handler(key), news.store.codec.names[news.handler(key).service]
    name = news.name_of(key)
    found: list[int] = []
    for call in reversed(news.store.codec.failed.values()):
        alike = call.name == name and call.kind == handler.kind and call.service == service
        if alike and call.ended <= news.now:
            found.append(call.id)
            if len(found) == most:
                break
    return found[::-1]


def _failing(title: str, identity: str, calls: list[Call]) -> Finding:
    last, frame = calls[-1], own_frame(calls[-1].error)
    error = error_name(last)
    message = " ".join(last.error.message.split()) if last.error else ""
    where = f", raised at {short(frame)}" if frame else ""
    advice = f"Look at {short(frame)}." if frame else "Look at the error of the last call."
    if last.outcome == "expired":
        advice = "Its deadline passed: see what was in front of it in the queue, or give it more time."
    elif last.outcome == "rejected":
        advice = "It never got onto the bus: see whether its service runs, and whether its mailbox is full."
    return Finding(
        key=f"{identity} {error} {frame}", name=last.name, subject=f"{title}  {error}",
        text=f"{error}: {message}{where}" if message else f"{error}{where}", advice=advice,
        at=last.ended, since=calls[0].ended, times=len(calls),
        proof=Proof(
            calls=some([call.id for call in calls]), lane=last.lane, start=calls[0].queued, end=last.ended,
            service=last.service, lines=(frame,) if frame else (), stack=last.error.traceback if last.error else "",
        ),
    )  # fmt: skip


def error_name(call: Call) -> str:
    """The exception's class, without its module; the outcome where there is none."""
    return call.error.type.rpartition(".")[2] if call.error else str(call.outcome)


def own_frame(error: Error | None) -> str:
    """`file:line in function` of the program's own innermost frame; the last of the traceback if that is not known."""
    if error is None:
        return ""
    if error.where:
        return error.where
    frames = _FRAME.findall(error.traceback)
    return bounded(f"{frames[-1][0]}:{frames[-1][1]} in {frames[-1][2]}") if frames else ""


def short(frame: str) -> str:
    """A frame with the last folder of its path only."""
    place, sign, function = frame.partition(" in ")
    return "/".join(place.split("/")[-2:]) + sign + function


class Swallowed(Rule):
    """An error that nobody retrieved, as the bus found out when its promise was collected."""

    name: ClassVar[str] = "swallowed"
    severity: ClassVar[Severity] = "error"
    stays: ClassVar[int] = FOREVER

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        for record in news.records:
            if isinstance(record, Problem) and record.rule == self.name:
                number = record.calls[0] if record.calls else 0
                yield _swallowed(record, news.store.codec.failed.get(number))


def _swallowed(record: Problem, call: Call | None) -> Finding:
    name = call.name if call else ""
    error = error_name(call) if call else "error"
    frame = own_frame(call.error) if call else ""
    return Finding(
        key=f"{name} {error} {frame}", name=name, subject=f"{name}  {error}" if name else record.text,
        text=record.text, at=record.at, since=record.at,
        advice="Ask the promise: result() raises it, exception() returns it, add_done_callback is told of it.",
        proof=Proof(
            calls=record.calls, lane=call.lane if call else 0, start=call.queued if call else record.at,
            end=record.at, service=call.service if call else "", lines=(frame,) if frame else (),
            stack=call.error.traceback if call and call.error else "",
        ),
    )  # fmt: skip
