"""What the bus is built of, each in a scenario small enough to try its schedules one after the other."""

import time
from collections.abc import Callable
from typing import Any

from bus import (
    Bus,
    BusClosed,
    CallCancelled,
    CommandNotFound,
    DeadlockError,
    Promise,
    Service,
    ServiceStopped,
)
from bus.runtime import NS, Thread
from bus.testing import explore
from bus.trace.outlet import Outlet
from tests.bus.testing.lines import every_line

Scenario = Callable[[Bus], None]
_GONE = (BusClosed, ServiceStopped, CommandNotFound)


def start(bus: Bus, name: str, target: Callable[..., None], *args: Any) -> Thread:
    """A thread outside the bus, under its schedule."""
    return bus.runtime.spawn(name, target, *args)


def promise(bus: Bus) -> None:
    """Whoever waits for a promise, or asks to be told, is answered, once, with the same result."""
    answers: list[object] = []
    told: list[object] = []
    bus.add(Service("a"))
    bus.register_command("value", object, service="a")
    asked = bus.execute_command("value")

    def wait() -> None:
        asked.add_done_callback(told.append)
        answers.append(asked.result())

    threads = [start(bus, name, wait) for name in ("first", "second")]
    for thread in threads:
        thread.join()
    bus.close()  # who waits goes on before those who asked to be told are
    assert answers == [asked.result()] * 2
    assert told == [asked] * 2


def mailbox(bus: Bus) -> None:
    """Two senders share a mailbox that is too small for both: all comes, in order, and nobody sleeps through it."""
    ran: list[tuple[str, int]] = []
    began = bus.now()
    bus.add(Service("a", capacity=1, overflow="block", push_timeout=60))
    bus.register_command("note", lambda *what: ran.append(what), service="a")

    def send(sender: str) -> None:
        for number in range(2):
            bus.execute_command("note", sender, number)

    threads = [start(bus, name, send, name) for name in ("first", "second")]
    for thread in threads:
        thread.join()
    bus.close()
    assert sorted(ran) == [("first", 0), ("first", 1), ("second", 0), ("second", 1)]
    assert all(ran.index((sender, 0)) < ran.index((sender, 1)) for sender in ("first", "second"))
    assert bus.now() - began < NS, "somebody slept until the timeout"


def once(bus: Bus) -> None:
    """Of two events that come at the same time a once listener hears one."""
    heard: list[str] = []
    bus.add(Service("ear"))
    bus.register_listener("noise", heard.append, service="ear", once=True)
    threads = [start(bus, name, bus.fire_event, "noise", name) for name in ("first", "second")]
    for thread in threads:
        thread.join()
    bus.close()
    assert len(heard) == 1, f"heard {heard}"


def cancel(bus: Bus) -> None:
    """A call that two want to cancel either never runs, or runs once; and whoever waits learns which."""
    ran: list[int] = []
    told: list[object] = []
    bus.add(Service("a"))
    bus.register_command("run", lambda: ran.append(1), service="a")
    asked: Promise[Any] = bus.execute_command("run")
    asked.add_done_callback(told.append)
    threads = [start(bus, name, lambda: asked.cancel()) for name in ("first", "second")]  # noqa: PLW0108  it returns a bool
    try:
        asked.result()
    except CallCancelled:
        assert asked.cancelled()
    for thread in threads:
        thread.join()
    bus.close()
    assert len(ran) == (not asked.cancelled())
    assert told == [asked]


def close(bus: Bus) -> None:
    """However two closings and a sender meet, what was accepted is done afterwards, and what comes then is refused."""
    accepted: list[Promise[Any]] = []
    bus.add(Service("a"))
    bus.register_command("value", lambda: 1, service="a")

    def send() -> None:
        try:
            accepted.extend(bus.execute_command("value") for _ in range(2))
        except _GONE:
            pass

    sender, closer = start(bus, "sender", send), start(bus, "closer", bus.close)
    bus.close()
    assert all(one.done() for one in accepted)
    sender.join()
    closer.join()
    assert all(isinstance(one.exception(), BusClosed | None) for one in accepted)
    try:
        bus.execute_command("value")
    except _GONE:
        return
    raise AssertionError("a closed bus took a call")


def waits(bus: Bus) -> None:
    """Of two services that ask each other one is refused, if they would wait for ever, and never both."""
    refused: list[str] = []

    def ask(name: str, other: str) -> None:
        try:
            bus.execute_command(f"{other}.value").result()
        except DeadlockError:
            refused.append(name)

    for name, other in (("a", "b"), ("b", "a")):
        bus.add(Service(name))
        bus.register_command(f"{name}.value", lambda: 1, service=name)
        bus.register_command(f"{name}.ask", lambda name=name, other=other: ask(name, other), service=name)
    promises = [bus.execute_command("a.ask"), bus.execute_command("b.ask")]
    for one in promises:
        one.result()
    assert len(refused) <= 1, f"{refused} were refused"


def outlet(bus: Bus) -> None:
    """What a sink was given before it was closed is handled, in order; what comes later is counted as lost."""
    got: list[Any] = []
    sink: Outlet[Any] = Outlet("sink", got.append, lambda: None, bus.runtime)

    def offer() -> None:
        for number in range(2):
            sink.offer(number, 1)

    def end() -> None:
        sink.put("the last word")
        sink.close(None)

    threads = [start(bus, "offering", offer), start(bus, "ending", end)]
    for thread in threads:
        thread.join()
    assert sink.close(60)
    handled = [one for one in got if one != "the last word"]
    assert handled == sorted(handled, key=int), f"{handled} in this order"
    assert len(handled) + sink.lost == 2, f"{handled} handled, {sink.lost} lost"
    assert "the last word" in got


PRIMITIVES: dict[str, Scenario] = {
    "promise": promise,
    "mailbox": mailbox,
    "once": once,
    "cancel": cancel,
    "close": close,
    "waits": waits,
    "outlet": outlet,
}


def report_of(name: str, schedules: int) -> str:
    """Try all schedules of a primitive with two deviations, so many by priorities, and a fifth of that line by line.

    Raises:
        BaseException: what failed.
    """
    scenario = PRIMITIVES[name]
    began = time.monotonic()
    all_of = explore(scenario, schedules=100_000, strategy="dfs", depth=3, fine=True)
    some = explore(scenario, schedules=schedules, strategy="pct", depth=3, fine=True)
    with every_line(scenario) as by_lines:
        lines = explore(by_lines, schedules=schedules // 5, strategy="pct", depth=3, fine=True)
    for report in (all_of, some, lines):
        if report.failure is not None:
            raise report.failure
    assert all_of.exhausted
    return (
        f"{name}: all {all_of.schedules:,} schedules with two deviations, {some.schedules:,} by PCT, "
        f"{lines.schedules:,} line by line ({lines.steps // lines.schedules} steps each): "
        f"{time.monotonic() - began:.1f} s"
    )
