"""Who hears an event, how often, and for how long."""

import threading
from collections.abc import Iterator

import pytest

from bus import Bus, Call, Hook, Service, current_call, listener
from tests.support import wait_for


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


class Ear(Service):
    """One thread, so what it hears is in order."""

    def on_start(self) -> None:
        self.heard: list[tuple[str, object]] = []

    @listener("file.*")
    def on_file(self, *args: object) -> None:
        call = current_call()
        assert call is not None
        self.heard.append((call.name, *args))

    @listener("sync")
    def on_sync(self, done: threading.Event) -> None:
        done.set()


def settle(bus: Bus) -> None:
    done = threading.Event()
    bus.fire_event("sync", done)
    assert done.wait(10)


def test_glob_hears_what_it_matches(bus: Bus) -> None:
    """`file.*` hears every event that begins with it, dots included, and no other."""
    ear = bus.add(Ear())
    for name in ("file.found", "file", "file.a.b", "profile.x"):
        bus.fire_event(name, 1)
    settle(bus)
    assert ear.heard == [("file.found", 1), ("file.a.b", 1)]


def test_same_callback_twice_hears_twice(bus: Bus) -> None:
    """One callback registered twice gets two deliveries."""
    heard: list[int] = []
    for _ in range(2):
        bus.register_listener("x", lambda: heard.append(1))
    bus.fire_event("x")
    wait_for(lambda: heard == [1, 1])


def test_once_runs_once_under_a_race(bus: Bus) -> None:
    """once=True is claimed atomically: of many events at the same time it hears exactly one."""
    ear = bus.add(Ear())
    heard: list[int] = []
    for _ in range(50):
        heard.clear()
        bus.register_listener("x", lambda: heard.append(1), once=True, service=ear)
        barrier = threading.Barrier(4)

        def fire(barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            bus.fire_event("x")

        threads = [threading.Thread(target=fire) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        settle(bus)
        assert heard == [1]


def test_disposed_listener_hears_nothing_more(bus: Bus) -> None:
    """After dispose() has returned no delivery starts; the queued ones are counted as dead letters."""
    ear = bus.add(Ear())
    entered, opened = threading.Event(), threading.Event()
    heard: list[int] = []

    def hold() -> None:
        entered.set()
        assert opened.wait(10)

    bus.register_listener("hold", hold, service=ear)
    registration = bus.register_listener("x", lambda: heard.append(1), service=ear)
    bus.fire_event("hold")
    assert entered.wait(10)
    bus.fire_event("x")
    registration.dispose()
    opened.set()
    settle(bus)
    assert heard == []
    assert [letter.reason for letter in bus.dead_letters()] == ["the listener on ear was disposed before it came"]


def test_error_of_a_listener_stays_with_it(bus: Bus) -> None:
    """A listener's error reaches neither the firer nor the others; bus.listener_failed is fired once."""
    heard: list[int] = []
    failures: list[dict[str, object]] = []

    def fail() -> None:
        raise ValueError("deaf")

    bus.register_listener("bus.listener_failed", lambda **what: failures.append(what))
    bus.register_listener("x", fail)
    bus.register_listener("x", lambda: heard.append(1))
    bus.fire_event("x")
    wait_for(lambda: failures and heard)
    assert [(failure["name"], repr(failure["error"])) for failure in failures] == [("x", "ValueError('deaf')")]


def test_own_events_match_only_their_own_patterns(bus: Bus) -> None:
    """`*` does not hear the bus's own events, `bus.*` does."""
    everything: list[str] = []
    own: list[str] = []
    bus.register_listener("*", lambda *args, **kwargs: everything.append("heard"))
    bus.register_listener("bus.*", lambda **kwargs: own.append(kwargs["name"]))
    bus.register_command("new", lambda: 1)
    wait_for(lambda: own == ["new"])
    assert everything == []


def test_event_without_a_listener_is_a_dead_letter(bus: Bus) -> None:
    """Nobody is there to hear it: that is noted."""
    bus.fire_event("unheard")
    assert [(letter.kind, letter.name, letter.reason) for letter in bus.dead_letters()] == [
        ("event", "unheard", "no listener")
    ]


def test_fire_inside_a_listener_is_queued(bus: Bus) -> None:
    """A fire inside a listener never runs inline."""
    ear = bus.add(Ear())
    order: list[str] = []

    def first() -> None:
        bus.fire_event("second")
        order.append("first is done")

    bus.register_listener("first", first, service=ear)
    bus.register_listener("second", lambda: order.append("second"), service=ear)
    bus.fire_event("first")
    wait_for(lambda: order == ["first is done", "second"])


def test_error_of_a_listener_to_failures_is_only_recorded(bus: Bus) -> None:
    """A listener of bus.listener_failed that fails itself is not told to itself again; its call has the error."""
    bus.add(Service("ear"))
    failures: list[object] = []
    outcomes: list[str] = []

    class Ends(Hook):
        def ended(self, call: Call) -> None:
            if call.kind == "delivery":
                outcomes.append(f"{call.name} {call.outcome}")

    def deaf(**what: object) -> None:
        failures.append(what["name"])
        raise ValueError("deaf to failures")

    def fail() -> None:
        raise ValueError("deaf")

    bus.add_hook(Ends())
    bus.register_listener("bus.listener_failed", deaf, service="ear")
    bus.register_listener("x", fail, service="ear")
    bus.register_listener("sync", lambda done: done.set(), service="ear")
    bus.fire_event("x")
    wait_for(lambda: len(outcomes) == 2)
    settle(bus)
    assert failures == ["x"]
    assert outcomes[:2] == ["x error", "bus.listener_failed error"]


def test_fire_takes_the_listeners_of_that_moment(bus: Bus) -> None:
    """Who registers after an event was fired does not hear it, even if nobody has heard it yet."""
    ear = bus.add(Ear())
    entered, opened = threading.Event(), threading.Event()
    heard: list[str] = []

    def hold() -> None:
        entered.set()
        assert opened.wait(10)

    bus.register_listener("hold", hold, service=ear)
    bus.register_listener("x", lambda: heard.append("first"), service=ear)
    bus.fire_event("hold")
    assert entered.wait(10)
    bus.fire_event("x")
    bus.register_listener("x", lambda: heard.append("second"), service=ear)
    opened.set()
    settle(bus)
    assert heard == ["first"]


def test_own_events_carry_keywords(bus: Bus) -> None:
    """What the bus fires itself says service=, name= and error= by keyword, and nothing by position."""
    heard: list[tuple[str, tuple[object, ...], dict[str, object]]] = []

    def hear(*args: object, **what: object) -> None:
        call = current_call()
        assert call is not None
        heard.append((call.name, args, what))

    def fail() -> None:
        raise ValueError("deaf")

    bus.register_listener("bus.*", hear, service=bus.add(Service("ear")))
    bus.add(Service("other"))
    bus.register_command("new", lambda: 1, service="other")
    bus.register_listener("x", fail, service="other")
    bus.fire_event("x")
    wait_for(lambda: len(heard) == 3)
    bus.remove("other")
    wait_for(lambda: len(heard) == 4)
    assert all(not args for _, args, _ in heard)
    assert [(name, {key: repr(value) for key, value in what.items()}) for name, _, what in heard] == [
        ("bus.service_started", {"service": "'other'"}),
        ("bus.command_registered", {"name": "'new'", "service": "'other'"}),
        ("bus.listener_failed", {"service": "'other'", "name": "'x'", "error": "ValueError('deaf')"}),
        ("bus.service_stopped", {"service": "'other'"}),
    ]
