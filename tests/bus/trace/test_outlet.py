import threading
from collections import deque

from bus.runtime import REAL
from bus.trace.outlet import Outlet


def outlet(handle, finish=lambda: None, capacity=100):
    return Outlet("test-outlet", handle, finish, REAL, capacity=capacity)


def test_things_arrive_in_order():
    """Whatever mixture of ways they are queued in."""
    got: list[object] = []
    one = outlet(got.append)
    one.offer(1, 1)
    one.put(2)
    one.call(lambda: got.append(3))
    one.offer(4, 0)
    assert one.close(5)
    assert got == [1, 2, 3, 4]


def test_a_sink_that_hangs_loses_records_and_they_are_counted():
    """The one who offers never waits; what is put is kept in any case."""
    entered, leave = threading.Event(), threading.Event()
    got: list[int] = []

    def slow(item: int) -> None:
        entered.set()
        leave.wait()
        got.append(item)

    one = outlet(slow)
    one.offer(0, 1)
    entered.wait()
    offered = sum(one.offer(number, 30) for number in range(1, 11))
    one.put(99)
    leave.set()
    assert one.close(5)
    assert offered == 3
    assert one.lost == 7 * 30
    assert got == [0, 1, 2, 3, 99]


def test_a_long_item_gets_through_when_nothing_waits():
    """A capacity below the size of one chunk must not lose all of them."""
    got: list[int] = []
    one = outlet(got.append, capacity=5)
    assert one.offer(1, 1_000)
    assert one.close(5)
    assert got == [1]


def test_a_sink_that_breaks_ends_its_thread_and_only_that():
    """What it broke at, what waited behind and what comes afterwards is counted as lost."""
    finished, fail = threading.Event(), threading.Event()

    def broken(item: int) -> None:
        fail.wait()
        raise OSError

    one = outlet(broken, finished.set)
    one.offer(1, 1)
    one.offer(2, 20)
    fail.set()
    assert finished.wait(5)
    assert one.close(5)
    assert not one.offer(3, 300)
    assert one.lost == 321
    assert not one.flush(5)


def test_a_flush_waits_for_what_is_queued():
    """And says no when it takes too long."""
    leave = threading.Event()
    one = outlet(lambda _: leave.wait())
    one.put(1)
    assert not one.flush(0.01)
    leave.set()
    assert one.flush(5)
    assert one.close(5)


def test_what_is_queued_just_before_the_end_is_handled():
    """Also when the thread found the queue empty a moment before, and sees that it is to end a moment after."""
    got: list[str] = []
    ended = threading.Event()
    one = outlet(got.append, ended.set)

    class Overtaken(deque):
        """Its first look at the queue is overtaken by who queues a last thing and closes."""

        said = False

        def popleft(self):
            try:
                return super().popleft()
            except IndexError:
                if not self.said:
                    self.said = True
                    one.put("the last word")
                    one.close(None)
                raise

    one._queue = Overtaken(one._queue)
    one._wakeup.wake()
    assert ended.wait(5)
    assert got == ["the last word"]
