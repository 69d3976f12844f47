"""SIGTERM and SIGHUP while an event loop runs: the front end leaves in order, as when a key asks for it.

Anything else that ends the loop, such as an exit raised in the handler of the signal, would leave the threads behind
that read and write the terminal, and the console would never end.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)
_SIGNALLED: Final = 128


def leave_by(leave: Callable[[int], None], *also: signal.Signals) -> None:
    """From now on these signals, and ALSO others, call LEAVE in the running loop with the status that a shell gives."""
    loop = asyncio.get_running_loop()
    for number in (*_SIGNALS, *also):
        loop.add_signal_handler(number, leave, _SIGNALLED + number)


@contextmanager
def signals_kept() -> Iterator[None]:
    """A loop takes the signals' handlers and does not give them back; this does."""
    before = {number: signal.getsignal(number) for number in (*_SIGNALS, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
