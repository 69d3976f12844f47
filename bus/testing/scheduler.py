"""One run: tasks on real threads, one at a time; who goes on is decided at the scheduling points, and written down.

The thread that goes on has the *baton*, and hands it directly to the next. Time is virtual: a microsecond passes with
each step, and when no task can go on the clock jumps to the next timeout.
"""

from collections.abc import Callable
from typing import NoReturn, Protocol

from bus import runtime
from bus.context import Call
from bus.lanes import lane_of
from bus.runtime import NS, REAL, Wakeup
from bus.testing.carriers import Carrier, Carriers
from bus.testing.errors import Stuck, TooManySteps, UncontrolledThread
from bus.testing.where import where

START = 1_000 * NS
"""When the virtual clock begins: a time of 0 means "not yet" in a call."""
TICK = 1_000
"""Virtual ns that pass with each step."""
UNWIND_SECONDS = 1.0
"""Real time that each thread gets to leave its code when a run is over."""
_MOST_STOPS = 100

Crowd = tuple[int, ...]
"""Which tasks could go on at a choice: ids, the current one first (0: it cannot), then the others, the next first."""


class Stop(BaseException):
    """Unwinds a thread when the run is over; no `except Exception` of a handler or of the bus stops it."""


class Task:
    """A thread as the program sees it. Written by the thread that has the baton."""

    __slots__ = (
        "awaits",
        "carrier",
        "done",
        "id",
        "joiners",
        "name",
        "sleeping",
        "stops",
        "token",
        "until",
        "why",
        "woken",
    )

    def __init__(self, number: int, name: str, carrier: Carrier) -> None:
        self.id = number
        self.name = name
        self.carrier = carrier
        self.done = False
        self.sleeping = False
        self.woken = False
        self.stops = 0
        self.until: int | None = None
        self.why = ""
        self.awaits: Call | None = None
        self.joiners: list[Task] = []
        self.token: Wakeup | None = None


class Strategy(Protocol):
    """Decides who goes on."""

    def choose(self, current: Task | None, ready: list[Task]) -> int:
        """0 for CURRENT, n for `ready[n - 1]`; without CURRENT (it cannot go on), n for `ready[n]`."""


