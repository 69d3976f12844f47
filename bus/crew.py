"""The threads of a service: as many as it should have, each running one call after the other."""

import itertools
from collections.abc import Callable
from functools import partial

from bus.context import Call
from bus.foreign import log_error
from bus.lanes import ThreadState, enter_lane
from bus.mailbox import Mailbox
from bus.running import Running
from bus.runtime import NS, Runtime, Thread, thread_ident
from bus.service import Service


class Term:
    """One life of a service, from `on_start` to `on_stop`. All but the events is guarded by the crew's lock.

    `seats`: the numbers of those who take calls; replaced, never changed. `numbers`: of those who have not left,
    `stuck`: of those whose seat somebody else has got. `states[n]` is put there by worker n, None until it begins;
    others only read it, and the list only grows.
    """

    def __init__(self, runtime: Runtime, service: Service) -> None:
        self.service = service
        self.up = runtime.latch()
        self.gone = runtime.latch()
        self.error: BaseException | None = None
        self.started = False
        self.working = 0
        self.seats: tuple[int, ...] = ()
        self.numbers: set[int] = set()
        self.stuck: set[int] = set()
        self.states: list[ThreadState | None] = []
        self.threads: list[Thread] = []

    def seat(self, size: int) -> None:
        """Let SIZE workers take calls, first of all those who do."""
        while len(self.seats) < size:
            self.seats = (*self.seats, self._free())
        self.seats = self.seats[:size]

    def runs(self, number: int, call_id: int) -> bool:
        """Whether this is the call that worker NUMBER runs now."""
        call = _seen(self.states[number])
        return call is not None and call.id == call_id

    def unseat(self, number: int, call_id: int) -> int:
        """Give the seat of worker NUMBER, which is stuck with that call, to another one; its number."""
        self.stuck.add(number)
        state = self.states[number]
        if state is not None:
            state.late = call_id
        fresh = self._free()
        self.seats = tuple(fresh if seated == number else seated for seated in self.seats)
        return fresh

    def _free(self) -> int:
        """The lowest number that is neither seated nor stuck; one that is about to leave may stay after all."""
        number = next(number for number in itertools.count() if number not in self.seats and number not in self.stuck)
        self.states += [None] * (number + 1 - len(self.states))
        return number


