"""Who waits for whom; a wait that could never end is refused before it begins.

A worker is *live* if it is not waiting on the bus, or its wait has a timeout, or what it waits for is done, or is run
by a live worker, or is still queued for a service that has a live worker. A wait after which its worker is not live
would close a cycle. The rule is a least fixpoint; as every condition is an "or", it is found by walking the waits once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bus import runtime
from bus.context import Call, lanes
from bus.errors import DeadlockError, PoolStarvation, SelfCallError
from bus.runtime import NS, Lock

if TYPE_CHECKING:
    from bus.promise import Promise
    from bus.worker import Runner

_MAX_CHAIN = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a cycle: it runs on `thread`, and waits at `where` (file:line) for the call `waits_for`."""

    call: int
    name: str
    service: str
    thread: str
    where: str
    waits_for: str

    def __str__(self) -> str:
        return f"{self.name} #{self.call} on {self.thread} waits at {self.where} for {self.waits_for}"


class Waits:
    """`_lock` guards the fields `waiting_for` and `wait_timed` of all running calls of one bus."""

    def __init__(self, lock: Lock, runners: "Mapping[str, Runner]") -> None:
        self._lock = lock
        self._runners = runners

    def begin(self, call: Call, promise: "Promise[Any]", *, timed: bool) -> "tuple[Step, ...]":
        """CALL is about to wait for PROMISE; the cycle that this closes for a while, where the wait is TIMED.

        Raises:
            DeadlockError: that wait could never end. SelfCallError, PoolStarvation: its two common forms.
        """
        with self._lock:
            call.waiting_for, call.wait_timed = promise, timed
            if self._goes_on(promise.call):
                return ()
            stuck = self._stuck_with(call)
            if stuck and not timed:
                call.waiting_for = None
        if not stuck:
            return ()
        if timed:
            return tuple(_step(one, one.waiting_for or promise) for one in self._cycle(call, promise, stuck))
        raise self._error(call, promise, stuck)

    def end(self, call: Call) -> None:
        """CALL goes on. One store, without the lock: who sees it late sees a wait that is done or timed, so live."""
        call.waiting_for = None

    def _goes_on(self, target: Call) -> bool:
        """Whether TARGET is run, or can be taken, by a worker that does not wait itself: nearly always."""
        if target.started:
            return target.waiting_for is None
        runner = self._runners.get(target.service)
        return runner is None or any(one is None or one.waiting_for is None for one in runner.serving)

    def _stuck_with(self, call: Call) -> list[Call]:
        """All calls that CALL depends on, itself first, if none of them can go on; else nothing."""
        found = {call: None}
        ahead = [call]
        while ahead:
            for other in self._dependencies(ahead.pop()):
                if other is None or (other is not call and _live(other)):
                    return []
                if other not in found:
                    found[other] = None
                    ahead.append(other)
        return list(found)

    def _dependencies(self, call: Call) -> Iterator[Call | None]:
        """What the workers run of which one has to go on before CALL can; None is an idle worker."""
        promise = call.waiting_for
        if promise is None:
            yield None
            return
        target = promise.call
        runner = self._runners.get(target.service)
        if runner is None:
            yield None
            return
        # A call that was taken from the queue but did not start yet is as good as queued: its worker is not waiting.
        yield from [target] if target in runner.running else runner.serving

    def _error(self, call: Call, promise: "Promise[Any]", stuck: list[Call]) -> DeadlockError:
        target = promise.call
        steps = [_step(one, one.waiting_for or promise) for one in self._cycle(call, promise, stuck)]
        shown = "; ".join(map(str, steps))
        runner = self._runners.get(target.service)
        alone = {one.service for one in stuck} == {target.service} == {call.service}
        error: DeadlockError
        if alone and runner is not None and runner.workers == 1:
            error = SelfCallError(
                f"{call.name} waits for {target.name}, which its own thread would have to run: call the method "
                f"directly, return the promise, or give the service {target.service!r} a second worker ({shown})"
            )
        elif alone:
            error = PoolStarvation(
                f"all {len(stuck)} workers of {target.service!r} wait for calls that are queued to {target.service!r}: "
                f"move these to another service, or do not wait ({shown})"
            )
        else:
            error = DeadlockError(
                f"a cycle of calls that wait for each other, found before it blocked: {shown}; let one of them return "
                "its promise instead of waiting, or split a service"
            )
        error.cycle = tuple(steps)
        return error

    def _cycle(self, call: Call, promise: "Promise[Any]", stuck: list[Call]) -> list[Call]:
        """From CALL along the waits until a call comes again; of a pool, the first worker stands for all."""
        path = [call]
        target = promise.call
        while True:
            runner = self._runners.get(target.service)
            running = runner.running if runner is not None else []
            following = target if target in running else next((one for one in running if one in stuck), None)
            if following is None or following in path:
                return path
            path.append(following)
            if following.waiting_for is None:
                return path
            target = following.waiting_for.call


def describe(promise: "Promise[Any]", now: int) -> str:
    """What became of PROMISE until NOW (monotonic ns): queued or running, where, and what it waits for itself."""
    said: list[str] = []
    following: Promise[Any] | None = promise
    while following is not None and len(said) < _MAX_CHAIN:
        call = following.call
        if not call.started:
            mailbox = following.mailbox
            place = mailbox.position(call)
            where = f"{place + 1} of {len(mailbox)}" if place >= 0 else "about to start"
            return "; ".join([*said, f"{call.name} #{call.id} is queued for {call.service}, {where}"])
        lane = lanes[call.lane]
        seconds = (now - call.started) / NS
        said.append(f"{call.name} #{call.id} is running for {seconds:.3g} s on {lane.name}, at {_where(lane.ident)}")
        following = call.waiting_for
    return "; ".join(said)


def _live(call: Call) -> bool:
    promise = call.waiting_for
    return promise is None or call.wait_timed or promise.done()


def _step(call: Call, promise: "Promise[Any]") -> Step:
    lane = lanes[call.lane]
    return Step(call.id, call.name, call.service, lane.name, _where(lane.ident), promise.call.name)


def _where(ident: int) -> str:
    """The line outside the bus at which a thread stands."""
    theirs = (place for place in runtime.stack(ident) if place.module.partition(".")[0] not in {"bus", "threading"})
    place = next(theirs, None)
    return f"{place.code.co_filename}:{place.line}" if place is not None else "?"
