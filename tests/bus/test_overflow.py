"""First in, first out, and no more than a mailbox holds: what becomes of the rest."""

import threading
from collections.abc import Iterator

import pytest

from bus import Bus, CommandNotFound, MailboxFull, Service
from bus.runtime import NS
from bus.testing import explore
from tests.bus.gate import NarrowGate
from tests.support import wait_for


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


@pytest.fixture
def gate(bus: Bus) -> Iterator[NarrowGate]:
    made = bus.add(NarrowGate())
    yield made
    made.opened.set()


def test_full_mailbox_refuses_commands_and_drops_events(bus: Bus, gate: NarrowGate) -> None:
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
    gate = bus.add(NarrowGate("gate", overflow="drop_oldest"))
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    kept = bus.execute_command("noop", 7)
    for value in ("first", "second"):
        bus.fire_event("told", value)
    gate.opened.set()
    assert kept.result(10) == 7
    wait_for(lambda: gate.seen == [7, "second"])
    assert bus.services()[0].dropped == 1
    assert [letter.kind for letter in bus.dead_letters()] == ["delivery"]


def test_blocked_sender_goes_on_when_there_is_room(bus: Bus) -> None:
    """With overflow="block" a sender waits for room instead of failing."""
    gate = bus.add(NarrowGate("gate", overflow="block", push_timeout=10))
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
    gate = bus.add(NarrowGate("gate", overflow="block", push_timeout=0.01))
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    bus.execute_command("noop")
    bus.execute_command("noop")
    with pytest.raises(MailboxFull):
        bus.execute_command("noop")
    gate.opened.set()


def test_event_that_finds_no_room_in_time_is_a_counted_drop(bus: Bus) -> None:
    """With overflow="block" an event waits `push_timeout` for room, then it is counted and a dead letter."""
    gate = bus.add(NarrowGate("gate", overflow="block", push_timeout=0.01))
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    for value in range(3):
        bus.fire_event("told", value)
    assert bus.services()[0].dropped == 1
    assert [(letter.kind, letter.name) for letter in bus.dead_letters()] == [("delivery", "told")]
    gate.opened.set()
    wait_for(lambda: gate.seen == [0, 1])


def test_first_in_first_out_for_each_sender(bus: Bus, gate: NarrowGate) -> None:
    """What one sender sends to one service arrives in the order in which it was sent."""
    gate.opened.set()
    for number in range(200):
        bus.execute_command("noop", number).result(10)
    assert gate.seen == list(range(200))


def test_dead_letters_are_bounded(bus: Bus) -> None:
    """The list keeps the newest 1,000."""
    for number in range(1_005):
        bus.fire_event(f"e{number}")
    letters = bus.dead_letters()
    assert (len(letters), letters[0].name, letters[-1].name) == (1_000, "e5", "e1004")


def test_senders_are_served_in_the_order_of_arrival(bus: Bus) -> None:
    """What several threads send to one service runs in the order in which it came, commands and events alike."""
    gate = bus.add(NarrowGate(capacity=100))
    bus.execute_command("hold")
    assert gate.entered.wait(10)
    for number in range(20):
        act = bus.fire_event if number % 3 == 0 else bus.execute_command
        sender = threading.Thread(target=act, args=("told" if number % 3 == 0 else "noop", number))
        sender.start()
        sender.join(10)
    gate.opened.set()
    wait_for(lambda: gate.seen == list(range(20)))


def test_pool_starts_calls_in_the_order_of_arrival(bus: Bus) -> None:
    """Whichever of several workers gets free takes the first call of the queue."""
    bus.add(Service("pool", workers=3))
    began: list[int] = []
    doors = [threading.Event() for _ in range(12)]

    def hold(number: int) -> None:
        began.append(number)
        assert doors[number].wait(10)

    bus.register_command("pool.hold", hold, service="pool")
    for number in range(12):
        bus.execute_command("pool.hold", number)
    wait_for(lambda: len(began) == 3)
    for freed in (1, 0, 2, 5, 3, 4, 6, 8, 7):
        doors[freed].set()
        wait_for(lambda: len(began) > 3 + sum(door.is_set() for door in doors) - 1)
    for door in doors:
        door.set()
    assert sorted(began[:3]) == [0, 1, 2]
    assert began[3:] == list(range(3, 12))


def fires_at_full_services(bus: Bus) -> None:
    for name in ("a", "b", "c"):
        bus.add(Service(name, capacity=1, overflow="block", push_timeout=10))
        bus.register_command(f"{name}.hold", lambda: bus.runtime.latch().wait(1_000), service=name)
        bus.register_listener("told", lambda: None, service=name)
        bus.execute_command(f"{name}.hold")
        bus.execute_command(f"{name}.hold")
    began = bus.now()
    bus.fire_event("told")
    assert 10 * NS <= bus.now() - began < 11 * NS
    assert [info.dropped for info in bus.services()] == [1, 1, 1]


def test_fire_waits_for_all_full_services_together() -> None:
    """An event that several blocking services have no room for waits `push_timeout` in all, not for each of them."""
    report = explore(fires_at_full_services, schedules=20, strategy="random")
    assert report.failure is None, report


@pytest.mark.parametrize("push_timeout", [float("inf"), float("nan"), -1.0])
def test_a_sender_never_blocks_for_ever(bus: Bus, push_timeout: float) -> None:
    """`push_timeout` is a finite number of seconds, or the service is refused."""
    with pytest.raises(ValueError, match=r"'odd' has push_timeout="):
        bus.add(Service("odd", overflow="block", push_timeout=push_timeout))


def test_dead_letters_are_counted(bus: Bus) -> None:
    """Each dead letter has its number, so that the last one says how many there were, also beyond those in the list."""
    for number in range(1_005):
        bus.fire_event(f"e{number}")
    with pytest.raises(CommandNotFound):
        bus.execute_command("nobody")
    assert [letter.number for letter in bus.dead_letters()] == list(range(7, 1_007))
