"""A service at work on a bus: its mailbox, its threads, its state; started anew when it crashes."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from bus.context import Call, Delivery, as_call
from bus.crew import Crew, Term
from bus.errors import (
    BusError,
    MailboxFull,
    ServiceDied,
    ServiceStopped,
)
from bus.mailbox import Closed, Full, Item, Mailbox
from bus.running import Running
from bus.runtime import NS, Thread
from bus.service import Service, ServiceInfo, check_settings
from bus.stuck import stuck_calls
from bus.supervisor import RESTARTS, Budget
from bus.trace.records import ServiceState
from bus.trace.redact import value_text
from bus.waits import Block

if TYPE_CHECKING:
    from bus.dispatch import Dispatch

_LEAVE_SECONDS = 5.0
"""What the other workers of a crashed or replaced service get to end their calls."""


class Runner:
    """Runs the calls of one service.

    `mailbox.lock` guards `state`, `error`, `dropped`, `restarts`, `_restarting` and `_lazy`.
    """

    def __init__(self, dispatch: "Dispatch", name: str, service: Service) -> None:
        check_settings(service)
        self.name = name
        self.service = service
        self.mailbox = Mailbox(dispatch.runtime, service.capacity)
        self.state: ServiceState = "new"
        self.error: BaseException | None = None
        self._told: tuple[BaseException | None, str] = None, ""
        self.dropped = 0
        self.restarts = 0
        self.dispatch = dispatch
        self._runtime = dispatch.runtime
        self._crew = Crew(
            dispatch.runtime, name, self.mailbox, Running(dispatch, self.mailbox, self._crashed), started=self._started,
            stopped=self._stopped,
        )  # fmt: skip
        self.busy = self._crew.busy
        """Whether it runs anything now."""
        self._budget = Budget()
        self._ending = dispatch.runtime.latch()
        self._lazy = False
        self._restarting = False
        self._given_up = ""
        self.put: Callable[[Item], None]
        self._choose_put()

    # ---- life

    def start(self) -> None:
        """Start the threads and wait until `on_start` is done.

        Raises:
            BaseException: what `on_start` raised.
        """
        self.change("starting")
        try:
            self._crew.start(self.service, self.service.workers)
        except BaseException as error:
            self.error = error
            self.change("failed")
            raise

    def start_on_first_call(self) -> None:
        """Make the threads only when they are needed: the mailbox has no room until then, so that nobody passes by."""
        self._lazy = True
        self.mailbox.capacity = 0
        self.put = self._start_and_put

    def change(self, state: ServiceState) -> None:
        """Enter STATE and tell the hooks."""
        with self.mailbox.lock:
            if self.state == state:
                return
            self.state = state
        self.dispatch.hooks.notify("service_state", self.name, state, self.workers, self._error_text())

    def close(self) -> None:
        """Accept nothing more; the threads end when the queue is empty."""
        self._ending.set()
        self._crew.close()
        self.mailbox.close()

    def join(self, until: int) -> list[Thread]:
        """Wait for the threads to end, until this monotonic ns; those that did not."""
        return self._crew.join(until)

    def idle(self) -> bool:
        """Whether there is nothing to do and nothing being done."""
        return self.mailbox.idle(len(self.threads))

    def scale(self, workers: int) -> None:
        """Have WORKERS threads from now on; those too many leave after the call that they run."""
        self._crew.resize(workers)
        self.dispatch.hooks.notify("service_state", self.name, self.state, workers, "")

    def replace_stuck(self, call: Call) -> str:
        """Let a fresh worker take the place of the one that runs CALL; its name, "" when the call has just ended.

        What the old one still delivers is marked late; it leaves when its handler ends at last.
        """
        return self._crew.unseat(call)

    def halt(self) -> Term | None:
        """Let the threads end after the call that each runs; the mailbox stays, and is not served."""
        self.change("starting")
        return self._crew.dismiss()

    def adopt(self, service: Service) -> None:
        """Work for SERVICE from the next `start` on."""
        self.service = service
        self.mailbox.capacity = service.capacity
        self._choose_put()

    # ---- looking at it

    @property
    def workers(self) -> int:
        """How many threads it should have."""
        return self._crew.size or self.service.workers

    @property
    def threads(self) -> list[Thread]:
        """Those that have not ended."""
        return self._crew.threads

    @property
    def ending(self) -> bool:
        """Whether it was closed."""
        return self._ending.is_set()

    @property
    def idents(self) -> frozenset[int]:
        """The interpreter's ids of its threads, those of a former term too that have not ended."""
        return frozenset(self._crew.idents)

    @property
    def serving(self) -> list[Call | None]:
        """What each worker runs that takes calls, None for one that runs nothing."""
        return self._crew.running

    @property
    def running(self) -> list[Call | None]:
        """The same, and what is run by those who take no more; nothing at all when all are idle."""
        return [*self._crew.running, *self._crew.left] if self.busy() else []

    def has_free_worker(self) -> bool:
        """Whether a call that is queued now can be taken by a worker that does not wait on the bus itself."""
        return self._crew.has_free_worker()

    def info(self) -> ServiceInfo:
        """How it is now."""
        return ServiceInfo(
            name=self.name, state=self.state, workers=self.workers, depth=len(self.mailbox),
            capacity=self.service.capacity, dropped=self.dropped, restarts=self.restarts, error=self._error_text(),
            stuck=stuck_calls(self.running, self.service, self._runtime.now()) if self.busy() else 0,
        )  # fmt: skip

    def _error_text(self) -> str:
        """Made once for each error: it is asked for 20 times a second, and the error may have a lot to say."""
        error, text = self._told
        if error is not self.error:
            text = value_text(self.error)
            self._told = self.error, text
        return text

    # ---- calls come in

    def put_all(self, deliveries: Sequence[Delivery]) -> Sequence[Item]:
        """Queue them in one step; those that were not taken, because the service is ending.

        Raises:
            Full: there is not room for all, and none was queued.
        """
        if self._lazy:
            self._start_lazily()
        return self.mailbox.put_all(deliveries)

    def make_room(self, item: Item) -> Item | None:
        """The mailbox was full for the delivery ITEM: the one that is lost, None when there was room after all.

        Raises:
            Closed: the service is ending.
        """
        return self.mailbox.put_dropping_oldest(item) if self.service.overflow == "drop_oldest" else item

    def blocked(self, *, end: bool = False) -> AbstractContextManager[None]:
        """The current thread waits inside for room in the mailbox, or for the END of the service."""
        dispatch = self.dispatch
        return dispatch.waits.blocked(Block(self.name, end), dispatch.hooks, dispatch.now)

    def check_open(self) -> None:
        """Raise `ServiceStopped` when it is ending."""
        if self.ending:
            raise ServiceStopped(_ended(self.name))

    def refusal(self, reason: BusError | Full | Closed) -> BusError:
        """What a caller is told whose call could not be queued for this REASON."""
        if isinstance(reason, Full):
            return MailboxFull(
                f"the mailbox of the service {self.name!r} holds {self.mailbox.capacity} calls and takes no more; "
                "call it less often, wait for results, or give it more workers"
            )
        if isinstance(reason, Closed) and self.state == "failed":
            return self._died()
        if isinstance(reason, Closed):
            why = self.dispatch.refusal
            return ServiceStopped(_ended(self.name)) if why is None else self.dispatch.refused(why)
        return reason

    def _choose_put(self) -> None:
        # The mailbox's own `put` where it will do, so that it costs nothing that others wait, or start on first use.
        self.put = self._put_waiting if self.service.overflow == "block" else self.mailbox.put

    def _put_waiting(self, item: Item) -> None:
        """All deliveries of one event share the time for which its firer may wait."""
        try:
            self.mailbox.put(item)
        except Full:
            with self.blocked():
                self.mailbox.put_waiting(item, as_call(item).queued + int(self.service.push_timeout * NS))

    def _start_and_put(self, item: Item) -> None:
        self._start_lazily()
        self.mailbox.put(item)

    def _start_lazily(self) -> None:
        with self.mailbox.lock:
            first, self._lazy = self._lazy, False
            self.mailbox.capacity = self.service.capacity
        if first:
            self._choose_put()
            self.start()

    # ---- crashes

    def _started(self) -> None:
        """On the first worker, before it runs anything: a call that crashes must find the service running."""
        with self.mailbox.lock:
            self.restarts += self._restarting
            self._restarting = False
        self.change("running")

    def _stopped(self) -> None:
        """The last worker has left: for good, if the mailbox is closed."""
        if self._ending.is_set():
            self.change("stopped")

    def _crashed(self, error: BaseException) -> None:
        """On the worker that crashed: somebody else has to wait for the other workers, and start them anew."""
        with self.mailbox.lock:
            if self.state != "running":
                return  # another worker crashed first, or the service ends
            self.state = "starting"
            self.error = error
        self.dispatch.hooks.notify("service_state", self.name, "starting", self.workers, value_text(error))
        # At once: this worker must not begin another call before it is replaced.
        term = self._crew.dismiss()
        self._runtime.spawn(f"{self.name}-restart", self._restart, term)

    def _restart(self, term: Term | None) -> None:
        wait_gone(term)
        while not self._ending.is_set():
            delay = self._budget.spend(self._runtime.now()) if self.service.restart == "on-crash" else None
            if delay is None:
                often = self.service.restart == "on-crash"
                self.give_up(f"after {RESTARTS} restarts within a minute" if often else "at once")
                return
            if self._ending.wait(delay):
                return
            with self.mailbox.lock:
                self._restarting = True
            try:
                self._crew.start(self.service, self.workers)
            except BaseException as again:  # noqa: BLE001  the thread's edge: it counts as one more crash
                self.error = again
                continue
            self.dispatch.announce("service_restarted", service=self.name)
            return

    def give_up(self, when: str) -> None:
        """The service has failed for good: what is queued, and whatever comes, gets `ServiceDied`, which says WHEN."""
        self._given_up = when
        self.change("failed")
        self.mailbox.close()
        for item in self.mailbox.empty():
            self.dispatch.abandon(as_call(item), self._died())
        self.dispatch.announce("service_failed", service=self.name, error=self.error)

    def _died(self) -> ServiceDied:
        last = value_text(self.error)
        text = f"the service {self.name!r} crashed and was given up {self._given_up}; its last error was {last}"
        return ServiceDied(text)


def wait_gone(term: Term | None) -> None:
    """Wait until the workers of TERM have left, for as long as they get for that."""
    if term is not None:
        term.gone.wait(_LEAVE_SECONDS)


def _ended(name: str) -> str:
    return f"the service {name!r} has stopped or is stopping; nothing can be sent to it"
