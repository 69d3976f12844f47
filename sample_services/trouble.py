"""Every kind of trouble that a threaded program gets into, on request, so that you can see what it looks like."""

import threading
from typing import Literal

from bus import Service, command, current_call

_TURN = 0.02
"""Seconds between two steps of what goes on for a while."""
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
    def flood(self, n: int = 20_000, seconds: float = 0.0) -> int:
        """Fire an event N times, within SECONDS or at once: faster than its one listener can take it."""
        turns = max(1, round(seconds / _TURN))
        for number in range(n):
            if seconds and number % max(1, n // turns) == 0:
                self._never.wait(_TURN)
            self.bus.fire_event("trouble.flooded", number)
        return n

    @command("trouble.leak")
    def leak(self, n: int = 20) -> int:
        """Register the same listener N times and never dispose it."""
        for _ in range(n):
            self.bus.register_listener("trouble.leaked", self._on_leaked)
        return n

    @command("trouble.errors")
    def errors(self, n: int = 10) -> list[str]:
        """Execute a command that fails N times, and look at its errors."""
        promises = [self.bus.execute_command("accomplice.fail") for _ in range(n)]
        return [repr(promise.exception()) for promise in promises]

    @command("trouble.swallow")
    def swallow(self) -> None:
        """Execute a command that fails, and never ask what became of it."""
        self.bus.execute_command("accomplice.fail")

    @command("trouble.misspell")
    def misspell(self, n: int = 20) -> int:
        """Fire an event N times under a name that nobody listens to: two letters have changed places."""
        for number in range(n):
            self.bus.fire_event("file.chnaged", str(number))
        return n

    @command("trouble.loop")
    def loop(self, n: int = 20) -> int:
        """Fire an event whose listener fires it again, N times."""
        self.bus.fire_event("trouble.looped", n)
        return n

    @command("trouble.delay")
    def delay(self, n: int = 80) -> int:
        """Give a clerk N parcels that take 20 ms each, and in between ask N quick questions; those answered."""
        promises = []
        for number in range(n):
            self.bus.fire_event("trouble.parcel", number)
            promises.append(self.bus.execute_command("clerk.answer", number))
        return len([promise.result() for promise in promises])

    @command("trouble.starve")
    def starve(self, seconds: float = 2.0) -> int:
        """Let the accomplice wait for this service for SECONDS, while events for it come in; how many."""
        self.bus.execute_command("accomplice.hold", seconds)
        turns = max(1, round(seconds / _TURN))
        for number in range(turns):
            self._never.wait(_TURN)
            self.bus.fire_event("trouble.flooded", number)
        return turns

    @command("trouble.hog")
    def hog(self, seconds: float = 8.0) -> int:
        """Let three threads compute for SECONDS, so that all others wait for the interpreter; in how many calls."""
        step = 0.1
        turns = max(1, round(seconds / step))
        promises = [self.bus.execute_command("cruncher.crunch", step) for _ in range(3 * turns)]
        return len([promise.result() for promise in promises])

    @command("trouble.tail")
    def tail(self, n: int = 1_200) -> int:
        """Execute N quick calls, of which 2 in 100 take 15 ms."""
        promises = [self.bus.execute_command("accomplice.step", 0 if number % 50 else 15.0) for number in range(n)]
        return len([promise.result() for promise in promises])

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