class Scheduler:
    """Everything here belongs to the thread that has the baton, and to the controller (`run`) before and after.

    `picks`, `crowds`: what was chosen at each choice, and among whom. `failure`: why the run ended early.
    """

    def __init__(self, carriers: Carriers, strategy: Strategy, max_steps: int) -> None:
        self.tasks: list[Task] = []
        self.picks: list[int] = []
        self.crowds: list[Crowd] = []
        self.failure: BaseException | None = None
        self.over = False
        self.steps = 0
        self.locked = 0
        self.now = START
        self._carriers = carriers
        self._choose = strategy.choose
        self._max_steps = max_steps
        # Who can go on, the next one first: those that were made ready since the last hand-over (`_fresh` of them),
        # then the others, and last whom a choice has set aside (Emmi, Qadeer, Rakamaric, "Delay-bounded scheduling").
        self._ready: list[Task] = []
        self._fresh = 0
        self._timed: list[Task] = []
        self._current: Task
        self._ident = 0
        self._idle = REAL.wakeup()

    # ---- for the controller

    def run(self, main: Callable[[], None], patience: float) -> Task | None:
        """Run MAIN and all that it starts, until all has ended or something failed.

        Returns the task that has not come back to the scheduler for PATIENCE seconds of real time, if one has not.
        """
        self._ready.remove(task := self.spawn("scenario", main))
        self._give_to(task)
        seen = -1
        while not self._idle.wait(patience):
            if self.steps == seen:
                return self._current
            seen = self.steps
        return None

    def unwind(self, blocked: Task | None) -> list[Carrier]:
        """End the threads that still run, one after the other; those that do not end, BLOCKED among them."""
        self.over = True
        lost = [blocked.carrier] if blocked is not None else []
        for task in self.tasks:
            if task.done or task is blocked:
                continue
            self._give_to(task)
            if not self._idle.wait(UNWIND_SECONDS):
                lost.append(task.carrier)
        self._ident = 0
        return lost

    # ---- for the thread that has the baton

    @property
    def current(self) -> Task:
        """The task that has the baton."""
        return self._current

    def inside(self) -> bool:
        """Whether this thread is the one that has the baton. Any other one is not ours: it ends the run.

        Once the run is over, what outlives it (a promise that is collected, a bus that is closed at exit) may still
        touch the bus from elsewhere, and must neither hang nor hear of it.
        """
        ident = runtime.thread_ident()
        if ident == self._ident:
            return True
        if self.over:
            for task in self.tasks:
                if task.carrier.ident == ident and not task.done:
                    _stop(task)  # it was lost in code that did not come back, and here it is
        else:
            self._give_up(
                UncontrolledThread(
                    f"the thread {runtime.thread_name()!r} uses the bus at {where(ident)}, and was not "
                    "started by it: give the scenario a service instead"
                )
            )
        return False

    def spawn(self, name: str, target: Callable[[], None]) -> Task:
        """Make a task that runs TARGET when it is its turn."""
        carrier = self._carriers.lend()
        task = Task(len(self.tasks) + 1, name, carrier)
        carrier.job = lambda: self._carry(task, target)
        self.tasks.append(task)
        self._enqueue(task)
        return task

    def point(self) -> None:
        """A scheduling point: another task may go on here. Without effect under a lock."""
        if self.over:
            _stop(self._current)
        if self.locked:
            return
        self._step()
        ready = self._ready
        if not ready:
            return
        task = self._current
        pick = self._choose(task, ready)
        self.picks.append(pick)
        self.crowds.append((task.id, *[other.id for other in ready]))
        if pick:
            following = ready[pick - 1]
            self._ready = [*ready[pick:], task, *ready[: pick - 1]]
            self._hand_over(task, following)

    def offer(self) -> None:
        """A point that raises nothing, for a wake: it happens in finalizers too, from where no exception gets out."""
        if self.over:
            return
        try:
            self.point()
        except Stop:
            pass  # raised again at the next point or wait

    def sleep(self, why: str, timeout: float | None) -> bool:
        """Let the others go on until `wake`, or for TIMEOUT virtual seconds; whether it was `wake`."""
        if self.over:
            _stop(self._current)
        if self.locked:
            self.fail(AssertionError(f"{self._current.name} waits ({why}) while it holds a lock of the bus"))
        self._step()
        task = self._current
        task.sleeping, task.woken, task.why = True, False, why
        if timeout is not None:
            task.until = self.now + max(0, int(timeout * NS))
            self._timed.append(task)
        following = self._following()
        if following is None:
            self.fail(self._stuck())
        if following is not task:
            self._hand_over(task, following)
        return task.woken

    def wake(self, task: Task) -> None:
        """TASK, which sleeps, can go on."""
        if task.sleeping:
            task.woken = True
            self._make_ready(task)

    def fail(self, error: BaseException) -> NoReturn:
        """End the run for this reason."""
        gate = self._current.carrier.gate  # looked up first: from the next line on the controller gives the baton away
        self._give_up(error)
        gate.wait()
        raise Stop

    # ---- inside

    def _carry(self, task: Task, target: Callable[[], None]) -> None:
        error = None
        try:
            if not self.over:
                target()
        except Stop:
            pass
        except BaseException as raised:  # noqa: BLE001  the thread's edge: the run fails with it
            error = raised
        task.done = True
        if self.over:
            self._idle.wake()
        elif error is not None:
            self._give_up(error)
        else:
            self._leave(task)

    def _leave(self, task: Task) -> None:
        for joiner in task.joiners:
            self.wake(joiner)
        following = self._following()
        if following is not None:
            self._give_to(following)
        elif all(other.done for other in self.tasks):
            self._idle.wake()
        else:
            self._give_up(self._stuck())

    def _give_up(self, error: BaseException) -> None:
        if self.failure is None:
            self.failure = error
        self.over = True
        self._idle.wake()

    def _step(self) -> None:
        self.steps += 1
        self.now += TICK
        if self._timed:
            self._ring()
        if self.steps > self._max_steps:
            running = ", ".join(task.name for task in (self._current, *self._ready))
            self.fail(
                TooManySteps(
                    f"the scenario is not done after {self._max_steps} steps; {running} still go on; "
                    f"{self.waiting() or 'nobody waits'}"
                )
            )

    def _ring(self) -> None:
        """Wake whom the clock has reached, the earliest first."""
        due = [task for task in self._timed if task.until is not None and task.until <= self.now]
        for task in sorted(due, key=lambda task: task.until or 0):
            self._make_ready(task)

    def _make_ready(self, task: Task) -> None:
        task.sleeping = False
        if task.until is not None:
            task.until = None
            self._timed.remove(task)
        self._enqueue(task)

    def _enqueue(self, task: Task) -> None:
        self._ready.insert(self._fresh, task)
        self._fresh += 1

    def _following(self) -> Task | None:
        """Who goes on when the current task cannot; None when nobody can, now or later."""
        ready = self._ready
        if not ready and self._timed:
            self.now = max(self.now, min(task.until or 0 for task in self._timed))
            self._ring()
        if len(ready) < 2:  # noqa: PLR2004  no choice
            return ready.pop() if ready else None
        pick = self._choose(None, ready)
        self.picks.append(pick)
        self.crowds.append((0, *[task.id for task in ready]))
        self._ready = [*ready[pick + 1 :], *ready[:pick]]
        return ready[pick]

    def _hand_over(self, task: Task, following: Task) -> None:
        gate = task.carrier.gate
        self._give_to(following)
        gate.wait()
        if self.over:
            raise Stop

    def _give_to(self, task: Task) -> None:
        self._current, self._ident, self._fresh = task, task.carrier.ident, 0
        task.carrier.gate.wake()

    def _stuck(self) -> Stuck:
        return Stuck(f"no thread can go on, and no timer is pending: {self.waiting()}")

    def waiting(self) -> str:
        """Who waits for whom, for a person; idle workers are left out."""
        return "; ".join(_wait_text(task) for task in self.tasks if task.sleeping and (task.awaits or task.why))


def _stop(task: Task) -> NoReturn:
    """Raise `Stop` in TASK; in a handler that catches it again and again, sleep for ever."""
    task.stops += 1
    while task.stops > _MOST_STOPS:
        task.carrier.gate.wait()
    raise Stop


def _wait_text(task: Task) -> str:
    at = where(task.carrier.ident)
    place = f" at {at}" if at else ""
    target = task.awaits
    if target is None:
        return f"{task.name} waits{place} for {task.why}"
    state = f"runs on {lane_of(target.lane).name}" if target.started else f"is queued for {target.service}"
    return f"{task.name} waits{place} for {target.name} #{target.id}, which {state}"
