"""Where the time of a call went: the one place that divides it, for details, lists, exports and reports alike."""

from collections.abc import Iterable

from msgspec import Struct

from bus.trace.records import Call


class CallParts(Struct, frozen=True):
    """Where a call's time went, in ns; the four add up to `ended - queued`, or to the time so far.

    `measured`: whether the CPU time is known. Where it is not (at the level `times`, and while a call runs), computing
    and elsewhere cannot be told apart: `computing` is both of them then, and is called running.
    """

    queued: int
    computing: int
    waiting: int
    elsewhere: int
    measured: bool = True

    def named(self) -> tuple[tuple[str, int], ...]:
        """The parts that are known, by what they are called."""
        if not self.measured:
            return ("queued", self.queued), ("running", self.computing), ("waiting", self.waiting)
        return (
            ("queued", self.queued), ("computing", self.computing), ("waiting", self.waiting),
            ("elsewhere", self.elsewhere),
        )  # fmt: skip


def parts(call: Call, now: int) -> CallParts:
    """The call's time in four parts that add up exactly; to NOW if it has not ended."""
    end = max(call.queued, call.ended if call.outcome else now)
    start = min(max(call.queued, call.started), end) if call.started else end
    run = end - start
    waiting = min(call.waited, run)
    computing = run - waiting if call.cpu is None else min(call.cpu, run - waiting)
    measured = call.cpu is not None or not run
    return CallParts(start - call.queued, computing, waiting, run - waiting - computing, measured)


def together(several: Iterable[CallParts]) -> CallParts:
    """The sum of several; where one of them was not measured, the whole is not."""
    queued = computing = waiting = elsewhere = 0
    measured = True
    for one in several:
        queued, computing = queued + one.queued, computing + one.computing
        waiting, elsewhere = waiting + one.waiting, elsewhere + one.elsewhere
        measured = measured and one.measured
    if not measured:
        computing, elsewhere = computing + elsewhere, 0
    return CallParts(queued, computing, waiting, elsewhere, measured)
