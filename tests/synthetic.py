"""Made-up sessions like those of the sample program, the same for the same seed; and a target that plays them."""

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from msgspec import structs

from bus.attach.protocol import Batch, Reply
from bus.trace.records import (
    AnyRecord,
    Call,
    Entry,
    Error,
    Lane,
    Letter,
    Level,
    Parameter,
    Session,
    Stack,
    State,
    Wait,
)  # fmt: skip
from console.target import TargetError, TargetInfo, TargetState

MS = 1_000_000
START = 50_000 * 1_000 * MS
"""The monotonic ns at which every made-up session begins."""

LANES = (
    ("MainThread", "", 0), ("scanner-0", "scanner", 0), *((f"indexer-{n}", "indexer", n) for n in range(4)),
    ("store-0", "store", 0), ("search-0", "search", 0), ("search-1", "search", 1), ("watcher-0", "watcher", 0),
    ("metrics-0", "metrics", 0), ("trouble-0", "trouble", 0), ("main-0", "main", 0), ("load", "", 0),
)  # fmt: skip
"""Name, service and worker number of lanes 1, 2, ..."""
KEY = {name: key for key, (name, _, _) in enumerate(LANES, 1)}

_PATH = Parameter(name="path", kind="positional_or_keyword", annotation="Path")
_TEXT = Parameter(name="text", kind="positional_or_keyword", annotation="str")
_LIMIT = Parameter(name="limit", kind="positional_or_keyword", annotation="int", default="20")
_PATTERN = Parameter(name="pattern", kind="positional_or_keyword", annotation="str", default="'*.py'")
COMMANDS: Mapping[str, tuple[Parameter, ...]] = {
    "scan.folder": (_PATH, _PATTERN), "scan.status": (), "index.file": (_PATH,), "index.rebuild": (),
    "store.put": (_PATH,), "store.search": (_TEXT, _LIMIT), "store.stats": (), "search.query": (_TEXT, _LIMIT),
    "search.suggest": (Parameter(name="prefix", kind="positional_or_keyword", annotation="str"),),
    "watch.start": (_PATH,), "watch.stop": (), "metrics.snapshot": (),
    "trouble.fail": (Parameter(name="kind", kind="positional_or_keyword", annotation="str", default="'value'"),),
    "trouble.slow": (Parameter(name="seconds", kind="positional_or_keyword", annotation="float"),),
}  # fmt: skip
LISTENERS = (
    ("file.found", "indexer"), ("file.changed", "indexer"), ("file.indexed", "search"), ("*", "metrics"),
)  # fmt: skip
_SERVICE = {"scan": "scanner", "index": "indexer", "watch": "watcher"}
_FILES = ("ast", "asyncio/base_events", "concurrent/futures/thread", "queue", "socketserver", "threading", "typing")
_QUERIES = ("thread pool", "yield from", "weak reference", "mutable default")
_FAILURE = Error(
    "UnicodeDecodeError",
    "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
    "Traceback (most recent call last):\n"
    '  File "sample_services/indexer.py", line 58, in index_file\n'
    "    text = path.read_text()\n"
    "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte\n",
)


def session_record(level: Literal["times", "full"] = "full") -> Session:
    """The first record."""
    return Session(
        session="synthetic", pid=48213, program="sample-search", python="3.11.7",
        start_monotonic=START, start_unix=1_790_000_000_000 * MS, level=level,
    )  # fmt: skip


def preamble() -> list[AnyRecord]:
    """The lanes, registrations and service states that come before the first call."""
    lanes = [Lane(key=KEY[name], name=name, service=service, worker=worker) for name, service, worker in LANES]
    commands = [
        Entry(
            entry=number, kind="command", name=name, service=service_of(name), parameters=parameters, returns="int",
            doc=f"Do the work of {name}.", where=f"sample_services/{service_of(name)}.py:{10 * number}",
        )
        for number, (name, parameters) in enumerate(COMMANDS.items(), 1)
    ]  # fmt: skip
    listeners = [
        Entry(entry=number, kind="listener", name=name, service=service, callback=f"{service}.on_event")
        for number, (name, service) in enumerate(LISTENERS, len(COMMANDS) + 1)
    ]
    services = dict.fromkeys(service for _, service, _ in LANES if service)
    workers = {name: sum(service == name for _, service, _ in LANES) for name in services}
    states = [State(service=name, state="running", at=START, workers=workers[name]) for name in services]
    return [*lanes, *commands, *listeners, *states]


def service_of(command: str) -> str:
    """The service that has a command."""
    prefix = command.split(".", 1)[0]
    return _SERVICE.get(prefix, prefix)


