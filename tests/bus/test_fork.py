"""A fork beside threads: the child is told, and what is the parent's stays the parent's."""

import asyncio
import fcntl
import multiprocessing
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, as_completed, wait
from pathlib import Path

import pytest

from bus import Bus, ForkedBusError, Service, command, listener
from bus.trace.records import Call
from bus.trace.session import SessionReader
from tests.support import wait_for

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),  # from 3.12 on: a fork beside threads
]


class Held(Service):
    """Has one call that runs and one that is queued."""

    def on_start(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()

    @command("hold")
    def hold(self) -> str:
        self.entered.set()
        assert self.opened.wait(20)
        return "held"

    @listener("told")
    def on_told(self) -> None: ...


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    """With all that may be open: workers, timers, a session file, the endpoint."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with Bus("parent", trace="full") as made:
        made.record(tmp_path / "s.jsonl")
        made.serve()
        made.register_command("double", lambda number: 2 * number)
        assert made.execute_command("double", 1).result(10) == 2
        yield made


@pytest.fixture
def held(bus: Bus) -> Iterator[Held]:
    made = bus.add(Held())
    yield made
    made.opened.set()


def in_child(job: Callable[[], object]) -> str:
    """What JOB returned or raised in a forked child, which has ten seconds."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            said = str(job())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    try:
        if not select.select([reading], [], [], 10)[0]:
            os.kill(pid, signal.SIGKILL)
        return os.read(reading, 1 << 16).decode() or "the child hung or died"
    finally:
        os.close(reading)
        os.waitpid(pid, 0)


def outcome(use: Callable[[], object]) -> str:
    try:
        return f"returned {use()!r}"
    except BaseException as error:
        return type(error).__name__


VERBS: dict[str, Callable[[Bus], object]] = {
    "execute": lambda bus: bus.execute_command("double", 1),
    "execute unknown": lambda bus: bus.execute_command("nonsense"),
    "execute wrongly": lambda bus: bus.execute_command("double"),
    "execute text": lambda bus: bus.execute_text("double", ["1"], {}),
    "fire": lambda bus: bus.fire_event("told"),
    "fire text": lambda bus: bus.fire_text("told", [], {}),
    "register command": lambda bus: bus.register_command("new", print),
    "register listener": lambda bus: bus.register_listener("new", print),
    "decorate": lambda bus: bus.register_command("new"),
    "deadline": lambda bus: bus.deadline(1),
    "pause clock": lambda bus: bus.pause_clock(),
    "add": lambda bus: bus.add(Service("new")),
    "remove": lambda bus: bus.remove("held"),
    "replace": lambda bus: bus.replace("held", Service("new")),
    "scale": lambda bus: bus.scale("held", 2),
    "services": lambda bus: bus.services(),
    "commands": lambda bus: bus.commands(),
    "listeners": lambda bus: bus.listeners(),
    "receivers": lambda bus: bus.receivers("told"),
    "dead letters": lambda bus: bus.dead_letters(),
    "live calls": lambda bus: bus.live_calls(),
    "queued": lambda bus: bus.queued(),
    "running calls": lambda bus: bus.running_calls(),
    "hook": lambda bus: bus.add_hook(object()),
    "serve": lambda bus: bus.serve(),
    "record": lambda bus: bus.record("nowhere"),
    "dump trace": lambda bus: bus.dump_trace("nowhere"),
    "dump on": lambda bus: bus.dump_on("nowhere"),
}


async def awaited(promise: "Future[object]") -> object:
    return await promise  # type: ignore[misc]  # a promise can


WAITS: dict[str, Callable[["Future[object]"], object]] = {
    "result": lambda promise: promise.result(),
    "result in time": lambda promise: promise.result(5),
    "exception": lambda promise: promise.exception(),
    "wait": lambda promise: wait([promise]),
    "as_completed": lambda promise: list(as_completed([promise])),
    "await": lambda promise: asyncio.run(awaited(promise)),
    "callback": lambda promise: promise.add_done_callback(print),
    "cancel": lambda promise: promise.cancel(),
}


def test_every_use_in_the_child_raises(bus: Bus, held: Held) -> None:
    """ForkedBusError, at once, even where a thread of the parent held every lock of the bus when it forked."""
    bus.execute_command("hold")
    assert held.entered.wait(10)
    runner = bus._dispatch.runners["held"]
    saved = bus.execute_command
    with bus._lock, bus._registry._lock, bus._dispatch.clock._lock, runner.mailbox.lock, bus._timers._lock:
        said = in_child(
            lambda: {
                **{name: outcome(lambda use=use: use(bus)) for name, use in VERBS.items()},
                "saved": outcome(lambda: saved("double", 1)),
            }
        )
    assert said == str(dict.fromkeys([*VERBS, "saved"], "ForkedBusError"))


def test_every_verb_is_tried() -> None:
    """The list above leaves out nothing but what ends something, and what is for the bus's own parts."""
    tried = {name.replace(" ", "_") for name in VERBS}
    public = {name for name, member in vars(Bus).items() if callable(member) and not name.startswith("_")}
    others = {name for name in public if not any(name.startswith(one) or name.endswith(one) for one in tried)}
    assert others == {"close", "at_close", "forbid"}


def test_open_promises_raise_in_the_child(bus: Bus, held: Held) -> None:
    """Whoever waits for a running or queued call is told instead of waiting for ever; what is done stays done."""
    running, queued = bus.execute_command("hold"), bus.execute_command("hold")
    done = bus.execute_command("double", 4)
    assert held.entered.wait(10)
    assert done.result(10) == 8
    with running.mailbox.lock:
        for promise in (running, queued):
            said = in_child(
                lambda promise=promise: {name: outcome(lambda use=use: use(promise)) for name, use in WAITS.items()}
            )
            assert said == str(dict.fromkeys(WAITS, "ForkedBusError"))
        assert in_child(done.result) == "8"
    held.opened.set()
    assert [running.result(10), queued.result(10)] == ["held", "held"]


def test_ending_things_in_the_child_does_nothing(bus: Bus) -> None:
    """`with` blocks that the fork was in are left as ever: close() and dispose() return, the parent has all still."""

    def leave() -> str:
        registration.dispose()
        hook.dispose()
        bus.close()
        return "left"

    hook = bus.add_hook(object())
    with bus.register_command("mine", lambda: "there") as registration:
        with bus._lock, bus._registry._lock:
            assert in_child(leave) == "left"
        assert bus.execute_command("mine").result(10) == "there"


def test_child_has_a_bus_of_its_own(bus: Bus) -> None:
    """Which works while the parent's goes on: neither takes the other's wakes."""
    ready = os.pipe()

    def use_own() -> int:
        with Bus("child", trace="times") as own:
            own.register_command("triple", lambda number: 3 * number)
            os.write(ready[1], b"!")
            return sum(own.execute_command("triple", number).result(5) for number in range(300))

    said: list[str] = []
    parent = threading.Thread(target=lambda: said.append(in_child(use_own)))
    parent.start()
    os.read(ready[0], 1)
    assert [bus.execute_command("double", number).result(10) for number in range(300)] == list(range(0, 600, 2))
    parent.join(20)
    assert said == [str(3 * sum(range(300)))]
    for end in ready:
        os.close(end)


@pytest.mark.timeout(30)  # a wake that is taken by the wrong process leaves the other one waiting for ever
def test_child_and_parent_do_not_share_a_waiting_threads_token(bus: Bus) -> None:
    """A child that waits on its own bus leaves the wake-ups of the thread that forked to the parent."""

    def use_own() -> object:
        with Bus("child") as own:
            own.register_command("slow", lambda: os.write(waiting[1], b"!") and os.read(leave[0], 1))
            return own.execute_command("slow").result()

    waiting, leave = os.pipe(), os.pipe()
    bus.register_command("nap", lambda: threading.Event().wait(0.01))  # long enough for the caller to sleep, too
    bus.execute_command("nap").result()
    pid = os.fork()
    if pid == 0:
        os.close(leave[1])
        os._exit(0 if use_own() == b"!" else 1)
    os.read(waiting[0], 1)
    assert [bus.execute_command("nap").result() for _ in range(20)] == [False] * 20
    os.write(leave[1], b"!")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    for end in (*waiting, *leave):
        os.close(end)


def test_fork_in_a_handler_leaves_the_queue_to_the_parent(bus: Bus, tmp_path: Path) -> None:
    """A child that returns from the handler serves nothing, so that queued calls run once."""
    seen = tmp_path / "seen"

    def note(what: str) -> None:
        with seen.open("a") as file:
            file.write(f"{what} ")

    children: list[int] = []
    single = bus.add(Service("single"))
    bus.register_command("fork", lambda: children.append(os.fork()), service=single)
    bus.register_listener("note", note, service=single)
    bus.execute_command("fork")
    for number in range(20):
        bus.fire_event("note", str(number))
    wait_for(lambda: children)
    os.waitpid(children[0], 0)
    wait_for(lambda: seen.exists() and seen.read_text().endswith("19 "))
    assert seen.read_text().split() == list(map(str, range(20)))


EXITING = """
import os, sys, threading
from bus import Bus
with Bus("parent") as bus:
    bus.register_command("double", lambda number: 2 * number)
    bus.register_listener("told", lambda: os.write(1, b"told "))
    bus.execute_command("double", 1).result()
    for way in (lambda: None, lambda: sys.exit(0), lambda: os.kill(os.getpid(), 15)):
        pid = os.fork()
        if pid == 0:
            way()
            sys.exit(0)
        os.waitpid(pid, 0)
    for number in range(10):
        bus.execute_command("double", number).result()
    sockets = os.listdir(os.environ["XDG_RUNTIME_DIR"] + "/bus-console")
    print(*[name == f"parent-{os.getpid()}.sock" for name in sockets], flush=True)
    bus.fire_event("told")
"""


def test_end_of_the_child_touches_nothing(tmp_path: Path) -> None:
    """Its exit, inside the `with` of the parent's bus, prints nothing; socket and session file stay the parent's."""
    session = tmp_path / "s.jsonl"
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path), "BUS_CONSOLE": "1", "BUS_TRACE_FILE": str(session)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", EXITING],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env=environment,
    )
    assert (done.stdout, done.stderr) == ("True\ntold ", "")
    reader = SessionReader(session)
    calls = [record for block in reader for record in block if isinstance(record, Call) and record.name == "double"]
    assert (len(calls), reader.damaged) == (11, 0)
    assert list(tmp_path.glob("bus-console/*.sock")) == []


