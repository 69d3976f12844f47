"""The way of every call: made and queued by its caller, taken by a worker, ended once, told to whoever waits."""

import itertools
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from itertools import repeat
from typing import Any, Literal

from bus.context import MAX_HOPS, Args, Call, Delivery, Fired, Kwargs, Source, as_call
from bus.deadlines import Clock, current_deadline
from bus.errors import BusClosed, BusError, CallCancelled, CallTimeout, HopLimitExceeded, ServiceStopped
from bus.foreign import log_error
from bus.hooks import Hooks
from bus.lanes import current, current_call, this_thread
from bus.mailbox import Closed, Full
from bus.notes import add_chain, line
from bus.promise import PENDING, Promise
from bus.registry import OWN_EVENTS, DeadLetter, Entry, Registry
from bus.runtime import Runtime, Wakeup
from bus.trace.redact import message_of, type_name
from bus.unretrieved import Reports
from bus.waits import Waits
from bus.worker import Runner

_MAX_DEAD_LETTERS = 1_000
_new = Promise.__new__
_OWN_ERRORS = ("error", "aborted", "deadlock")
"""The outcomes in which the handler's own error is lost if nobody asks for it."""


class Dispatch:
    """Shared by a bus, its runners and its promises.

    `runners` is changed under the bus's lock and read without it. `refusal` is why nothing is accepted from outside any
    more, and with `forbidden` from inside too; written by the thread that closes. Dead letters are appended by any
    thread, which is atomic, as is each step on `sleepers`: of each promise, by its id, the first thread that sleeps for
    it.
    """

    def __init__(self, name: str, runtime: Runtime, registry: Registry, hooks: Hooks) -> None:
        self.runtime = runtime
        self.now = runtime.now
        self.registry = registry
        self._top = registry.top
        self.hooks = hooks
        self.runners: dict[str, Runner] = {}
        self.waits = Waits(runtime.lock(), self.runners)
        self.sleepers: dict[int, Wakeup] = {}
        self.refusal: BusError | None = None
        self.forbidden = False
        self.dead_letters: deque[DeadLetter] = deque(maxlen=_MAX_DEAD_LETTERS)
        self._letter_numbers = itertools.count(1)
        self.clock = Clock(runtime)
        self.reports = Reports(runtime, name, self._unretrieved)
        self._ids = itertools.count(1)
        self.new_id: Callable[[], int] = self._ids.__next__

    def accepted(self) -> int:
        """A number that grows with every call that is made."""
        return self.new_id()

    def refuse(self) -> None:
        """Raise why nothing is accepted here, if so; the handlers of a bus that drains may still call each other."""
        if self.refusal is not None and (current_call() is None or self.forbidden):
            raise self.refused(self.refusal)

    def refused(self, why: BusError) -> BusError:
        """A copy of WHY to raise: one object that is raised over and over collects the traceback of every raise."""
        return type(why)(*why.args)

    def forbid(self, error: BusError) -> None:
        """In a forked child: nothing is accepted, nothing that is queued runs twice, and no waiting thread is woken."""
        self.refusal, self.forbidden = error, True
        for runner in self.runners.values():
            runner.mailbox.abandon()

    def execute_command(self, name: str, /, *args: Any, **kwargs: Any) -> Promise[Any]:
        """Queue a call of the command NAME and return the promise of its result; see `Bus.execute_command`."""
        entry = self._top.get(name)
        if entry is None:
            raise self.not_found(name)
        if kwargs or not entry.least <= len(args) <= entry.most:
            entry.schema.check(name, args, kwargs)
        if self.refusal is not None:
            self.refuse()
        thread = current.state or this_thread()
        origin = thread.origin or thread.origin_now()
        context = copy_context()
        # Not by an `__init__`, which would cost a twentieth of a call.
        promise: Promise[Any] = _new(Promise)
        promise.id = self.new_id()
        promise.source = entry
        promise.origin = origin
        promise.args = args
        promise.kwargs = kwargs or None
        promise.started = promise.lane = promise.waited = 0
        promise.value = None
        promise._state = PENDING  # noqa: SLF001
        promise.open_ = True
        promise.watched = False
        promise.queued = self.now()
        if context:
            promise.context = context
            self._inherit_deadline(promise)
        else:
            promise.context = None
        if thread.acts_for is not None:
            (promise.by, promise.client), thread.acts_for = thread.acts_for, None
            promise.open_ = False
        if self.hooks.queued:
            promise.open_ = False
            self.hooks.notify("queued", promise)
        mailbox = entry.mailbox
        # As `Mailbox.put` does it, written out: there is room, and nobody sleeps.
        if len(mailbox.calls) >= mailbox.capacity or origin[3] >= MAX_HOPS:
            self._put(promise, entry.runner)
            return promise
        mailbox.calls.append(promise)
        if mailbox.closed or mailbox.sleepers:
            try:
                mailbox.appended(promise)
            except Closed as refused:
                raise self._reject(promise, entry.runner.refusal(refused)) from None
        return promise

    def execute_for(self, by: str, client: str, name: str, args: Args, kwargs: Kwargs) -> Promise[Any]:
        """The same for somebody outside of the program."""
        thread = this_thread()
        thread.acts_for = by, client
        try:
            return self.execute_command(name, *args, **kwargs or {})
        finally:
            thread.acts_for = None

    def _put(self, promise: Promise[Any], runner: Runner) -> None:
        """Queue it as its service wants it, if it can be."""
        try:
            if promise.hops >= MAX_HOPS:
                raise HopLimitExceeded(_too_long(promise))
            runner.put(promise)
        except (BusError, Full, Closed) as refused:
            raise self._reject(promise, runner.refusal(refused)) from None

    def _inherit_deadline(self, call: Call) -> None:
        deadline = current_deadline.get()
        if deadline is not None:
            call.deadline = deadline

    def fire_event(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        """Queue a delivery for each listener of the event NAME; see `Bus.fire_event`."""
        if self.refusal is not None:
            self.refuse()
        hooks, route, thread = self.hooks, self.registry.routes.get(name), current.state or this_thread()
        origin = thread.origin or thread.origin_now()
        lane, parent, root, hops = origin
        if route is None or not (route.plain and hooks.plain) or hops >= MAX_HOPS:
            self.fire_watched(name, args, kwargs)
            return
        new_id = self.new_id
        number = new_id()
        fired = Fired(number, parent, root or number, hops, lane, route.key, self.now())
        context = copy_context()
        extra = (kwargs or None, context or None) if kwargs or context else None
        # The event's own record ends before its first effect can begin.
        if thread.recorded_by is not hooks.timings or not thread.room:
            hooks.make_room(thread)
        thread.room -= 1
        if thread.record is not None:
            thread.record(fired)
        for source, mailbox in route.singles:
            delivery = Delivery(new_id(), fired, source, args, extra)
            if len(mailbox.calls) >= mailbox.capacity:
                self._deliver(delivery, source.runner)
                continue
            mailbox.calls.append(delivery)
            if mailbox.closed or mailbox.sleepers:
                try:
                    mailbox.appended(delivery)
                except Closed as refused:
                    self._not_put(delivery, source.runner, refused)
        for runner, sources in route.groups:
            # One id too many is drawn for each group; nothing is wrong with a gap.
            self._deliver_all([*map(Delivery, self._ids, repeat(fired), sources, repeat(args), repeat(extra))], runner)

    def _deliver_all(self, deliveries: "list[Delivery]", runner: Runner) -> None:
        """In one step if there is room for all; else one by one, as the service's policy wants it."""
        try:
            refused = runner.put_all(deliveries)
        except Full:
            for delivery in deliveries:
                self._deliver(delivery, runner)
            return
        for item in refused:
            self.abandon(as_call(item), runner.refusal(Closed()))

    def fire_watched(
        self, name: str, args: Args, kwargs: Kwargs, by: str = "code", client: str = ""
    ) -> tuple[Call, tuple[Entry, ...]]:
        """As `fire`, with calls that can be shown to hooks; the event's call, and the listeners it goes to."""
        self.refuse()
        route = self.registry.route(name)
        thread = this_thread()
        event = Call(self.new_id(), route.source, thread.origin_now(), self.now(), args, kwargs or None)
        event.started = event.ended = event.queued
        event.lane = thread.lane
        event.outcome = "ok"
        if client:
            event.by, event.client = by, client
        if event.hops >= MAX_HOPS:
            raise self._reject(event, HopLimitExceeded(_too_long(event)))
        self.hooks.notify("queued", event)
        goes_to = list(zip(route.entries, route.sources, strict=True))
        goes_to = [pair for pair in goes_to if not pair[0].once or self.registry.claim(pair[0])]
        if not goes_to:
            self._dead_letter("event", name, "no listener")
        deliveries = [self._delivery(event, source) for _, source in goes_to]
        self.hooks.tell_ended(event)
        event.let_go()
        for delivery in deliveries:
            self.hooks.notify("queued", delivery)
            self._deliver(delivery, delivery.source.runner)
        return event, tuple(entry for entry, _ in goes_to)

    def _delivery(self, event: Call, source: Source) -> Call:
        origin = event.caller, event.id, event.root, event.hops
        call = Call(self.new_id(), source, origin, self.now(), event.args, event.kwargs, copy_context() or None)
        if event.client:
            call.by, call.client = event.by, event.client
        return call

    def _deliver(self, item: "Call | Delivery", runner: Runner) -> None:
        try:
            runner.put(item)
        except (BusError, Full, Closed) as refused:
            self._not_put(item, runner, refused)

    def _not_put(self, item: "Call | Delivery", runner: Runner, refused: BusError | Full | Closed) -> None:
        """A delivery was not taken: the service's policy says which one is lost, if it is for want of room."""
        try:
            lost = runner.make_room(item) if isinstance(refused, Full) else item
        except (Closed, BusError) as closed:
            lost, refused = item, closed
        if lost is None:
            return
        if isinstance(refused, Full):
            self._drop(as_call(lost), runner)
        else:
            self.abandon(as_call(item), runner.refusal(refused))

    def _drop(self, call: Call, runner: Runner) -> None:
        with runner.mailbox.lock:
            runner.dropped += 1
        self.hooks.notify("dropped", call, runner.name)
        self._dead_letter("delivery", call.name, f"the mailbox of {runner.name} was full")
        self.end(call, "rejected")

    def _reject(self, call: Call, error: BusError) -> BusError:
        """It was never queued: the record says why; returns ERROR, which the caller gets."""
        if isinstance(error, ServiceStopped):
            self._dead_letter("command", call.name, str(error))
        self.end(call, "rejected", error=error)
        return error

    def tick(self, runner: Runner, method: Callable[..., Any], name: str) -> Callable[[], None]:
        """What a timer calls: it queues a call of METHOD under NAME, unless the last one is not done."""
        pending: list[Call] = []
        source = Source("delivery", name, runner.name, method)
        source.runner = runner

        def tick() -> None:
            if pending and pending[0].in_flight:
                return
            origin = this_thread().origin_now()
            call = Call(self.new_id(), source, origin, self.now(), context=copy_context() or None)
            pending[:] = [call]
            self.hooks.notify("queued", call)
            self._deliver(call, runner)

        return tick

    def may_run(self, call: Call) -> bool:
        """A worker has taken a delivery: whether its listener still wants it."""
        if not call.source.disposed:
            return True
        self._dead_letter("delivery", call.name, f"the listener on {call.service} was disposed before it came")
        self.end(call, "cancelled")
        return False

    def expired(self, call: Call) -> bool:
        """A worker has taken CALL, which has a deadline: whether that is past; then the call is over."""
        if call.deadline is None or self.clock.now() < call.deadline:
            return False
        text = f"{call.name} #{call.id} was queued for {call.service} when its deadline passed, and was not started"
        self.end(call, "expired", error=CallTimeout(text))
        return True

    def end(self, call: Call, outcome: str, *, error: BaseException | None = None, value: object = None) -> int:
        """The end of a call that is not one of the plain ones, and when that is: noted, told, then known to its caller.

        Of a promise that another thread has ended before, only the hooks learn what became of it late.
        """
        promise = call if isinstance(call, Promise) and call.claim() else None
        if promise is None and isinstance(call, Promise):
            call = call.bare()
        call.value, call.error, call.outcome, call.ended = value, error, outcome, self.now()
        if error is not None:
            add_chain(error, call, self._running)
        self.hooks.tell_ended(call)
        call.let_go()
        if promise is not None:
            # That the bus closes is no news to a program that closed it.
            if error is not None and outcome in _OWN_ERRORS and not issubclass(type(error), BusClosed):
                promise.unretrieved = self.reports.watch(promise.bare(), error)
            promise.settle(value, error)
        elif error is not None and call.kind == "delivery" and not call.name.startswith(OWN_EVENTS):
            self.announce("listener_failed", service=call.service, name=call.name, error=error)
        return call.ended

    def cancelled(self, promise: Promise[Any]) -> None:
        """PROMISE was taken out of its queue by itself."""
        message = f"{promise.name} #{promise.id} was cancelled before it started"
        promise.outcome, promise.ended = "cancelled", self.now()
        claimed = promise.claim()
        self.hooks.tell_ended(promise)
        promise.let_go()
        if claimed:
            promise.set_cancelled(CallCancelled(message))

    def abandon(self, call: Call, error: BusError) -> None:
        """CALL is queued, and nobody will run it: it ends with ERROR, a delivery as a dead letter."""
        if call.kind == "delivery":
            self._dead_letter("delivery", call.name, str(error))
        self.end(call, "rejected", error=error)

    def announce(self, name: str, /, **kwargs: Any) -> None:
        """Fire one of the bus's own events, if somebody listens to it."""
        event = OWN_EVENTS + name
        if self.refusal is None and self.registry.receivers(event):
            self.fire_event(event, **kwargs)

    def not_found(self, name: str) -> BusError:
        """The error for a NAME that is no command, counted as a dead letter."""
        self._dead_letter("command", name, "no such command")
        return self.registry.not_found(name)

    def _unretrieved(self, call: Call, error: BaseException) -> None:
        text = f"the error of {line(call)} #{call.id} was never retrieved: {type_name(error)}: {message_of(error)}"
        log_error(text, error)
        self.hooks.notify("problem", "swallowed", text, (call.id,))
        self.announce("error_unretrieved", name=call.name, service=call.service, error=error)

    def _running(self, call_id: int) -> Call | None:
        running = (call for runner in list(self.runners.values()) for call in runner.running if call is not None)
        return next((call for call in running if call.id == call_id), None) if call_id else None

    def _dead_letter(self, kind: Literal["event", "command", "delivery"], name: str, reason: str) -> None:
        letter = DeadLetter(self.now(), kind, name, reason, next(self._letter_numbers))
        self.dead_letters.append(letter)
        self.hooks.notify("dead_letter", letter)


def _too_long(call: Call) -> str:
    return (
        f"{call.name} #{call.id} is the end of a chain of more than {MAX_HOPS} calls: does it fire or execute itself?"
    )
