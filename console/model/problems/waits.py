"""Rules about waits that do not end: deadlocks, calls that are stuck, services that starve."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

import numpy as np
from msgspec.structs import replace

from bus.trace.records import Call, Depth, Lane, Problem, Step
from console import format as fmt
from console.model.columns import steps
from console.model.problems.handlers import Handler, handler_of, run_times
from console.model.problems.rule import (
    FOREVER,
    NS,
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
from console.model.store import Store

_P99: Final = 0.99
_ALL: Final = 0.995
"""The part of the time in which a worker that starves waits: who goes on in between does not."""
_AGAIN: Final = 5 * NS
_MAX_STUCK: Final = 50
"""Calls of one look that are looked at one by one."""


class Deadlock(Rule):
    """Found by the bus, before it blocks."""

    name: ClassVar[str] = "deadlock"
    severity: ClassVar[Severity] = "error"
    stays: ClassVar[int] = FOREVER

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        for record in news.records:
            if isinstance(record, Problem) and record.rule == self.name:
                yield _deadlock(news, record)


def _deadlock(news: News, record: Problem) -> Finding:
    steps = _from_the_oldest(record.cycle)
    refused = record.cycle[0] if steps else None
    services = list(dict.fromkeys(step.service for step in steps))
    names = list(dict.fromkeys(step.name for step in steps))
    subject = " ⇄ ".join(services if len(services) > 1 else names) or record.text
    where = f"{refused.name} #{refused.call}" if refused else "a call"
    text = f"refused in {where}, before it would have blocked"
    if record.suspected:
        text = f"suspected in {where}: it lasts until a wait ends by its timeout"
    return Finding(
        key=f"{record.suspected} {' '.join(sorted(names))}", name=names[0] if names else "", subject=subject,
        text=text, advice=_way_out(services, names), at=record.at, since=record.at,
        severity="warning" if record.suspected else None,
        proof=Proof(
            calls=tuple(step.call for step in steps) or record.calls, cycle=steps,
            start=_waits_since(news, record), end=record.at + 1,
            lane=steps[0].lane if steps else 0, lines=() if steps else (record.text,),
            service=services[0] if services else "",
        ),
    )  # fmt: skip


def _waits_since(news: News, record: Problem) -> int:
    """When the first wait of the cycle began: who waits for a call has just made it. Unknown: a second before."""
    targets = [news.store.call(step.target) for step in record.cycle if step.target]
    made = [call.queued for call in targets if call is not None and call.queued <= record.at]
    return min(made, default=record.at - NS)


def _from_the_oldest(cycle: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same cycle, from the call with which it began; which of them closed it is chance."""
    first = min(range(len(cycle)), key=lambda place: cycle[place].call, default=0)
    return cycle[first:] + cycle[:first]


def _way_out(services: list[str], names: list[str]) -> str:
    if len(services) > 1:
        first, last = services[0], services[-1]
        return (
            f"Do not wait for {last} inside {names[0]} while {last} waits for {first}: return the promise, "
            f"split a service, or give {first} a second worker."
        )
    alone = f"{services[0]} waits for itself" if services else "A service waits for itself"
    return f"{alone}: call the method directly, return the promise, or give the service another worker."


class StuckLimits(Limits, frozen=True):
    """Longer than `seconds` and `times_p99` × p99 where `samples` calls are known, else than `unknown_seconds`."""

    seconds: Amount = 5.0
    times_p99: Amount = 20.0
    samples: Number = 100
    unknown_seconds: Amount = 30.0


