"""Asking over the wire what threads are doing."""

import threading

import pytest

from bus import Service
from bus.attach.frames import pack
from bus.attach.protocol import ABILITIES, MAX_FRAME, DeadLetters, Execute, Hello, Reply, Stacks, Welcome
from bus.trace.records import Problem
from tests.support import wait_for


@pytest.fixture
def reader(peers):
    return peers(Hello(role="read"))


def ask(peer, **what):
    return peer.say(Stacks(request=9, **what)).hear(Reply)


def test_a_welcome_says_what_may_be_asked(reader):
    """So that a newer console does not ask an older program, which would hang up on it."""
    assert reader.hear(Welcome).abilities == ABILITIES == ("stacks", "dead letters")


def test_a_reader_may_ask_and_nothing_is_reported(bus, reader):
    """It changes nothing, so the right to act is not needed for it; the call that is stuck is found."""
    promise = bus.execute_command("hold")
    wait_for(promise.running)
    reply = ask(reader)
    assert (reply.request, reply.outcome, reply.error, reply.left_out) == (9, "ok", None, 0)
    (stack,) = (one for one in reply.stacks if one.call == promise.call.id)
    assert (stack.call_name, stack.frames[-1].source) == ("hold", "self.leave.wait(10)")
    assert ask(reader, calls=(stack.call,)).stacks[0].lane == stack.lane
    assert ask(reader, lanes=(stack.lane,)).stacks[0].call == stack.call
    # A refused act is reported; if the question were one, it would have been reported before.
    reader.say(Execute(request=10, name="sell"))
    assert [problem.text.endswith("execute sell") for problem in reader.hear_records(Problem)] == [True]


def test_an_ended_call_is_answered_with_nothing(bus, reader):
    """The console says so in its own words."""
    promise = bus.execute_command("sell", "tea")
    promise.result()
    assert ask(reader, calls=(promise.call.id,)).stacks == ()


def test_the_thread_that_answers_is_not_in_the_answer(reader):
    """Nor the endpoint's and the recorder's own ones: they only serve consoles."""
    names = {stack.name for stack in ask(reader).stacks}
    assert {"shop-0", "shop-1"} <= names
    assert not {name for name in names if name.startswith(("console-", "bus-"))}


@pytest.mark.parametrize("said", [Stacks(request=1, lanes=tuple(range(50_000))), Stacks(request=1, calls=(1 << 62,))])
def test_whatever_is_asked_for_is_answered(reader, said):
    """Numbers that mean nothing find nothing; the connection goes on."""
    assert reader.say(said).hear(Reply).error is None
    assert ask(reader).stacks


def test_a_reader_may_ask_for_dead_letters(bus, reader):
    """What found nobody, the oldest first, escaped; when there were more than an answer holds, how many."""
    asked = bus.now()
    bus.fire_event("nobody\x1b[2J hears")
    bus.fire_event("nor this")
    reply = reader.say(DeadLetters(request=4)).hear(Reply)
    assert (reply.request, reply.error, reply.left_out) == (4, None, 0)
    assert [(one.kind, one.name) for one in reply.letters] == [
        ("event", "nobody\\x1b[2J hears"),
        ("event", "nor this"),
    ]
    assert all(one.reason and asked <= one.at <= bus.now() for one in reply.letters)
    for _ in range(1_200):
        bus.fire_event("ä" * 5_000)
    reply = reader.say(DeadLetters(request=5)).hear(Reply)
    assert len(reply.letters) + reply.left_out == 1_202
    assert 100 < len(reply.letters) < 1_000


def test_two_hundred_lanes_with_endless_names_fit_into_a_frame(bus, reader):
    """What gives way is the length of the stacks; each says how much is missing, and no lane is lost."""
    leave, inside = threading.Event(), threading.Semaphore(0)

    def make():
        space = {}
        lines = "".join(f"def f{n}(hold):\n    f{n - 1}(hold)\n" for n in range(1, 60))
        code = f"def f0(hold):\n    hold()\n{lines}"
        exec(compile(code, "\x1b" * 3_000, "exec"), space)
        return space["f59"]

    def hold():
        inside.release()
        leave.wait(20)

    for number in range(20):
        name = f"{number}{'ä' * 500}"
        bus.add(Service(name, workers=10))
        run = make()
        bus.register_command(f"c{number}", lambda run=run: run(hold), service=name)
        for _ in range(10):
            bus.execute_command(f"c{number}")
    for _ in range(200):
        assert inside.acquire(timeout=20)
    reply = ask(reader)
    leave.set()
    assert len(pack(reply)) <= MAX_FRAME
    busy = [stack for stack in reply.stacks if stack.call]
    assert len(busy) == 200
    assert reply.left_out == 0
    assert all(stack.frames and stack.more for stack in busy)


def test_stacks_are_had_while_other_threads_do_not_let_go(bus, reader):
    """A program that computes without a pause still answers; its busy line is in the stack."""
    stop = threading.Event()

    def spin():
        while not stop.is_set():
            sum(range(200))

    bus.register_command("spin", spin, service="shop")
    promise = bus.execute_command("spin")
    wait_for(promise.running)
    try:
        (stack,) = ask(reader, calls=(promise.call.id,)).stacks
    finally:
        stop.set()
    assert stack.frames[-1].function.endswith("spin")
