"""Workers that run one call for too long: shown with their live stack, and replaced where their service asks for it.

A call pays nothing for it: what the workers run is looked at a few times a second at most, on the bus's timer thread.
Only code is stuck. The time that a call waits on the bus does not count, and a call that has been going on for so long
because it waits is said to wait, with the chain of what it waits for: another worker would not help it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from bus.context import Call
from bus.lanes import lane_of
from bus.notes import line
from bus.progress import describe, stack_text
from bus.registry import Registration
from bus.runtime import NS
from bus.service import Service
from bus.timers import Timers

if TYPE_CHECKING:
    from bus.dispatch import Dispatch
    from bus.worker import Runner

_SHORTEST, _LONGEST = 0.05, 1.0
"""Seconds between two looks: a quarter of the shortest `stuck_after`, within these."""

Told = tuple[int, Literal["stuck", "waiting"]]


class Watcher:
    """Looks at the services of one bus. `_lock` guards `_timer` and `_period`; `_told` belongs to the timer thread.

    In virtual time it does not look: there code takes no time, so none is stuck, and a pending timer would hide a
    deadlock.
    """

    def __init__(self, dispatch: "Dispatch", timers: Timers) -> None:
        self._dispatch = dispatch
        self._timers = timers
        self._lock = dispatch.runtime.lock()
        self._timer: Registration | None = None
        self._period = float("inf")
        self._told: frozenset[Told] = frozenset()

    def watch(self, service: Service) -> None:
        """Look from now on as often as SERVICE needs it."""
        period = min(_LONGEST, max(_SHORTEST, service.stuck_after / 4))
        with self._lock:
            if not self._dispatch.runtime.real or period >= self._period:
                return
            former, self._period = self._timer, period
            self._timer = self._timers.every(period, self.look)
        if former is not None:
            former.dispose()

    def look(self) -> None:
        """Tell of the calls that have become stuck since the last look."""
        found: set[Told] = set()
        now = self._dispatch.now()
        for runner in list(self._dispatch.runners.values()):
            for call in _overdue(runner.running, runner.service, now):
                told: Told = (call.id, "waiting" if call.waits else "stuck")
                found.add(told)
                if told not in self._told:
                    self._tell(runner, call, now)
        # Of those that still go on: what is told once of each call must not grow for ever.
        going = {call for call, _ in found}
        self._told = frozenset(found | {told for told in self._told if told[0] in going})

    def _tell(self, runner: "Runner", call: Call, now: int) -> None:
        promise, dispatch = call.waiting_for, self._dispatch
        what = f"{line(call)} #{call.id} has been running for {(now - call.started) / NS:.3g} s"
        if promise is not None:
            text = f"{what}, and waits: {describe(promise, now)}"
            dispatch.hooks.notify("problem", "stuck", text, (call.id, promise.call.id))
            return
        if call.blocked_on is not None:
            dispatch.hooks.notify("problem", "stuck", f"{what}, and waits for {call.blocked_on}", (call.id,))
            return
        lane = lane_of(call.lane)
        stack = stack_text(lane.ident)
        fresh = runner.replace_stuck(call) if runner.service.replace_stuck else ""
        place = f"; {fresh} takes its place, and what it still delivers is late" if fresh else ""
        dispatch.hooks.notify("problem", "stuck", f"{what}, and is stuck{place}; it is {stack}", (call.id,))
        dispatch.announce(
            "worker_stuck", service=runner.name, name=call.name, call=call.id, thread=lane.name, stack=stack,
            replaced_by=fresh,
        )  # fmt: skip


def stuck_calls(running: list[Call | None], service: Service, now: int) -> int:
    """How many of the calls that are RUNNING at NOW (monotonic ns) on SERVICE are stuck."""
    return sum(not call.waits for call in _overdue(running, service, now))


def _overdue(running: list[Call | None], service: Service, now: int) -> Iterator[Call]:
    """The calls that have been going on for too long, for those that do not wait: without the time that they waited."""
    limit = service.stuck_after * NS
    for call in running:
        if call is not None and call.started and call.in_flight:
            waited = 0 if call.waits else call.waited
            if now - call.started - waited > limit:
                yield call
