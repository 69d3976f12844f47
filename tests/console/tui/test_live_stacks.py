"""Asking what the threads do, about once a second."""

import pytest

from bus.attach.protocol import Reply
from bus.trace.records import Error, Stack
from console.session import Session
from console.tui import live_stacks
from console.tui.live_stacks import EVERY, LiveStacks
from tests.synthetic import START, FakeTarget


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(live_stacks, "monotonic", made)
    return made


class Held(FakeTarget):
    """Answers when it is told to."""

    def stacks(self, lanes, calls, on_reply):
        self.asked.append(("stacks", "", (), {}))
        self.answer = on_reply
        return len(self.asked)


def test_a_question_waits_for_the_answer_to_the_last_and_for_its_time(clock: Clock) -> None:
    """A program that is slow, or stopped, is not asked again and again."""
    target = Held(state="live")
    live = LiveStacks(Session(target))
    assert not live.turn()
    clock.now += 5 * EVERY
    assert not live.turn()
    assert (len(target.asked), live.silent) == (1, 5 * EVERY)
    target.answer(Reply(request=1, stacks=(Stack(lane=1, at=START, name="t"),), left_out=2))
    assert live.turn()
    assert ([stack.lane for stack in live.stacks], live.left_out, live.at) == ([1], 2, START)
    assert len(target.asked) == 2
    target.answer(Reply(request=2))
    assert live.turn()
    assert live.stacks == ()
    assert not live.turn()
    assert len(target.asked) == 2
    clock.now += EVERY
    live.turn()
    assert len(target.asked) == 3


def test_why_there_is_none_is_said_once(clock: Clock) -> None:
    """A recording cannot be asked."""
    live = LiveStacks(Session(FakeTarget()))
    assert live.turn()
    assert "recording" in live.refused
    clock.now += 2 * EVERY
    assert not live.turn()
    assert (live.stacks, live.at, live.silent) == ((), 0, 0.0)


def test_an_error_leaves_what_was_known(clock: Clock) -> None:
    """When the program ends meanwhile, its last stacks can still be read."""
    target = Held(state="live")
    live = LiveStacks(Session(target))
    live.turn()
    target.answer(Reply(request=1, stacks=(Stack(lane=1, at=START, name="t"),)))
    clock.now += EVERY
    live.turn()
    target.answer(Reply(request=2, error=Error("ConnectionError", "no answer came")))
    assert live.turn()
    assert (len(live.stacks), live.refused) == (1, "no answer came")
