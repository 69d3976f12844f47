"""The mailbox: nothing is lost between check and append, nobody sleeps through a call."""

import itertools
import threading

import pytest

from bus.context import Call, Source
from bus.mailbox import Closed, Full, Item, Mailbox
from bus.runtime import NS, REAL, EventfdWakeup, LockWakeup, Runtime, Wakeup


def call(number: int, kind: str = "command") -> Call:
    return Call(number, Source(kind, "x", "s"), (1, 0, 0, 0), 0)


def take_next(box: Mailbox, token: Wakeup) -> Item | None:
    """As a worker does: the next one, waiting for it; None when the mailbox is closed and empty."""
    while True:
        try:
            return box.popleft()
        except IndexError:
            if not box.sleep(token):
                return None


@pytest.mark.parametrize("wakeup", [EventfdWakeup, LockWakeup])
def test_every_call_is_taken_once_in_order_of_each_sender(wakeup: type[EventfdWakeup]) -> None:
    """Of many senders and takers, each call is taken once, and each sender's calls in order."""
    box = Mailbox(Runtime(wakeup), 100_000)
    taken: list[list[int]] = [[] for _ in range(3)]

    def take(mine: list[int]) -> None:
        token = wakeup()
        while (got := take_next(box, token)) is not None:
            mine.append(got.id)

    def send(first: int) -> None:
        for number in range(first, first + 2_000):
            box.put(call(number))

    takers = [threading.Thread(target=take, args=(mine,)) for mine in taken]
    senders = [threading.Thread(target=send, args=(first,)) for first in (0, 10_000, 20_000)]
    for thread in (*takers, *senders):
        thread.start()
    for thread in senders:
        thread.join(30)
    box.close()
    for thread in takers:
        thread.join(30)
    assert sorted(itertools.chain.from_iterable(taken)) == [
        n for first in (0, 10_000, 20_000) for n in range(first, first + 2_000)
    ]
    for mine in taken:
        for first in (0, 10_000, 20_000):
            own = [number for number in mine if first <= number < first + 2_000]
            assert own == sorted(own)


def test_closed_mailbox_gives_what_it_has_and_takes_no_more() -> None:
    """After close() what is queued is still taken, then None; put raises Closed."""
    box = Mailbox(REAL, 10)
    box.put(call(1))
    box.close()
    with pytest.raises(Closed):
        box.put(call(2))
    token = REAL.wakeup()
    first = take_next(box, token)
    assert first is not None
    assert (first.id, take_next(box, token)) == (1, None)


def test_full_mailbox_says_so() -> None:
    """Put raises Full beyond the capacity."""
    box = Mailbox(REAL, 1)
    box.put(call(1))
    with pytest.raises(Full):
        box.put(call(2))


def test_making_room_never_drops_a_command() -> None:
    """put_dropping_oldest gives back the oldest delivery, or the new one when only commands are queued."""
    box = Mailbox(REAL, 2)
    box.put(call(1))
    box.put(call(2, "delivery"))
    dropped = box.put_dropping_oldest(call(3, "delivery"))
    assert dropped is not None
    assert dropped.id == 2
    box.withdraw(box.queued()[1])
    box.put(call(4))
    new = call(5, "delivery")
    assert box.put_dropping_oldest(new) is new
    assert [queued.id for queued in box.queued()] == [1, 4]


def test_waiting_sender_is_told_of_the_close() -> None:
    """A sender that waits for room gets Closed when the mailbox closes."""
    box = Mailbox(REAL, 1)
    box.put(call(1))
    errors: list[BaseException] = []

    def send() -> None:
        try:
            box.put_waiting(call(2), REAL.now() + 30 * NS)
        except Closed as error:
            errors.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    while not box.blocked:
        pass
    box.close()
    sender.join(10)
    assert len(errors) == 1


@pytest.mark.parametrize("wakeup", [EventfdWakeup, LockWakeup])
def test_wake_before_the_wait_is_kept(wakeup: type[EventfdWakeup]) -> None:
    """A token that was woken, however often, lets the next wait through, once."""
    token = wakeup()
    token.wake()
    token.wake()
    assert token.wait(10)
    assert not token.wait(0.001)
