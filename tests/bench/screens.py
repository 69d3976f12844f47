"""What the screens cost: a console in a real terminal, on a busy program and on a long recording.

All is read from outside: the time of the console's process as the system counts it, what it writes to the terminal and
when. A key's paint is the first output that holds what the key must have made visible.
"""

import fcntl
import os
import pty
import re
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.bench import reading
from tests.bench.measure import Sizes

COLUMNS, ROWS = 160, 45
_ROOT = Path(__file__).parents[2]
_PATIENCE = 60.0
_TICK: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_COLORS: Final = re.compile(rb"\x1b\[[\d;]*m")
_NOT_OURS = {"COLUMNS", "LINES", "NO_COLOR", "PYTHONDONTWRITEBYTECODE"}
"""Of the environment: the size of another terminal, and what would have each start compile all of the console anew."""
_TAIL = 200_000
"""Bytes of output that are kept to be looked at."""


class Console:
    """`bus-console ARGS` in a terminal of its own, on all CPUs. The output belongs to the reading thread."""

    def __init__(self, *args: str) -> None:
        self.began = time.perf_counter_ns()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            _start(args)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._news = threading.Condition()
        self._output = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, keys: str) -> int:
        """Type KEYS; ns when that was."""
        with self._news:
            self._output = b""
        at = time.perf_counter_ns()
        os.write(self._fd, keys.encode())
        return at

    def sees(self, pattern: str) -> int:
        """Wait until the output since the last keys has PATTERN; ns when that was."""
        wanted = re.compile(pattern.encode())
        with self._news:
            if not self._news.wait_for(lambda: wanted.search(self._text()), _PATIENCE):
                message = f"{pattern} did not appear within {_PATIENCE} s; the last output: {self._output[-2_000:]!r}"
                raise TimeoutError(message)
        return time.perf_counter_ns()

    def all(self, pattern: str) -> list[str]:
        """What the group in PATTERN matches, each time that it is in what is kept of the output."""
        with self._news:
            return [found.decode() for found in re.findall(pattern.encode(), self._text())]

    def _text(self) -> bytes:
        """The output without colours."""
        return _COLORS.sub(b"", self._output)

    @property
    def cpu(self) -> int:
        """Ns of CPU that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // _TICK

    @property
    def memory(self) -> int:
        """Bytes of memory that it has now."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) * 1024 if found else 0

    def close(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        self._reader.join(_PATIENCE)
        os.close(self._fd)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 65_536)
            except OSError:
                return
            if not data:
                return
            with self._news:
                self._output = (self._output + data)[-_TAIL:]
                self._news.notify_all()


def _start(args: tuple[str, ...]) -> None:
    """In the child: a terminal with colours, and no CPU forbidden."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    env = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    env |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    os.execve(sys.executable, [sys.executable, "-m", "console", *args], env)


def recorded(sizes: Sizes) -> dict[str, float]:
    """On a recording: a frame of the timeline when every line changes, doing nothing, memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.jsonl")
        reading._write(path, sizes.read)
        with _closing(Console("open", str(path))) as console:
            console.sees("Commands")
            _settle(console)
            idle = _cpu_share(console, sizes.screen_seconds)
            console.send("3")
            console.sees("whole recording")
            console.send("0wwwwww")
            _settle(console)
            frame = statistics.median(_frame(console, sizes) for _ in range(3))
            return {"frame": frame, "idle": max(idle, 1e-6), "console memory": console.memory}


def live(sizes: Sizes) -> dict[str, float]:
    """On a busy program: until live figures are painted, the console's CPU, what it costs the program, key to paint."""
    with _program(sizes) as pid, _closing(Console("attach", str(pid))) as console:
        first = console.sees(r"[1-9][\d,.]* calls/s") - console.began
        time.sleep(min(5.0, sizes.screen_seconds))
        lists = _cpu_share(console, sizes.screen_seconds)
        console.send("3")
        console.sees("whole recording")
        lanes = _cpu_share(console, sizes.screen_seconds)
        cost = statistics.fmean(map(float, console.all(r"costs it ([\d.]+) %") or [0.1]))
        console.send("1")
        console.sees("run p50")
        delays = _key_delays(console, sizes)
        return {
            "first paint": first, "console cpu, lists": lists, "console cpu, timeline": lanes,
            "program cost": cost, "key to paint p95": sorted(delays)[len(delays) * 95 // 100],
        }  # fmt: skip


@contextmanager
def _program(sizes: Sizes) -> Iterator[int]:
    words = map(str, (sizes.screen_commands, sizes.screen_lanes, sizes.screen_rate))
    command = [sys.executable, "-m", "tests.bench.load", *words]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(program.pid, range(os.cpu_count() or 1))
        program.stdout.readline()
        try:
            yield program.pid
        finally:
            program.stdin.close()
            program.wait(_PATIENCE)


@contextmanager
def _closing(console: Console) -> Iterator[Console]:
    try:
        yield console
    finally:
        console.close()


def _settle(console: Console) -> None:
    """Until it has read all, and does nothing more than it does at rest."""
    give_up = time.monotonic() + _PATIENCE
    while time.monotonic() < give_up and _cpu_share(console, 1.0) > 5:
        pass


def _cpu_share(console: Console, seconds: float) -> float:
    """Percent of one CPU that it uses."""
    before, began = console.cpu, time.perf_counter_ns()
    time.sleep(seconds)
    return (console.cpu - before) * 100 / (time.perf_counter_ns() - began)


def _frame(console: Console, sizes: Sizes) -> float:
    """CPU ns for a step to the side, which draws all lanes anew, with what it does at rest meanwhile."""
    before = console.cpu
    for number in range(sizes.screen_keys):
        console.send("ad"[number % 2])
        console.sees("window")
        time.sleep(0.02)
    return (console.cpu - before) / sizes.screen_keys


def _key_delays(console: Console, sizes: Sizes) -> list[int]:
    """Ns from a key to the paint that shows it: letters typed into the bar, one after another."""
    console.send(":")
    time.sleep(0.3)
    delays = []
    for count in range(1, sizes.screen_keys + 1):
        at = console.send("z")
        delays.append(console.sees("z" * (1 + (count - 1) % 20)) - at)
        if count % 20 == 0:
            console.send("\x15")
        time.sleep(0.037)
    return delays
