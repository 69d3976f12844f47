"""What becomes of an error that nobody asks for, and of its promise."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_promise_that_outlives_its_bus_goes_in_silence() -> None:
    """A failed promise that is collected after the bus was closed does not wake whoever listened: its token is gone."""
    program = """
from bus import Bus

with Bus("early") as bus:
    bus.register_command("fail", lambda: 1 / 0)
    promise = bus.execute_command("fail")

class Ring:
    pass

ring = Ring()
ring.itself, ring.promise = ring, promise
"""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=True)
    assert done.stderr == ""