class Crew:
    """`_lock` guards `size`, `_term` and `_closed`, and the `epoch` of RUNNING: see there.

    `_terms` are those that have workers, the present one last; replaced under `_lock`, read without it.
    """

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        mailbox: Mailbox,
        running: Running,
        *,
        started: Callable[[], None],
        stopped: Callable[[], None],
    ) -> None:
        """RUNNING runs what is queued; a term's first worker calls STARTED, its last one STOPPED."""
        self.size = 0
        # Each entry comes and goes on its own thread; a set's steps are atomic.
        self.idents: set[int] = set()
        self._runtime = runtime
        self._name = name
        self._mailbox = mailbox
        self._running = running
        self._started = started
        self._stopped = stopped
        self._lock = runtime.lock()
        self._term: Term | None = None
        self._terms: tuple[Term, ...] = ()
        self._closed = False

    @property
    def threads(self) -> list[Thread]:
        """Those that have not ended."""
        return [thread for term in self._terms for thread in list(term.threads) if thread.alive]

    @property
    def running(self) -> list[Call | None]:
        """What each worker runs that takes calls, or is about to be hired; None for one that runs nothing."""
        term = self._term
        return [_seen(term.states[number]) for number in term.seats] if term is not None else [None] * self.size

    def busy(self) -> bool:
        """Whether `running` or `left` hold a call; of hundreds of services few do, so nothing is made to look."""
        for term in self._terms:
            for state in term.states:
                if state is not None and state.call is not None:
                    return True
        return False

    def has_free_worker(self) -> bool:
        """Whether one of those who take calls does not wait on the bus: nearly always, so nothing is made to look."""
        term = self._term
        for number in term.seats if term is not None else ():
            state = term.states[number]  # type: ignore[union-attr]  # it has seats
            item = state.call if state is not None else None
            if not isinstance(item, Call) or not item.waits:
                return True
        return term is None

    @property
    def left(self) -> list[Call]:
        """What those still run who take no more: they are stuck, too many, or of a former term."""
        present = self._term
        left: list[Call | None] = []
        for term in self._terms:
            seats = term.seats if term is present else ()
            left += [_seen(state) for number, state in enumerate(list(term.states)) if number not in seats]
        return [call for call in left if call is not None]

    def start(self, service: Service, size: int) -> None:
        """Begin a term with SIZE workers; returns when `on_start` is done, which runs on the first one.

        Raises:
            BaseException: what `on_start` raised; then there are no workers.
        """
        term = Term(self._runtime, service)
        term.seat(size)  # before anybody can see the term: a service without seats would look as if nobody served it
        with self._lock:
            self._terms = (*(former for former in self._terms if not former.gone.is_set()), term)
            self._term = term
            self._running.epoch += 1
            self.size = size
        if not self._hire(0, term, first=True):
            term.gone.set()
            return
        term.up.wait()
        if term.error is not None:
            raise term.error
        self._hire_all(term)

    def resize(self, size: int) -> None:
        """Have SIZE workers from now on; those too many leave after the call that they run."""
        with self._lock:
            self.size = size
            self._running.epoch += 1
            term = self._term
            if term is not None:
                term.seat(size)
        self._mailbox.wake_all()
        if term is not None:
            self._hire_all(term)

    def unseat(self, call: Call) -> str:
        """Let a fresh worker take the place of the one that is stuck with CALL; its name, "" when there is no need."""
        with self._lock:
            term = self._term
            seats = term.seats if term is not None and not self._closed else ()
            number = next((number for number in seats if term is not None and term.runs(number, call.id)), None)
            if term is None or number is None:
                return ""
            fresh = term.unseat(number, call.id)
            self._running.epoch += 1
        self._hire(fresh, term)
        return self._thread_name(fresh)

    def dismiss(self) -> Term | None:
        """End the term, and return it: no worker begins another call; `gone` is set when the last one has left."""
        with self._lock:
            term, self._term = self._term, None
            self._running.epoch += 1
        self._mailbox.wake_all()
        return term

    def close(self) -> None:
        """Hire nobody any more."""
        with self._lock:
            self._closed = True

    def join(self, until: int) -> list[Thread]:
        """Wait for the workers to leave a closed mailbox, until this monotonic ns; those that did not."""
        for term in self._terms:
            term.gone.wait(max(0, until - self._runtime.now()) / NS)
        return [thread for thread in self.threads if not thread.join(max(0, until - self._runtime.now()) / NS)]

    def _hire_all(self, term: Term) -> None:
        for number in term.seats:
            self._hire(number, term)

    def _hire(self, number: int, term: Term, *, first: bool = False) -> bool:
        with self._lock:
            if number in term.numbers or self._closed:
                return False
            term.numbers.add(number)
            term.working += 1
        try:
            term.threads.append(self._runtime.spawn(self._thread_name(number), self._work, number, term, first))
        except BaseException:  # the system has no more threads
            self._leave(number, term)
            raise
        return True

    def _thread_name(self, number: int) -> str:
        return f"{self._name}-{number}"

    # ---- on a worker's thread

    def _work(self, number: int, term: Term, first: bool) -> None:  # noqa: FBT001  what `spawn` passes on
        thread = term.states[number] = enter_lane(self._thread_name(number), self._name, number)
        self.idents.add(thread_ident())
        try:
            if first:
                self._set_up(term)
            term.up.wait()  # one that was hired by `resize` meanwhile must not begin before `on_start` is done
            if term.started:
                self._running.serve(thread, partial(self._wanted, number, term))
        finally:
            self._leave(number, term)
            self.idents.discard(thread_ident())
            thread.end()

    def _set_up(self, term: Term) -> None:
        try:
            term.service.on_start()
        except BaseException as error:  # noqa: BLE001  raised again by `start`, in the thread that starts the service
            term.error = error
        term.started = term.error is None
        if term.started:
            self._started()
        term.up.set()

    def _wanted(self, number: int, term: Term) -> bool:
        with self._lock:
            if self._term is term and number in term.seats:
                return True
            _strike_off(number, term)
            return False

    def _leave(self, number: int, term: Term) -> None:
        with self._lock:
            _strike_off(number, term)
            term.working -= 1
            last = term.working == 0
        if last:
            self._tear_down(term)

    def _tear_down(self, term: Term) -> None:
        try:
            if term.started:
                term.service.on_stop()
        except BaseException as error:  # noqa: BLE001  the thread's edge: the service has ended either way
            log_error(f"on_stop of the service {self._name!r} raised", error)
        term.gone.set()
        if all(other.gone.is_set() for other in self._terms):
            self._stopped()


def _seen(state: ThreadState | None) -> Call | None:
    return state.seen() if state is not None else None


def _strike_off(number: int, term: Term) -> None:
    term.numbers.discard(number)
    term.stuck.discard(number)
