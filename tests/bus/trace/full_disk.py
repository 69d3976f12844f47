"""A program that records to a file system of 64 KB: run it in a mount namespace of its own."""

import subprocess
import sys

import msgspec

_SIZE = "64k"
_PROGRAM = """
import json, logging, sys, time
from bus import Bus, Service
from bus.trace.session import SessionReader

CALLS = 3_000

def latencies(count):
    taken = []
    for number in range(count):
        began = time.perf_counter_ns()
        assert bus.execute_command("sell", number).result() == number
        taken.append(time.perf_counter_ns() - began)
    taken.sort()
    return taken[len(taken) // 2], taken[len(taken) * 99 // 100]

said = []
handler = logging.Handler()
handler.emit = lambda record: said.append(record.getMessage())
logging.getLogger("bus").addHandler(handler)
with Bus("full", trace="times") as bus:
    bus.add(Service("shop"))
    bus.register_command("sell", lambda number: number, service="shop")
    before = latencies(CALLS)
    bus.record(sys.argv[1] + "/s.jsonl")
    latencies(CALLS)
    while not said:
        time.sleep(0.01)
    after = latencies(CALLS)
reader = SessionReader(sys.argv[1] + "/s.jsonl")
records = sum(len(block) for block in reader)
print(json.dumps(dict(said=said, records=records, damaged=reader.damaged, before=before, after=after)))
"""


class NotPermittedError(Exception):
    """This user may not mount anything, not even in a namespace of its own."""


class Outcome(msgspec.Struct):
    """What the program saw. `before` and `after`: p50 and p99 of a call without a recording, and after its end, ns."""

    said: list[str]
    records: int
    damaged: int
    before: tuple[int, int]
    after: tuple[int, int]


def run(folder: str) -> Outcome:
    """Mount a tiny tmpfs on FOLDER, run the program there."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = f'mount -t tmpfs -o size={_SIZE} tmpfs "$1"'
    tried = subprocess.run([*unshare, mount, "sh", folder], capture_output=True, check=False, text=True)
    if tried.returncode:
        raise NotPermittedError(tried.stderr.strip())
    script = f'{mount} && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        [*unshare, script, "sh", folder, sys.executable, _PROGRAM], capture_output=True, check=True, timeout=60
    )
    return msgspec.json.decode(done.stdout, type=Outcome)
