"""Everything that can be done to a bus, in any order, beside a model that says what has to come of it.

Each call holds its worker until it is released, so what runs and what is queued is known at every moment; after each
step the machine waits until the bus has come to where the model is. The model knows services (size, whom the workers
hold, queue), commands by name, listeners, and what each promise has to end with.

Which worker takes a call is luck, and with it who is held after a service has become smaller. So no precondition
looks at what is held, queued or heard: it would not be the same when Hypothesis takes equal steps again. Such a rule
does nothing where there is nothing to do it to.
"""

import itertools
import threading
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bus import (
    Bus,
    BusClosed,
    CallCancelled,
    CommandExists,
    CommandNotFound,
    Service,
    ServiceExists,
    ServiceStopped,
)
from tests.bus.model import PATIENCE, Command, Ear, Model, Ticket, own
from tests.support import wait_for

SERVICES = ("a", "b")
COMMANDS = ("x", "y")
EVENTS = ("e.1", "e.2")
PATTERNS = (*EVENTS, "e.*")
OPEN_STEPS = 20
"""How long a bus is left open at least."""
T = TypeVar("T")
_MOST = 3
"""Workers of a service."""
NAMES, WORKERS, WHICH = st.sampled_from(SERVICES), st.integers(1, _MOST), st.integers(0, 5)


