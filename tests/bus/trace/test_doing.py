"""What threads are doing right now: read off real threads that stand at a known place."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from bus import Bus, CallTimeout, Service
from bus.trace import doing
from bus.trace.doing import FRAMES, LANES, Onlooker
from bus.trace.records import Stack
from tests.support import wait_for


class Gate:
    """Handlers that stand in a C call until they are let go."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self.leave = threading.Event()

    def hold(self, *_: object, **__: object) -> None:
        self.inside.release()
        self.leave.wait(20)

    def fall(self, depth: int) -> None:
        if depth:
            self.fall(depth - 1)
        else:
            self.hold()

    def wait_inside(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.inside.acquire(timeout=10)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def bus(gate: Gate) -> Iterator[Bus]:
    with Bus("test") as made:
        yield made
        gate.leave.set()


def look(bus: Bus, *keys: int, calls: tuple[int, ...] = (), frames: int = FRAMES) -> list[Stack]:
    """On a thread of its own, as a console's is."""
    found: list[Stack] = []

    def onlooker() -> None:
        found.extend(Onlooker(bus.running_calls, bus.now).look(keys, calls, frames)[0])

    thread = threading.Thread(target=onlooker)
    thread.start()
    thread.join()
    return found


def of(stacks: list[Stack], name: str) -> Stack:
    return next(stack for stack in stacks if stack.name == name)


def test_a_handler_in_a_c_call_is_shown_with_its_call_and_its_lines(bus: Bus, gate: Gate) -> None:
    """What it runs, since when, and the line where it stands; nothing of how the worker came to run it."""
    bus.add(Service("a"))
    bus.register_command("a.hold", gate.hold, service="a")
    before = bus.now()
    bus.execute_command("a.hold")
    gate.wait_inside()
    stack = of(look(bus), "a-0")
    assert (stack.service, stack.call_name, stack.waiting, stack.more) == ("a", "a.hold", None, 0)
    assert before <= stack.since <= stack.at <= bus.now()
    own = [frame for frame in stack.frames if frame.file == __file__]
    assert [(frame.function, frame.source, frame.bus) for frame in own] == [
        ("Gate.hold", "self.leave.wait(20)", False),
    ]
    assert stack.frames[-1] == own[0]
    assert stack.frames[0].function == "Condition.wait"


def test_a_worker_without_a_call_has_no_frames(bus: Bus) -> None:
    """Its loop is the bus's business."""
    bus.add(Service("a"))
    stack = of(look(bus), "a-0")
    assert (stack.call, stack.call_name, stack.since, stack.frames) == (0, "", 0, ())


def test_who_waits_for_whom_is_told(bus: Bus, gate: Gate) -> None:
    """The waiting call names the call that it waits for and the lane that runs it; 0 while that one is queued."""
    bus.add(Service("a"))
    bus.add(Service("b"))
    bus.register_command("b.hold", gate.hold, service="b")
    bus.register_command("a.ask", lambda: bus.execute_command("b.hold").result(), service="a")
    bus.execute_command("a.ask")
    gate.wait_inside()
    a = wait_for(lambda: next((one for one in look(bus) if one.name == "a-0" and one.waiting), None))
    b = of(look(bus), "b-0")
    assert a.waiting is not None
    assert (a.waiting.what, a.waiting.name, a.waiting.call, a.waiting.lane) == ("call", "b.hold", b.call, b.lane)
    assert not a.waiting.timed
    assert any(frame.bus and frame.function == "Promise.result" for frame in a.frames)
    bus.add(Service("c"))
    bus.register_command("c.ask", lambda: bus.execute_command("b.hold").result(9), service="c")
    bus.execute_command("c.ask")
    c = wait_for(lambda: next((one for one in look(bus) if one.name == "c-0" and one.waiting), None))
    assert c.waiting is not None
    assert (c.waiting.service, c.waiting.lane, c.waiting.timed) == ("b", 0, True)


def test_who_waits_for_room_in_a_mailbox_is_told(bus: Bus, gate: Gate) -> None:
    """It is no call that such a worker waits for, but the service."""
    bus.add(Service("full", capacity=1, overflow="block", push_timeout=15))
    bus.add(Service("a"))
    bus.register_command("full.hold", gate.hold, service="full")
    bus.register_command("a.push", lambda: bus.execute_command("full.hold"), service="a")
    bus.execute_command("full.hold")
    gate.wait_inside()
    bus.execute_command("full.hold")
    bus.execute_command("a.push")
    a = wait_for(lambda: next((one for one in look(bus) if one.name == "a-0" and one.waiting), None))
    assert a.waiting is not None
    assert (a.waiting.what, a.waiting.service, a.waiting.timed) == ("room", "full", True)


def test_only_what_is_asked_for_is_looked_at(bus: Bus, gate: Gate) -> None:
    """Lanes by their key, calls by their id; one that has ended is not answered."""
    bus.add(Service("a", workers=3))
    bus.register_command("a.hold", gate.hold, service="a")
    calls = [bus.execute_command("a.hold").call for _ in range(3)]
    gate.wait_inside(3)
    assert [stack.call for stack in look(bus, calls[1].lane)] == [calls[1].id]
    assert [stack.lane for stack in look(bus, calls=(calls[2].id,))] == [calls[2].lane]
    assert look(bus, 10**9, calls=(10**9,)) == []


def test_the_longest_running_call_comes_first(bus: Bus, gate: Gate) -> None:
    """What is stuck is at the top; idle workers follow."""
    bus.add(Service("a", workers=3))
    bus.register_command("a.hold", gate.hold, service="a")
    first, second = (bus.execute_command("a.hold").call for _ in range(2))
    gate.wait_inside(2)
    mine = [stack for stack in look(bus) if stack.service == "a"]
    assert [stack.call for stack in mine] == [*sorted((first.id, second.id), key=lambda i: _started(mine, i)), 0]
    assert mine[0].since <= mine[1].since


def _started(stacks: list[Stack], call: int) -> int:
    return next(stack.since for stack in stacks if stack.call == call)


def test_a_deep_stack_is_bounded_and_keeps_the_innermost_frames(bus: Bus, gate: Gate) -> None:
    """How many are missing is said."""
    bus.add(Service("a"))
    bus.register_command("a.fall", gate.fall, service="a")
    bus.execute_command("a.fall", 300)
    gate.wait_inside()
    stack = of(look(bus), "a-0")
    assert len(stack.frames) == FRAMES
    assert stack.more > 300 - FRAMES
    assert "Gate.hold" in {frame.function for frame in stack.frames}


def test_a_listener_and_the_main_thread_are_shown_too(bus: Bus, gate: Gate) -> None:
    """A delivery is a call like any other; the main thread is there whether or not it ever used the bus."""
    bus.add(Service("a"))
    bus.register_listener("went", gate.hold, service="a")
    bus.fire_event("went", 1)
    gate.wait_inside()
    stacks = look(bus)
    assert of(stacks, "a-0").call_name == "went"
    main = of(stacks, "MainThread")
    assert (main.service, main.call) == ("", 0)
    assert "look" in {frame.function for frame in main.frames}


def test_a_main_thread_that_never_used_the_bus_has_lane_0(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no lane of its own, and is shown all the same."""
    monkeypatch.setattr(doing.lanes, "lanes", {})
    (main,) = look(bus)
    assert (main.lane, main.name) == (0, "MainThread")


def test_the_lane_of_a_thread_that_ended_is_not_another_ones(bus: Bus) -> None:
    """Ids of threads are used again at once; the lane of the first must not show the stack of the second."""
    lanes: list[int] = []

    def use_bus() -> None:
        bus.fire_event("used")
        lanes.append(doing.lanes.current_lane())

    for _ in range(20):
        thread = threading.Thread(target=use_bus)
        thread.start()
        thread.join()
    assert look(bus, *lanes) == []


def test_a_hostile_name_of_a_file_or_function_is_harmless(bus: Bus, gate: Gate) -> None:
    """Escape sequences are escaped, endless names cut; a file that cannot be read has no source."""
    source = "def evil(hold): hold()"
    space: dict[str, object] = {}
    exec(compile(source, "\x1b]52;c;AAAA\x07[@click=x]" + "y" * 9_000, "exec"), space)
    evil = space["evil"]
    evil.__code__ = evil.__code__.replace(co_qualname="\x1b[2J\u202e" + "z" * 9_000)  # type: ignore[attr-defined]
    bus.add(Service("\x1b[31mred"))
    bus.register_command("run", lambda: evil(gate.hold), service="\x1b[31mred")  # type: ignore[operator]
    bus.execute_command("run")
    gate.wait_inside()
    (stack,) = (one for one in look(bus) if one.call)
    texts = [stack.name, stack.service, *(text for one in stack.frames for text in (one.function, one.file))]
    assert all(text.isprintable() and len(text.encode()) <= 400 for text in texts)
    assert stack.service == "\\x1b[31mred"
    (hostile,) = (one for one in stack.frames if one.function.startswith("\\x1b[2J"))
    assert hostile.source == ""


@pytest.mark.parametrize("name", ["fifo", "/dev/zero", "", "nul\0", "/nowhere/x.py"])
def test_code_that_says_to_come_from_no_file_costs_nothing(
    bus: Bus, gate: Gate, tmp_path: os.PathLike[str], name: str
) -> None:
    """A pipe would block the one who reads it, a device never end."""
    file = name
    if name == "fifo":
        file = os.path.join(tmp_path, "fifo")  # noqa: PTH118  a plain text is what `compile` takes
        os.mkfifo(file)
    try:
        code = compile("def run(hold): hold()", file, "exec")
    except ValueError:  # from Python 3.12 on `compile` refuses a null byte itself
        code = compile("def run(hold): hold()", "x", "exec").replace(co_filename=file)
    space: dict[str, object] = {}
    exec(code, space)
    run = space["run"]
    run.__code__ = run.__code__.replace(co_filename=file)  # type: ignore[attr-defined]
    bus.add(Service("a"))
    bus.register_command("run", lambda: run(gate.hold), service="a")  # type: ignore[operator]
    bus.execute_command("run")
    gate.wait_inside()
    (frame,) = (one for one in of(look(bus), "a-0").frames if one.function == "run")
    assert frame.source == ""


def test_no_secret_is_shown(bus: Bus, gate: Gate) -> None:
    """Values of variables are never looked at, and what looks like a secret in a line of code is hidden."""
    bus.add(Service("a"))

    def log_in(password: str) -> None:
        gate.hold(password, token="swordfish")

    bus.register_command("log_in", log_in, service="a")
    bus.execute_command("log_in", "hunter2")
    gate.wait_inside()
    stack = of(look(bus), "a-0")
    assert "log_in" in stack.frames[-1].function
    assert stack.frames[-1].source == "gate.hold(password, token=‹redacted›)"
    assert "hunter2" not in repr(stack)


def test_more_lanes_than_an_answer_holds_are_counted(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that run the longest are in it."""
    assert LANES >= 200
    monkeypatch.setattr(doing, "LANES", 3)
    bus.add(Service("a", workers=10))
    stacks, left_out = Onlooker(bus.running_calls, bus.now).look()
    assert len(stacks) == 3
    assert left_out >= 7


def test_looking_leaves_a_cycle_that_heals_itself_alone(bus: Bus) -> None:
    """Both ends are told to wait for each other, for a time; afterwards both calls end as they would have."""
    for name in "ab":
        bus.add(Service(name))
    seen: list[tuple[str, str]] = []

    both_run = threading.Barrier(2)

    def ask(other: str) -> None:
        both_run.wait(10)
        promise = bus.execute_command(f"{other}.answer")
        with suppress(CallTimeout):  # of the one that waits longer; the other is then free to answer it
            promise.result(1)

    for name, other in (("a", "b"), ("b", "a")):
        bus.register_command(f"{name}.answer", lambda: 1, service=name)
        bus.register_command(f"{name}.ask", lambda other=other: ask(other), service=name)
    promises = [bus.execute_command("a.ask"), bus.execute_command("b.ask")]

    def both() -> bool:
        seen[:] = [(one.service, one.waiting.service) for one in look(bus) if one.waiting and one.waiting.timed]
        return sorted(seen) == [("a", "b"), ("b", "a")]

    wait_for(both)
    assert [promise.result(10) for promise in promises] == [None, None]
