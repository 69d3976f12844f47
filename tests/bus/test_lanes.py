"""Lanes: what is known of threads, those that have ended too, and no more than that."""

import threading

from bus import Bus, Service, lanes


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
