"""The four verbs, and what the example at the top of BUS.md promises."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import as_completed, wait
from typing import Any

import pytest

from bus import (
    BadArguments,
    Bus,
    BusClosed,
    Call,
    CommandExists,
    CommandNotFound,
    Hook,
    Promise,
    Service,
    ServiceNotFound,
    command,
)
from tests.bus.gate import NarrowGate
from tests.support import wait_for


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


class Echo(Service):
    @command("echo")
    def echo(self, value: object) -> object:
        return value


@pytest.fixture
def gate(bus: Bus) -> Iterator[NarrowGate]:
    made = bus.add(NarrowGate())
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


def test_accepted_call_runs_after_its_command_is_disposed(bus: Bus, gate: NarrowGate) -> None:
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


def test_futures_of_the_standard_library_work(bus: Bus, gate: NarrowGate) -> None:
    """Wait and as_completed take promises, done ones and pending ones."""
    promises = [bus.execute_command("hold")]
    assert gate.entered.wait(10)
    promises += [bus.execute_command("noop", 1), bus.execute_command("noop", 2)]
    assert wait(promises, timeout=0.01).not_done == set(promises)
    gate.opened.set()
    assert {promise.result() for promise in as_completed(promises, timeout=10)} == {"held", 1, 2}
    assert wait(promises, timeout=10).done == set(promises)


def test_await_does_not_block_the_loop(bus: Bus, gate: NarrowGate) -> None:
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
    for act in (lambda: bus.execute_command("echo", 1), lambda: bus.fire_event("e"), lambda: bus.add(NarrowGate())):
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


def test_only_the_call_from_outside_is_for_who_is_outside(bus: Bus) -> None:
    """Not what a hook makes on the same thread meanwhile, not the next call, and not one after a refusal."""
    bus.register_command("take", lambda text: text)
    bus.register_command("note", lambda: None)

    class Noting(Hook):
        def queued(self, call: Call) -> None:
            if call.name == "take":
                made.append(bus.execute_command("note"))

    made: list[Promise[Any]] = []
    with bus.add_hook(Noting()):
        outside = bus.execute_text("take", ["x"], {}, by="console", client="1:2")
        with pytest.raises(BadArguments):
            bus.execute_text("take", [], {}, by="console", client="1:2")
        inside = bus.execute_command("take", "y")
    assert [(one.by, one.client) for one in (outside, *made, inside)] == [("console", "1:2"), *[("code", "")] * 3]


def test_a_subclass_may_have_verbs_of_its_own() -> None:
    """They are called, and can call the bus's."""
    seen: list[str] = []

    class Counting(Bus):
        def execute_command(self, name: str, /, *args: Any, **kwargs: Any) -> Promise[Any]:
            seen.append(name)
            return super().execute_command(name, *args, **kwargs)

        def fire_event(self, name: str, /, *args: Any, **kwargs: Any) -> None:
            seen.append(name)
            super().fire_event(name, *args, **kwargs)

    with Counting() as bus:
        bus.register_command("double", lambda value: 2 * value)
        assert bus.execute_command("double", 4).result(10) == 8
        bus.fire_event("told", 1)
    assert seen == ["double", "told"]


def test_fire_text_says_who_received_it(bus: Bus, gate: NarrowGate) -> None:
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


def test_registration_is_all_that_a_callback_needs(bus: Bus) -> None:
    """What is registered is held strongly: nobody else need keep the callback, its object or the registration."""
    heard: list[str] = []

    class Passing:
        def answer(self) -> str:
            return "here"

        def hear(self) -> None:
            heard.append("here")

    bus.register_command("answer", Passing().answer)
    bus.register_listener("told", Passing().hear)
    gc.collect()
    bus.fire_event("told")
    assert bus.execute_command("answer").result(10) == "here"
    wait_for(lambda: heard == ["here"])


def test_listener_is_a_context_manager_too(bus: Bus) -> None:
    """What register_listener returns takes the listener back at the end of a with block."""
    with bus.register_listener("told", lambda: None):
        assert [entry.name for entry in bus.listeners()] == ["told"]
    assert bus.listeners() == ()


def test_values_are_not_converted_in_process(bus: Bus) -> None:
    """A handler gets the very object that the caller passed, whatever the annotation says."""

    def take(number: int) -> object:
        return number

    bus.register_command("take", take)
    given = ["not a number"]
    assert bus.execute_command("take", given).result(10) is given


def test_no_more_than_three_close_names_are_offered(bus: Bus) -> None:
    """CommandNotFound offers three close matches even if there are more."""
    for number in range(5):
        bus.register_command(f"index.file{number}", lambda: None)
    with pytest.raises(CommandNotFound) as caught:
        bus.execute_command("index.file")
    assert str(caught.value).count("index.file") == 1 + 3


def test_what_is_known_only_later_arrives_through_the_promise(bus: Bus) -> None:
    """An error that a handler makes, also one of the bus's own kinds, is raised by result() and not by execute."""

    def ask_too_much() -> None:
        bus.execute_command("nobody.has.this")

    bus.register_command("ask", ask_too_much)
    promise = bus.execute_command("ask")
    with pytest.raises(CommandNotFound, match=r"nobody\.has\.this"):
        promise.result(10)