def test_child_does_not_keep_the_session_file_locked(bus: Bus, tmp_path: Path) -> None:
    """A child that outlives the parent's recording leaves its name to the next one."""
    reading, writing = os.pipe()
    forked, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.write(told, b"!")
        os.read(reading, 1)
        os._exit(0)
    os.read(forked, 1)  # it lets go of the file when it begins to run, which may be later than we get on
    bus.close()
    with (tmp_path / "s.jsonl").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(writing)
    os.waitpid(pid, 0)
    for end in (reading, forked, told):
        os.close(end)


def use_both(bus: Bus, answers: "multiprocessing.SimpleQueue[object]") -> None:
    answers.put(outcome(lambda: bus.execute_command("double", 1)))
    with Bus("child") as own:
        own.register_command("triple", lambda number: 3 * number)
        answers.put(own.execute_command("triple", 2).result(10))


def test_multiprocessing_forks(bus: Bus) -> None:
    """A process of multiprocessing is told too, has a bus of its own, and ends with 0."""
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    process = context.Process(target=use_both, args=(bus, answers))
    process.start()
    assert [answers.get(), answers.get()] == ["ForkedBusError", 6]
    process.join(10)
    assert process.exitcode == 0
    assert bus.execute_command("double", 3).result(10) == 6


def test_subprocess_with_preexec_leaves_the_bus_alone(bus: Bus, tmp_path: Path) -> None:
    """Python runs code in the child between fork and exec; the parent's bus and its socket do not notice."""
    done = subprocess.run(["true"], preexec_fn=os.getpid, check=True, capture_output=True, timeout=10)
    assert (done.stdout, done.stderr) == (b"", b"")
    assert len(list(tmp_path.glob("bus-console/*.sock"))) == 1
    assert bus.execute_command("double", 3).result(10) == 6


def test_message_says_what_to_do(bus: Bus) -> None:
    """It names the bus and says to make a new one."""

    def use() -> object:
        with pytest.raises(ForkedBusError) as raised:
            bus.fire_event("told")
        return raised.value

    assert in_child(use).endswith(
        "'parent' was made before a fork, and its threads are in the parent: make a new one here"
    )
