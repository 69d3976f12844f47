"""An event that goes to L listeners on S threads: ours, and what people use today for the same."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from bus import Bus, Service
from bus.trace.records import Level
from tests.bench.peers import ABSENT, CAPACITY, runtime_of

Listener = Callable[[int], None]
Fire = Callable[[], object]
Factory = Callable[[Listener, int, int], AbstractContextManager[Fire]]


def ours(level: Level, wake: str = "best") -> Factory:
    """A `Bus` that records at LEVEL."""

    @contextmanager
    def made(listener: Listener, listeners: int, threads: int) -> Iterator[Fire]:
        with Bus("bench", trace=level, runtime=runtime_of(wake)) as bus:
            for number in range(threads):
                bus.add(Service(f"ear{number}", capacity=CAPACITY))
            for number in range(listeners):
                bus.register_listener("greet", listener, service=f"ear{number % threads}")
            yield lambda: bus.fire_event("greet", 1)

    return made


@contextmanager
def executor(listener: Listener, listeners: int, threads: int) -> Iterator[Fire]:
    """A dict of listeners, each submitted to a pool."""
    table = {"greet": [listener] * listeners}

    def fire() -> None:
        for one in table["greet"]:
            pool.submit(one, 1)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        yield fire


@contextmanager
def pykka_tell(listener: Listener, listeners: int, threads: int) -> Iterator[Fire]:
    """An actor for each thread, told once for each listener."""
    import pykka

    class Ear(pykka.ThreadingActor):
        def on_receive(self, message: tuple[Listener, int]) -> Any:
            one, value = message
            one(value)

    ears = [Ear.start() for _ in range(threads)]
    table = {"greet": [(ears[number % threads], listener) for number in range(listeners)]}

    def fire() -> None:
        for ear, one in table["greet"]:
            ear.tell((one, 1))

    try:
        yield fire
    finally:
        for ear in ears:
            ear.stop()


@contextmanager
def pyee_emit(listener: Listener, listeners: int, threads: int) -> Iterator[Fire]:
    """Pyee's `ExecutorEventEmitter`; it keeps one listener once, so each is an object of its own."""
    from pyee.executor import ExecutorEventEmitter

    with ThreadPoolExecutor(max_workers=threads) as pool:
        emitter = ExecutorEventEmitter(pool)
        for _ in range(listeners):
            emitter.on("greet", partial(listener))
        yield lambda: emitter.emit("greet", 1)


FIRED: dict[str, Factory] = {
    "bus": ours("times"),
    "executor": executor,
    **({"pykka": pykka_tell} if "pykka" not in ABSENT else {}),
    "bus off": ours("off"),
    "bus lock": ours("times", "lock"),
    **({"pyee": pyee_emit} if "pyee" not in ABSENT else {}),
}
"""As `peers.CALLED`."""
