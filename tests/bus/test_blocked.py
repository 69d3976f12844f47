"""A worker that is blocked in the bus itself takes part in the graph of waits: what it closes heals, and is told."""

from collections.abc import Iterator

import pytest

from bus import Bus, CommandNotFound, Hook, MailboxFull, Service, ServiceStopped
from bus.testing import explore
from bus.waits import Step
from tests.support import wait_for


class Problems(Hook):
    def __init__(self) -> None:
        self.told: list[tuple[str, str, tuple[int, ...]]] = []

    def deadlock(self, cycle: tuple[Step, ...], text: str, *, suspected: bool) -> None:
        assert suspected
        self.told.append(("deadlock", text, tuple(step.call for step in cycle)))


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


@pytest.fixture
def problems(bus: Bus) -> Problems:
    hook = Problems()
    bus.add_hook(hook)
    return hook


def live(bus: Bus, name: str) -> list[object]:
    return [call for call in bus.live_calls() if call.name == name and (call.waiting_for or call.blocked_on)]


def test_put_into_ones_own_full_mailbox_is_suspected(bus: Bus, problems: Problems) -> None:
    """A worker that waits for room which only it could make is told with its line, and gets MailboxFull in time."""
    bus.add(Service("a", capacity=1, overflow="block", push_timeout=0.02))

    def fill() -> None:
        bus.execute_command("a.noop")
        bus.execute_command("a.noop")

    bus.register_command("a.noop", lambda: None, service="a")
    bus.register_command("a.fill", fill, service="a")
    assert isinstance(bus.execute_command("a.fill").exception(10), MailboxFull)
    ((rule, text, calls),) = problems.told
    assert (rule, calls) == ("deadlock", (1,))
    assert text.startswith("suspected")
    assert f"a.fill #1 on a-0 waits at {__file__}:" in text
    assert text.endswith("for room in a")


def test_wait_for_a_sender_that_waits_for_room_is_suspected(bus: Bus, problems: Problems) -> None:
    """A wait without a timeout that closes a cycle through a blocked sender is not refused: the sender gives up."""
    bus.add(Service("a", capacity=1, overflow="block", push_timeout=0.1))
    bus.add(Service("b"))

    def push() -> str:
        wait_for(lambda: bus.services()[0].depth == 1)
        try:
            bus.execute_command("a.noop")
        except MailboxFull:
            return "gave up"
        return "pushed"

    def ask() -> str:
        pushed = bus.execute_command("b.push")
        bus.execute_command("a.noop")
        wait_for(lambda: live(bus, "b.push"))
        return str(pushed.result())

    bus.register_command("a.noop", lambda: None, service="a")
    bus.register_command("a.ask", ask, service="a")
    bus.register_command("b.push", push, service="b")
    assert bus.execute_command("a.ask").result(10) == "gave up"
    ((rule, text, _),) = problems.told
    assert rule == "deadlock"
    assert "a.ask #1 on a-0 waits at " in text
    assert "for b.push; b.push #2 on b-0 waits at " in text
    assert text.endswith("for room in a")


def test_sender_that_waits_for_a_busy_service_is_not_suspected(bus: Bus, problems: Problems) -> None:
    """Waiting for room of a service that goes on, or for its end, closes no cycle."""
    bus.add(Service("a"))
    bus.add(Service("b", capacity=1, overflow="block", push_timeout=10))
    done: list[int] = []
    bus.register_command("b.note", done.append, service="b")
    bus.register_command("a.push", lambda: [bus.execute_command("b.note", number) for number in range(50)], service="a")
    bus.register_command("a.remove", lambda: bus.remove("b"), service="a")
    bus.execute_command("a.push").result(10)
    bus.execute_command("a.remove").result(10)
    assert done == list(range(50))
    assert problems.told == []