class Stuck(Rule):
    """A call that runs, and does not wait for another one, for much longer than its like."""

    name: ClassVar[str] = "stuck"
    severity: ClassVar[Severity] = "error"

    settings: ClassVar[type[Limits]] = StuckLimits

    def __init__(self, limits: StuckLimits = StuckLimits()) -> None:  # noqa: B008  it is frozen
        self._limits = limits
        self._shortest = int(min(limits.seconds, limits.unknown_seconds) * NS)
        self._told: dict[int, int] = {}
        self._p99: dict[Handler, tuple[int, int | None]] = {}

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        yield from self._ended(news)
        going = [call for call in news.store.live.values() if call.started and call.kind != "event"]
        for call in going:
            ran = news.now - call.started - call.waited
            if call.waiting_for or ran <= self._shortest:
                continue
            if ran > self._limit(news, handler_of(news.store, call))[0]:
                yield self._finding(news, call, ran)
        for record in news.records:
            if isinstance(record, Problem) and record.rule == self.name:
                yield from self._told_by_bus(news, record)
        self._told = {call: at for call, at in self._told.items() if call in news.store.live}

    def _ended(self, news: News) -> Iterator[Finding]:
        """Those that ended between two looks, or in a recording."""
        calls = news.calls
        ran = np.where(calls["started"] > 0, calls["ended"] - calls["started"] - calls["waited"], 0)
        for position in np.flatnonzero(ran > self._shortest)[:_MAX_STUCK].tolist():
            key = int(news.keys[position])
            if int(ran[position]) > self._limit(news, news.handler(key))[0]:
                call = news.store.call(int(calls["id"][position]))
                if call is not None:
                    yield self._finding(news, call, int(ran[position]))

    def _limit(self, news: News, handler: Handler) -> tuple[int, str]:
        """Ns that such a call may run; what its like take, in words."""
        limits = self._limits
        p99 = self._p99_of(news, handler)
        if p99 is None:
            return int(limits.unknown_seconds * NS), "too few of its calls have ended to know how long they take"
        usual = f"99 of 100 of its calls take {fmt.duration(p99)} at most"
        return max(int(limits.seconds * NS), int(limits.times_p99 * p99)), usual

    def _p99_of(self, news: News, handler: Handler) -> int | None:
        """Of the calls that are kept, looked at only every few seconds; None: they are too few to tell."""
        if news.stats.run_times(handler.kind, handler.name, (_P99,))[0] < self._limits.samples:
            return None  # of all services together
        at, p99 = self._p99.get(handler, (0, None))
        if not at or news.now - at >= _AGAIN:
            runs = run_times(news.store, handler, news.now)
            p99 = int(runs[math.ceil(len(runs) * _P99) - 1]) if len(runs) >= self._limits.samples else None
            self._p99[handler] = news.now, p99
        return p99

    def _finding(self, news: News, call: Call, ran: int) -> Finding:
        times = int(call.id not in self._told)
        self._told[call.id] = call.started
        lane = news.store.lane_name(call.lane)
        verb = "ran" if call.outcome else "has been running"
        waited = ", its waits not counted" if call.waited else ""
        return Finding(
            key=f"{call.kind} {call.name} {call.service}", name=call.name, subject=_title(call),
            text=f"{call.name} #{call.id} {verb} for {fmt.duration(ran)} on {lane}{waited}", times=times,
            advice=_unstick(call), at=call.ended or news.now, since=call.started,
            proof=Proof(
                calls=(call.id,), lane=call.lane, start=call.started, end=call.ended or news.now, service=call.service,
                lines=(self._limit(news, handler_of(news.store, call))[1], *_behind(news, call)),
            ),
        )  # fmt: skip

    def _told_by_bus(self, news: News, record: Problem) -> Iterator[Finding]:
        call = news.store.call(record.calls[0]) if record.calls else None
        name = call.name if call is not None else record.text.split(" #", 1)[0]
        waits = len(record.calls) > 1
        times = int(not record.calls or record.calls[0] not in self._told)
        if record.calls:
            self._told[record.calls[0]] = record.at
        kind, title = (call.kind, _title(call)) if call is not None else ("command", name)
        yield Finding(
            key=f"{'waits ' if waits else ''}{kind} {name} {call.service if call else ''}", name=name,
            subject=f"{title} waits" if waits else title,
            text=record.text.partition("; it is ")[0], at=record.at, since=call.started if call else record.at,
            advice="What it waits for has to end first." if waits else _unstick(call), times=times,
            severity="warning" if waits else None,
            proof=Proof(
                calls=record.calls, lane=call.lane if call else 0, start=call.started if call else 0, end=record.at,
                service=call.service if call else "", stack=record.text.partition("; it is ")[2],
            ),
        )  # fmt: skip


def _title(call: Call) -> str:
    """Its name; of an event's delivery with the service that listens, because others may do so, too."""
    return f"{call.name} in {call.service}" if call.kind == "delivery" and call.service else call.name


def _behind(news: News, call: Call) -> Iterator[str]:
    """How many calls the service of a running call has in its queue, and whose they are."""
    live = news.store.live.values() if call.service and not call.outcome else ()
    queued = [each for each in live if each.service == call.service and not each.started and each.kind != "event"]
    if queued:
        callers = dict.fromkeys(name for each in queued if (name := news.store.lane_name(each.caller)))
        oldest = news.now - min(each.queued for each in queued)
        yield (
            f"{fmt.plural(len(queued), 'call')} behind it in the queue of {call.service}, for {fmt.duration(oldest)}"
            + (f": from {fmt.some(list(callers))}" if callers else "")
        )


def _unstick(call: Call | None) -> str:
    service = f" of {call.service}" if call and call.service else ""
    return (
        f"Its stack shows the line. Give what it waits for a timeout, or do the work in steps: until it ends, this "
        f"worker{service} takes nothing else."
    )


class StarvedLimits(Limits, frozen=True):
    """Twice seen so, at least `seconds` apart."""

    seconds: Amount = 0.1


