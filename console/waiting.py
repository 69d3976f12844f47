"""Waiting for answers while the session is kept up to date; all of it on the front end's one thread."""

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from console import commands
from console.commands import Asked, Ended, Exporting, Mistake, Outcome, Started
from console.session import Session

_TICK = 0.02
"""Seconds between two looks: what comes is taken in by the thread that waits, so nothing could wake it."""
_RECORD_SECONDS = 0.5
"""How long the record of a call may come after its answer; batches are sent 20 times a second."""
_READY_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
_STARTING_SECONDS = 5.0


def until(session: Session, condition: Callable[[], bool], seconds: float = float("inf")) -> bool:
    """Keep SESSION up to date until CONDITION is true; whether it came true within SECONDS."""
    give_up = time.monotonic() + seconds
    session.pump()
    while not condition():
        if time.monotonic() > give_up:
            return False
        keep_up(session)
    return True


def keep_up(session: Session) -> None:
    """Wait a moment, and take in what came."""
    time.sleep(_TICK)
    session.pump()


def until_ready(session: Session) -> None:
    """Wait until all that the target had at the start has come in, or it ended; for a program a few seconds at most.

    A recording is read whole, however long that takes: it has no other news.
    """
    seconds = float("inf") if session.info.state == "recorded" else _READY_SECONDS
    until(session, lambda: session.complete or session.info.state == "ended", seconds)


def until_ended(session: Session, started: Started) -> Ended:
    """Wait for the answer, and a moment for the call's record, which tells where its time went."""
    _until_done(session, started.pending)
    until(session, lambda: _is_complete(commands.finish(session, started)), _RECORD_SECONDS)
    return commands.finish(session, started)


def until_exported(session: Session, exporting: Exporting) -> Outcome:
    """Wait for the end of an export."""
    _until_done(session, exporting.job.future)
    return commands.export_ended(exporting)


def settled(session: Session, outcome: commands.Outcome) -> commands.Outcome:
    """OUTCOME; where the program was asked something, its answer, which is awaited for some seconds."""
    if not isinstance(outcome, Asked):
        return outcome
    if not _until_done(session, outcome.pending, _ANSWER_SECONDS):
        return Mistake("the program does not answer; is it stopped?", "")
    return commands.answered(outcome)


def run_patiently(session: Session, line: str) -> commands.Outcome | None:
    """Carry out LINE; while the program is just starting, give it time to register the name that is missing."""
    result = commands.run(session, line)
    while isinstance(result, Mistake) and result.unknown_name and _is_starting(session):
        keep_up(session)
        result = commands.run(session, line)
    return result


def _until_done(session: Session, future: Future[Any], seconds: float = float("inf")) -> bool:
    give_up = time.monotonic() + seconds
    while not wait([future], _TICK).done:
        session.pump()
        if time.monotonic() > give_up:
            return False
    session.pump()
    return True


def _is_complete(ended: Ended) -> bool:
    return ended.reply.call == 0 or ended.detail is not None


def _is_starting(session: Session) -> bool:
    age = session.now() - session.info.session.start_monotonic
    return session.info.state == "live" and age < _STARTING_SECONDS * 1e9
