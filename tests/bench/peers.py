"""One service behind a call: ours, and what people use today for the same. Each is made, used and ended by a round.

All of them run the same handler on one thread, and get to it through a table of commands by name.
"""

import asyncio
import importlib.util
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from bus import Bus, Promise, Service
from bus.runtime import REAL, LockWakeup, PipeWakeup, Runtime
from bus.trace.records import Level

Handler = Callable[[int], Any]
CAPACITY = 1_000_000
"""Calls: no measure may run into a full mailbox."""


@dataclass(frozen=True, slots=True)
class Peer:
    """`call` waits for the result. `send` does not; `receive` waits for what it returned."""

    call: Callable[[], Any]
    send: Callable[[], Any]
    receive: Callable[[Any], Any]


Factory = Callable[[Handler], AbstractContextManager[Peer]]


def runtime_of(wake: str) -> Runtime:
    """Real threads that are woken by a "lock", by a "pipe", or by the "best" there is here."""
    return {"lock": Runtime(LockWakeup), "pipe": Runtime(PipeWakeup)}.get(wake, REAL)


def ours(level: Level, wake: str = "best") -> Factory:
    """A `Bus` that records at LEVEL."""

    @contextmanager
    def made(handler: Handler) -> Iterator[Peer]:
        with Bus("bench", trace=level, runtime=runtime_of(wake)) as bus:
            bus.add(Service("echo", capacity=CAPACITY))
            bus.register_command("echo", handler, service="echo")
            execute = bus.execute_command
            yield Peer(lambda: execute("echo", 1).result(), lambda: execute("echo", 1), Promise.result)

    return made


@contextmanager
def executor(handler: Handler) -> Iterator[Peer]:
    """The original example: a dict of commands, executed by `ThreadPoolExecutor.submit`."""
    commands = {"echo": handler}
    with ThreadPoolExecutor(max_workers=1) as pool:
        submit = pool.submit
        yield Peer(lambda: submit(commands["echo"], 1).result(), lambda: submit(commands["echo"], 1), Future.result)


@contextmanager
def pykka_ask(handler: Handler) -> Iterator[Peer]:
    """An actor that is asked."""
    import pykka

    commands = {"echo": handler}

    class Echo(pykka.ThreadingActor):
        def on_receive(self, message: tuple[str, int]) -> Any:
            name, value = message
            return commands[name](value)

    ref = Echo.start()
    ask = ref.ask
    try:
        yield Peer(lambda: ask(("echo", 1)), lambda: ask(("echo", 1), block=False), lambda future: future.get())
    finally:
        ref.stop()


@contextmanager
def loop(handler: Handler) -> Iterator[Peer]:
    """An asyncio loop in a thread, reached by `run_coroutine_threadsafe`."""
    commands = {"echo": handler}
    running = asyncio.new_event_loop()

    async def answer(name: str, value: int) -> Any:
        return commands[name](value)

    def send() -> Any:
        return asyncio.run_coroutine_threadsafe(answer("echo", 1), running)

    thread = threading.Thread(target=running.run_forever)
    thread.start()
    try:
        yield Peer(lambda: send().result(), send, Future.result)
    finally:
        running.call_soon_threadsafe(running.stop)
        thread.join()
        running.close()


@contextmanager
def simple_queue(handler: Handler) -> Iterator[Peer]:
    """The least that threads can do portably: a number there and its answer back through two `SimpleQueue`s."""
    there: SimpleQueue[int | None] = SimpleQueue()
    back: SimpleQueue[Any] = SimpleQueue()

    def work() -> None:
        while (value := there.get()) is not None:
            back.put(handler(value))

    def call() -> Any:
        there.put(1)
        return back.get()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield Peer(call, lambda: there.put(1), lambda _: back.get())
    finally:
        there.put(None)
        thread.join()


@contextmanager
def eventfds(handler: Handler) -> Iterator[Peer]:
    """The least that threads can do on Linux: a number there and its answer back through two eventfds."""
    there, back = os.eventfd(0), os.eventfd(0)
    ended = False

    def work() -> None:
        while (value := os.eventfd_read(there)) and not ended:
            handler(value)
            os.eventfd_write(back, 1)

    def call() -> Any:
        os.eventfd_write(there, 1)
        return os.eventfd_read(back)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield Peer(call, lambda: os.eventfd_write(there, 1), lambda _: os.eventfd_read(back))
    finally:
        ended = True
        os.eventfd_write(there, 1)
        thread.join()
        os.close(there)
        os.close(back)


ABSENT = tuple(name for name in ("pykka", "pyee") if importlib.util.find_spec(name) is None)
"""Peers that are not installed. The rest is measured without them."""
CALLED: dict[str, Factory] = {
    "bus": ours("times"),
    "bus off": ours("off"),
    "executor": executor,
    **({"pykka": pykka_ask} if "pykka" not in ABSENT else {}),
    "bus full": ours("full"),
    "bus lock": ours("times", "lock"),
    "bus pipe": ours("times", "pipe"),
    "asyncio": loop,
}
"""What can be called many times before the first answer. "bus" alone is traced: `Bus(trace="times")`."""
PINGED: dict[str, Factory] = {
    "SimpleQueue": simple_queue,
    **({"eventfd": eventfds} if hasattr(os, "eventfd") else {}),
}
"""What no bus can be faster than, were it not for the time that a wake takes."""
