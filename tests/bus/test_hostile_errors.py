"""Whatever a handler raises or returns: its caller gets an answer, its worker lives on, the recording can be read."""

import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bus import Bus, HandlerAborted, Service, ServiceCrash, ServiceDied, listener
from bus.promise import Promise
from bus.trace.records import Call, Level
from bus.trace.session import SessionReader
from tests.bus.hostile import ERRORS, Harm, Value, every_kind
from tests.support import wait_for

pytestmark = [
    # What hostile code raises in `__del__` has nobody else to go to.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ABORTS = (SystemExit, KeyboardInterrupt, GeneratorExit)
LEVELS: tuple[Level | None, ...] = (None, "times", "full")


@pytest.fixture(params=LEVELS, ids=str)
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bus]:
    """Untraced, and traced with a session file, which can be read at the end; no thread of it died."""
    died: list[str] = []
    former, threading.excepthook = threading.excepthook, lambda args: died.append(repr(args.thread))
    with Bus("test", trace=request.param) as made:
        if request.param is not None:
            made.record(tmp_path / "s.jsonl")
        made.register_command("alive", lambda: "alive", service=made.add(Service("one")))
        yield made
        made.register_command("last", lambda: "alive", service="one")
        assert made.execute_command("last").result(10) == "alive"
    threading.excepthook = former
    assert died == []
    if request.param is not None:
        reader = SessionReader(tmp_path / "s.jsonl")
        calls = {(call.name, call.outcome) for block in reader for call in block if isinstance(call, Call)}
        # The last call is there: no hook was removed, no thread of the recorder gave up.
        assert ("last", "ok") in calls
        assert reader.damaged == 0


def raiser(error: BaseException) -> Callable[[], None]:
    def raise_it() -> None:
        raise error

    return raise_it


def ask(bus: Bus, handler: Callable[..., object], *args: object) -> Promise[object]:
    with bus.register_command("hostile", handler, service="one"):
        return bus.execute_command("hostile", *args)


def raised_by(use: Callable[[], object]) -> BaseException | None:
    """Not `pytest.raises`, which looks at what was raised."""
    try:
        use()
    except BaseException as raised:
        return raised
    return None


def check_answer(promise: "Promise[object]", error: BaseException) -> None:
    """ERROR itself arrives, by both ways of asking; an exit as `HandlerAborted`, which says of which kind it was."""
    arrived = promise.exception(10)
    if issubclass(type(error), ABORTS):
        assert type(arrived) is HandlerAborted
        assert arrived.__cause__ is error
    else:
        assert arrived is error
    assert raised_by(promise.result) is arrived


@pytest.mark.parametrize("name", ERRORS)
def test_command_raises_it(bus: Bus, name: str) -> None:
    """The caller gets the error, and the next call of the same worker is served."""
    error = ERRORS[name]()
    check_answer(ask(bus, raiser(error)), error)
    check_answer(ask(bus, raiser(error)), error)


def test_every_kind_of_exception(bus: Bus) -> None:
    """Of all exception classes in the process that can be made, each arrives."""
    kinds = [error for error in every_kind() if not isinstance(error, ServiceCrash)]
    assert len(kinds) > 100
    for error in kinds:
        check_answer(ask(bus, raiser(error)), error)
        assert bus.execute_command("alive").result(10) == "alive"


@pytest.mark.parametrize("name", ERRORS)
def test_listener_raises_it(bus: Bus, name: str) -> None:
    """The other listener hears the event, and `bus.listener_failed` carries the error."""
    error = ERRORS[name]()
    heard: list[str] = []
    failed: list[BaseException] = []
    bus.register_listener("bus.listener_failed", lambda *, service, name, error: failed.append(error))
    bus.register_listener("told", raiser(error), service="one")
    bus.register_listener("told", lambda: heard.append("told"), service="one")
    bus.fire_event("told")
    wait_for(lambda: len(heard) + len(failed) == 2)
    if not issubclass(type(error), ABORTS):
        assert failed[0] is error


@pytest.mark.parametrize("name", ERRORS)
def test_start_raises_it(bus: Bus, name: str) -> None:
    """bus.add raises what on_start raised, and the name is free again."""
    error = ERRORS[name]()
    service = Service("weak")
    service.on_start = raiser(error)  # type: ignore[method-assign]
    assert raised_by(lambda: bus.add(service)) is error
    bus.add(Service("weak"))


@pytest.mark.parametrize("name", ERRORS)
def test_stop_raises_it(bus: Bus, name: str) -> None:
    """The service has stopped all the same, and its name is free again."""
    service = bus.add(Service("weak"))
    service.on_stop = raiser(ERRORS[name]())  # type: ignore[method-assign]
    bus.remove("weak")
    bus.add(Service("weak"))


@pytest.mark.parametrize("name", ["text raises", "text of 10 MB", "text is no str"])
def test_service_crashes_with_it(bus: Bus, name: str) -> None:
    """A service that cannot start anew for such an error has failed, which can be seen and asked about."""

    class Weak(Service):
        restart = "never"

        @listener("go")
        def on_go(self) -> None: ...

    class Crash(ServiceCrash):
        __str__ = __repr__ = lambda self: str(ERRORS[name]())

    bus.add(Weak())
    bus.register_command("crash", raiser(Crash()), service="weak")
    assert type(bus.execute_command("crash").exception(10)) is Crash
    wait_for(lambda: [info.state for info in bus.services() if info.name == "weak"] == ["failed"])
    with pytest.raises(ServiceDied):
        bus.execute_command("crash").result(10)


@pytest.mark.parametrize("name", ERRORS)
def test_nobody_asks_for_it(bus: Bus, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is reported as never retrieved, once, and the thread that reports lives on."""
    told: list[str] = []
    bus.register_listener("bus.error_unretrieved", lambda *, name, service, error: told.append(name))
    for number in range(2):
        promise = ask(bus, raiser(ERRORS[name]()))
        wait_for(promise.done)
        del promise
        gc.collect()
        wait_for(lambda number=number: told == ["hostile"] * (number + 1))
    assert "was never retrieved" in caplog.text
    caplog.clear()  # before pytest shows what is in there


def test_result_does_harm(bus: Bus) -> None:
    """A result that harms whoever looks at it arrives as it is."""
    value = Value()
    assert ask(bus, lambda: value).result(10) is value


def test_arguments_do_harm(bus: Bus) -> None:
    """So do arguments, to commands and listeners, also where the handler raises them on."""
    value = Value()
    got: list[object] = []
    assert ask(bus, lambda one: one, value).result(10) is value
    bus.register_listener("told", lambda one, *, two: got.extend((one, two)), service="one")
    bus.fire_event("told", value, two=value)
    wait_for(lambda: len(got) == 2)
    assert got[0] is got[1] is value


def test_result_that_harms_when_it_goes(bus: Bus) -> None:
    """A `__del__` that raises on the worker's thread is Python's to report; the worker lives on."""

    class Going:
        def __del__(self) -> None:
            raise SystemExit

    assert type(ask(bus, Going).result(10)) is Going
    bus.execute_command("alive").result(10)
    assert ask(bus, lambda one: None, Going()).result(10) is None


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, Harm])
def test_callback_of_a_promise_raises_it(bus: Bus, kind: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    """On the worker's thread it is logged; the other callbacks are called, and the worker lives on."""
    called = threading.Event()
    opened = threading.Event()
    promise = ask(bus, opened.wait, 10)
    promise.add_done_callback(lambda _: raiser(kind())())
    promise.add_done_callback(lambda _: called.set())
    opened.set()
    assert called.wait(10)
    assert "a callback of the promise of hostile" in caplog.text
