"""What recording takes of a busy program: the CPU of the pump, of the session file and of an attached console."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bus import Bus, Service
from bus.attach.endpoint import Endpoint
from bus.runtime import NS, REAL
from bus.trace.chunk import Chunk
from bus.trace.recorder import Recorder
from bus.trace.recording import Recording
from bus.trace.records import AnyRecord, Level
from tests.bench.measure import Sizes
from tests.bench.peers import CAPACITY

RATE: Final = 20_000
"""Calls a second."""
LEVELS: Final[tuple[Level, ...]] = ("times", "full")
_STEP = 0.005
_ROOT = Path(__file__).parents[2]
_CONSOLE = """
import os, sys, time
from console.target.attached import AttachedTarget
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, range(os.cpu_count()))
target = AttachedTarget(sys.argv[1], "read")
print("attached", flush=True)
while target.info.state == "live":
    target.drain()
    time.sleep(0.1)
"""


class _Meter:
    """A sink that adds up what the recorder says its turns have cost: the figure in the console's header."""

    cpu = 0
    alive = True

    def __init__(self) -> None:
        self.at = 0
        self.spent = 0.0

    def join(self, opening: tuple[AnyRecord, ...], history: tuple[Chunk, ...]) -> None:
        """See `Sink`."""

    def offer(self, chunk: Chunk) -> None:
        """See `Sink`; all chunks of a turn have its time and cost."""
        if self.at and chunk.at > self.at:
            self.spent += chunk.cost * (chunk.at - self.at)
        self.at = chunk.at

    def leave(self, chunk: Chunk) -> None:
        """See `Sink`."""

    def flush(self, timeout: float) -> bool:
        """See `Sink`."""
        return timeout >= 0


def recording(level: Level) -> Callable[[Sizes], dict[str, float]]:
    """CPU ns a call at 20,000 calls a second, recorded at LEVEL into a file, with a console attached."""

    def measured(sizes: Sizes) -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder, Bus("bench") as bus:
            bus.add(Service("echo", capacity=CAPACITY))
            bus.register_command("echo", lambda value: value, service="echo")
            recorder = Recorder(bus, level)
            endpoint = Endpoint(bus, recorder, Path(folder, "run"))
            recorder.add(Recording(Path(folder, "s.jsonl"), recorder.session, REAL, recorder.note), timeout=1.0)
            console = _attach(endpoint.path)
            try:
                return {"recording": _cost(bus, recorder, sizes.recorded_seconds)}
            finally:
                endpoint.close()
                recorder.close()
                console.communicate(timeout=10)

    return measured


def _attach(path: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _CONSOLE, str(path)]
    console = subprocess.Popen(command, cwd=_ROOT, env={**os.environ}, stdout=subprocess.PIPE, text=True)
    assert console.stdout is not None
    console.stdout.readline()
    return console


def _cost(bus: Bus, recorder: Recorder, seconds: float) -> float:
    _call(bus, seconds / 10)  # warms it
    recorder.flush()
    meter = _Meter()
    recorder.add(meter, timeout=1.0)
    calls = _call(bus, seconds)
    recorder.flush()
    recorder.flush()  # what the sinks used is known one turn later
    return meter.spent / calls


def _call(bus: Bus, seconds: float) -> int:
    """Calls, a hundred every 5 ms; how many."""
    began = time.perf_counter_ns()
    calls = 0
    while (passed := (time.perf_counter_ns() - began) / NS) < seconds:
        for _ in range(calls, int(passed * RATE)):
            bus.execute_command("echo", 1)
            calls += 1
        time.sleep(_STEP)
    return calls
