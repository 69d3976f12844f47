"""Every kind of trouble that a threaded program gets into, on request, so that you can see what it looks like."""

import threading
from typing import Literal

from bus import Service, command, current_call, listener

FailKind = Literal["value", "key", "chain", "exit", "hostile"]


class Trouble(Service):
    """One thread: what it waits for, everybody who calls it waits for too."""

    def on_start(self) -> None:
        """Nothing has gone wrong yet."""
        self._never = threading.Event()

    @command("trouble.fail")
    def fail(self, kind: FailKind = "value") -> None:
        """Raise an error: a plain one, one with a cause, an exit, or one whose message is not fit for a terminal."""
        match kind:
            case "value":
                message = "trouble was asked for, and here it is"
                raise ValueError(message)
            case "key":
                raise KeyError("no such key")
            case "chain":
                self._fail_with_cause()
            case "exit":
                raise SystemExit(3)
            case "hostile":
                message = "\x1b[2J\x1b]52;c;aGk=\x07 [@click=app.quit]here[/] \u202etxt.exe"
                raise ValueError(message)

    @command("trouble.slow")
    def slow(self, seconds: float = 1.0) -> float:
        """Do nothing for SECONDS, or until somebody asks to cancel it; the seconds asked for."""
        call = current_call()
        step = 0.05
        for _ in range(max(1, round(seconds / step))):
            if call is not None and call.cancel_requested:
                break
            self._never.wait(min(step, seconds))
        return seconds

    @command("trouble.deadlock")
    def deadlock(self, seconds: float | None = None) -> None:
        """Wait for another service that waits for this one: for ever, which is refused, or for SECONDS."""
        self.bus.execute_command("accomplice.hold", seconds).result(timeout=seconds)

    @command("trouble.ack")
    def ack(self) -> str:
        """What the accomplice waits for."""
        return "ack"

    @command("trouble.flood")
    def flood(self, n: int = 20_000) -> int:
        """Fire an event N times, faster than its one listener can take it."""
        for number in range(n):
            self.bus.fire_event("trouble.flooded", number)
        return n

    @command("trouble.leak")
    def leak(self, n: int = 20) -> int:
        """Register the same listener N times and never dispose it."""
        for _ in range(n):
            self.bus.register_listener("trouble.leaked", self._on_leaked)
        return n

    @command("trouble.race")
    def race(self, n: int = 1_000) -> dict[str, int]:
        """Count to N on two threads without a lock; what should have come out, and what did."""
        before: int = self.bus.execute_command("racer.total").result()
        promises = [self.bus.execute_command("racer.step") for _ in range(n)]
        for promise in promises:
            promise.result()
        after: int = self.bus.execute_command("racer.total").result()
        return {"expected": n, "got": after - before}

    def _on_leaked(self) -> None:
        """Would be called once for each registration."""

    def _missing(self, key: str) -> None:
        raise KeyError(key)

    def _fail_with_cause(self) -> None:
        try:
            self._missing("missing")
        except KeyError as error:
            message = "the second error, because of the first"
            raise RuntimeError(message) from error


class Accomplice(Service):
    """Holds on to what trouble needs, and is slow where trouble is fast."""

    capacity = 1_000

    def on_start(self) -> None:
        """Nothing to wait for yet."""
        self._never = threading.Event()

    @command("accomplice.hold")
    def hold(self, seconds: float | None = None) -> None:
        """Wait for trouble, which is waiting for this."""
        self.bus.execute_command("trouble.ack").result(timeout=seconds)

    @listener("trouble.flooded")
    def on_flooded(self, number: int) -> None:  # noqa: ARG002  only the time that it takes matters
        """Take a millisecond."""
        self._never.wait(0.001)


class Racer(Service):
    """Two threads and one number, as it should not be done."""

    workers = 2

    def on_start(self) -> None:
        """Start from zero."""
        self._total = 0
        self._never = threading.Event()

    @command("racer.step")
    def step(self) -> None:
        """Add one, with a pause between reading and writing in which the other thread can do the same."""
        total = self._total
        self._never.wait(0.0001)
        self._total = total + 1

    @command("racer.total")
    def total(self) -> int:
        """The number."""
        return self._total
