"""Twenty thousand calls a second, recorded to a file beside a thread that computes without a pause."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bus import Bus, Service
from bus.runtime import REAL
from bus.trace.recorder import Recorder
from bus.trace.recording import Recording
from bus.trace.records import Call, Dropped
from bus.trace.session import SessionReader

_BURSTS = 100
"""A second."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate`: calls a second. `behind`: the most records that waited for the disk. `lost`: those that were given up."""

    calls: int
    rate: float
    behind: int
    behind_at_end: int
    lost: int
    recorded: int
    flushed_in: float

    def __str__(self) -> str:
        return (
            f"{self.calls:,} calls at {self.rate:,.0f}/s beside a busy thread: {self.recorded:,} in the file, "
            f"{self.lost} lost, backlog at most {self.behind:,}, at the end {self.behind_at_end:,} "
            f"(gone in {self.flushed_in * 1e3:.0f} ms)"
        )


def measure(path: Path, per_second: int, seconds: float) -> Pace:
    """Make so many calls, in bursts that a busy interpreter lets through; nobody waits for their results."""
    stop = threading.Event()
    busy = threading.Thread(target=_compute, args=(stop,), daemon=True)
    with Bus("pace") as bus:
        bus.add(Service("shop", capacity=10 * per_second))
        bus.register_command("sell", lambda number: number, service="shop")
        recorder = Recorder(bus, "times")
        recording = Recording(path, recorder.session, REAL, recorder.note)
        recorder.add(recording, timeout=5)
        busy.start()
        calls, took, behind = _make_calls(bus, recording, per_second, seconds)
        at_end = recording._outlet.backlog
        began = time.monotonic()
        recorder.flush(30)
        flushed_in = time.monotonic() - began
        stop.set()
        busy.join()
        recorder.remove(recording)
        recording.wait_closed(30)
        recorder.close()
    records = [record for block in SessionReader(path) for record in block]
    lost = sum(record.count for record in records if isinstance(record, Dropped))
    recorded = sum(isinstance(record, Call) for record in records)
    return Pace(calls, calls / took, behind, at_end, lost, recorded, flushed_in)


def _make_calls(bus: Bus, recording: Recording, per_second: int, seconds: float) -> tuple[int, float, int]:
    began = time.monotonic()
    calls = behind = 0
    while (passed := time.monotonic() - began) < seconds:
        for _ in range(int(passed * per_second) - calls):
            bus.execute_command("sell", calls)
            calls += 1
        behind = max(behind, recording._outlet.backlog)
        time.sleep(1 / _BURSTS)
    return calls, time.monotonic() - began, behind


def _compute(stop: threading.Event) -> None:
    while not stop.is_set():
        sum(range(10_000))
