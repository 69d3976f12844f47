"""The program whose endings are tried: `python endings_program.py SHAPE WAY SECONDS`.

SHAPE is what it does when the end comes, WAY how it ends, SECONDS what its bus gets to drain at the interpreter's exit.
It says `ready` when it may be ended, `draining` when the interpreter's exit has begun, `told` for each event delivered.
"""

import atexit
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

last_words: list[Callable[[], None]] = []
# Before the bus is imported, so that it runs after the bus has closed itself.
atexit.register(lambda: [word() for word in last_words])

from bus import Bus, BusError, HandlerAborted, Service, command, every, lifecycle, listener  # noqa: E402

EVENTS = 20
SHORT = 0.002


def say(word: str) -> None:
    """Unbuffered, so that what was said before a kill is heard."""
    os.write(1, f"{word}\n".encode())


class Ear(Service):
    @listener("tell")
    def on_tell(self) -> None:
        say("told")

    @command("echo")
    def echo(self, value: int) -> int:
        return value

    @command("hold")
    def hold(self, seconds: float) -> str:
        time.sleep(seconds)
        return "held"


class Oops(BaseException):
    pass


# ---- shapes: what goes on when the end comes


class Busy(Service):
    workers = 2

    @command("work")
    def work(self, rest: int) -> None:
        sum(range(20_000))
        if rest:
            self.bus.execute_command("work", rest - 1)


class Ticker(Service):
    @every(seconds=SHORT)
    def tick(self) -> None:
        sum(range(1_000))


class Stuck(Service):
    def on_start(self) -> None:
        self.entered = threading.Event()

    @command("stick")
    def stick(self) -> None:
        self.entered.set()
        os.read(os.pipe()[0], 1)


def idle(bus: Bus) -> None:
    bus.execute_command("echo", 1).result()


def busy(bus: Bus) -> None:
    bus.add(Busy())
    for _ in range(4):
        bus.execute_command("work", 20)


def stuck(bus: Bus) -> None:
    service = bus.add(Stuck())
    bus.execute_command("stick")
    service.entered.wait()


def queued(bus: Bus) -> None:
    bus.execute_command("hold", 0.1)


def ticking(bus: Bus) -> None:
    bus.add(Ticker())


def extra(bus: Bus) -> None:
    """A thread that the interpreter waits for, which uses the bus until after the end of main."""

    def later() -> None:
        for number in range(50):
            if bus.execute_command("echo", number).result() != number:
                say("wrong")
            time.sleep(SHORT)

    threading.Thread(target=quietly(later)).start()


def commanding(bus: Bus) -> None:
    """A thread that nobody waits for and that never stops asking."""

    def forever() -> None:
        number = 0
        while bus.execute_command("echo", number).result() == number:
            number += 1

    threading.Thread(target=quietly(forever), daemon=True).start()


def traced(bus: Bus) -> None:
    """The environment has opened the endpoint and the session file; a few records are on their way."""
    for number in range(100):
        bus.execute_command("echo", number)


def quietly(job: Callable[[], None]) -> Callable[[], None]:
    """A thread of the program that knows that the bus may be closed under it."""

    def run() -> None:
        try:
            job()
        except BusError:
            pass

    return run


# ---- ways: how it ends


def plain(bus: Bus) -> None:
    say("ready")


def sys_exit(bus: Bus) -> None:
    say("ready")
    sys.exit(3)


def error(bus: Bus) -> None:
    say("ready")
    message = "unhandled, on purpose"
    raise ValueError(message)


def in_handler(kind: type[BaseException]) -> Callable[[Bus], None]:
    def way(bus: Bus) -> None:
        def leave() -> None:
            raise kind

        bus.register_command("leave", leave)
        say("ready")
        try:
            bus.execute_command("leave").result()
        except (HandlerAborted, Oops) as raised:
            say(type(raised).__name__)

    return way


def close_in_handler(bus: Bus) -> None:
    bus.register_command("close", bus.close)
    say("ready")
    bus.execute_command("close").result()


def close_in_main(bus: Bus) -> None:
    say("ready")
    bus.close(float(sys.argv[3]))