@dataclass(slots=True)
class _World:
    """The state of the made-up program: when each lane is free, and what happened so far."""

    random: random.Random
    level: str
    free: dict[int, int] = field(default_factory=dict)
    records: list[tuple[int, AnyRecord]] = field(default_factory=list)
    calls: int = 0

    def id(self) -> int:
        self.calls += 1
        return self.calls

    def some_ms(self, mean: float) -> int:
        return max(1_000, int(self.random.expovariate(1 / mean) * MS))

    def begin(self, service: str, queued: int) -> tuple[int, int]:
        """The lane of a service that is free first, and when the call starts there."""
        lane = min((KEY[name] for name, owner, _ in LANES if owner == service), key=lambda key: self.free.get(key, 0))
        return lane, max(self.free.get(lane, 0), queued + self.random.randrange(5_000, 60_000))

    def wait(self, call: int, lane: int, target: Call, began: int) -> None:
        """Record that a lane was blocked until TARGET ended."""
        wait = Wait(call=call, lane=lane, target=target.id, began=began, ended=target.ended)
        self.records.append((target.ended, wait))

    def end(self, call: Call, *, failed: bool = False) -> Call:
        """Record a call that ran; about nine tenths of what it did not wait are CPU time."""
        self.free[call.lane] = call.ended
        full = self.level == "full"
        busy = call.ended - call.started - call.waited
        call = structs.replace(
            call, outcome="error" if failed else "ok", error=_FAILURE if failed else None,
            cpu=int(busy * self.random.uniform(0.7, 1)) if full else None,
            args=call.args if full else "", result="" if failed or not full else "42",
        )  # fmt: skip
        self.records.append((call.ended, call))
        return call


def _run(world: _World, name: str, parent: Call | None, at: int, caller: int, ms: float, args: str = "") -> Call:
    """A call that waits for nobody."""
    call_id = world.id()
    lane, started = world.begin(service_of(name), at)
    failed = name.startswith("trouble") or (name == "index.file" and world.random.random() < 0.01)
    return world.end(
        Call(
            id=call_id, parent=parent.id if parent else 0, root=parent.root if parent else call_id, kind="command",
            name=name, service=service_of(name), caller=caller, lane=lane, queued=at, started=started,
            ended=started + world.some_ms(ms), args=args,
        ),
        failed=failed,
    )  # fmt: skip


def _run_and_wait(world: _World, name: str, inner: str, at: int, caller: int, args: str) -> Call:
    """A call that computes, executes another one, waits for it, and computes again."""
    call_id = world.id()
    lane, started = world.begin(service_of(name), at)
    call = Call(
        id=call_id, root=call_id, kind="command", name=name, service=service_of(name), caller=caller, lane=lane,
        queued=at, started=started, args=args,
    )  # fmt: skip
    asked = started + world.some_ms(2)
    answer = _run(world, inner, call, asked, lane, 0.6, args)
    world.wait(call_id, lane, answer, asked)
    ended = answer.ended + world.some_ms(0.5)
    failed = world.random.random() < 0.01
    return world.end(structs.replace(call, ended=ended, waited=answer.ended - asked), failed=failed)


def _fire(world: _World, name: str, at: int, caller: int, args: str) -> None:
    """An event and its deliveries."""
    event_id = world.id()
    event = Call(
        id=event_id, root=event_id, kind="event", name=name, caller=caller, queued=at, started=at, ended=at,
        outcome="ok", args=args if world.level == "full" else "",
    )  # fmt: skip
    world.records.append((at, event))
    for number, (pattern, service) in enumerate(LISTENERS, len(COMMANDS) + 1):
        if not fnmatchcase(name, pattern):
            continue
        delivery_id = world.id()
        lane, started = world.begin(service, at)
        delivery = Call(
            id=delivery_id, parent=event_id, root=event_id, kind="delivery", name=name, service=service, entry=number,
            caller=caller, lane=lane, queued=at, started=started, ended=started + world.some_ms(0.4), args=args,
        )  # fmt: skip
        world.end(delivery, failed=service == "indexer" and world.random.random() < 0.02)


def session(calls: int = 2_000, *, seed: int = 1, level: Literal["times", "full"] = "full") -> list[AnyRecord]:
    """A session with at least CALLS calls, all of them ended, sorted by their end: 3 ms or so of it for each call."""
    world = _World(random.Random(seed), level)
    now = START + 5 * MS
    while world.calls < calls:
        now += world.some_ms(4)
        path = f"path='/usr/lib/python3/{world.random.choice(_FILES)}.py'"
        text = f"text='{world.random.choice(_QUERIES)}'"
        chance = world.random.random()
        if chance < 0.4:
            _fire(world, "file.found", now, KEY["scanner-0"], path)
        elif chance < 0.75:
            _run_and_wait(world, "index.file", "store.put", now, KEY["scanner-0"], path)
        elif chance < 0.95:
            query = _run_and_wait(world, "search.query", "store.search", now, KEY["load"], text)
            world.wait(0, KEY["load"], query, now)
        elif chance < 0.99:
            status = _run(world, "scan.status", None, now, KEY["MainThread"], 0.1)
            world.wait(0, KEY["MainThread"], status, now)
        else:
            _run(world, "trouble.fail", None, now, KEY["MainThread"], 1, "kind='value'")
    world.records.sort(key=lambda item: item[0])
    return [*preamble(), *(record for _, record in world.records)]


