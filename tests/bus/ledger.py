"""Calls and events between eight services under load, with books that balance at the end, or do not.

Who sends to a service, a thread of its own or a worker, numbers what it sends there; who receives compares. All books
belong to one thread each until the end, but for the deques, whose `append` and `popleft` are atomic. What is in flight
is bounded by the windows of the outer senders, so ten million calls take no more memory than ten thousand.
"""

import itertools
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bus import Bus, Promise, Service
from tests.support import wait_for

WORKERS = (1, 1, 3, 1, 1, 2, 1, 1)
"""Of the eight services: two are pools."""
SERVICES = len(WORKERS)
SENDERS = 6
WINDOW = 200
"""Calls that an outer sender has in flight; what they call in turn is in flight meanwhile."""
DEPTH = 3
ALL = "all"
"""The event that every service listens to."""


class Books:
    """What one thread sent and received, by service and by sender."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.sent = [0] * SERVICES
        self.calls = 0
        self.events = 0
        self.last: dict[tuple[int, int], int] = {}
        self.received: dict[tuple[int, int], int] = {}
        self.outstanding: set[Promise[Any]] = set()
        self.ended: deque[Any] = deque()
        self.wrong: list[str] = []

    def receive(self, service: int, sender: int, number: int) -> None:
        """A call or delivery of SENDER to SERVICE has come; with one worker, none may be missing."""
        key = (service, sender)
        last = self.last.get(key, -1)
        if number <= last or (WORKERS[service] == 1 and number != last + 1):
            self.wrong.append(f"service {service} got number {number} of sender {sender} after {last}")
        self.last[key] = number
        self.received[key] = self.received.get(key, 0) + 1

    def settle(self) -> None:
        """Each promise that has ended was still to end."""
        ended = self.ended
        while ended:
            promise = ended.popleft()
            try:
                self.outstanding.remove(promise)
            except KeyError:
                self.wrong.append(f"{promise} of sender {self.number} ended twice")


@dataclass
class Totals:
    """What a run came to. `wrong` is everything that did not balance."""

    calls: int
    events: int
    seconds: float
    most_live: int
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rate = (self.calls + self.events * SERVICES) / self.seconds
        return (
            f"{self.calls:,} calls, {self.events:,} events to {SERVICES} services each, in {self.seconds:.1f} s "
            f"({rate:,.0f} calls and deliveries/s); at most {self.most_live:,} in flight when looked at"
        )


class Ledger:
    """Runs about CALLS calls on BUS and balances the books."""

    def __init__(self, bus: Bus, calls: int) -> None:
        self._bus = bus
        self._calls = calls
        self._numbers = itertools.count()
        self._own = threading.local()
        # Appended by each thread when it first sends or receives.
        self._books: list[Books] = []
        self._most_live = 0

    def run(self) -> Totals:
        """Send, wait until all is quiet, and balance."""
        for number, workers in enumerate(WORKERS):
            self._add(number, workers)
        began = time.monotonic()
        senders = [threading.Thread(target=self._send_all, args=(seed,)) for seed in range(SENDERS)]
        for sender in senders:
            sender.start()
        for sender in senders:
            while sender.is_alive():
                self._most_live = max(self._most_live, len(self._bus.live_calls()))
                sender.join(0.2)
        wait_for(self._quiet)
        with suppress(AssertionError):  # what never ends is named in the balance
            wait_for(self._all_called_back, 2)
        seconds = time.monotonic() - began
        books = list(self._books)
        calls, events = sum(one.calls for one in books), sum(one.events for one in books)
        return Totals(calls, events, seconds, self._most_live, self._balance(books))

    # ---- the services

    def _add(self, number: int, workers: int) -> None:
        bus, name = self._bus, f"s{number}"
        bus.add(Service(name, workers=workers))
        bus.register_command(f"{name}.take", lambda *args: self._take(number, *args), service=name)
        bus.register_listener(ALL, lambda sender, numbers: self._hear(number, sender, numbers), service=name)

    def _take(self, service: int, sender: int, number: int, token: int, depth: int) -> Any:
        """Answer TOKEN, or with whatever another service answers, waited for or not."""
        books = self._mine()
        books.receive(service, sender, number)
        choice = (token + depth) % 20
        if depth == 0 or choice < 8:
            return token
        if choice == 8:
            self._fire(books)
            return token
        if choice < 14 and service < SERVICES - 1:
            # Waits go to later services only, so they cannot close a cycle.
            later = service + 1 + token % (SERVICES - 1 - service)
            return self._send(books, later, token, depth - 1).result()
        return self._send(books, token % SERVICES, token, depth - 1)

    def _hear(self, service: int, sender: int, numbers: tuple[int, ...]) -> None:
        self._mine().receive(service, sender, numbers[service])

    # ---- sending

    def _mine(self) -> Books:
        books: Books | None = getattr(self._own, "books", None)
        if books is None:
            books = self._own.books = Books(next(self._numbers))
            self._books.append(books)
        return books

    def _send(self, books: Books, service: int, token: int, depth: int) -> Promise[Any]:
        number = books.sent[service]
        books.sent[service] += 1
        books.calls += 1
        promise = self._bus.execute_command(f"s{service}.take", books.number, number, token, depth)
        books.outstanding.add(promise)
        promise.add_done_callback(books.ended.append)
        books.settle()
        return promise

    def _fire(self, books: Books) -> None:
        numbers = tuple(books.sent)
        books.sent = [number + 1 for number in numbers]
        books.events += 1
        self._bus.fire_event(ALL, books.number, numbers)

    def _send_all(self, seed: int) -> None:
        """On an outer sender's thread: keep a window of calls in flight until there were enough."""
        books = self._mine()
        window: deque[tuple[int, Any]] = deque()
        for token in itertools.count(seed):
            if token % 64 == 0 and sum(one.calls for one in list(self._books)) >= self._calls:
                break
            window.append((token, self._send(books, token % SERVICES, token, DEPTH)))
            if token % 100 == 0:
                self._fire(books)
            if len(window) >= WINDOW:
                self._check(books, *window.popleft())
        for token, promise in window:
            self._check(books, token, promise)

    def _check(self, books: Books, token: int, answer: Any) -> None:
        while isinstance(answer, Promise):  # a handler that did not wait has returned what it was promised
            answer = answer.result(60)
        if answer != token:
            books.wrong.append(f"call {token} of sender {books.number} was answered {answer!r}")

    # ---- balancing

    def _quiet(self) -> bool:
        return not self._bus.live_calls() and not any(info.depth for info in self._bus.services())

    def _all_called_back(self) -> bool:
        """The last call may be over and its callback not yet run."""
        for one in list(self._books):
            one.settle()
        return not any(one.outstanding for one in list(self._books))

    def _balance(self, books: list[Books]) -> list[str]:
        wrong: list[str] = []
        for one in books:
            one.settle()
            wrong += one.wrong
            wrong += [f"{promise} of sender {one.number} never ended" for promise in one.outstanding]
        for sender in books:
            for service, sent in enumerate(sender.sent):
                received = sum(one.received.get((service, sender.number), 0) for one in books)
                if received != sent:
                    wrong.append(f"service {service} got {received} of {sent} from sender {sender.number}")
        wrong += [f"dead letter: {letter}" for letter in self._bus.dead_letters()]
        return wrong + [f"{info}" for info in self._bus.services() if info.dropped or info.restarts]
