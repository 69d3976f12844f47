"""What has been found so far: the rules look again and again, the board remembers, sorts and forgets."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final

import numpy as np
from msgspec import Struct, field

from bus.trace.records import AnyRecord, Call, Dropped, Entry, Output, Problem, State, Wait
from bus.trace.records import Depth as DepthRecord
from console.model.columns import Block, Ints
from console.model.problems.handlers import Handlers
from console.model.problems.losses import Lossy
from console.model.problems.rule import NO_CALLS, NS, Finding, Limits, News, Proof, Rule, Severity
from console.model.problems.sightings import Sighting, Sightings
from console.model.problems.table import RULES
from console.model.slices import Sliced, whole
from console.model.stats import Stats
from console.model.store import Store

_RANK: Final[Mapping[Severity, int]] = MappingProxyType({"error": 0, "warning": 1, "note": 2})
_BLOCKING: Final = frozenset({"deadlock", "stuck", "starved"})
"""Rules about threads that do not go on, which is worse than what goes wrong and on."""
_SLICE: Final = 4
"""Rules of one slice."""
_MOST: Final = 500
"""Problems that are remembered; the oldest of those that are over go first."""
_PIECES, _PIECE = 128, NS
"""A look at a recording is cut into so many pieces at most, of a second or more: rules are about stretches of time.

Where a piece is longer than such a stretch, trouble in the middle of it may be missed, but none is invented.
"""
_SIDE: Final = 20_000
"""Records that wait for a look."""
_CALLS: Final = 20_000
"""Calls that wait for a look, before it is due."""


class ProblemView(Struct, frozen=True):
    """One problem. `since`, `last`: monotonic ns. `count`: how often it was seen to happen.

    `over`: it is not so any more. `uncertain`: records were lost when it was found, and it argues from absence.
    """

    id: str
    rule: str
    severity: Severity
    name: str
    subject: str
    text: str
    advice: str
    since: int
    last: int
    count: int
    proof: Proof
    over: bool = False
    uncertain: bool = False
    allowed: bool = False


class HealthyRule(Struct, frozen=True):
    """A rule by which nothing is wrong, since when (monotonic ns)."""

    rule: str
    since: int


class ProblemReport(Struct, frozen=True):
    """All problems, worst and newest first, those that are over last; allowed ones apart.

    `since`: when the last of them was over, if all is well.
    """

    problems: tuple[ProblemView, ...] = ()
    allowed: tuple[ProblemView, ...] = ()
    healthy: tuple[HealthyRule, ...] = ()
    since: int = 0
    dropped: int = 0

    @property
    def current(self) -> int:
        """How many are not over."""
        return sum(not problem.over for problem in self.problems)


class Settings(Struct, frozen=True):
    """What the config file says: the limits of rules, and the name patterns that are allowed for each, by rule name."""

    limits: Mapping[str, Limits] = field(default_factory=dict)
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class _Known(Struct):
    """A problem that was found, and what its last finding said."""

    finding: Finding
    since: int
    last: int
    count: int
    holds: bool
    uncertain: bool


class Problems:
    """The rules over one model. Owned by the front end's thread, like the model."""

    def __init__(
        self,
        store: Store,
        stats: Stats,
        settings: Settings = Settings(),  # noqa: B008  it is frozen
    ) -> None:
        self._store = store
        self._stats = stats
        self._rules: list[Rule] = [_made(rule, settings.limits.get(rule.name)) for rule in RULES]
        self._allowed = {rule.name: list(settings.allowed.get(rule.name, ())) for rule in RULES}
        self._known: dict[tuple[str, str], _Known] = {}
        self._blocks: list[Block] = []
        self._waiting = 0
        self._records: deque[AnyRecord] = deque(maxlen=_SIDE)
        self._earlier: Block = NO_CALLS
        self._handlers = Handlers()
        self._sightings = Sightings()
        self._allowances = 0
        self._now = self._start = 0

    @property
    def pressing(self) -> bool:
        """Whether so much waits for a look that it should not wait any longer."""
        return self._waiting >= _CALLS

    def take(self, records: Sequence[AnyRecord], fresh: Block | None) -> None:
        """Note what a batch brought: all its records, and the calls that are new, as columns."""
        self._records.extend(record for record in records if type(record) is not Call and type(record) is not Wait)
        if fresh is not None:
            self._blocks.append(fresh)
            self._waiting += len(fresh["id"])

    def look(self) -> None:
        """Let all rules look at what came since the last time."""
        whole(self.looking())

    def looking(self) -> Sliced[None]:
        """The same in slices; nothing may be taken in between two of them."""
        calls, self._blocks, self._waiting = _joined(self._blocks), [], 0
        records, self._records = list(self._records), deque(maxlen=_SIDE)
        end = self._store.last
        self._start = self._start or min((moment for moment in (self._store.first, end) if moment), default=0)
        for now, some, others in _pieces(calls, records, self._now or self._start, end):
            news = News(
                self._store, self._stats, now, self._start, some, self._earlier, others,
                self._handlers, self._handlers.numbers(some),
            )  # fmt: skip
            self._now = max(self._now, now)
            for number, rule in enumerate(self._rules, 1):
                self._note(rule, list(rule.look(news)))
                if number % _SLICE == 0:
                    yield
            self._earlier = some

    def allow(self, rule: str, pattern: str) -> None:
        """Do not count what RULE finds about names that match PATTERN."""
        self._allowed.setdefault(rule, []).append(pattern)
        self._allowances += 1

    @property
    def version(self) -> int:
        """Counts the changes of `sightings`."""
        return self._sightings.version + self._allowances

    def sightings(self) -> Iterator[Sighting]:
        """When and where problems were seen to happen that are not allowed, problem by problem, the newest first."""
        allowed = {_id(*key) for key, known in self._known.items() if self._ok(key[0], known)}
        return (sighting for sighting in self._sightings.newest() if sighting.problem not in allowed)

    def count(self) -> int:
        """Problems that are not over, and not allowed."""
        there = ((rule, known) for (rule, _), known in self._known.items() if not self._ok(rule, known))
        return sum(not self._is_over(rule, known) for rule, known in there)

    def report(self) -> ProblemReport:
        """All there is to say now."""
        views = [self._view(rule, key, known) for (rule, key), known in self._known.items()]
        views.sort(key=lambda view: (view.over, _RANK[view.severity], view.rule not in _BLOCKING, -view.last, view.id))
        problems = tuple(view for view in views if not view.allowed)
        last = {view.rule: view.last for view in sorted(problems, key=lambda view: view.last) if view.over}
        wrong = {view.rule for view in problems if not view.over}
        healthy = tuple(
            HealthyRule(rule.name, max(self._start, last.get(rule.name, 0)))
            for rule in self._rules
            if rule.name not in wrong and rule.name != "reported"
        )
        return ProblemReport(
            problems, tuple(view for view in views if view.allowed), healthy,
            max([self._start, *last.values()]), self._store.lost.dropped,
        )  # fmt: skip

    def _note(self, rule: Rule, findings: Iterable[Finding]) -> None:
        uncertain = rule.from_absence and self._uncertain()
        found: set[str] = set()
        for finding in findings:
            found.add(finding.key)
            if finding.times:
                self._sightings.note(_id(rule.name, finding.key), rule.name, finding)
            known = self._known.get((rule.name, finding.key))
            if known is None:
                self._make_room()
                self._known[rule.name, finding.key] = _Known(
                    finding, finding.since, finding.at, max(1, finding.times), holds=True, uncertain=uncertain
                )  # fmt: skip
                continue
            known.finding, known.last, known.holds = finding, max(known.last, finding.at), True
            known.count += finding.times
            known.uncertain = uncertain
        for (name, key), known in self._known.items():
            if name == rule.name and key not in found:
                known.holds = False

    def _make_room(self) -> None:
        if len(self._known) >= _MOST:
            oldest = min(self._known.items(), key=lambda item: (not self._is_over(item[0][0], item[1]), item[1].last))
            del self._known[oldest[0]]

    def _uncertain(self) -> bool:
        return any(rule.uncertain(self._now) for rule in self._rules if isinstance(rule, Lossy))

    def _is_over(self, rule: str, known: _Known) -> bool:
        return not known.holds and self._now - known.last > _STAYS[rule]

    def _ok(self, rule: str, known: _Known) -> bool:
        name = known.finding.name
        return any(fnmatchcase(name, pattern) for pattern in self._allowed.get(rule, ()))

    def _view(self, rule: str, key: str, known: _Known) -> ProblemView:
        finding = known.finding
        return ProblemView(
            id=_id(rule, key), rule=rule, severity=finding.severity or _SEVERITY[rule], name=finding.name,
            subject=finding.subject, text=finding.text, advice=finding.advice, since=known.since, last=known.last,
            count=known.count, proof=finding.proof, over=self._is_over(rule, known), uncertain=known.uncertain,
            allowed=self._ok(rule, known),
        )  # fmt: skip


