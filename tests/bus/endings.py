"""Runs `endings_program.py` to one of its ends and says what is wrong with how it ended."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bus.trace.session import SessionReader
from tests.bus.endings_program import EVENTS, SHAPES, WAYS

SECONDS = 5.0
"""What a program gets from the moment at which it is to end."""
LONG_DRAIN = 60.0
"""A drain that no ending can afford: it has to be cut short."""
PROGRAM = Path(__file__).with_name("endings_program.py")
ROOT = PROGRAM.parents[2]
_KILLED = {"sigterm", "sigint_twice", "sigint_twice_draining"}
_MAY_COME_TOO_LATE = {
    "sigint_draining", "sigterm_closes_draining", "sigterm_exits_draining", "sigterm_closes_closing",
}  # fmt: skip
_CUT_SHORT = {"sigint_draining", "sigterm_exits_draining", "sigterm_closes_and_exits"}
_CODES = {
    "sys_exit": 3,
    "error": 1,
    "sigint": -signal.SIGINT,
    "sigint_in_result": -signal.SIGINT,
    "sigint_asking": -signal.SIGINT,
    "sigint_twice": -signal.SIGINT,
    "sigint_twice_draining": -signal.SIGINT,
    "sigterm": -signal.SIGTERM,
    "sigterm_exits": 5,
    "sigterm_exits_in_result": 5,
    "sigterm_closes_and_exits": 6,
}
_SAID = {
    "handler_exits": "HandlerAborted",
    "handler_interrupts": "HandlerAborted",
    "handler_base": "Oops",
    "atexit": "after BusClosed",
}
_TRACEBACK = re.compile(
    r"^(?P<title>(?:Exception ignored|Exception in thread).*\n)?"
    r"Traceback \(most recent call last\):\n(?P<frames>(?:[ ].*\n|\n)+)(?P<error>\w.*)$",
    re.MULTILINE,
)
_OURS = f"{ROOT / 'bus'}{os.sep}"


@dataclass(frozen=True, slots=True)
class Ending:
    """A program of this SHAPE is ended this WAY.

    `drain`: seconds for the drain at exit. `delay`: from the moment at which it may be ended to the signal; `gap`: to
    the second one.
    """

    shape: str
    way: str
    drain: float = 0.5
    delay: float = 0.0
    gap: float = 0.02

    @property
    def codes(self) -> set[int]:
        """The exit codes that it may have."""
        if self.way in _MAY_COME_TOO_LATE and self.drain < LONG_DRAIN:
            return {0, -self.signal}  # a signal that comes after the bus has closed finds Python without its handlers
        return {_CODES.get(self.way, 0)}

    @property
    def signal(self) -> int:
        """What it is sent, 0 for nothing."""
        if not self.way.startswith("sig"):
            return 0
        return signal.SIGINT if self.way.startswith("sigint") else signal.SIGTERM

    @property
    def delivers(self) -> bool:
        """Whether all events that were queued have to be delivered."""
        return self.way not in _KILLED | _CUT_SHORT

    def __str__(self) -> str:
        return f"{self.shape}-{self.way}"


def every_ending() -> list[Ending]:
    """Each way of each shape."""
    return [ending(shape, way) for shape in SHAPES for way in WAYS]


def ending(shape: str, way: str) -> Ending:
    """With a drain that has to be cut short where something is stuck and a signal comes while it lasts."""
    cut = shape == "stuck" and way in {"sigint_draining", "sigterm_exits_draining"}
    return Ending(shape, way, LONG_DRAIN if cut else 0.5)


def run(ending: Ending, place: Path) -> list[str]:
    """End a program in the empty directory PLACE; what is wrong with how it ended, [] when nothing is."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(PROGRAM), ending.shape, ending.way, str(ending.drain)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=_environment(ending, place),
    )  # fmt: skip
    with process:
        try:
            said = _end(process, ending)
            out, err = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return [f"{ending} did not end within {SECONDS} s:\n{_stacks(process)}"]
    lines = (said + out.decode()).splitlines()
    wrong = [*_wrong(ending, process.returncode, lines, err.decode()), *_left_behind(ending, place)]
    return [f"{ending}: {one}\n{err.decode()}" for one in wrong]


def _environment(ending: Ending, place: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BUS_")}
    kept |= {"PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(place)}
    if ending.shape == "traced":
        kept |= {"BUS_CONSOLE": "1", "BUS_TRACE": "full", "BUS_TRACE_FILE": str(place / "s.jsonl")}
    return kept


def _end(process: subprocess.Popen[bytes], ending: Ending) -> str:
    """Signal at the chosen moment; what was said until then."""
    said = _heard(process, "ready")
    if not ending.signal:
        return said
    # The moments are what varies from run to run.
    if ending.way == "sigint_twice_draining":
        said += _heard(process, "sticking")
        process.send_signal(ending.signal)
        said += _heard(process, "sticking")
    elif ending.way.endswith("draining"):
        said += _heard(process, "draining")
    time.sleep(ending.delay)
    process.send_signal(ending.signal)
    if ending.way == "sigint_twice":
        time.sleep(ending.gap)
        process.send_signal(ending.signal)
    return said


def _heard(process: subprocess.Popen[bytes], word: str) -> str:
    assert process.stdout is not None
    said = ""
    while not said.endswith(f"{word}\n"):
        line = os.read(process.stdout.fileno(), 1).decode()
        if not line:
            return said
        said += line
    return said


def _stacks(process: subprocess.Popen[bytes]) -> str:
    """Where the threads of a process are that does not end; then it is killed."""
    process.send_signal(signal.SIGUSR1)
    try:
        process.communicate(timeout=0.5)
    except subprocess.TimeoutExpired:
        process.kill()
    return process.communicate()[1].decode()


def _wrong(ending: Ending, code: int, lines: list[str], err: str) -> Iterator[str]:
    if code not in ending.codes:
        yield f"ended with {code} instead of {ending.codes}"
    told = lines.count("told")
    if told > EVENTS or (ending.delivers and told < EVENTS):
        yield f"{told} of {EVENTS} events were delivered"
    word = _SAID.get(ending.way)
    if word is not None and word not in lines:
        yield f"did not say {word!r}: {lines}"
    if "wrong" in lines:
        yield "a call had the result of another one"
    yield from _unasked(ending, err)


def _unasked(ending: Ending, err: str) -> Iterator[str]:
    """What stands on stderr that neither Python nor the program put there themselves."""
    if "Fatal Python error" in err:
        yield "a fatal error"
    own = "ValueError" if ending.way == "error" else "KeyboardInterrupt" if ending.signal == signal.SIGINT else ""
    for found in _TRACEBACK.finditer(err):
        ours = _OURS in found["frames"]
        if found["title"] and ours:
            yield f"{found['title']!r} with frames of the bus"
        elif not found["title"] and (not own or not found["error"].startswith(own)):
            yield f"a traceback that ends with {found['error']!r}"
        elif f"{_OURS}lifecycle.py" in found["frames"]:
            yield "a traceback of the bus's closing"


def _left_behind(ending: Ending, place: Path) -> Iterator[str]:
    sockets = list(place.rglob("*.sock"))
    if sockets and ending.way not in _KILLED:
        yield f"the endpoint's socket is left: {sockets}"
    if ending.shape == "traced":
        reader = SessionReader(place / "s.jsonl")
        records = [record for block in reader for record in block]
        killed = ending.way in _KILLED
        if reader.damaged > killed or not (killed or len(records) > 1):  # more than the session's own line
            yield f"the session file has {len(records)} good records and {reader.damaged} damaged lines"