class BusMachine(RuleBasedStateMachine):
    """The bus and the model, step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.bus = Bus("machine")
        self.services: dict[str, Model] = {}
        self.commands: dict[str, list[Command]] = {}
        self.ears: list[Ear] = []
        self.all_ears: list[Ear] = []
        self.callbacks = itertools.count()
        self.numbers = itertools.count()
        self.tickets: list[Ticket] = []
        self.closed = False
        self.steps = 0

    @initialize(workers=WORKERS)
    def begin(self, workers: int) -> None:
        """There is something to work with from the start."""
        for which, name in enumerate(SERVICES):
            self.add(name, workers)
            self.register(COMMANDS[which], which, "error")
            self.listen(PATTERNS[-1], which, once=False)

    # ---- services come and go

    @precondition(lambda self: not self.closed)
    @rule(name=NAMES, workers=WORKERS)
    def add(self, name: str, workers: int) -> None:
        callback = next(self.callbacks)
        if name in self.services:
            with pytest.raises(ServiceExists):
                self.bus.add(own(name, workers, callback))
            return
        self.bus.add(own(name, workers, callback))
        self.services[name] = Model(workers)
        self._push(Command(f"{name}.own", name, callback))

    @precondition(lambda self: self.services and not self.closed)
    @rule(which=WHICH, workers=WORKERS)
    def scale(self, which: int, workers: int) -> None:
        name = _pick(list(self.services), which)
        model = self.services[name]
        leaving = {f"{name}-{number}" for number in range(workers, _MOST) if number not in model.busy}
        self.bus.scale(name, workers)
        model.size = workers
        # Until they have gone, they may take one more call that comes now.
        wait_for(lambda: not leaving & {thread.name for thread in threading.enumerate()}, PATIENCE)

    @precondition(lambda self: self.services and not self.closed)
    @rule(which=WHICH, workers=WORKERS, declares=st.booleans())
    def replace(self, which: int, workers: int, declares: bool) -> None:
        name = _pick(list(self.services), which)
        model, callback = self.services[name], next(self.callbacks)
        following = own(name, workers, callback) if declares else Service(name, workers=workers)
        replacing = self._begin(name, "starting", lambda: self.bus.replace(name, following))
        leaving = [one for one in self.commands.get(f"{name}.own", ()) if one.registration is None]
        old = {one.callback for one in leaving}
        running, queued = list(model.busy.values()), model.tickets()
        self._release_all(model)
        replacing.join(PATIENCE)
        for ticket in running:
            self._ended_well(ticket)
        for ticket in queued:
            # Who was released last may still have taken it.
            moved = {ticket.callback, callback if declares else None} if ticket.callback in old else {ticket.callback}
            self._ended_as(ticket, moved)
        for one in leaving:
            self._drop(one)
        if declares:
            self._push(Command(f"{name}.own", name, callback))
        self.services[name] = Model(workers)

    @precondition(lambda self: self.services and not self.closed)
    @rule(which=WHICH, drain=st.booleans())
    def remove(self, which: int, drain: bool) -> None:
        name = _pick(list(self.services), which)
        model = self.services.pop(name)
        removing = self._begin(name, "draining", lambda: self.bus.remove(name, drain=drain))
        if not drain:
            for ticket in model.tickets():
                self._failed(ticket, ServiceStopped)
            model.queue.clear()
        held = [*model.busy.values(), *model.tickets()]
        self._release_all(model)
        removing.join(PATIENCE)
        for ticket in held:
            self._ended_well(ticket)
        for one in [one for stack in self.commands.values() for one in stack if one.service == name]:
            self._drop(one)
        self.ears = [ear for ear in self.ears if ear.service != name]

    @precondition(lambda self: self.steps > OPEN_STEPS and not self.closed)
    @rule(drain=st.booleans())
    def close(self, drain: bool) -> None:
        held = [one for model in self.services.values() for one in (*model.busy.values(), *model.tickets())]
        if drain:
            closing = threading.Thread(target=self.bus.close)
            closing.start()
            for model in self.services.values():
                self._release_all(model)
            closing.join(PATIENCE)
        elif held:
            self.bus.close(timeout=0.02)
        else:
            self.bus.close()
        for ticket in held:
            if drain:
                self._ended_well(ticket)
            else:
                self._failed(ticket, BusClosed)
                ticket.released.set()
        if not drain and held:
            # Whether an event behind a held call is still heard is a matter of luck then.
            self.all_ears.clear()
        self.services, self.commands, self.ears, self.closed = {}, {}, [], True

    @precondition(lambda self: self.closed)
    @rule(name=st.sampled_from(COMMANDS))
    def refused(self, name: str) -> None:
        for act in (
            lambda: self.bus.fire_event("e.1", 0),
            lambda: self.bus.add(Service("late")),
        ):
            with pytest.raises(BusClosed):
                act()
        with pytest.raises((BusClosed, CommandNotFound)):
            self.bus.execute_command(name, None)

    # ---- names

    @precondition(lambda self: self.services and not self.closed)
    @rule(name=st.sampled_from(COMMANDS), which=WHICH, if_exists=st.sampled_from(("error", "replace", "shadow")))
    def register(self, name: str, which: int, if_exists: Any) -> None:
        service = _pick(list(self.services), which)
        made = Command(name, service, next(self.callbacks))

        def run(ticket: Ticket, callback: int = made.callback) -> Any:
            return ticket.run(callback)

        there = self.commands.get(name)
        if there and if_exists == "error":
            with pytest.raises(CommandExists):
                self.bus.register_command(name, run, service=service)
            return
        made.registration = self.bus.register_command(name, run, service=service, if_exists=if_exists)
        if there and if_exists == "replace":
            self._drop(there[-1])
        self._push(made)

    @precondition(lambda self: any(one.registration for stack in self.commands.values() for one in stack))
    @rule(which=WHICH)
    def dispose(self, which: int) -> None:
        made = _pick([one for stack in self.commands.values() for one in stack if one.registration], which)
        assert made.registration is not None
        made.registration.dispose()
        made.registration.dispose()
        self._drop(made)

    @precondition(lambda self: self.services and not self.closed)
    @rule(pattern=st.sampled_from(PATTERNS), which=WHICH, once=st.booleans())
    def listen(self, pattern: str, which: int, once: bool) -> None:
        ear = Ear(pattern, _pick(list(self.services), which), once)
        ear.registration = self.bus.register_listener(pattern, ear.heard.append, service=ear.service, once=once)
        self.ears.append(ear)
        self.all_ears.append(ear)

    @rule(which=WHICH)
    def stop_listening(self, which: int) -> None:
        if not (hearing := [one for one in self.all_ears if not one.disposed]):
            return
        ear = _pick(hearing, which)
        ear.registration.dispose()
        ear.disposed = True
        self.ears = [one for one in self.ears if one is not ear]

    # ---- calls and events

    @precondition(lambda self: not self.closed)
    @rule(name=st.sampled_from((*COMMANDS, *(f"{name}.own" for name in SERVICES))))
    def execute(self, name: str) -> None:
        stack = self.commands.get(name)
        if not stack:
            with pytest.raises(CommandNotFound):
                self.bus.execute_command(name, None)
            return
        ticket = Ticket(next(self.numbers), stack[-1].callback)
        ticket.promise = self.bus.execute_command(name, ticket)
        ticket.promise.add_done_callback(ticket.told.append)
        self.tickets.append(ticket)
        self.services[stack[-1].service].queue.append(ticket)

    @rule(which=WHICH)
    def release(self, which: int) -> None:
        if not (held := self._held()):
            return
        model, worker = _pick(held, which)
        ticket = model.busy.pop(worker)
        ticket.released.set()
        self._ended_well(ticket)

    @rule(which=WHICH)
    def cancel_running(self, which: int) -> None:
        if not (held := self._held()):
            return
        model, worker = _pick(held, which)
        ticket = model.busy[worker]
        assert not ticket.promise.cancel()
        ticket.asked = True

    @rule(which=WHICH)
    def cancel_queued(self, which: int) -> None:
        if not (queued := [(one, ticket) for one in self.services.values() for ticket in one.tickets()]):
            return
        model, ticket = _pick(queued, which)
        assert ticket.promise.cancel()
        self._failed(ticket, CallCancelled)
        model.queue.remove(ticket)

    @precondition(lambda self: not self.closed)
    @rule(event=st.sampled_from(EVENTS))
    def fire(self, event: str) -> None:
        number = next(self.numbers)
        self.bus.fire_event(event, number)
        for ear in [one for one in self.ears if fnmatchcase(event, one.pattern)]:
            self.services[ear.service].queue.append((ear, number))
            if ear.once:
                self.ears.remove(ear)

    # ---- and what has to hold after each

    @invariant()
    def comes_to_where_the_model_is(self) -> None:
        self.steps += 1
        for model in self.services.values():
            self._advance(model)
        for ear in self.all_ears:
            wait_for(lambda ear=ear: sorted(ear.heard) == ear.hears, PATIENCE)

    @invariant()
    def is_as_the_model_says(self) -> None:
        if self.closed:
            wait_for(lambda: not self.bus.live_calls(), PATIENCE)
            return
        said = {name: (model.size, len(model.queue)) for name, model in self.services.items()}
        # A delivery to a listener that was disposed is taken like any other, but nobody hears it: it takes a moment.
        wait_for(lambda: {info.name: (info.workers, info.depth) for info in self.bus.services()} == said, PATIENCE)
        names = {name: stack[-1].service for name, stack in self.commands.items() if stack}
        assert {entry.name: entry.service for entry in self.bus.commands()} == names
        assert [entry.name for entry in self.bus.listeners()] == [ear.pattern for ear in self.ears]

    def teardown(self) -> None:
        for ticket in self.tickets:
            ticket.released.set()
        self.bus.close()
        for ticket in self.tickets:
            assert ticket.promise.done()
            wait_for(lambda ticket=ticket: ticket.told, PATIENCE)
            assert ticket.told == [ticket.promise]

    # ---- inside

    def _held(self) -> list[tuple[Model, int]]:
        return [(model, worker) for model in self.services.values() for worker in model.busy]

    def _push(self, made: Command) -> None:
        self.commands.setdefault(made.name, []).append(made)

    def _drop(self, made: Command) -> None:
        self.commands[made.name].remove(made)

    def _begin(self, name: str, state: str, act: Callable[[], object]) -> threading.Thread:
        """Begin what does not end while calls are held; on its way when the service is in STATE, or done."""
        thread = threading.Thread(target=act)
        thread.start()
        wait_for(lambda: not thread.is_alive() or {one.name: one.state for one in self.bus.services()}[name] == state)
        return thread

    def _release_all(self, model: Model) -> None:
        """All that MODEL holds or has queued is run, however it falls."""
        for one in (*model.busy.values(), *model.tickets()):
            one.released.set()
        for item in model.queue:
            if not isinstance(item, Ticket) and not item[0].disposed:
                item[0].hears.append(item[1])

    def _advance(self, model: Model) -> None:
        while model.queue and model.free():
            item = model.queue.popleft()
            if isinstance(item, Ticket):
                (worker,) = wait_for(lambda item=item: item.entered, PATIENCE)
                assert worker not in model.busy
                model.busy[worker] = item
            elif not item[0].disposed:
                item[0].hears.append(item[1])

    def _ended_well(self, ticket: Ticket) -> None:
        self._ended_as(ticket, {ticket.callback})

    def _ended_as(self, ticket: Ticket, callbacks: set[int | None]) -> None:
        """It was answered by one of CALLBACKS; None: or not found there."""
        error = ticket.promise.exception(PATIENCE)
        if error is not None:
            assert isinstance(error, CommandNotFound), error
            assert None in callbacks, error
            return
        callback, number, asked = ticket.promise.result()
        assert (number, asked) == (ticket.number, ticket.asked)
        assert callback in callbacks
        assert len(ticket.entered) == 1

    def _failed(self, ticket: Ticket, kind: type[Exception]) -> None:
        wait_for(ticket.promise.done, PATIENCE)
        with pytest.raises(kind):
            ticket.promise.result()


def run(examples: int) -> None:
    """Try so many EXAMPLES, other ones each time."""
    few = settings(
        max_examples=examples, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(BusMachine, settings=few)


def _pick(among: Sequence[T], which: int) -> T:
    return among[which % len(among)]