def batches(records: Iterable[AnyRecord], *, every: int = 50 * MS) -> Iterator[Batch]:
    """The records as a running program would send them, each batch with the calls that were in flight then."""
    todo = deque(records)
    at = START
    calls = [record for record in todo if isinstance(record, Call)]
    first = True
    while todo or first:
        at += every
        some = []
        while todo and _when(todo[0]) <= at:
            some.append(todo.popleft())
        live = [_as_of(call, at) for call in calls if call.queued <= at < call.ended]
        calls = [call for call in calls if call.ended > at]
        yield Batch(at=at, records=tuple(some), live=tuple(live[:500]), in_flight=len(live), snapshot_done=first)
        first = False


def _when(record: AnyRecord) -> int:
    return getattr(record, "ended", 0) or getattr(record, "at", 0)


def _as_of(call: Call, at: int) -> Call:
    """What was known of a call while it was in flight."""
    started = call.started if call.started <= at else 0
    return structs.replace(
        call, started=started, lane=call.lane if started else 0,
        ended=0, cpu=None, waited=0, outcome=None, error=None, result="",
    )  # fmt: skip


class FakeTarget:
    """A target that plays batches: all at the first drain, or one at each (`stepwise`).

    `execute` and `fire` answer at once: with `answers[name]`, or "ok". What was asked is in `asked`. `stacks` answers
    with those of the list `standing` that were asked for, `dead_letters` with the list `letters`.
    """

    def __init__(
        self, played: Iterable[Batch] = (), *, state: TargetState = "recorded", can_act: bool | None = None,
        stepwise: bool = False, answers: Mapping[str, Reply] | None = None, damaged: int = 0,
    ) -> None:  # fmt: skip
        self._batches = deque(played)
        self._stepwise = stepwise
        self._answers = dict(answers or {})
        self.asked: list[tuple[str, str, tuple[Any, ...], dict[str, Any]]] = []
        self.cancelled: list[int] = []
        self.standing: list[Stack] = []
        self.letters: list[Letter] = []
        self.closed = False
        can_act = state == "live" if can_act is None else can_act
        self.info = TargetInfo(session_record(), state, can_act=can_act, damaged=damaged)

    def add(self, *batches: Batch) -> None:
        """Have more batches ready."""
        self._batches.extend(batches)

    def end(self, reason: str = "The program has ended.") -> None:
        """The program is gone from now on."""
        self.info = TargetInfo(self.info.session, "ended", can_act=False, reason=reason)

    def drain(self) -> Sequence[Batch]:
        """See `Target`."""
        count = min(1, len(self._batches)) if self._stepwise else len(self._batches)
        return [self._batches.popleft() for _ in range(count)]

    def execute(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], on_reply: Callable[[Reply], None]
    ) -> int:
        """See `Target`."""
        return self._ask("execute", name, args, kwargs, on_reply)

    def fire(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], on_reply: Callable[[Reply], None]) -> int:
        """See `Target`."""
        return self._ask("fire", name, args, kwargs, on_reply)

    def stacks(self, lanes: Sequence[int], calls: Sequence[int], on_reply: Callable[[Reply], None]) -> int:
        """See `Target`."""
        if self.info.state != "live":
            message = "This is a recording: it has no live stacks."
            raise TargetError(message)
        self.asked.append(("stacks", "", (tuple(lanes), tuple(calls)), {}))
        chosen = [
            stack for stack in self.standing if not (lanes or calls) or stack.lane in lanes or stack.call in calls
        ]
        on_reply(Reply(request=len(self.asked), stacks=tuple(chosen)))
        return len(self.asked)

    def dead_letters(self, on_reply: Callable[[Reply], None]) -> int:
        """See `Target`."""
        if self.info.state != "live":
            message = "This is a recording: it has no dead letters."
            raise TargetError(message)
        self.asked.append(("dead letters", "", (), {}))
        on_reply(Reply(request=len(self.asked), letters=tuple(self.letters)))
        return len(self.asked)

    def set_level(self, level: Level, on_reply: Callable[[Reply], None]) -> int:
        """See `Target`."""
        return self._ask("set level", level, (), {}, on_reply)

    def cancel(self, request: int) -> None:
        """See `Target`."""
        self.cancelled.append(request)

    def close(self) -> None:
        """See `Target`."""
        self.closed = True

    def _ask(
        self, verb: str, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], on_reply: Callable[[Reply], None]
    ) -> int:
        if not self.info.can_act:
            message = "This is a recording: nothing can be executed in it."
            raise TargetError(message)
        self.asked.append((verb, name, tuple(args), dict(kwargs)))
        request = len(self.asked)
        answer = self._answers.get(name, Reply(request=request, call=900_000 + request, result="ok", value='"ok"'))
        on_reply(structs.replace(answer, request=request))
        return request
