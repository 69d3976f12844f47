"""Lanes: what is known of threads, those that have ended too, and no more than that."""

import threading
import time

from bus import Bus, Service, lanes
from tests.support import wait_for


def test_ended_threads_are_forgotten_after_a_while() -> None:
    """A program that makes a thread for every request does not grow for ever, and late questions get an answer."""
    with Bus("test") as bus:
        bus.add(Service("one"))
        bus.register_command("caller", threading.get_ident, service="one")
        before = len(lanes.lanes)
        seen: list[int] = []

        def ask() -> None:
            bus.execute_command("caller").result(10)
            seen.append(lanes.current_lane())

        for _ in range(3_000):
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join(10)
        assert len(set(seen)) == 3_000
        assert len(lanes.lanes) <= max(before, 2_100)
        assert lanes.lane_of(seen[0]).name == f"thread {seen[0]}, which has ended"
        assert lanes.lane_of(seen[-1]).name.startswith("Thread-")


def ended(lane: int) -> int:
    """When the thread of a lane ended, 0: it has not."""
    return next((at for key, at in lanes.ends_since(None) if key == lane), 0)


def run(*, stays: threading.Event | None = None) -> tuple[threading.Thread, int, int]:
    """A thread that has a lane, and with STAYS lives on until that is set; the thread, its lane and its OS's id."""
    found: list[tuple[int, int]] = []
    there = threading.Event()

    def target() -> None:
        found.append((lanes.current_lane(), threading.get_ident()))
        there.set()
        if stays is not None:
            stays.wait(10)

    thread = threading.Thread(target=target)
    thread.start()
    assert there.wait(10)
    return thread, *found[0]


def test_a_lane_ends_with_its_thread() -> None:
    """When the thread has gone, and not while it does nothing; it began when it was first seen."""
    before, stays = time.monotonic_ns(), threading.Event()
    thread, lane, _ = run(stays=stays)
    assert not ended(lane)
    done = time.monotonic_ns()
    assert before <= lanes.lane_of(lane).began <= done
    stays.set()
    thread.join(10)
    wait_for(lambda: ended(lane))
    assert done <= ended(lane) <= time.monotonic_ns()


def test_an_id_of_the_system_that_is_used_again_is_another_lane() -> None:
    """The end of the first thread is not that of the second one, which has its id and lives."""
    first, lane, ident = run()
    first.join(10)
    wait_for(lambda: ended(lane))
    stays = threading.Event()
    others = [run(stays=stays) for _ in range(20)]
    assert lane not in {other for _, other, _ in others}
    assert not any(ended(other) for _, other, _ in others)
    assert ident in {again for _, _, again in others}, "no id was used again: this test shows nothing"
    stays.set()
    for thread, _, _ in others:
        thread.join(10)
    wait_for(lambda: all(ended(other) for _, other, _ in others))


def test_a_worker_ends_with_its_service() -> None:
    """Although the service keeps what its workers were."""
    with Bus("test") as bus:
        bus.add(Service("one"))
        bus.register_command("lane", lanes.current_lane, service="one")
        lane = bus.execute_command("lane").result(10)
        assert not ended(lane)
        bus.remove("one")
        wait_for(lambda: ended(lane))


def test_ends_are_told_from_the_last_one_on() -> None:
    """The newest first; all that are known to who knows none."""
    run()[0].join(10)
    last = lanes.ends_since(None)[0]
    ran: list[int] = []
    for _ in range(2):
        thread, lane, _ = run()
        thread.join(10)
        ran.append(lane)
    wait_for(lambda: all(map(ended, ran)))
    told = [each for each in lanes.ends_since(last) if each[0] in ran]
    assert [lane for lane, _ in told] == ran[::-1]
    assert [each for each in lanes.ends_since(told[1]) if each[0] in ran] == [told[0]]
    assert not [each for each in lanes.ends_since(told[0]) if each[0] in ran]