_STAYS: Final = {rule.name: rule.stays for rule in RULES}
_SEVERITY: Final = {rule.name: rule.severity for rule in RULES}


def _id(rule: str, key: str) -> str:
    return f"{rule}:{key}"


def _made(rule: type[Rule], limits: Limits | None) -> Rule:
    return rule() if limits is None else rule(limits)


def _joined(blocks: Sequence[Block]) -> Block:
    """One block of all, by their end."""
    if not blocks:
        return NO_CALLS
    whole = {name: np.concatenate([block[name] for block in blocks]) for name in NO_CALLS}
    ended = whole["ended"]
    if bool(np.all(ended[1:] >= ended[:-1])):
        return whole
    order = np.argsort(ended, kind="stable")
    return {name: values[order] for name, values in whole.items()}


def _pieces(
    calls: Block, records: list[AnyRecord], begin: int, end: int
) -> Iterator[tuple[int, Block, list[AnyRecord]]]:
    """Stretches of time, each with the calls and the records of it; only the last one may be empty."""
    ended: Ints = calls["ended"]
    first = min([begin, *ended[:1].tolist()]) if begin else end
    width = max(_PIECE, -(-(end - first) // _PIECES))
    if end - first <= width:
        yield end, calls, records
        return
    records.sort(key=_when)
    position = at = 0
    for moment in range(first + width, end, width):
        following = int(np.searchsorted(ended, moment, "right"))
        until = at
        while until < len(records) and _when(records[until]) <= moment:
            until += 1
        if following > position or until > at:
            yield moment, {name: values[position:following] for name, values in calls.items()}, records[at:until]
        position, at = following, until
    yield end, {name: values[position:] for name, values in calls.items()}, records[at:]


def _when(record: AnyRecord) -> int:
    """When a record was made; 0 for one that does not say."""
    return record.at if isinstance(record, State | DepthRecord | Problem | Output | Dropped | Entry) else 0
