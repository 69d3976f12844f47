"""`python -m tests.bench.load COMMANDS LANES RATE`: a made-up program to attach to, until its stdin ends.

So many commands over so many services of a thread each, called so often a second, one after another.
"""

import sys
import threading
import time
from itertools import cycle

from bus import Bus, Service
from tests.bench.peers import CAPACITY

STEP = 0.005
"""Seconds between two turns of calling."""


def main() -> None:
    """Run until nobody holds the other end of stdin any more."""
    commands, lanes, rate = map(int, sys.argv[1:])
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    with Bus("generated") as bus:
        for lane in range(lanes):
            bus.add(Service(f"area{lane:03}", capacity=CAPACITY))
        names = [f"area{number % lanes:03}.work{number:05}" for number in range(commands)]
        for name in names:
            bus.register_command(name, lambda value: value, service=name.partition(".")[0])
        bus.serve()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        _call(bus, names, rate, ended)


def _call(bus: Bus, names: list[str], rate: int, ended: threading.Event) -> None:
    """RATE calls a second over all names, in turns; what a turn is late with, the next ones make up for."""
    turn, made, began = cycle(names), 0, time.monotonic()
    while not ended.wait(STEP):
        due = int((time.monotonic() - began) * rate)
        made = max(made, due - rate)
        for _ in range(due - made):
            bus.execute_command(next(turn), 1)
        made = due


if __name__ == "__main__":
    main()
