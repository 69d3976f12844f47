"""Rules about what cannot be seen: records and events that were dropped, and what else the bus itself reported."""

from collections.abc import Iterator
from typing import ClassVar

from msgspec.structs import replace

from bus.trace.records import Depth, Dropped, Problem
from console import format as fmt
from console.model.problems.rule import FOREVER, NS, Amount, Finding, Limits, News, Proof, Rule, Severity

_CLIENT = "this console"


class LossyLimits(Limits, frozen=True):
    """Something was dropped within the last `seconds`."""

    seconds: Amount = 10.0


class Lossy(Rule):
    """Events that a full mailbox dropped, and records that were lost on their way: of those, nothing else can tell."""

    name: ClassVar[str] = "lossy"
    settings: ClassVar[type[Limits]] = LossyLimits

    def __init__(self, limits: LossyLimits = LossyLimits()) -> None:  # noqa: B008  it is frozen
        self._span = int(limits.seconds * NS)
        self._since: dict[tuple[str, str], tuple[int, int, int]] = {}
        self._client = 0
        self._sampled: set[str] = set()
        self._records_at = -FOREVER

    def uncertain(self, now: int) -> bool:
        """Whether records were lost lately, so that what was not seen may have happened all the same."""
        return now - self._records_at <= self._span

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        fresh: dict[tuple[str, str], int] = {}
        for record in news.records:
            if isinstance(record, Dropped):
                fresh[record.kind, record.where] = fresh.get((record.kind, record.where), 0) + record.count
                self._lost(record.kind, record.where, record.count, record.at)
            elif isinstance(record, Depth) and record.service not in self._sampled:
                yield from self._earlier(record, news.start)
        client = news.store.lost.client
        if client > self._client:
            fresh["record", _CLIENT] = client - self._client
            self._lost("record", _CLIENT, client - self._client, news.now)
        self._client = client
        for (kind, where), (count, since, at) in list(self._since.items()):
            if news.now - at > self._span and (kind, where) not in fresh:
                del self._since[kind, where]
            else:
                yield _lossy(kind, where, count, (since, at), fresh.get((kind, where), 0))

    def _earlier(self, sample: Depth, start: int) -> Iterator[Finding]:
        """What a service had lost before the first thing that is known of it: said once, and over from then on."""
        self._sampled.add(sample.service)
        lost = sample.dropped - self._since.get(("event", sample.service), (0,))[0]
        if lost > 0:
            found = _lossy("event", sample.service, lost, (start, start), lost)
            text = found.text.replace(" dropped,", " dropped before this was recorded,")
            yield replace(found, key=f"earlier {found.key}", text=text)

    def _lost(self, kind: str, where: str, count: int, at: int) -> None:
        known, since, _ = self._since.get((kind, where), (0, at, at))
        self._since[kind, where] = known + count, since, at
        if kind == "record":
            self._records_at = max(self._records_at, at)


def _lossy(kind: str, where: str, count: int, when: tuple[int, int], times: int) -> Finding:
    since, at = when
    if kind == "event":
        text = f"{fmt.plural(count, 'event')} dropped, because the mailbox of {where} was full"
        advice = f'Fire less, make {where} quicker, or give it a larger capacity or overflow="block".'
    else:
        text = f"{fmt.plural(count, 'record')} lost at {where}: what was not seen may have happened all the same"
        advice = "Record less (level times), or look at fewer things at once."
    return Finding(
        key=f"{kind} {where}", name=where, subject=f"{where}  {kind}s dropped", text=text, advice=advice, at=at,
        since=since, times=times,
        proof=Proof(start=since, end=at + 1, service=where if kind == "event" else ""),
    )  # fmt: skip


class Reported(Rule):
    """What the bus or the recorder reported and no other rule is about."""

    name: ClassVar[str] = "reported"
    severity: ClassVar[Severity] = "warning"
    stays: ClassVar[int] = FOREVER
    _OTHERS: ClassVar[frozenset[str]] = frozenset({"deadlock", "stuck", "swallowed"})

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        for record in news.records:
            if isinstance(record, Problem) and record.rule not in self._OTHERS:
                yield Finding(
                    key=f"{record.rule} {record.text}", name=record.rule, subject=record.rule, text=record.text,
                    advice="The program itself said so.", at=record.at, since=record.at,
                    proof=Proof(calls=record.calls, start=record.at, end=record.at + 1),
                )  # fmt: skip
