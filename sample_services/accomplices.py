"""What trouble needs to be trouble: services that wait for it, are slow, count badly, or take all of the processor."""

import threading
import time

from bus import Service, command, listener


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

    @command("accomplice.fail")
    def fail(self) -> None:
        """Fail, for whoever wants to know, or for nobody."""
        message = "the accomplice could not do it"
        raise OSError(message)

    @command("accomplice.step")
    def step(self, milliseconds: float = 0.0) -> None:
        """Take so long."""
        if milliseconds:
            self._never.wait(milliseconds / 1_000)

    @listener("trouble.looped")
    def on_looped(self, left: int) -> None:
        """Fire the same event again, as if there were always more to do."""
        if left:
            self.bus.fire_event("trouble.looped", left - 1)

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


class Clerk(Service):
    """One thread for long work and for short answers, so that the answers come late."""

    def on_start(self) -> None:
        """Nothing on the desk yet."""
        self._never = threading.Event()

    @listener("trouble.parcel")
    def on_parcel(self, number: int) -> None:  # noqa: ARG002  only the time that it takes matters
        """Take 20 ms."""
        self._never.wait(0.02)

    @command("clerk.answer")
    def answer(self, number: int) -> int:
        """Answer at once, when it is its turn."""
        return number


class Cruncher(Service):
    """Three threads that only compute, and share one interpreter with everybody else."""

    workers = 3

    @command("cruncher.crunch")
    def crunch(self, seconds: float = 0.1) -> int:
        """Compute for so long; how far it came."""
        until = time.monotonic() + seconds
        total = 0
        while time.monotonic() < until:
            total += sum(range(2_000)) % 7
        return total
