"""Trouble in the real sample program, and the answer that the Problems screen gives, as a person reads it."""

import re
from pathlib import Path

import pytest

from tests.e2e.terminal import ENTER, Terminal, close_outcome, type_line
from tests.support import wait_for

PATIENCE = 60.0
"""Seconds: these tests run on slow and busy machines, and wait for what they want to see."""


@pytest.fixture
def impatient(env: dict[str, str]) -> Path:
    """A config file by which a call that was never seen to end is stuck after 2 s; asked for before the console."""
    path = Path(env["XDG_CONFIG_HOME"]) / "bus-console" / "config.toml"
    path.parent.mkdir()
    path.write_text("[problems.stuck]\nunknown_seconds = 2\n")
    return path


def make(console: Terminal, command: str, said: str = r"#\d+ ok") -> None:
    """Execute a command of the sample program, wait for its result below the rule, and close it."""
    type_line(console, command)
    console.see(rf"▔[\s\S]*{said}", PATIENCE)
    close_outcome(console)


def begin(console: Terminal, command: str) -> None:
    """Execute a command, and do not wait for its result."""
    type_line(console, f"{command} &")
    console.see(r"▔[\s\S]*(running|#\d+ ok)", PATIENCE)
    close_outcome(console)


def diagnose(console: Terminal, found: str, chosen: str) -> None:
    """Wait on the Problems screen until the rule has found something, and put the cursor on it, by the filter."""
    console.send("6")
    console.see(r"healthy: ", PATIENCE)
    console.send("/" + chosen)
    console.see(found, PATIENCE)
    console.send(ENTER)
    console.see("only problems with", PATIENCE)


def right(console: Terminal) -> str:
    """What stands beside the list, as one text."""
    return " ".join(line.partition("│")[2].strip() for line in console.text.splitlines())


def test_a_deadlock_of_two_services(console: Terminal) -> None:
    """The cycle is named: both threads, both calls, the line where each waits, and what to do."""
    make(console, "trouble.deadlock", "DeadlockError")
    diagnose(console, r"⚠ deadlock +trouble ⇄ accomplice", "deadlock")
    console.see(r"trouble-0  runs trouble\.deadlock #\d+")
    console.see(r"waits at sample_services/trouble\.py:\d+")
    console.see(r"for accomplice\.hold #\d+")
    console.see(r"accomplice-0  runs accomplice\.hold #\d+")
    console.see(r"waits at sample_services/accomplices\.py:\d+")
    console.see(r"for trouble\.ack #\d+, which trouble-0 would have to run")
    wait_for(lambda: "return the promise, split a service, or give trouble a second worker" in right(console), PATIENCE)


def test_a_stuck_call_shows_its_live_stack(impatient: Path, console: Terminal) -> None:
    """After as long as the config file says: the call, and the line at which it stands now."""
    begin(console, "trouble.slow 600")
    diagnose(console, r"⚠ stuck +trouble\.slow", "stuck")
    console.see(r"STUCK +\S+ #\d+ has been running for", PATIENCE)
    console.see("its stack now", PATIENCE)
    console.see(r"slow +sample_services/trouble\.py:\d+", PATIENCE)


def test_a_slow_listener_delays_others(console: Terminal) -> None:
    """The queue is blamed and not the handler, and the listener that has the service."""
    make(console, "trouble.delay")
    diagnose(console, r"⚠ waits more than works +clerk\.answer", "clerk.answer")
    wait_for(lambda: re.search(r"waits [\d.]+ m?s in the queue of clerk, runs [\d.]+ [µm]s", right(console)), PATIENCE)
    wait_for(lambda: re.search(r"trouble\.parcel has clerk for \d+ % of the time", right(console)), PATIENCE)


def test_a_failing_command_is_grouped_with_its_own_frame(console: Terminal) -> None:
    """The exception, how often, and the line of the program that raised it."""
    make(console, "trouble.errors 12")
    diagnose(console, r"✗ failing +accomplice\.fail  OSError +[\d:]+ +12×", "failing")
    console.see(r"sample_services/accomplices\.py:\d+ in Accomplice\.fail")
    console.see(r"#\d+ accomplice\.fail  accomplice-0  ✗ OSError")


def test_a_flood_grows_the_queue_and_then_drops(console: Terminal) -> None:
    """Arrivals against completions; then how many events were lost, and where."""
    begin(console, "trouble.flood 40000 10")
    diagnose(console, r"⚠ queue growth +accomplice", "accomplice")
    console.see(r"⚠ lossy +accomplice  events dropped +[\d:]+ +[\d,]+×", PATIENCE)
    console.see(r"[1-9][\d,]* dropped")
    console.send("/")
    console.see(r"queue growth")


def test_a_misspelt_event_has_its_close_name(console: Terminal) -> None:
    """Nobody but who hears everything listens to it, and another name is two letters away."""
    make(console, "trouble.misspell")
    diagnose(console, r"· no listener +file\.chnaged → file\.changed \?", "no listener")
    console.see(r"nobody listens but metrics", PATIENCE)
    console.see(r"Fire file\.changed instead")


def test_a_listener_that_leaks(console: Terminal) -> None:
    """Which callable, for which event, how often, and where it is."""
    make(console, "trouble.leak")
    diagnose(console, r"⚠ listener leak +trouble\.leaked +Trouble\._on_leaked +[\d:]+ +20×", "leak")
    console.see(r"sample_services/trouble\.py:\d+")
    console.see("dispose it")


def test_threads_that_compute_starve_the_others(console: Terminal) -> None:
    """What is neither computing nor waiting for a call is blamed on the GIL, and on who has it."""
    begin(console, "trouble.hog 20")
    for _ in range(3):
        make(console, "index.rebuild")
    diagnose(console, r"⚠ blocked elsewhere +store\.put", "store.put")
    console.see("the GIL", PATIENCE)
    console.see(r"cruncher-\d runs \d+ % of the time, and computes")
