"""A program that records itself and is killed at a random moment: what its file has, beside what it said on a pipe."""

import random
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bus.trace.records import Call
from bus.trace.session import SessionReader

_MARK = struct.Struct("=qq")
_PROGRAM = """
import os, struct, sys, time
from bus import Bus, Service

class Shop(Service):
    pass

bus = Bus("killed", trace="times")
bus.add(Shop("shop"))
bus.register_command("sell", lambda number: number, service="shop")
bus.record(sys.argv[1])
number = 0
while True:
    number += 1
    promise = bus.execute_command("sell", number)
    promise.result()
    # One write to a pipe, which the kernel keeps when this process is gone: so many calls had ended by then.
    os.write(1, struct.pack("=qq", promise.call.id, time.monotonic_ns()))
    if number % 20 == 0:
        time.sleep(0.001)
"""


@dataclass(frozen=True, slots=True)
class Kill:
    """What one kill left. `lost_age`: how old the oldest lost call was, in ns before the kill; 0 when none was.

    `gaps`: calls that are missing although a later one is there. `made`: calls that had ended by the kill.
    """

    made: int
    lost: int
    lost_age: int
    gaps: int
    damaged: int


def kill_one(path: Path, seconds: float) -> Kill:
    """Start the program, which records to PATH, kill it that many SECONDS after its first call, and compare."""
    with subprocess.Popen([sys.executable, "-c", _PROGRAM, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = bytearray(child.stdout.read(_MARK.size))
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            said += child.stdout.read1()  # a full pipe would stop the program
        killed_at = time.monotonic_ns()
        child.kill()
        said += child.stdout.read()
    whole = len(said) // _MARK.size * _MARK.size
    marks = dict(_MARK.iter_unpack(bytes(said[:whole])))
    reader = SessionReader(path)
    kept = {record.id for block in reader for record in block if isinstance(record, Call) and record.outcome}
    lost = {number: at for number, at in marks.items() if number not in kept}
    last = max(kept, default=0)
    return Kill(
        made=len(marks),
        lost=len(lost),
        lost_age=max((killed_at - at for at in lost.values()), default=0),
        gaps=sum(number < last for number in lost),
        damaged=reader.damaged,
    )


def kill_at_random(folder: Path, times: int, seed: int, longest: float = 0.6) -> list[Kill]:
    """Kill so many programs, each at a moment of its own."""
    chosen = random.Random(seed)
    return [kill_one(folder / f"{number}.jsonl", chosen.uniform(0, longest)) for number in range(times)]
