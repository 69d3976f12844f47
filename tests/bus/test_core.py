"""The four verbs, and what the example at the top of BUS.md promises."""

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import as_completed, wait

import pytest

from bus import (
    BadArguments,
    Bus,
    BusClosed,
    Call,
    CommandExists,
    CommandNotFound,
    HandlerAborted,
    HopLimitExceeded,
    MailboxFull,
    Service,
    ServiceNotFound,
    command,
    current_call,
    listener,
)
from bus.lanes import lanes
from tests.support import wait_for


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


class Echo(Service):
    @command("echo")
    def echo(self, value: object) -> object:
        return value


class Gate(Service):
    """Holds its one thread until it is opened."""

    capacity = 2

    def on_start(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.seen: list[object] = []

    @command("hold")
    def hold(self) -> str:
        self.entered.set()
        assert self.opened.wait(10)
        return "held"

    @command("noop")
    def noop(self, value: int = 0) -> int:
        self.seen.append(value)
        return value

    @listener("told")
    def on_told(self, value: object) -> None:
        self.seen.append(value)


@pytest.fixture
def gate(bus: Bus) -> Iterator[Gate]:
    made = bus.add(Gate())
    yield made
    made.opened.set()


EXAMPLE = """
import asyncio
from bus import Bus

def say_hello(name: str) -> str:
    return f"Hello, {name}!"

def on_greet(name: str) -> None:
    print("greeted", name, flush=True)

bus = Bus("shop")
bus.register_command("say_hello", say_hello)
promise = bus.execute_command("say_hello", "Alice")
print(promise.result())

async def main() -> None:
    print(await bus.execute_command("say_hello", "Carol"))

asyncio.run(main())
bus.register_listener("greet", on_greet)
bus.fire_event("greet", "Bob")
"""

RUN_EXAMPLE = """
from bus import Bus

class Greeter:
    def __init__(self, bus: Bus) -> None:
        self.bus = bus

    def run(self) -> None:
        self.bus.register_command("say_hello", self.say_hello)
        self.bus.register_listener("greet", self.on_greet)

    def say_hello(self, name: str) -> str:
        return f"Hello, {name}!"

    def on_greet(self, name: str) -> None:
        print("greeted", name, flush=True)

bus = Bus("shop")
Greeter(bus).run()
print(bus.execute_command("say_hello", name="Alice").result())
bus.fire_event("greet", "Bob")
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=30, check=False
    )


def test_example_runs_as_written() -> None:
    """The example of BUS.md works at a module's top level, and the queued event is delivered at the plain end."""
    done = run(EXAMPLE)
    assert (done.stdout, done.stderr, done.returncode) == ("Hello, Alice!\nHello, Carol!\ngreeted Bob\n", "", 0)


def test_example_with_a_class_runs_as_written() -> None:
    """The same with a class whose methods are registered in its run()."""
    done = run(RUN_EXAMPLE)
    assert (done.stdout, done.stderr, done.returncode) == ("Hello, Alice!\ngreeted Bob\n", "", 0)


def test_handler_may_have_a_parameter_called_name(bus: Bus) -> None:
    """The verbs take their own name positionally, so a handler may have a parameter of that name."""
    heard: list[str] = []
    bus.register_command("hello", lambda name: f"hello {name}")
    bus.register_listener("greet", lambda *, name: heard.append(name))
    bus.fire_event("greet", name="Bob")
    assert bus.execute_command("hello", name="Alice").result(10) == "hello Alice"
    wait_for(lambda: heard == ["Bob"])


def test_both_registrations_work_as_decorators(bus: Bus) -> None:
    """Without a callback the two register verbs are decorators that return the function."""
    heard = threading.Event()

    @bus.register_command("double")
    def double(number: int) -> int:
        return 2 * number

    @bus.register_listener("done")
    def on_done() -> None:
        heard.set()

    bus.fire_event("done")
    assert double(2) == bus.execute_command("double", 2).result(10) == 4
    assert heard.wait(10)


def test_dispose_takes_a_command_back_and_may_be_called_twice(bus: Bus) -> None:
    """dispose() is idempotent, and a registration is a context manager."""
    with bus.register_command("gone", lambda: 1) as registration:
        assert bus.execute_command("gone").result(10) == 1
    registration.dispose()
    with pytest.raises(CommandNotFound):
        bus.execute_command("gone")


def test_accepted_call_runs_after_its_command_is_disposed(bus: Bus, gate: Gate) -> None:
    """A call is bound to its callback when it is queued."""
    held = bus.execute_command("hold")
    assert gate.entered.wait(10)
    registration = bus.register_command("late", lambda: "ran", service=gate)
    promise = bus.execute_command("late")
    registration.dispose()
    gate.opened.set()
    assert (held.result(10), promise.result(10)) == ("held", "ran")


def test_second_registration_names_the_first(bus: Bus) -> None:
    """A name that is taken raises CommandExists with owner and file:line of the first."""
    bus.register_command("taken", lambda: 1)
    with pytest.raises(CommandExists, match=r"'main' at .*test_core\.py:\d+"):
        bus.register_command("taken", lambda: 2)


def test_replace_and_shadow(bus: Bus) -> None:
    """if_exists="replace" swaps a command; "shadow" covers it until it is disposed."""
    bus.register_command("which", lambda: 1)
    bus.register_command("which", lambda: 2, if_exists="replace")
    shadow = bus.register_command("which", lambda: 3, if_exists="shadow")
    assert bus.execute_command("which").result(10) == 3
    shadow.dispose()
    assert bus.execute_command("which").result(10) == 2


def test_unknown_name_offers_close_ones(bus: Bus) -> None:
    """CommandNotFound is raised at once, with up to three close matches."""
    bus.add(Echo())
    with pytest.raises(CommandNotFound, match="did you mean echo"):
        bus.execute_command("ecko")


def test_arguments_are_checked_in_the_caller(bus: Bus) -> None:
    """BadArguments names what is missing and what is unexpected, before anything is queued."""
    bus.add(Echo())
    with pytest.raises(BadArguments, match=r"echo\(value: object\): value is missing; vlaue is unexpected"):
        bus.execute_command("echo", vlaue=1)


def test_plain_callback_runs_on_main_and_a_method_on_its_service(bus: Bus) -> None:
    """A plain callback runs on the pool main, a bound method of a service on that service's thread."""
    echo = bus.add(Echo())
    bus.register_command("where.main", lambda: threading.current_thread().name)
    bus.register_command("where.echo", lambda: threading.current_thread().name, service=echo)
    bus.register_command("echo.again", echo.echo)
    assert bus.execute_command("where.main").result(10).startswith("main-")
    assert bus.execute_command("where.echo").result(10) == "echo-0"
    assert {entry.service for entry in bus.commands() if entry.name.startswith("echo")} == {"echo"}


def test_service_that_is_not_added_is_named(bus: Bus) -> None:
    """Registering for a service that is not on the bus says to add it first."""
    with pytest.raises(ServiceNotFound, match="add it first"):
        bus.register_command("x", Echo().echo)
    with pytest.raises(ServiceNotFound, match="no service called 'nope'"):
        bus.register_command("x", lambda: 1, service="nope")


def test_call_knows_who_asked(bus: Bus) -> None:
    """Inside a handler current_call() has id, parent and root across threads; outside it is None."""
    calls: list[tuple[int, int, int]] = []

    def note() -> None:
        call = current_call()
        assert call is not None
        calls.append((call.id, call.parent, call.root))

    def outer() -> None:
        note()
        bus.execute_command("inner").result(10)

    bus.register_command("outer", outer)
    bus.register_command("inner", note)
    bus.execute_command("outer").result(10)
    (outer_id, no_parent, outer_root), (inner_id, inner_parent, inner_root) = calls
    assert current_call() is None
    assert no_parent == 0
    assert outer_root == outer_id == inner_parent == inner_root != inner_id


def test_delivery_descends_from_the_event(bus: Bus) -> None:
    """A delivery's parent is the event, whose root is the call that fired it."""
    seen: list[object] = []
    bus.register_listener("fired", lambda: seen.append(current_call()))
    calls: list[object] = []

    def fire() -> None:
        calls.append(current_call())
        bus.fire_event("fired")

    bus.register_command("fire", fire)
    bus.execute_command("fire").result(10)
    delivery = wait_for(lambda: seen)[0]
    assert delivery.kind == "delivery"
    assert delivery.root == calls[0].id
    assert delivery.parent not in {0, calls[0].id}


def test_contextvars_of_the_caller_are_visible_in_the_handler(bus: Bus) -> None:
    """Context crosses threads with the call, and what the handler sets stays there."""
    user = contextvars.ContextVar("user", default="nobody")

    def swap() -> str:
        seen = user.get()
        user.set("changed")
        return seen

    bus.register_command("swap", swap)
    user.set("alice")
    assert bus.execute_command("swap").result(10) == "alice"
    assert user.get() == "alice"


def test_chain_without_end_is_cut(bus: Bus) -> None:
    """An event that fires itself for ever raises HopLimitExceeded in the handler that goes too far."""
    hops: list[int] = []
    errors: list[BaseException] = []

    @bus.register_listener("again")
    def again() -> None:
        hops.append(1)
        try:
            bus.fire_event("again")
        except HopLimitExceeded as error:
            errors.append(error)

    bus.fire_event("again")
    wait_for(lambda: errors)
    assert len(hops) == 100


def test_error_of_a_handler_arrives_with_its_chain(bus: Bus) -> None:
    """The handler's own exception arrives, with a note for each call that it passed."""

    def inner() -> None:
        raise ValueError("inner broke")

    bus.register_command("inner", inner)
    bus.register_command("outer", lambda: bus.execute_command("inner").result(10))
    with pytest.raises(ValueError, match="inner broke") as caught:
        bus.execute_command("outer").result(10)
    first, second = caught.value.__notes__
    assert first.startswith("in command inner on main-")
    assert ", called from outer on main-" in first
    assert first.endswith(f"← {threading.current_thread().name}")
    assert second.startswith("in command outer on main-")


def test_error_raised_again_has_its_notes_replaced(bus: Bus) -> None:
    """One exception object that is raised by call after call does not collect notes."""
    error = ValueError("the same one")

    def fail() -> None:
        raise error

    bus.register_command("fail", fail)
    for _ in range(3):
        with pytest.raises(ValueError, match="the same one"):
            bus.execute_command("fail").result(10)
    assert len(error.__notes__) == 1


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_worker_survives_an_exit_in_a_handler(bus: Bus, kind: type[BaseException]) -> None:
    """An exit raised by a handler arrives as HandlerAborted, and the thread lives on."""
    echo = bus.add(Echo())

    def leave() -> None:
        raise kind

    bus.register_command("leave", leave, service=echo)
    with pytest.raises(HandlerAborted, match=kind.__name__):
        bus.execute_command("leave").result(10)
    assert bus.execute_command("echo", 1).result(10) == 1


def test_full_mailbox_refuses_commands_and_drops_events(bus: Bus, gate: Gate) -> None:
    """Beyond the capacity a command raises MailboxFull; an event is dropped and counted."""
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    promises = [bus.execute_command("noop", number) for number in range(2)]
    with pytest.raises(MailboxFull, match="'gate' holds 2 calls"):
        bus.execute_command("noop")
    bus.fire_event("told", "lost")
    gate.opened.set()
    assert [promise.result(10) for promise in promises] == [0, 1]
    info = next(info for info in bus.services() if info.name == "gate")
    assert (info.dropped, gate.seen) == (1, [0, 1])
    assert bus.dead_letters()[-1].reason == "the mailbox of gate was full"


def test_oldest_event_makes_room_when_asked_to(bus: Bus) -> None:
    """With overflow="drop_oldest" the oldest queued event goes, never a command."""
    gate = bus.add(Gate("gate", overflow="drop_oldest"))
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    kept = bus.execute_command("noop", 7)
    for value in ("first", "second"):
        bus.fire_event("told", value)
    gate.opened.set()
    assert kept.result(10) == 7
    wait_for(lambda: gate.seen == [7, "second"])


def test_blocked_sender_goes_on_when_there_is_room(bus: Bus) -> None:
    """With overflow="block" a sender waits for room instead of failing."""
    gate = bus.add(Gate("gate", overflow="block", push_timeout=10))
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    started, sent = threading.Event(), threading.Event()

    def send() -> None:
        started.set()
        for value in range(5):
            bus.fire_event("told", value)
        sent.set()

    sender = threading.Thread(target=send)
    sender.start()
    assert started.wait(10)
    wait_for(lambda: len(bus.live_calls()) == 3)
    assert not sent.is_set()
    gate.opened.set()
    sender.join(10)
    wait_for(lambda: gate.seen == [0, 1, 2, 3, 4])


def test_blocked_sender_gives_up_in_time(bus: Bus) -> None:
    """Without room within push_timeout a command raises MailboxFull after all."""
    gate = bus.add(Gate("gate", overflow="block", push_timeout=0.01))
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    bus.execute_command("noop")
    bus.execute_command("noop")
    with pytest.raises(MailboxFull):
        bus.execute_command("noop")
    gate.opened.set()


def test_first_in_first_out_for_each_sender(bus: Bus, gate: Gate) -> None:
    """What one sender sends to one service arrives in the order in which it was sent."""
    gate.opened.set()
    for number in range(200):
        bus.execute_command("noop", number).result(10)
    assert gate.seen == list(range(200))


def test_futures_of_the_standard_library_work(bus: Bus, gate: Gate) -> None:
    """Wait and as_completed take promises, done ones and pending ones."""
    promises = [bus.execute_command("hold")]
    assert gate.entered.wait(10)
    promises += [bus.execute_command("noop", 1), bus.execute_command("noop", 2)]
    assert wait(promises, timeout=0.01).not_done == set(promises)
    gate.opened.set()
    assert {promise.result() for promise in as_completed(promises, timeout=10)} == {"held", 1, 2}
    assert wait(promises, timeout=10).done == set(promises)


def test_await_does_not_block_the_loop(bus: Bus, gate: Gate) -> None:
    """A promise is awaited while the loop goes on."""

    async def main() -> str:
        promise = bus.execute_command("hold")
        asyncio.get_running_loop().call_later(0.001, gate.opened.set)
        return await promise

    assert asyncio.run(main()) == "held"


def test_closed_bus_refuses_everything() -> None:
    """After close() every verb from outside raises BusClosed, and the threads are gone."""
    bus = Bus("closing")
    bus.add(Echo())
    bus.close()
    for act in (lambda: bus.execute_command("echo", 1), lambda: bus.fire_event("e"), lambda: bus.add(Gate())):
        with pytest.raises(BusClosed, match="'closing' is closed"):
            act()
    assert not any(thread.name == "echo-0" for thread in threading.enumerate())


def test_text_arguments_become_what_the_annotations_say(bus: Bus) -> None:
    """Values from a console are converted by the annotations, and a value that does not fit is named."""
    bus.register_command("take", lambda: None)

    def take(number: int, text: str, *, flag: bool = False) -> list[object]:
        return [number, text, flag]

    bus.register_command("take", take, if_exists="replace")
    assert bus.execute_text("take", ["5", 6], {"flag": "true"}).result(10) == [5, "6", True]
    with pytest.raises(BadArguments, match="number='five' is not int"):
        bus.execute_text("take", ["five", "x"], {})


def test_fire_text_says_who_received_it(bus: Bus, gate: Gate) -> None:
    """A console learns which listeners an event went to."""
    event, receivers = bus.fire_text("told", ["hello"], {}, client="uid:1")
    assert [entry.service for entry in receivers] == ["gate"]
    assert (event.by, event.client) == ("console", "uid:1")
    wait_for(lambda: gate.seen == ["hello"])


def test_main_is_a_pool_that_starts_on_first_use(bus: Bus) -> None:
    """Callbacks without a service run on `main`, min(32, cpu + 4) threads that are not there before the first call."""
    bus.register_command("where", lambda: threading.current_thread().name)
    assert [(info.name, info.state) for info in bus.services()] == [("main", "new")]
    assert bus._dispatch.runners["main"].threads == []
    assert bus.execute_command("where").result(10).startswith("main-")
    (info,) = bus.services()
    assert (info.state, info.workers) == ("running", min(32, (os.cpu_count() or 1) + 4))


def test_call_knows_all_about_itself(bus: Bus) -> None:
    """current_call() tells name, service, caller, deadline and whether it was asked to stop."""
    bus.add(Echo())
    calls: list[Call] = []

    def look() -> None:
        call = current_call()
        assert call is not None
        calls.append(call)

    bus.register_command("look", look, service="echo")
    with bus.deadline(1_000):
        bus.execute_command("look").result(10)
    (call,) = calls
    assert (call.name, call.service, call.cancel_requested) == ("look", "echo", False)
    assert lanes[call.caller].name == threading.current_thread().name
    assert call.deadline is not None
    assert bus.now() < call.deadline <= bus.now() + 1_000 * 10**9


def test_event_that_finds_no_room_in_time_is_a_counted_drop(bus: Bus) -> None:
    """With overflow="block" an event waits `push_timeout` for room, then it is counted and a dead letter."""
    gate = bus.add(Gate("gate", overflow="block", push_timeout=0.01))
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    for value in range(3):
        bus.fire_event("told", value)
    assert bus.services()[0].dropped == 1
    assert [(letter.kind, letter.name) for letter in bus.dead_letters()] == [("delivery", "told")]
    gate.opened.set()
    wait_for(lambda: gate.seen == [0, 1])


def test_dead_letters_are_bounded(bus: Bus) -> None:
    """The list keeps the newest 1,000."""
    for number in range(1_005):
        bus.fire_event(f"e{number}")
    letters = bus.dead_letters()
    assert (len(letters), letters[0].name, letters[-1].name) == (1_000, "e5", "e1004")
