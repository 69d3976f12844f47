"""Who waits for whom; a wait that could never end is refused before it begins.

A worker is *live* if it is not waiting on the bus, or its wait has a timeout, or what it waits for is done, or is run
by a live worker, or is still queued for a service that has a live worker. A wait after which its worker is not live
would close a cycle. The rule is a least fixpoint; as every condition is an "or", it is found by walking the waits once.

A cycle that a wait with a timeout is part of heals itself, and is only suspected. So are those through a worker that is
blocked in the bus itself, which always has a timeout: for room in a full mailbox, or for the end of a service.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from bus.context import Call
from bus.errors import DeadlockError, PoolStarvation, SelfCallError
from bus.hooks import Hooks
from bus.lanes import current_call, lane_of
from bus.progress import where
from bus.runtime import Lock

if TYPE_CHECKING:
    from bus.promise import Promise
    from bus.worker import Runner


class Step(Struct, frozen=True):
    """One call of a cycle: it runs on `thread`, and waits at `where` (file:line) for the call `waits_for`.

    `lane` is the thread's key; `target` the id of that call, 0 where it waits for no call.
    """

    call: int
    name: str
    service: str
    thread: str
    where: str
    waits_for: str
    lane: int = 0
    target: int = 0

    def __str__(self) -> str:
        return f"{self.name} #{self.call} on {self.thread} waits at {self.where} for {self.waits_for}"


class Block(Struct, frozen=True):
    """What a worker waits for that is no call: room in the mailbox of SERVICE, or its END."""

    service: str
    end: bool = False

    def __str__(self) -> str:
        return f"the end of {self.service}" if self.end else f"room in {self.service}"


class RunningCall(Struct, frozen=True):
    """A call that runs at this moment, and what it waits for on the bus: another call, or what BLOCK says, or nothing.

    `timed`: that wait ends by itself.
    """

    call: Call
    target: Call | None = None
    block: Block | None = None
    timed: bool = False


class Waits:
    """`_lock` guards the fields `waiting_for`, `wait_timed` and `blocked_on` of all running calls of one bus."""

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
            stuck = [] if timed else self._stuck_with(call)
            cycle = self._cycle(call, stuck or self._held_up(call))
            if stuck:
                call.waiting_for = None
        if stuck:
            raise self._error(call, promise, stuck, cycle)
        return tuple(_step(one, promise) for one in cycle)

    @contextmanager
    def blocked(self, block: Block, hooks: Hooks, now: Callable[[], int]) -> Iterator[None]:
        """The current thread waits inside for what BLOCK says, and not for ever; a cycle that this closes is told."""
        call = current_call()
        if call is None:
            yield
            return
        began = now()
        with self._lock:
            call.blocked_on = block
            cycle = self._cycle(call, self._held_up(call))
        tell_suspicion(hooks, tuple(_step(one) for one in cycle))
        try:
            yield
        finally:
            call.waited += now() - began
            call.blocked_on = None

    def end(self, call: Call) -> None:
        """CALL goes on. One store, without the lock: who sees it late sees a wait that is done or timed, so live."""
        call.waiting_for = None

    def running(self) -> tuple[RunningCall, ...]:
        """The calls that run, and what each waits for; all as of one moment, but for those that go on just then."""
        with self._lock:
            every = [call for runner in list(self._runners.values()) for call in runner.running if call is not None]
            return tuple(_running(call) for call in every)

    def _goes_on(self, target: Call) -> bool:
        """Whether TARGET is run, or can be taken, by a worker that does not wait itself: nearly always."""
        if target.started:
            return not target.waits
        runner = self._runners.get(target.service)
        return runner is None or runner.has_free_worker()

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

    def _held_up(self, call: Call) -> set[Call]:
        """All calls that cannot go on before some wait ends by itself, if CALL is one of them; else nothing."""
        running = [one for runner in list(self._runners.values()) for one in runner.running]
        held = {one for one in running if one is not None and one.waits} | {call}
        while freed := {one for one in held if self._is_free(one, held)}:
            held -= freed
        return held if call in held else set()

    def _is_free(self, call: Call, held: set[Call]) -> bool:
        promise, block = call.waiting_for, call.blocked_on
        free = (other is None or other not in held for other in self._dependencies(call))
        if block is not None and block.end:
            return all(free)
        return (promise is not None and promise.done()) or any(free)

    def _dependencies(self, call: Call) -> Iterator[Call | None]:
        """What the workers run of which one has to go on before CALL can; None is an idle worker."""
        promise, block = call.waiting_for, call.blocked_on
        target = promise.call if promise is not None else None
        runner = self._runners.get(target.service if target is not None else block.service if block is not None else "")
        if runner is None:
            yield None
        elif block is not None and block.end:
            yield from (one for one in runner.running if one is not None)
        # A call that was taken from the queue but did not start yet is as good as queued: its worker is not waiting.
        elif target is not None and target in runner.running:
            yield target
        else:
            yield from runner.serving

    def _error(self, call: Call, promise: "Promise[Any]", stuck: list[Call], cycle: list[Call]) -> DeadlockError:
        target = promise.call
        steps = [_step(one, promise) for one in cycle]
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

    def _cycle(self, call: Call, stuck: Collection[Call]) -> list[Call]:
        """From CALL along the waits until a call comes again; of a pool, the first worker stands for all."""
        path: list[Call] = []
        following: Call | None = call if stuck else None
        while following is not None and following not in path:
            path.append(following)
            following = next((one for one in self._dependencies(following) if one is not None and one in stuck), None)
        return path


def tell_suspicion(hooks: Hooks, cycle: tuple[Step, ...]) -> None:
    """A CYCLE was closed that heals itself, if it is one."""
    if cycle:
        text = f"suspected, for the time of a wait that ends by itself: {'; '.join(map(str, cycle))}"
        hooks.notify("deadlock", cycle, text, suspected=True)


def _running(call: Call) -> RunningCall:
    promise, block = call.waiting_for, call.blocked_on
    if promise is not None and not promise.done():
        return RunningCall(call, target=promise.call, timed=call.wait_timed)
    return RunningCall(call, block=block, timed=block is not None)  # the bus never blocks for ever


def _live(call: Call) -> bool:
    promise = call.waiting_for
    return promise is None or call.wait_timed or promise.done()


def _step(call: Call, promise: "Promise[Any] | None" = None) -> Step:
    """PROMISE: what CALL was about to wait for, if it does not wait (any more)."""
    lane, block = lane_of(call.lane), call.blocked_on
    target = call.waiting_for or promise
    what = str(block) if block is not None else target.call.name if target is not None else "nothing more"
    number = target.call.id if block is None and target is not None else 0
    return Step(call.id, call.name, call.service, lane.name, where(lane.ident), what, call.lane, number)