def atexit_around(bus: Bus) -> None:
    """Callbacks that run before the bus is closed can use it, those that run after it learn that it is closed."""

    def before() -> None:
        say(f"before {bus.execute_command('echo', 5).result()}")

    def after() -> None:
        try:
            bus.execute_command("echo", 1)
        except BusError as refused:
            say(f"after {type(refused).__name__}")

    atexit.register(before)
    last_words.append(after)
    say("ready")


def paused(bus: Bus) -> None:
    """Until the handler of a signal says to leave.

    Awake often: Python sees a signal that comes just before a system call only when that has returned.
    """
    say("ready")
    while not told_to_leave:
        time.sleep(0.01)


def asking(bus: Bus) -> None:
    """Until a signal comes, executing commands."""
    say("ready")
    try:
        while True:
            bus.execute_command("echo", 1).result()
    except BusError:
        pass


def in_result(bus: Bus) -> None:
    promise = bus.execute_command("hold", 0.3)
    say("ready")
    try:
        say(promise.result())
    except BusError as closed:
        say(type(closed).__name__)


def on_term(handler: Callable[[Bus], None], way: Callable[[Bus], None]) -> Callable[[Bus], None]:
    """WAY, with a handler of SIGTERM."""

    def with_handler(bus: Bus) -> None:
        signal.signal(signal.SIGTERM, lambda *_: handler(bus))
        way(bus)

    return with_handler


def close(bus: Bus) -> None:
    bus.close(float(sys.argv[3]))
    told_to_leave.append(True)


def exit_5(bus: Bus) -> None:
    sys.exit(5)


def close_and_exit_6(bus: Bus) -> None:
    bus.close(float(sys.argv[3]))
    sys.exit(6)


def draining(bus: Bus) -> None:
    """Main ends, and this tells when the bus has begun to drain."""

    def watch() -> None:
        try:
            while True:
                bus.fire_event("nobody listens")
                time.sleep(0.001)
        except BusError:
            say("draining")

    threading.Thread(target=watch, daemon=True).start()
    say("ready")


def last_callback_sticks(bus: Bus) -> None:
    def stick() -> None:
        say("sticking")
        time.sleep(600)

    bus.at_close(stick)
    say("ready")


SHAPES = {one.__name__: one for one in (idle, busy, stuck, queued, ticking, extra, commanding, traced)}
WAYS: dict[str, Callable[[Bus], None]] = {
    "plain": plain,
    "sys_exit": sys_exit,
    "error": error,
    "handler_exits": in_handler(SystemExit),
    "handler_interrupts": in_handler(KeyboardInterrupt),
    "handler_base": in_handler(Oops),
    "close_in_handler": close_in_handler,
    "close_in_main": close_in_main,
    "atexit": atexit_around,
    "sigint": paused,
    "sigint_in_result": in_result,
    "sigint_asking": asking,
    "sigint_twice": paused,
    "sigint_draining": draining,
    "sigint_twice_draining": last_callback_sticks,
    "sigterm": paused,
    "sigterm_closes": on_term(close, paused),
    "sigterm_closes_in_result": on_term(close, in_result),
    "sigterm_closes_asking": on_term(close, asking),
    "sigterm_closes_draining": on_term(close, draining),
    "sigterm_closes_closing": on_term(close, close_in_main),
    "sigterm_exits": on_term(exit_5, paused),
    "sigterm_exits_in_result": on_term(exit_5, in_result),
    "sigterm_exits_draining": on_term(exit_5, draining),
    "sigterm_closes_and_exits": on_term(close_and_exit_6, in_result),
}
told_to_leave: list[bool] = []


def main() -> None:
    shape, way, seconds = sys.argv[1:]
    faulthandler.register(signal.SIGUSR1)
    lifecycle.AT_EXIT_SECONDS = float(seconds)
    bus = Bus("shop")
    bus.add(Ear())
    SHAPES[shape](bus)
    for _ in range(EVENTS):
        bus.fire_event("tell")
    WAYS[way](bus)


if __name__ == "__main__":
    main()