class Starved(Rule):
    """All workers of a service wait for other calls, and its mailbox fills."""

    name: ClassVar[str] = "starved"
    severity: ClassVar[Severity] = "error"

    settings: ClassVar[type[Limits]] = StarvedLimits

    def __init__(self, limits: StarvedLimits = StarvedLimits()) -> None:  # noqa: B008  it is frozen
        self._apart = int(limits.seconds * NS)
        self._seen: dict[str, tuple[int, int, frozenset[int]]] = {}
        self._samples: dict[str, list[Depth]] = {}

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        running = _waiting(news.store.live.values())
        for service, calls in running.items():
            yield from self._now(news, service, calls)
        self._seen = {service: seen for service, seen in self._seen.items() if service in running}
        yield from self._before(news)

    def _now(self, news: News, service: str, calls: list[Call]) -> Iterator[Finding]:
        """By the calls in flight: the depth when all of its workers were first seen to wait, and now."""
        state, sample = news.store.states.get(service), news.store.depths.get(service)
        deep = sample.depth if sample else 0
        waiting = frozenset(call.id for call in calls if call.waiting_for)
        if state is None or len(waiting) < state.workers:
            self._seen.pop(service, None)
            return
        if self._seen.get(service, (0, 0, waiting))[2] != waiting:  # they went on meanwhile
            del self._seen[service]
        at, depth, _ = self._seen.setdefault(service, (news.now, deep, waiting))
        if news.now - at >= self._apart and deep > depth:
            found = _starved(service, state.workers, (at, news.now), (depth, deep), [call.id for call in calls])
            yield _waiting_for(news, found, calls)

    def _before(self, news: News) -> Iterator[Finding]:
        """By what was recorded: samples of the mailbox at moments at which all of its lanes were blocked."""
        fresh: dict[str, list[Depth]] = {}
        for record in news.records:
            if isinstance(record, Depth):
                fresh.setdefault(record.service, []).append(record)
        for service, former in self._samples.items():
            yield from self._in_samples(news, service, [*former, *fresh.get(service, ())])
        for service in fresh.keys() - self._samples.keys():
            yield from self._in_samples(news, service, fresh[service])
        self._samples = fresh

    def _in_samples(self, news: News, service: str, samples: list[Depth]) -> Iterator[Finding]:
        state, lanes = news.store.states.get(service), _lanes(news.store, service)
        if state is None or len(lanes) < state.workers or len(samples) < 2:  # noqa: PLR2004
            return
        moments = np.array([sample.at for sample in samples])
        blocked = np.ones(len(moments) - 1, np.bool_)
        for lane in lanes[: state.workers]:
            runs = news.store.runs.get(lane)
            waited = steps(runs.blocked(moments)) if runs is not None else np.zeros(len(moments) - 1)
            blocked &= waited >= _ALL * steps(moments)
        first = samples[0]
        for sample, held in zip(samples[1:], blocked.tolist(), strict=True):
            first = first if held else sample
            if sample.at - first.at >= self._apart and sample.depth > first.depth:
                calls = [_running(news.store, lane, sample.at) for lane in lanes[: state.workers]]
                yield _starved(service, state.workers, (first.at, sample.at), (first.depth, sample.depth), calls)
                return


def _starved(service: str, workers: int, when: tuple[int, int], depths: tuple[int, int], calls: list[int]) -> Finding:
    start, end = when
    all_of_them = "its only worker waits" if workers == 1 else f"all {workers} workers wait"
    return Finding(
        key=service, name=service, subject=service,
        text=f"{all_of_them} for other calls, while its mailbox grew from {depths[0]:,} to {depths[1]:,}",
        advice="Return the promise instead of waiting for it, move what it waits for to another service, or give "
        f"{service} more workers.",
        at=end, since=start, proof=Proof(calls=some(calls), start=start, end=end, service=service),
    )  # fmt: skip


def _waiting_for(news: News, found: Finding, calls: list[Call]) -> Finding:
    """The same with the names of what the workers wait for, the most first."""
    targets = (news.store.call(call.waiting_for) for call in calls if call.waiting_for)
    names = Counter(target.name for target in targets if target is not None).most_common()
    said = ", ".join(f"{count} for {name}" for name, count in names)
    return replace(found, proof=replace(found.proof, lines=(f"they wait: {said}",))) if said else found


def _running(store: Store, lane: int, moment: int) -> int:
    """The call that a lane had begun last at a moment."""
    runs = store.runs[lane]
    return int(runs.values("id", max(0, int(runs.starts(np.array([moment + 1]))[0]) - 1)))


def _waiting(live: Iterable[Call]) -> dict[str, list[Call]]:
    """What the workers run of each service of which one waits."""
    running: dict[str, list[Call]] = {}
    for call in live:
        if call.started and call.service:
            running.setdefault(call.service, []).append(call)
    return {service: calls for service, calls in running.items() if any(call.waiting_for for call in calls)}


def _lanes(store: Store, service: str) -> list[int]:
    """The newest lane of each worker of a service, by the worker's number."""
    newest: dict[int, Lane] = {}
    for lane in store.lanes.values():
        if lane.service == service and lane.key >= newest.get(lane.worker, lane).key:
            newest[lane.worker] = lane
    return [lane.key for _, lane in sorted(newest.items())]