@pytest.mark.parametrize("act", ["remove", "replace"])
def test_end_of_a_service_whose_call_waits_for_the_one_who_ends_it(
    bus: Bus, problems: Problems, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """A handler that removes or replaces a service that waits for it is told; after the timeout both go on."""
    monkeypatch.setattr("bus.worker._LEAVE_SECONDS", 0.02)
    bus.add(Service("a"))
    bus.add(Service("b"))

    def end() -> None:
        wait_for(lambda: live(bus, "b.ask"))
        if act == "remove":
            bus.remove("b", timeout=0.02)
        else:
            bus.replace("b", Service("new"))

    bus.register_command("a.end", end, service="a")
    bus.register_command("a.answer", lambda: 1, service="a")
    bus.register_command("b.ask", lambda: bus.execute_command("a.answer").result(), service="b")
    ended = bus.execute_command("a.end")
    asked = bus.execute_command("b.ask")
    ended.result(10)
    ((rule, text, calls),) = problems.told
    assert (rule, calls) == ("deadlock", (1, 2))
    assert f"a.end #1 on a-0 waits at {__file__}:" in text
    assert f"for the end of b; b.ask #2 on b-0 waits at {__file__}:" in text
    assert text.endswith("for a.answer")
    if act == "remove":
        with pytest.raises(ServiceStopped):
            asked.result(10)
    else:
        assert asked.result(10) == 1


def test_queued_call_of_a_draining_service_that_waits_for_the_remover(bus: Bus, problems: Problems) -> None:
    """A call that begins while its service drains, and waits for the remover, is not refused, and is told."""
    bus.add(Service("a"))
    bus.add(Service("b"))

    def ask() -> int:
        wait_for(lambda: live(bus, "a.remove"))
        return int(bus.execute_command("a.answer").result())

    bus.register_command("a.remove", lambda: bus.remove("b", timeout=0.2), service="a")
    bus.register_command("a.answer", lambda: 1, service="a")
    bus.register_command("b.ask", ask, service="b")
    asked, removed = bus.execute_command("b.ask"), bus.execute_command("a.remove")
    removed.result(10)
    assert isinstance(asked.exception(10), ServiceStopped)
    ((rule, text, _),) = problems.told
    assert rule == "deadlock"
    assert "b.ask #1 on b-0 waits at " in text
    assert "for a.answer; a.remove #2 on a-0 waits at " in text
    assert text.endswith("for the end of b")


def test_close_makes_no_worker_wait(bus: Bus, problems: Problems) -> None:
    """close() inside a handler returns at once, so it is no edge, also when another call waits for that handler."""
    bus.add(Service("a"))
    bus.add(Service("b"))
    bus.register_command("a.close", bus.close, service="a")
    bus.register_command("b.ask", lambda: bus.execute_command("a.close").result(), service="b")
    bus.execute_command("b.ask").result(10)
    bus.close()
    assert problems.told == []


@pytest.mark.parametrize("fine", [False, True])
def test_blocked_workers_heal_under_every_schedule(fine: bool) -> None:
    """Whoever waits first, a remover and a call that waits for it both end, none is refused, and it is told."""
    accepted: list[bool] = []

    def scenario(bus: Bus) -> None:
        hook = Problems()
        bus.add_hook(hook)
        bus.add(Service("a"))
        bus.add(Service("b"))
        bus.register_command("a.remove", lambda: bus.remove("b", timeout=0.5), service="a")
        bus.register_command("a.answer", lambda: 1, service="a")
        bus.register_command("b.ask", lambda: bus.execute_command("a.answer").result(), service="b")
        removed, errors = bus.execute_command("a.remove"), []
        try:
            errors.append(bus.execute_command("b.ask").exception())
        except (ServiceStopped, CommandNotFound):
            pass  # `b` was draining already, or gone
        removed.result()
        assert [type(error) for error in errors] in ([], [ServiceStopped])
        assert [rule for rule, _, _ in hook.told] == ["deadlock"] * len(errors)
        accepted.append(bool(errors))

    report = explore(scenario, schedules=300, strategy="random", fine=fine)
    assert report.failure is None, report
    assert True in accepted


def test_full_mailboxes_that_push_into_each_other_heal_under_every_schedule() -> None:
    """Two services that fill each other's mailboxes and block are told, give up in time, and go on."""
    told: list[bool] = []

    def scenario(bus: Bus) -> None:
        hook = Problems()
        bus.add_hook(hook)

        def push(other: str) -> int:
            refused = 0
            for _ in range(3):
                try:
                    bus.execute_command(f"{other}.noop")
                except MailboxFull:
                    refused += 1
            return refused

        for name in ("a", "b"):
            bus.add(Service(name, capacity=1, overflow="block", push_timeout=0.5))
            bus.register_command(f"{name}.noop", lambda: None, service=name)
            bus.register_command(f"{name}.push", push, service=name)
        promises = [bus.execute_command("a.push", "b"), bus.execute_command("b.push", "a")]
        refused = [promise.result() for promise in promises]
        assert hook.told or refused == [0, 0]
        told.append(bool(hook.told))

    report = explore(scenario, schedules=300, strategy="random")
    assert report.failure is None, report
    assert set(told) == {False, True}
