"""The sample program: its services on one bus, and a light load that keeps them busy."""

import logging
import random
import sysconfig
import threading
from pathlib import Path

from bus import Bus, BusError
from sample_services.accomplices import Accomplice, Clerk, Cruncher, Racer
from sample_services.indexer import Indexer
from sample_services.metrics import Metrics
from sample_services.scanner import Scanner
from sample_services.search import Search
from sample_services.store import Store
from sample_services.trouble import Trouble
from sample_services.watcher import Watcher

NAME = "sample-search"
_PAUSE = 0.05
"""Seconds between two searches of the load."""
_WORDS = (
    "thread pool", "lock", "queue", "import", "timeout", "encoding", "regular expression", "event loop",
    "temporary file", "signal", "subclass", "iterator", "unicode", "garbage", "deprecated", "buffer",
)  # fmt: skip


def default_folder() -> Path:
    """The running Python's standard library: about 2,000 real files on every machine."""
    return Path(sysconfig.get_path("stdlib"))


def build(folder: Path | None = None) -> Bus:
    """A bus with all services on it, which begin to index FOLDER (default: the standard library) at once."""
    where = (folder or default_folder()).resolve()
    logging.getLogger(__package__).setLevel(logging.INFO)  # for the console; nobody prints it
    bus = Bus(NAME)
    work = (Store(), Indexer(), Search(), Metrics(), Scanner(), Watcher())
    for service in (*work, Racer(), Accomplice(), Clerk(), Cruncher(), Trouble()):
        bus.add(service)
    bus.execute_command("watch.start", where)
    bus.execute_command("scan.folder", where, "*.py" if where == default_folder().resolve() else "*")
    return bus


def load(bus: Bus, stop: threading.Event) -> None:
    """Search, suggest and ask for figures until STOP is set; now and then touch a file, as an editor would."""
    dice = random.Random(0)  # noqa: S311  a load, not a secret
    turn = 0
    while not stop.wait(_PAUSE):
        turn += 1
        try:
            _one_turn(bus, turn, dice)
        except BusError:
            return  # the bus was closed under us


def _one_turn(bus: Bus, turn: int, dice: random.Random) -> None:
    bus.execute_command("search.query", dice.choice(_WORDS), limit=dice.choice((5, 10))).result()
    if turn % 7 == 0:
        bus.execute_command("search.suggest", dice.choice(_WORDS)[:2]).result()
    if turn % 20 == 0:
        bus.execute_command("scan.status").result()
        bus.execute_command("metrics.snapshot").result()
    paths: list[str] = bus.execute_command("store.paths").result() if turn % 30 == 0 else []
    if paths:
        bus.fire_event("file.changed", Path(dice.choice(paths)))
