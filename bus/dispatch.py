"""The way of every call: made and queued by its caller, taken by a worker, ended once, told to whoever waits."""

import itertools
import logging
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Any, Literal

from bus.context import MAX_HOPS, Call, Source, current
from bus.deadlines import Clock, current_deadline
from bus.errors import BusError, CallCancelled, CallTimeout, HopLimitExceeded, ServiceStopped
from bus.hooks import Hooks
from bus.mailbox import Closed, Full
from bus.notes import add_chain
from bus.promise import Promise
from bus.registry import OWN_EVENTS, DeadLetter, Entry, Heard, Registry
from bus.runtime import Runtime
from bus.unretrieved import Reports
from bus.waits import Waits
from bus.worker import Runner

_log = logging.getLogger("bus")
_MAX_DEAD_LETTERS = 1_000
_MAX_EVENTS = 4_096
_OWN_ERRORS = ("error", "aborted", "deadlock")
"""The outcomes in which the handler's own error is lost if nobody asks for it."""
_NO_KWARGS: Mapping[str, Any] = {}


class Dispatch:
    """Shared by a bus, its runners and its promises.

    `runners` is changed under the bus's lock and read without it. `refusal` is why nothing is accepted from outside any
    more, and with `forbidden` from inside too; written by the thread that closes. Dead letters are appended by any
    thread, which is atomic.
    """

    def __init__(self, name: str, runtime: Runtime, registry: Registry, hooks: Hooks) -> None:
        self.runtime = runtime
        self.now = runtime.now
        self.registry = registry
        self.hooks = hooks
        self.runners: dict[str, Runner] = {}
        self.waits = Waits(runtime.lock(), self.runners)
        self.refusal: BusError | None = None
        self.forbidden = False
        self.dead_letters: deque[DeadLetter] = deque(maxlen=_MAX_DEAD_LETTERS)
        self.clock = Clock(runtime)
        self.reports = Reports(runtime, name, self._unretrieved)
        self._ids = itertools.count(1)
        # Remembered sources; written by any thread that fires, and a lost entry is made again.
        self._events: dict[str, Source] = {}
        self._globs: dict[tuple[int, str], Source] = {}

    def accepted(self) -> int:
        """A number that grows with every call that is made."""
        return next(self._ids)

    def refuse(self) -> None:
        """Raise why nothing is accepted here, if so; the handlers of a bus that drains may still call each other."""
        if self.refusal is not None and (current.call is None or self.forbidden):
            raise self.refusal

    def execute(
        self, entry: Entry, args: tuple[Any, ...], kwargs: Mapping[str, Any], by: str = "code", client: str = ""
    ) -> Promise[Any]:
        """Queue a call of ENTRY, whose arguments were checked, and return its promise."""
        if self.refusal is not None:
            self.refuse()
        runner = self.runners.get(entry.service)
        if runner is None:
            raise self.not_found(entry.name)
        call = Call(next(self._ids), entry, self.now(), args, kwargs)
        call.context = copy_context()
        promise = call.promise = Promise(runner, call)
        deadline = current_deadline.get()
        if deadline is not None:
            call.deadline = deadline
        if client:
            call.by, call.client = by, client
        for method in self.hooks.queued:
            try:
                method(call)
            except Exception:  # noqa: BLE001  foreign code: whatever it raises must not reach the program
                self.hooks.failed(method)
        try:
            if call.hops >= MAX_HOPS:
                raise HopLimitExceeded(_too_long(call))
            runner.put(call)
        except (BusError, Full, Closed) as refused:
            raise self._reject(call, runner.refusal(refused)) from None
        return promise

    def fire(
        self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], by: str = "code", client: str = ""
    ) -> tuple[Call, tuple[Entry, ...]]:
        """Queue a delivery for each listener; the event's call and those listeners."""
        if self.refusal is not None:
            self.refuse()
        event = Call(next(self._ids), self._event(name), self.now(), args, kwargs)
        event.started = event.ended = event.queued
        event.lane = event.caller
        event.outcome = "ok"
        if client:
            event.by, event.client = by, client
        if event.hops >= MAX_HOPS:
            raise self._reject(event, HopLimitExceeded(_too_long(event)))
        if self.hooks.queued:
            self.hooks.notify("queued", event)
        receivers = self.registry.receivers(name)
        took = tuple(entry for entry in receivers if not entry.once or self.registry.claim(entry))
        if not took:
            self._dead_letter("event", name, "no listener")
        deliveries = [self._delivery(event, entry) for entry in took]
        # The event's own record ends before its first effect can begin.
        self.ended(event)
        for delivery, entry in zip(deliveries, took, strict=True):
            self._deliver(delivery, entry)
        return event, took

    def _event(self, name: str) -> Source:
        """One source for all events of a name; the table is forgotten when a program makes up names without end."""
        source = self._events.get(name)
        if source is None:
            if len(self._events) >= _MAX_EVENTS:
                self._events = {}
            source = self._events[name] = Source("event", name)
        return source

    def _delivery(self, event: Call, entry: Entry) -> Call:
        source = entry if entry.name == event.name else self._heard(entry, event.name)
        call = Call(next(self._ids), source, self.now(), event.args, event.kwargs)
        call.parent, call.root, call.hops = event.id, event.root, event.hops
        call.context = copy_context()
        if event.client:
            call.by, call.client = event.by, event.client
        return call

    def _heard(self, entry: Entry, event: str) -> Source:
        """What a glob's delivery runs: the listener, under the event's name."""
        key = (entry.entry, event)
        source = self._globs.get(key)
        if source is None:
            if len(self._globs) >= _MAX_EVENTS:
                self._globs = {}
            source = self._globs[key] = Heard(entry, event)
        return source

    def _deliver(self, call: Call, entry: Entry) -> None:
        if self.hooks.queued:
            self.hooks.notify("queued", call)
        runner = self.runners.get(entry.service)
        try:
            if runner is None:
                message = f"the service {entry.service!r} is gone"
                raise ServiceStopped(message)
            lost = runner.deliver(call)
        except BusError as error:
            self.abandon(call, error)
            return
        if lost is not None:
            self._drop(lost, runner)

    def _drop(self, call: Call, runner: Runner) -> None:
        with runner.mailbox.lock:
            runner.dropped += 1
        self.hooks.notify("dropped", call, runner.name)
        self._dead_letter("delivery", call.name, f"the mailbox of {runner.name} was full")
        call.outcome, call.ended = "rejected", self.now()
        self.ended(call)

    def _reject(self, call: Call, error: BusError) -> BusError:
        """It was never queued: the record says why; returns ERROR, which the caller gets."""
        call.error, call.outcome, call.ended = error, "rejected", self.now()
        if isinstance(error, ServiceStopped):
            self._dead_letter("command", call.name, str(error))
        self.hooks.notify("ended", call)
        _let_go(call)
        return error

    def tick(self, runner: Runner, method: Callable[..., Any], name: str) -> Callable[[], None]:
        """What a timer calls: it queues a call of METHOD under NAME, unless the last one is not done."""
        pending: list[Call] = []
        source = Source("delivery", name, runner.name, method)

        def tick() -> None:
            if pending and pending[0].outcome is None:
                return
            call = Call(next(self._ids), source, self.now())
            call.context = copy_context()
            pending[:] = [call]
            self.hooks.notify("queued", call)
            try:
                lost = runner.deliver(call)
            except BusError as error:
                self.abandon(call, error)
            else:
                if lost is not None:
                    self._drop(lost, runner)

        return tick

    def may_run(self, call: Call) -> bool:
        """A worker has taken a delivery: whether its listener still wants it."""
        source = call.source
        listener = source.listener if isinstance(source, Heard) else source
        if not isinstance(listener, Entry) or not listener.disposed:
            return True
        call.outcome, call.ended = "cancelled", self.now()
        self._dead_letter("delivery", call.name, f"the listener on {call.service} was disposed before it came")
        self.ended(call)
        return False

    def expired(self, call: Call) -> bool:
        """A worker has taken CALL, which has a deadline: whether that is past; then the call is over."""
        if call.deadline is None or self.clock.now() < call.deadline:
            return False
        text = f"{call.name} #{call.id} was queued for {call.service} when its deadline passed, and was not started"
        call.error, call.outcome, call.ended = CallTimeout(text), "expired", self.now()
        self.ended(call)
        return True

    def ended(self, call: Call) -> None:
        """The one end of every call: noted on its error, told to the hooks, then to whoever waits."""
        error, promise, result = call.error, call.promise, call.result
        if error is not None:
            add_chain(error, call, self._running)
        for method in self.hooks.ended:
            try:
                method(call)
            except Exception:  # noqa: BLE001  foreign code: whatever it raises must not reach the program
                self.hooks.failed(method)
        _let_go(call)
        if promise is not None:
            if error is not None and call.outcome in _OWN_ERRORS:
                promise.unretrieved = self.reports.watch(call, error)
            promise.settle(result, error)
        elif error is not None and call.kind == "delivery" and not call.name.startswith(OWN_EVENTS):
            self.announce("listener_failed", service=call.service, name=call.name, error=error)

    def cancelled(self, call: Call) -> None:
        """CALL was taken out of its queue by its promise."""
        promise = call.promise
        message = f"{call.name} #{call.id} was cancelled before it started"
        call.outcome, call.ended = "cancelled", self.now()
        self.hooks.notify("ended", call)
        _let_go(call)
        if promise is not None:
            promise.set_cancelled(CallCancelled(message))

    def abandon(self, call: Call, error: BusError) -> None:
        """CALL is queued, and nobody will run it: it ends with ERROR, a delivery as a dead letter."""
        if call.promise is None:
            self._dead_letter("delivery", call.name, str(error))
        call.error, call.outcome, call.ended = error, "rejected", self.now()
        self.ended(call)

    def announce(self, name: str, /, **kwargs: Any) -> None:
        """Fire one of the bus's own events, if somebody listens to it."""
        event = OWN_EVENTS + name
        if self.refusal is None and self.registry.receivers(event):
            self.fire(event, (), kwargs)

    def not_found(self, name: str) -> BusError:
        """The error for a NAME that is no command, counted as a dead letter."""
        self._dead_letter("command", name, "no such command")
        return self.registry.not_found(name)

    def _unretrieved(self, call: Call, error: BaseException) -> None:
        text = f"the error of {call.line()} #{call.id} was never retrieved: {type(error).__name__}: {error}"
        _log.error("%s", text, exc_info=error)
        self.hooks.notify("problem", "swallowed", text, (call.id,))
        self.announce("error_unretrieved", name=call.name, service=call.service, error=error)

    def _running(self, call_id: int) -> Call | None:
        running = (call for runner in list(self.runners.values()) for call in runner.running if call is not None)
        return next((call for call in running if call.id == call_id), None) if call_id else None

    def _dead_letter(self, kind: Literal["event", "command", "delivery"], name: str, reason: str) -> None:
        letter = DeadLetter(self.now(), kind, name, reason)
        self.dead_letters.append(letter)
        self.hooks.notify("dead_letter", letter)


def _let_go(call: Call) -> None:
    """Drop what only a running call needs, so that a record of it keeps no argument or result alive."""
    call.promise = call.context = call.result = None
    call.args, call.kwargs = (), _NO_KWARGS


def _too_long(call: Call) -> str:
    return (
        f"{call.name} #{call.id} is the end of a chain of more than {MAX_HOPS} calls: does it fire or execute itself?"
    )
