"""The rule about mailboxes that fill faster than they are emptied."""

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace

from bus.trace.records import Depth, Dropped
from console import format as fmt
from console.model.columns import Ints
from console.model.problems.rule import (
    CALLS_SHOWN,
    NS,
    Amount,
    Finding,
    Limits,
    News,
    Number,
    Proof,
    Rule,
)  # fmt: skip

_STEPS: Final = 5
"""Moments of the last seconds at which a growing queue must be longer each time."""


class QueueLimits(Limits, frozen=True):
    """As long as `depth`, growing for `seconds`, `ratio` times as many arrivals as completions."""

    depth: Number = 100
    seconds: Amount = 5.0
    ratio: Amount = 1.2


class _Queue(Struct):
    """Samples (ns, what was queued or dropped so far), and how many calls ended between two looks."""

    dropped: int = 0
    depth: int = 0
    samples: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=2_000))
    since: int = 0

    def at(self, moment: int) -> int | None:
        """The last sample up to this moment."""
        return next((amount for at, amount in reversed(self.samples) if at <= moment), None)


class QueueGrowth(Rule):
    """More comes into a mailbox than is taken out. What it dropped because it was full counts as if it were there."""

    name: ClassVar[str] = "queue growth"
    settings: ClassVar[type[Limits]] = QueueLimits

    def __init__(self, limits: QueueLimits = QueueLimits()) -> None:  # noqa: B008  it is frozen
        self._limits = limits
        self._span = int(limits.seconds * NS)
        self._queues: dict[str, _Queue] = {}
        self._ended: deque[tuple[int, Ints, Ints]] = deque()

    def look(self, news: News) -> Iterator[Finding]:
        """See `Rule`."""
        ran = news.calls["started"] > 0
        self._ended.append((news.now, news.calls["service"][ran], news.calls["ended"][ran]))
        while self._ended[0][0] <= news.now - self._span:
            self._ended.popleft()
        for record in news.records:
            if isinstance(record, Depth):
                self._sample(record.service, record.at, depth=record.depth)
            elif isinstance(record, Dropped) and record.kind == "event":
                self._sample(record.where, record.at, dropped=record.count)
        for service, queue in self._queues.items():
            if queue.depth >= self._limits.depth:
                yield from self._growth(news, service, queue)
            else:
                queue.since = 0

    def _sample(self, service: str, at: int, *, depth: int | None = None, dropped: int = 0) -> None:
        queue = self._queues.setdefault(service, _Queue())
        queue.depth = queue.depth if depth is None else depth
        queue.dropped += dropped
        queue.samples.append((at, queue.depth + queue.dropped))

    def _completions(self, service: int, since: int) -> int:
        """How many calls of a service have ended since a moment."""
        return sum(int(((services == service) & (ended > since)).sum()) for _, services, ended in self._ended)

    def _growth(self, news: News, service: str, queue: _Queue) -> Iterator[Finding]:
        start = news.now - self._span
        before = queue.at(start)
        if before is None and start < news.start:
            return
        first = queue.samples[0][1] if before is None else before
        amounts = [first, *(queue.at(start + self._span * step // _STEPS) or 0 for step in range(1, _STEPS + 1))]
        grown = amounts[-1] - amounts[0]
        ended = self._completions(news.store.codec.names.find(service), start)
        if any(later <= earlier for earlier, later in pairwise(amounts)):
            return
        if ended + grown <= self._limits.ratio * ended:
            return
        times, queue.since = int(not queue.since), queue.since or start
        rates = (ended + grown) / self._limits.seconds, ended / self._limits.seconds
        yield replace(_growing(news, service, queue, rates), times=times)


def _growing(news: News, service: str, queue: _Queue, rates: tuple[float, float]) -> Finding:
    arrived, ended = rates
    state = news.store.states.get(service)
    workers = state.workers if state else 1
    lost = f"; it has dropped {fmt.plural(queue.dropped, 'event')}" if queue.dropped else ""
    return Finding(
        key=service, name=service, subject=service,
        text=f"{queue.depth:,} calls are queued: {fmt.rate(arrived)}/s come, {fmt.rate(ended)}/s are done{lost}",
        advice=f"Send less, make what {service} runs quicker, or give it more than {fmt.plural(workers, 'worker')}. "
        'With overflow="block" its senders wait instead.',
        at=news.now, since=queue.since,
        proof=Proof(
            calls=_oldest(news, service), start=queue.since, end=news.now, service=service,
        ),
    )  # fmt: skip


def _oldest(news: News, service: str) -> tuple[int, ...]:
    """What it runs, and what has been queued for the longest."""
    live = [call for call in news.store.live.values() if call.service == service]
    live.sort(key=lambda call: (not call.started, call.queued))
    return tuple(call.id for call in live[:CALLS_SHOWN])
