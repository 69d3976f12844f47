"""Runs `package.module:factory` as a program of its own: `python -m console.target.child package.module:factory`.

The factory returns a `Bus`, which is closed when SIGINT or SIGTERM comes.
"""

import importlib
import os
import signal
import sys
from collections.abc import Callable

from bus import Bus


def main(argv: list[str]) -> int:
    """Run what ARGV names until a signal comes; the exit status, 2 when it cannot be run."""
    target, *rest = argv or [""]
    sys.argv = [target, *rest]
    try:
        bus = load(target)()
    except LookupError as error:
        sys.stderr.write(f"{error.args[0]}\n")
        return 2
    if not isinstance(bus, Bus):
        sys.stderr.write(f"{target} returned a {type(bus).__name__}, not a Bus\n")
        return 2
    wait_for_signal()
    bus.close()
    return 0


def load(target: str) -> Callable[[], object]:
    """The factory that TARGET names.

    Raises:
        LookupError: there is no such module, or no such function in it; the message says which.
    """
    module_name, _, name = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise  # something that the module itself wants is missing: its own traceback says more
        message = f"there is no module {module_name}; run this where it can be imported, or install it"
        raise LookupError(message) from None
    factory = getattr(module, name, None)
    if not callable(factory):
        message = f"{module_name} has no function {name}"
        raise LookupError(message)  # noqa: TRY004  not a wrong type in the code: a wrong word on the command line
    return factory  # type: ignore[no-any-return]  # callable was asked; what it returns is checked


def wait_for_signal() -> None:
    """Return when SIGINT or SIGTERM came; a second one ends the process at once.

    Python's handlers only note the signal: a pipe that the interpreter itself writes to is what wakes this thread.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _second_time)
    os.read(reading, 1)


def _second_time(number: int, frame: object) -> None:
    """The first signal was seen: from now on the system's own handling is in force."""
    del frame
    signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
